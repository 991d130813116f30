"""A CSV of a baseline's months: `month`, `measure`, labels, `field`, `value`. A bad row does not stop the others."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from watchroom.catalogue.model import Catalogue
from watchroom.entered import csv_rows, csv_text, plain_whole_number
from watchroom.errors import Fault
from watchroom.events.slug import slug
from watchroom.kinds import kind_of, names
from watchroom.kinds.duration_figures import BIN, NATIONAL_EDGES_MS, OBSERVATIONS
from watchroom.kinds.kind import Unit
from watchroom.kinds.measure import AREA, Label, Measure
from watchroom.reports.baselines import Baseline
from watchroom.rolling.calendar import is_month

COLUMNS: Final = ("month", "measure", "field", "value")
BINS: Final = len(NATIONAL_EDGES_MS) + 1  # of a duration
MOST: Final = 2**53 - 1  # Redis and JSON hold whole numbers exactly up to here

Cell = tuple[str, str]  # month, bucket field


class Imported(NamedTuple):
    """What a file says."""

    cells: Mapping[Cell, int]
    faults: list[Fault]  # of rows that are not in `cells`


class _Bad(Exception):
    """One cell of a row cannot be used: column, what was found, what to write."""

    def __init__(self, column: str, found: str, write: str) -> None:
        super().__init__(column, found, write)
        self.said = (column, found, write)


def read_baseline_file(path: Path, baseline: Baseline, catalogue: Catalogue) -> Imported:
    """The cells of a file, and a fault for each row that cannot be used.

    Raises:
        ConfigurationInvalid: It cannot be read, or its header lacks a column or has one that is no label.
    """
    return parse_baseline(str(path), csv_text(path), baseline, catalogue)


def parse_baseline(file: str, text: str, baseline: Baseline, catalogue: Catalogue) -> Imported:
    """The same of a file's text; `file` names it in faults."""
    labels = sorted({label.name for measure in catalogue.measures.values() for label in measure.labels})
    lines: dict[Cell, int] = {}
    cells: dict[Cell, int] = {}
    faults: list[Fault] = []
    for line, row in csv_rows(file, text, COLUMNS, (*COLUMNS, *labels)):
        if isinstance(row, Fault):
            faults.append(row)
            continue
        try:
            cell, number = _cell(row, baseline, catalogue)
            _refuse_second(lines.get(cell))
        except _Bad as bad:
            faults.append(Fault(f"{file}:{line}", *bad.said))
        else:
            cells[cell], lines[cell] = number, line
    for cell, found, write in [*_above_whole(cells, catalogue), *_other_sums(cells)]:
        faults.append(Fault(f"{file}:{lines[cell]}", "value", found, write))
        del cells[cell]
    return Imported(cells, faults)


def _refuse_second(line: int | None) -> None:
    if line is not None:
        raise _Bad("field", f"the same month, measure, labels and field as line {line}", "each of them in one row")


def _cell(row: Mapping[str, str], baseline: Baseline, catalogue: Catalogue) -> tuple[Cell, int]:
    month = row["month"]
    if not is_month(month):
        raise _Bad("month", repr(month), "a month such as 2019-04")
    if not baseline.has(month):
        raise _Bad("month", repr(month), f"a month of the baseline, {baseline.first} to {baseline.last}")
    known = {name: each for name, each in catalogue.measures.items() if kind_of(each).quotients}
    measure = known.get(row["measure"])
    if measure is None:
        raise _Bad("measure", repr(row["measure"]), f"one of {', '.join(known)}")
    groups = catalogue.areas.groups
    by = {label.name: _label_value(label, row.get(label.name, ""), groups) for label in measure.labels}
    for name, value in row.items():
        if value and name not in (*COLUMNS, *by):
            raise _Bad(name, repr(value), f"nothing: {measure.id} is not split by {name}")
    fields = fields_of(measure)
    if row["field"] not in fields:
        raise _Bad("field", repr(row["field"]), f"one of {', '.join(fields)}")
    number = plain_whole_number(row["value"])
    if number is None or not 0 <= number <= MOST:
        raise _Bad("value", repr(row["value"]), "a whole number from 0 to 2^53 - 1, in the field's own unit")
    return (month, names.field(names.series(measure.id, by), row["field"])), number


def fields_of(measure: Measure) -> tuple[str, ...]:
    """The fields that an imported month may have of a measure."""
    kind = kind_of(measure)
    of_quotients = (name for each in kind.quotients.values() for name in (each.numerator, each.denominator) if name)
    return tuple(dict.fromkeys((*of_quotients, *kind.further_fields)))


def _label_value(label: Label, text: str, groups: Mapping[str, Collection[str]]) -> str:
    """The value that a cell names; an empty cell says that it is not known.

    A group of areas is refused even where events may spell an area so: months are added up over areas, and a total of
    the group beside its parts would count twice.
    """
    if not text:
        return label.absent
    value = slug(text)
    if label.value_of == AREA and value in groups:
        areas = ", ".join(groups[value])
        raise _Bad(label.name, f"{text!r}, which is a group of areas", f"an area; of the group these: {areas}")
    value = label.aliases.get(value, value)
    if value not in label.all_values():
        raise _Bad(label.name, repr(text), f"one of {', '.join(label.all_values())}, or nothing where it is not known")
    return value


def _above_whole(cells: Mapping[Cell, int], catalogue: Catalogue) -> list[tuple[Cell, str, str]]:
    """Parts that are above their whole: each with what was found and what to write instead."""
    found = []
    for (month, field), number in cells.items():
        series, _, what = field.rpartition("|")
        measure = catalogue.measures[series.partition("|")[0]]
        for quotient in kind_of(measure).quotients.values():
            whole = cells.get((month, names.field(series, quotient.denominator)))
            if quotient.unit is Unit.SHARE and what == quotient.numerator and whole is not None and number > whole:
                said = f"{number}, with {quotient.denominator} {whole}"
                found.append(((month, field), said, "a part that is not above its whole"))
    return found


def _other_sums(cells: Mapping[Cell, int]) -> list[tuple[Cell, str, str]]:
    """Bins that cannot be those of the durations observed, as `_above_whole`: all of them are another number together,
    or some of them are more.
    """
    bins: dict[Cell, list[Cell]] = {}
    for month, field in cells:
        series, _, what = field.rpartition("|")
        if what.startswith(BIN):
            bins.setdefault((month, names.field(series, OBSERVATIONS)), []).append((month, field))
    found = []
    for of, parts in bins.items():
        observations, together = cells.get(of), sum(cells[part] for part in parts)
        if observations is None or not (together > observations or (len(parts) == BINS and together < observations)):
            continue
        what = f"with all bins {together} together, but {OBSERVATIONS} {observations}"
        found += [(part, f"{cells[part]}, {what}", f"bins that add up to {OBSERVATIONS}") for part in parts]
    return found
