"""The report's rows for measures that add up over months. Pure: the months' whole numbers in, rows out.

A row is a measure over the report's months under some label values, for all areas together, with each area as a part.
What is missing (months that are not held, a baseline without months) is reported, and never counted as 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

from watchroom.kinds.kind import By
from watchroom.kinds.measure import AREA, Label, Measure
from watchroom.reports.compare import BaselineHeld, Compared, Comparing, Key, compare, without_area
from watchroom.reports.figure import Figure, figure_of
from watchroom.reports.held import Held, series_of

Groups = Mapping[str, Sequence[str]]  # of areas: the group's name -> its areas


class Part(NamedTuple):
    """One area of a row, or a group of them."""

    name: str
    figure: Figure
    of_total: Fraction | None  # for a plain number: its share of the row's; None if that is 0


class Areas(NamedTuple):
    """A row by area. Listed areas and the residual add up to the row; groups show some of them again, together."""

    parts: tuple[Part, ...]  # the listed areas
    groups: tuple[Part, ...]
    residual: Part  # in no listed area
    residual_of: tuple[Part, ...]  # what it consists of


class Ranked(NamedTuple):
    """One of the most frequent tokens."""

    name: str  # shortened, if it is a token
    word: str  # the label value that it is ranked under; empty without a label
    occurrences: int


class OwnPeriod(NamedTuple):
    """The period of a figure that is produced elsewhere; empty if there is none."""

    period: str = ""
    span: str = ""
    as_at_ms: int | None = None
    as_at: str = ""  # its day in the reporting zone


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One row. `figure` is None if no month is held, `published` until all months are closed.

    A figure that was produced elsewhere has its `own` period, and no months.
    """

    measure: Measure
    rows: tuple[int, ...] = ()  # of the published report, those of its section
    by: By = field(default_factory=dict)
    months: tuple[str, ...] = ()
    held_months: int = 0
    figure: Figure | None = None
    small: bool = False
    closed: bool = False  # whether the last month is closed, and so all are
    as_of_ms: int | None = None
    restatements: int = 0  # events that changed it since the months were closed
    published: Figure | None = None
    compared: Mapping[str, Compared] = field(default_factory=dict)  # by baseline
    areas: Areas | None = None
    note: str = ""
    own: OwnPeriod | None = None
    ranked: tuple[Ranked, ...] = ()  # of the most frequent, in their order
    notes: tuple[str, ...] = ()  # about its measure and these months; with its first row


class Source(NamedTuple):
    """What rows are computed from."""

    held: Held
    baselines: Mapping[str, BaselineHeld]
    small_below: int
    groups: Groups


def rows_of(measure: Measure, source: Source) -> Iterator[ReportRow]:
    """The rows of one measure: all label values together if there are several, then each of them.

    Label values that are not listed (`other`, `unknown`) have a row only if something happened under them.
    """
    sets: dict[Key, list[By]] = {}
    for by in measure.label_sets():
        sets.setdefault(without_area(by), []).append(by)
    if len(sets) > 1:
        yield _row(measure, {}, sets, source)
    listed = _listed(measure, sets)
    for key, same in sets.items():
        if key in listed or _in_use(measure, same, source.held):
            yield _row(measure, dict(key), {key: same}, source)


def _row(measure: Measure, by: By, sets: Mapping[Key, Sequence[By]], source: Source) -> ReportRow:
    held = source.held
    every = [each for same in sets.values() for each in same]
    figure = figure_of(measure, by, held.stored(measure, every)) if held.states(measure) else None
    closed = held.is_closed(measure)
    listed, in_use = _listed(measure, sets), _in_use(measure, every, held)
    row = Comparing(measure, by, sets, figure, held.is_whole(measure), listed, in_use, source.small_below)
    return ReportRow(
        measure=measure,
        by=by,
        months=held.months,
        held_months=held.number_held(measure),
        figure=figure,
        small=figure is not None and figure.is_small(source.small_below),
        closed=closed,
        restatements=held.restatements(series_of(measure, every)),
        published=figure_of(measure, by, held.stored_then(measure, every)) if closed and figure is not None else None,
        compared={name: compare(row, baseline) for name, baseline in source.baselines.items()},
        areas=None if figure is None else _areas(measure, by, every, figure, source),
        note=held.missing(measure),
    )


def _listed(measure: Measure, keys: Iterable[Key]) -> frozenset[Key]:
    """The keys without `other` and `unknown`, unless the catalogue lists these."""
    unlisted = {label.name: set(_unlisted(label)) for label in measure.labels}
    return frozenset(key for key in keys if not any(value in unlisted[name] for name, value in key))


def _in_use(measure: Measure, sets: Iterable[By], held: Held) -> list[By]:
    """The label sets in which something happened."""

    def happened(by: By) -> bool:
        series = series_of(measure, [by])
        return any(name in held.restated or any(held.today.get(name, {}).values()) for name in series)

    return [by for by in sets if happened(by)]


def _areas(measure: Measure, by: By, sets: Sequence[By], total: Figure, source: Source) -> Areas | None:
    label = next((label for label in measure.labels if label.name == AREA), None)
    if label is None:
        return None

    def part(name: str, areas: Sequence[str]) -> Part:
        wanted = [each for each in sets if each[AREA] in areas]
        figure = figure_of(measure, by, source.held.stored(measure, wanted))
        return Part(name, figure, _of_total(figure, total))

    others = _unlisted(label)
    return Areas(
        tuple(part(value, [value]) for value in label.values),
        tuple(part(name, members) for name, members in source.groups.items()),
        part("residual", others),
        tuple(part(value, [value]) for value in others),
    )


def _unlisted(label: Label) -> list[str]:
    return [value for value in label.all_values() if value not in label.values]


def _of_total(part: Figure, total: Figure) -> Fraction | None:
    if part.value is None or total.value is None or total.value.denominator is not None or not total.value.numerator:
        return None
    return Fraction(part.value.numerator, total.value.numerator)
