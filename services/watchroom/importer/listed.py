"""Texts that count only if they are listed: in maps, in conditions, and as labels of measures. Pure."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping

from watchroom.catalogue.model import Catalogue
from watchroom.importer.event_fields import STREAM_OF
from watchroom.kinds.measure import Label, resolved
from watchroom.streams import STREAMS

_WHOLE = re.compile(r"(\d+)\.0+", re.ASCII)

Labels = Mapping[tuple[str, str], Label]
"""(stream, field of its data) -> the label that this field's text becomes."""


def as_listed(text: str, listed: Container[str]) -> str:
    """A text as a list has it: `999.0` is what spreadsheets and programs make of 999. Any other text stays."""
    if text in listed or (whole := _WHOLE.fullmatch(text)) is None:
        return text
    return whole[1] if whole[1] in listed else text


def labels_of(catalogue: Catalogue) -> Labels:
    """The labels of all measures, by the field that the label reads."""
    measures = catalogue.measures.values()
    return {
        (measure.stream, _field_of(measure.stream, label)): label for measure in measures for label in measure.labels
    }


def _field_of(stream: str, label: Label) -> str:
    word = STREAMS[stream].values.get(label.value_of)
    return (word.field if word else "") or label.value_of


def unlisted(kind: str, data: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Listed fields of an event of a type that say something else, with their texts."""
    for name, listed in STREAMS[STREAM_OF[kind]].listed_fields.items():
        if (text := str(data.get(name, ""))) and not listed.is_listed(text):
            yield name, text


def as_label(text: str, label: Label) -> str:
    """A text as a label lists it, where it is such a number."""
    if (whole := _WHOLE.fullmatch(text)) and resolved(label, text) == label.other != resolved(label, whole[1]):
        return whole[1]
    return text
