"""A CSV file of a baseline's months: `month`, `measure`, labels, `field`, `value`. Rows with faults are skipped."""

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
MOST: Final = 2**53 - 1  # Redis and JSON are exact up to this number

Entry = tuple[str, str]  # month, bucket field


class Imported(NamedTuple):
    """The contents of a file."""

    entries: Mapping[Entry, int]
    faults: list[Fault]  # of the other rows


class _Bad(Exception):
    """A row cannot be used: column, what was found, what to write."""

    def __init__(self, column: str, found: str, write: str) -> None:
        super().__init__(column, found, write)
        self.said = (column, found, write)


def read_baseline_file(path: Path, baseline: Baseline, catalogue: Catalogue) -> Imported:
    """The entries of a file, and a fault for each row that cannot be used.

    Raises:
        ConfigurationInvalid: It cannot be read, or its header lacks a column or has one that is not a label.
    """
    return parse_baseline(str(path), csv_text(path), baseline, catalogue)


def parse_baseline(file: str, text: str, baseline: Baseline, catalogue: Catalogue) -> Imported:
    """The same for the text of a file; faults call it `file`."""
    labels = sorted({label.name for measure in catalogue.measures.values() for label in measure.labels})
    lines: dict[Entry, int] = {}
    entries: dict[Entry, int] = {}
    faults: list[Fault] = []
    for line, row in csv_rows(file, text, COLUMNS, (*COLUMNS, *labels)):
        if isinstance(row, Fault):
            faults.append(row)
            continue
        try:
            entry, number = _entry(row, baseline, catalogue)
            _refuse_second(lines.get(entry))
        except _Bad as bad:
            faults.append(Fault(f"{file}:{line}", *bad.said))
        else:
            entries[entry], lines[entry] = number, line
    for entry, found, write in [*_above_whole(entries, catalogue), *_other_sums(entries)]:
        faults.append(Fault(f"{file}:{lines[entry]}", "value", found, write))
        del entries[entry]
    return Imported(entries, faults)


def _refuse_second(line: int | None) -> None:
    if line is not None:
        raise _Bad("field", f"the same month, measure, labels and field as in line {line}", "each field only once")


def _entry(row: Mapping[str, str], baseline: Baseline, catalogue: Catalogue) -> tuple[Entry, int]:
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
            raise _Bad(name, repr(value), f"an empty cell: {measure.id} is not split by {name}")
    fields = fields_of(measure)
    if row["field"] not in fields:
        raise _Bad("field", repr(row["field"]), f"one of {', '.join(fields)}")
    number = plain_whole_number(row["value"])
    if number is None or not 0 <= number <= MOST:
        raise _Bad("value", repr(row["value"]), "a whole number from 0 to 2^53 - 1, in the field's own unit")
    return (month, names.field(names.series(measure.id, by), row["field"])), number


def fields_of(measure: Measure) -> tuple[str, ...]:
    """The fields of a measure that may be imported."""
    kind = kind_of(measure)
    of_quotients = (name for each in kind.quotients.values() for name in (each.numerator, each.denominator) if name)
    return tuple(dict.fromkeys((*of_quotients, *kind.further_fields)))


def _label_value(label: Label, text: str, groups: Mapping[str, Collection[str]]) -> str:
    """The label value in a column; an empty column means that it is not known.

    A group of areas is refused even if events may use its name for an area: months are added up over areas, so the
    total of a group would be counted in addition to its parts.
    """
    if not text:
        return label.absent
    value = slug(text)
    if label.value_of == AREA and value in groups:
        areas = ", ".join(groups[value])
        raise _Bad(label.name, f"{text!r}, which is a group of areas", f"one of the areas in the group: {areas}")
    value = label.aliases.get(value, value)
    if value not in label.all_values():
        raise _Bad(
            label.name, repr(text), f"one of {', '.join(label.all_values())}, or an empty cell if the value is unknown"
        )
    return value


def _above_whole(entries: Mapping[Entry, int], catalogue: Catalogue) -> list[tuple[Entry, str, str]]:
    """Parts greater than their whole, each with what was found and what to write instead."""
    found = []
    for (month, field), number in entries.items():
        series, _, what = field.rpartition("|")
        measure = catalogue.measures[series.partition("|")[0]]
        for quotient in kind_of(measure).quotients.values():
            whole = entries.get((month, names.field(series, quotient.denominator)))
            if quotient.unit is Unit.SHARE and what == quotient.numerator and whole is not None and number > whole:
                said = f"{number}, but {quotient.denominator} is {whole}"
                found.append(((month, field), said, "a part no greater than its whole"))
    return found


def _other_sums(entries: Mapping[Entry, int]) -> list[tuple[Entry, str, str]]:
    """Bins that do not match the number of durations observed: all of them add up to another number, or some of them
    add up to more. Returns the same as `_above_whole`.
    """
    bins: dict[Entry, list[Entry]] = {}
    for month, field in entries:
        series, _, what = field.rpartition("|")
        if what.startswith(BIN):
            bins.setdefault((month, names.field(series, OBSERVATIONS)), []).append((month, field))
    found = []
    for of, parts in bins.items():
        observations, together = entries.get(of), sum(entries[part] for part in parts)
        if observations is None or not (together > observations or (len(parts) == BINS and together < observations)):
            continue
        what = f"the bins add up to {together}, but {OBSERVATIONS} is {observations}"
        found += [(part, f"{entries[part]} ({what})", f"bins that add up to {OBSERVATIONS}") for part in parts]
    return found
