"""What tiles show, from the exporter's own copy: the same numbers that `generate.promql` asks Prometheus for.

Pure. Whether a measure may be shown at all is judged elsewhere (`Page.faults`): ask for the numbers of a
published stream only. A test compares every word with the answer of a real Prometheus.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, assert_never

from watchroom.catalogue.model import Catalogue
from watchroom.exporter.mirror import Reading
from watchroom.exporter.sums import Window, WindowSums, series_behind
from watchroom.kinds import kind_of, names, quantity_of
from watchroom.kinds.kind import Reads, Stored
from watchroom.kinds.measure import Label, Measure
from watchroom.kinds.queries import OVERDUE
from watchroom.kinds.shown import Shown

LabelSets = Sequence[Mapping[str, str]]


class Number(NamedTuple):
    """One number, in the unit of its word (a count, a share from 0 to 1, or seconds)."""

    label: str  # value of the split label; empty without a split
    value: float | None  # None: a share, mean or percentile of nothing
    part: int | None  # the counts behind a share; None behind anything else
    whole: int | None


def shown_numbers(  # noqa: PLR0917 - pure: everything it depends on is passed in
    catalogue: Catalogue, measure: Measure, shown: Shown, sums: WindowSums, reading: Reading, now_ms: int
) -> list[Number]:
    """One number, or one for each value of the split in catalogue order: of the unlisted ones only where asked.

    Empty, or without a value of the split, where the word needs a target and there is none; empty too where the
    window is not known yet.

    Args:
        catalogue: Knows the open measure behind `live_within`.
        measure: The entry.
        shown: What is asked for; its words are checked when the catalogue is loaded.
        sums: The windows, as of the reading.
        reading: The open tiles.
        now_ms: The moment of the page: what waits has waited longer since the reading.
    """
    if kind_of(measure).reads is Reads.TOKENS and Window(shown.window) not in reading.tokens.of(measure, now_ms):
        return []
    if measure.windows and not sums.is_known(Window(shown.window), catalogue.witnesses(measure)):
        return []
    ask = _Asking(catalogue, sums, reading, now_ms - reading.read_at_ms)
    numbers = (ask.number(measure, shown, group) for group in _groups(measure, shown))
    return [number for number in numbers if number is not None]


class _Group(NamedTuple):
    """Which label sets are added up for one number."""

    label: str  # of the number
    where: Mapping[str, str]
    unlisted: Label | None = None  # only what is none of this one's listed values

    def sets(self, measure: Measure, *, by_area: bool) -> LabelSets:
        """Those of a measure: of each area, or of all areas together."""
        return [by for by in measure.label_sets(by_area=by_area) if self._has(by)]

    def _has(self, by: Mapping[str, str]) -> bool:
        if self.unlisted is not None and by[self.unlisted.name] in self.unlisted.values:
            return False
        return all(by[name] == value for name, value in self.where.items())


def _groups(measure: Measure, shown: Shown) -> list[_Group]:
    if not shown.split:
        return [_Group("", shown.where)]
    label = next(label for label in measure.labels if label.name == shown.split)
    values = label.all_values() if shown.unlisted else label.values
    groups = [_Group(value, {**shown.where, shown.split: value}) for value in values]
    if shown.rest:
        groups.append(_Group(label.absent, shown.where, label))
    return groups


def _with_target(measure: Measure, sets: LabelSets) -> LabelSets:
    return [by for by in sets if measure.target_for(by) is not None]


@dataclass(frozen=True, slots=True)
class _Asking:
    """Where numbers come from."""

    catalogue: Catalogue
    sums: WindowSums
    reading: Reading
    since_ms: int  # how long ago the tiles were read

    def number(self, measure: Measure, shown: Shown, group: _Group) -> Number | None:
        """One number over the label sets of a group; None where it needs a target and none of them has one."""
        kind, quantity = kind_of(measure), quantity_of(measure, shown)
        by_area = not measure.windows or self.sums.is_by_area(Window(shown.window), measure.id)
        label, sets = group.label, group.sets(measure, by_area=by_area)
        if quantity.needs_target:
            sets = _with_target(measure, sets)
            if not sets:
                return None
        figures = self._figures(measure, shown.window, sets)
        if quantity.counts is None:
            return Number(label, kind.figure(figures, quantity.figure), None, None)
        part, whole = (round(kind.figure(figures, name) or 0) for name in quantity.counts)
        if quantity.misses_overdue:
            other = self.catalogue.measures[measure.display.overdue_from]
            of_other = _with_target(other, group.sets(other, by_area=True))  # the same labels: the catalogue checks
            late = self._figures(other, "", of_other)
            whole += round(kind_of(other).figure(late, OVERDUE) or 0)
        return Number(label, part / whole if whole else None, part, whole)

    def _figures(self, measure: Measure, window: str, sets: LabelSets) -> object:
        """The figures of these series together."""
        kind = kind_of(measure)
        stored = kind.add_up(self._stored(measure, window, by) for by in sets)
        return kind.figures(measure, stored, any(measure.target_for(by) for by in sets))

    def _stored(self, measure: Measure, window: str, by: Mapping[str, str]) -> Stored:
        series, reads = names.series(measure.id, by), kind_of(measure).reads
        match reads:
            case Reads.BUCKETS:
                return self.sums.together(Window(window), series_behind(measure, by))
            case Reads.OPEN_SET:
                return self.reading.tiles[series].aged(self.since_ms)
            case Reads.TOKENS:
                return self.reading.tokens.bands[measure.id][Window(window)]
            case Reads.FIGURES | Reads.NOTHING:
                raise ValueError(f"{measure.id} has no quantity that a tile could ask for")  # the catalogue checks it
            case _:
                assert_never(reads)
