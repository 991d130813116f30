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
from watchroom.exporter.sums import Window, WindowSums
from watchroom.kinds import kind_of, names, quantity_of
from watchroom.kinds.asking import OVERDUE
from watchroom.kinds.kind import Reads, Stored
from watchroom.kinds.measure import Measure
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
    """One number, or one for each listed value of the split, in catalogue order.

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
    of_stream = frozenset(other.id for other in catalogue.of_stream(measure.stream))
    if measure.windows and not sums.is_known(Window(shown.window), of_stream):
        return []
    ask = _Asking(catalogue, sums, reading, now_ms - reading.read_at_ms)
    numbers = (ask.number(measure, shown, label, sets) for label, sets in _groups(measure, shown))
    return [number for number in numbers if number is not None]


def _groups(measure: Measure, shown: Shown) -> list[tuple[str, LabelSets]]:
    """The label sets that are added up for each number."""
    matching = [by for by in measure.label_sets() if all(by[name] == value for name, value in shown.where.items())]
    if not shown.split:
        return [("", matching)]
    label = next(label for label in measure.labels if label.name == shown.split)
    groups: list[tuple[str, LabelSets]] = [
        (value, [by for by in matching if by[shown.split] == value]) for value in label.values
    ]
    if shown.rest:
        groups.append((label.absent, [by for by in matching if by[shown.split] not in label.values]))
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

    def number(self, measure: Measure, shown: Shown, label: str, sets: LabelSets) -> Number | None:
        """One number over the label sets of a group; None where it needs a target and none of them has one."""
        kind, quantity = kind_of(measure), quantity_of(measure, shown)
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
            late = self._figures(other, "", _with_target(other, sets))  # its labels are the same: the catalogue checks
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
                return self.sums.series(Window(window), series)
            case Reads.OPEN_SET:
                return self.reading.tiles[series].aged(self.since_ms)
            case Reads.FIGURES | Reads.NOTHING:
                raise ValueError(f"{measure.id} has no quantity that a tile could ask for")  # the catalogue checks it
            case _:
                assert_never(reads)
