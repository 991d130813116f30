"""The published report's sections, from `schemas/report.toml`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field

from watchroom.catalogue.faults import of_file
from watchroom.catalogue.model import Catalogue
from watchroom.errors import ConfigurationInvalid, Fault
from watchroom.kinds.measure import Measure
from watchroom.reports.toml_file import toml_file
from watchroom.wording import counted

FILE: Final = "report.toml"
DEFINITIONS: Final = "definitions"  # has a sheet and a part of the page
PUBLISHED_ROWS: Final = range(1, 65)
"""Rows of the published report. Source: Staffordshire Police, Public Performance Meeting, 27 January 2022."""

_Text = Annotated[str, Field(min_length=1)]


class Section(BaseModel):
    """One section. A section without rows has the measures that no row uses."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    name: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=31)]
    """The name of the section in options and files, and of its worksheet: at most 31 lower-case letters and digits,
    with words joined by `-`. Example: `name = "road-safety"`."""
    title: _Text
    """The heading of the section. Example: `title = "A Local and Responsive Service: Road Safety"`."""
    rows: tuple[Annotated[int, Field(ge=PUBLISHED_ROWS.start, lt=PUBLISHED_ROWS.stop)], ...] = ()
    """The rows of the published report in this section. Each row is in exactly one section, and exactly one section has
    no rows: it has the measures that provide no row. Example: `rows = [27, 28, 29]`."""

    def measures(self, catalogue: Catalogue) -> Iterator[tuple[Measure, tuple[int, ...]]]:
        """Its measures by the first row that uses them, each with those rows."""
        found = [(m, tuple(row for row in self.rows if row in m.rows)) for m in catalogue.measures.values()]
        if not self.rows:
            yield from (pair for pair in found if not pair[0].rows)
        else:
            served = [pair for pair in found if pair[1]]
            yield from sorted(served, key=lambda pair: self.rows.index(pair[1][0]))


class Layout(BaseModel):
    """How the report is laid out."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    small_below: Annotated[int, Field(ge=1)]
    """A figure that is based on fewer is marked as a small number. Example: `small_below = 50`."""
    sections: Annotated[tuple[Section, ...], Field(min_length=1)]
    """The sections in the published order.
    Example: `sections = [{ name = "homicide", title = "Homicide", rows = [33] }]`."""

    def only(self, names: Collection[str]) -> tuple[Section, ...]:
        """The sections with these names in the published order; all if none is named."""
        return tuple(section for section in self.sections if not names or section.name in names)


def load_layout(schemas: Path) -> Layout:
    """The sections in the published order.

    Raises:
        ConfigurationInvalid: The file cannot be read, or does not have each row once; every fault is listed.
    """
    path = schemas / FILE
    found = toml_file(path, Layout)
    if faults := list(_faults(str(path), found.sections)):
        raise ConfigurationInvalid([of_file(fault, FILE) for fault in faults])
    return found


def _faults(where: str, sections: Sequence[Section]) -> Iterator[Fault]:
    names = Counter(section.name for section in sections)
    rows = Counter(row for section in sections for row in section.rows)
    yield from (Fault(where, name, "two sections with this name", "another name") for name in _twice(names))
    yield from (Fault(where, "rows", f"{row} twice", "each row in only one section") for row in _twice(rows))
    if DEFINITIONS in names:
        yield Fault(where, "sections", repr(DEFINITIONS), "another name: this one is reserved for the definitions")
    if missing := [str(row) for row in PUBLISHED_ROWS if row not in rows]:
        yield Fault(where, "rows", f"no section with row {', '.join(missing)}", "each row of the report in a section")
    if (without := sum(not section.rows for section in sections)) != 1:
        yield Fault(
            where,
            "sections",
            f"{counted(without, 'section')} without rows",
            "exactly one section without rows, for the measures that no row uses",
        )


def _twice(counts: Mapping[Any, int]) -> list[Any]:
    return [each for each, count in counts.items() if count > 1]
