"""Compares a row with the same row of a baseline. Own and imported months are never added together. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from watchroom.kinds import names
from watchroom.kinds.kind import By, fields_added_up
from watchroom.kinds.labels import where_text
from watchroom.kinds.measure import AREA, Measure
from watchroom.reports.figure import VALUE, Change, Figure, change, figure_of, quotients_of
from watchroom.reports.held import Content, Held

NOT_WHOLE = "change not computed, because not every month of the report is held"
Key = tuple[tuple[str, str], ...]  # label values without the area


class BaselineHeld(NamedTuple):
    """What Redis holds of a baseline's months."""

    words: str
    months: tuple[str, ...]
    own: Held | None  # None: it has no months for this report
    imported: Sequence[Content]  # in the order of `months`
    reason: str = ""  # why it has no months


class Compared(NamedTuple):
    """A row's figure over the months of one baseline, and how much the row differs from it."""

    words: str
    months: tuple[str, ...]
    figure: Figure | None = None
    changes: Mapping[str, Change] = {}  # by column of the figure  # never modified
    imported: bool = False
    small: bool = False
    reason: str = ""  # why there is no figure, or no change


class Comparing(NamedTuple):
    """The row that is compared."""

    measure: Measure
    by: By  # label values that the row has
    sets: Mapping[Key, Sequence[By]]  # its label sets by their values without the area
    figure: Figure | None
    is_whole: bool  # every month is held
    listed: frozenset[Key]  # those of `sets` that have a row even if nothing happened
    in_use: Sequence[By]  # label sets in which something happened
    small_below: int


def compare(row: Comparing, baseline: BaselineHeld) -> Compared:
    """The row over the baseline's months: our own if all of them are held, otherwise imported ones."""
    found = Compared(baseline.words, baseline.months)
    if baseline.own is None:
        return found._replace(reason=baseline.reason)
    every = [by for sets in row.sets.values() for by in sets]
    columns, imported = None, not baseline.own.is_whole(row.measure)
    if not imported:
        stored = baseline.own.stored(row.measure, every)
    else:
        lacking = _lacking(row, baseline)
        if lacking[VALUE]:
            of_own = not any(baseline.imported) and baseline.own.states(row.measure)
            return found._replace(reason=baseline.own.missing(row.measure) if of_own else lacking[VALUE])
        series = [names.series(row.measure.id, by) for by in every]
        stored = fields_added_up(month.get(name, {}) for month in baseline.imported for name in series)
        columns = [name for name, missing in lacking.items() if not missing]
    then = figure_of(row.measure, row.by, stored, columns)
    found = found._replace(figure=then, imported=imported, small=then.is_small(row.small_below))
    if row.figure is None or not row.is_whole:
        return found._replace(reason=NOT_WHOLE)
    changes = {name: change(now, then.exact.get(name)) for name, now in row.figure.exact.items()}
    return found._replace(changes=changes)


def _lacking(row: Comparing, baseline: BaselineHeld) -> dict[str, str]:
    """By column: what the imported months lack; empty if they are complete.

    Each month must have each field under each label set that is needed, even if it is 0: what is missing is unknown.
    """
    needed = _needed(row, baseline.imported)
    lacking = {}
    for name, quotient in quotients_of(row.measure, row.by).items():
        fields = {quotient.numerator, quotient.denominator} - {""}
        missing = (
            _lacks(month, found, row.measure, by, absent)
            for month, found in zip(baseline.months, baseline.imported, strict=True)
            for by in needed
            if (absent := fields - found.get(names.series(row.measure.id, by), {}).keys())
        )
        lacking[name] = next(missing, "")
    return lacking


def _needed(row: Comparing, imported: Sequence[Content]) -> list[By]:
    """The label sets that each imported month must have, so that an incomplete row never looks complete.

    Label values are needed if they have a row, if any of the months has them, or if something happened in them since.
    Areas are needed if any of the months has them for this measure, or if something happened in them since. Months
    without any area are totals, and need no areas.
    """
    every = {series for month in imported for series in month}
    given = [by for by in row.measure.label_sets() if names.series(row.measure.id, by) in every]
    label = next((label for label in row.measure.labels if label.name == AREA), None)
    in_use = row.in_use
    keys = row.listed | {without_area(by) for by in (*given, *in_use)}
    areas: set[str | None] = {None}
    if label is not None:
        areas = {by[AREA] for by in given} or {label.absent}
        in_use = in_use if areas != {label.absent} else ()
    return [
        by for key, same in row.sets.items() for by in same if by in in_use or (key in keys and by.get(AREA) in areas)
    ]


def _lacks(month: str, found: Content, measure: Measure, by: By, fields: Collection[str]) -> str:
    """`2018-12 is not held, and its imported rows lack line 999`."""
    if not any(names.parse_series(series)[0] == measure.id for series in found):
        return f"{month} is neither held nor imported"
    words = [where_text(measure, by)] if by else []
    if names.series(measure.id, by) in found:
        words.insert(0, ", ".join(sorted(fields)))
    return f"{month} is not held, and its imported rows lack {' of '.join(words)}"


def without_area(by: By) -> Key:
    """The label values without the area."""
    return tuple((name, value) for name, value in by.items() if name != AREA)
