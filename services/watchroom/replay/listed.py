"""Texts that must be listed to count: those of maps and conditions, and the labels of measures. Pure."""

from __future__ import annotations

import re
from collections.abc import Container, Mapping

from watchroom.catalogue.model import Catalogue
from watchroom.kinds.measure import Label, resolved

_WHOLE = re.compile(r"(\d+)\.0+", re.ASCII)

Labels = Mapping[tuple[str, str], Label]
"""(stream, field of its data) -> the label that this field's text becomes."""


def as_listed(text: str, listed: Container[str]) -> str:
    """A text as a list has it: `999.0` is what spreadsheets and programs make of 999. Any other text stays."""
    if text in listed or (whole := _WHOLE.fullmatch(text)) is None:
        return text
    return whole[1] if whole[1] in listed else text


def labels_of(catalogue: Catalogue) -> Labels:
    """The labels of all measures, where an event's field has the name of the word behind the label."""
    measures = catalogue.measures.values()
    return {(measure.stream, label.value_of): label for measure in measures for label in measure.labels}


def as_label(text: str, label: Label) -> str:
    """A text as a label lists it, where it is such a number."""
    if (whole := _WHOLE.fullmatch(text)) and resolved(label, text) == label.other != resolved(label, whole[1]):
        return whole[1]
    return text
