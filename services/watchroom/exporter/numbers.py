"""What tiles show, from the exporter's own copy: the same numbers that `generate.promql` asks Prometheus for.

Pure. Whether a measure may be shown at all is judged elsewhere (`Page.faults`): ask for the numbers of a
published stream only. A test compares every word with the answer of a real Prometheus.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import NamedTuple

from watchroom.catalogue import names
from watchroom.catalogue.model import Catalogue, Measure
from watchroom.catalogue.shown import PERCENTILES, WITH_COUNTS, Shown
from watchroom.exporter.mirror import Reading
from watchroom.exporter.sums import Window, WindowSums
from watchroom.rolling.bins import Bins
from watchroom.rolling.values import DurationValue, ShareValue
from watchroom.store.read import OpenTile

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
    of_kind = {"count": ask.count, "share": ask.share, "duration": ask.duration, "open": ask.open}[measure.kind]
    numbers = ((label, of_kind(measure, shown, sets)) for label, sets in _groups(measure, shown))
    return [number._replace(label=label) for label, number in numbers if number is not None]


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


def _number(value: float | None) -> Number:
    return Number("", value, None, None)


def _share(value: ShareValue) -> Number:
    return Number("", value.share, value.part, value.whole)


@dataclass(frozen=True, slots=True)
class _Asking:
    """Where numbers come from; each kind gives one number over the label sets of a group."""

    catalogue: Catalogue
    sums: WindowSums
    reading: Reading
    since_ms: int  # how long ago the tiles were read

    def count(self, measure: Measure, shown: Shown, sets: LabelSets) -> Number:
        return _number(self._total(measure, shown.window, sets)[names.COUNT])

    def share(self, measure: Measure, shown: Shown, sets: LabelSets) -> Number:
        value = ShareValue.from_fields(self._total(measure, shown.window, sets))
        if shown.what == "share":
            return _share(value)
        return _number(value.part)

    def duration(self, measure: Measure, shown: Shown, sets: LabelSets) -> Number | None:
        if shown.what in WITH_COUNTS:
            return self._within(measure, shown, sets)
        value = DurationValue.from_fields(self._total(measure, shown.window, sets), Bins.for_measure(measure))
        if shown.what == "observations":
            return _number(value.observations)
        return _number(value.mean_s if shown.what == "mean" else value.percentile_s(int(PERCENTILES[shown.what])))

    def open(self, measure: Measure, shown: Shown, sets: LabelSets) -> Number | None:
        tiles = list(self._tiles(measure, sets))
        if shown.what == "open":
            return _number(sum(tile.open for tile in tiles))
        if shown.what == "oldest":
            ages_ms = [tile.oldest_ms + self.since_ms for tile in tiles if tile.oldest_ms is not None]
            return _number(max([0, *ages_ms]) / 1000)  # nobody waits: 0 s
        count_of: Callable[[OpenTile], int | None] = attrgetter(
            {"due_5m": "due_5min", "due_15m": "due_15min", "overdue": "overdue"}[shown.what]
        )
        counts = [count for tile in tiles if (count := count_of(tile)) is not None]  # None: no target
        return _number(sum(counts)) if counts else None

    def _within(self, measure: Measure, shown: Shown, sets: LabelSets) -> Number | None:
        """The share within the target, of those series that have one; None if none has."""
        timed = _with_target(measure, sets)
        fields = self._total(measure, shown.window, timed)
        whole = fields[names.OBSERVATIONS]
        if shown.what == "live_within":
            other = self.catalogue.measures[measure.display.overdue_from]
            late = _with_target(other, sets)  # its labels are the same: the catalogue checks it
            if not late:
                return None
            whole += sum(tile.overdue or 0 for tile in self._tiles(other, late))
        return _share(ShareValue(fields[names.WITHIN], whole)) if timed else None

    def _total(self, measure: Measure, window: str, sets: LabelSets) -> Counter[str]:
        """The fields of these series, added up."""
        total: Counter[str] = Counter()
        for by in sets:
            total.update(self.sums.series(Window(window), names.series(measure.id, by)))
        return total

    def _tiles(self, measure: Measure, sets: LabelSets) -> Iterator[OpenTile]:
        return (self.reading.tiles[names.series(measure.id, by)] for by in sets)
