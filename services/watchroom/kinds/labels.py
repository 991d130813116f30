"""Labels and their values for people: the titles of the schemas, else the words of the slug. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from watchroom.kinds.measure import Label, Measure

BARE: Final = frozenset({"line"})  # labels whose numbers are names: 999, not "line 999"


def from_slug(slug: str) -> str:
    """`theft offences`."""
    return slug.replace("_", " ")


def capital(text: str) -> str:
    """The text with a capital first letter; the other letters stay."""
    return text[:1].upper() + text[1:]


def title_of(label: Label) -> str:
    """`area`, `type of calling number`."""
    return label.title or from_slug(label.name)


def value_text(label: Label, value: str) -> str:
    """A value in a sentence or after its label's title: `1`, `anti-social behaviour`, `Cannock Chase`."""
    return label.titles.get(value) or from_slug(value)


def value_title(label: Label, value: str) -> str:
    """A value on its own: `Grade 1`, `999`, `Theft offences`, `Cannock Chase`."""
    if value.isdigit() and label.name not in BARE:
        return f"{capital(title_of(label))} {value}"
    return capital(value_text(label, value))


def where_text(measure: Measure, by: Mapping[str, str]) -> str:
    """Several labels in one line, each with its title: `line 999`, `grade 1, area Cannock Chase`; empty for none."""
    known = {label.name: label for label in measure.labels}
    return ", ".join(f"{title_of(known[name])} {value_text(known[name], value)}" for name, value in by.items())


def where_titles(measure: Measure, by: Mapping[str, str]) -> str:
    """Several labels in one line: `999`, `Grade 1, Cannock Chase`; empty for none.

    Values that are not listed have their label's title: `Grade 1, area unknown`.
    """
    known = {label.name: label for label in measure.labels}
    return ", ".join(
        value_title(known[name], value) if value in known[name].values else where_text(measure, {name: value})
        for name, value in by.items()
    )
