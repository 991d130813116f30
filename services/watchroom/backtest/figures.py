"""What the exporter would publish of the measures at one moment, limited to the series that rules read.

The exporter's own code computes window sums and the buckets of each window. A test compares every sample with the
exporter's page.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, product
from typing import NamedTuple

from watchroom.backtest.selectors import Selector
from watchroom.backtest.simulated_store import OpenSet, SimulatedStore
from watchroom.catalogue.metrics import suffixes
from watchroom.catalogue.model import Catalogue
from watchroom.catalogue.shares import PART, WHOLE, labels, shares
from watchroom.errors import WorkFailed
from watchroom.exporter.exposition import labels_text
from watchroom.exporter.mirror import Reading
from watchroom.exporter.numbers import Numbers
from watchroom.exporter.shares import share_counts
from watchroom.exporter.sums import WindowSums, by_area_of, series_behind
from watchroom.kinds import area_windows, kind_of, names, open_now, quantity_of
from watchroom.kinds.kind import MetricFamily, Over, Reads, Stored
from watchroom.kinds.measure import Measure
from watchroom.kinds.open_now import OpenQuestion, OpenTile
from watchroom.kinds.shown import Shown
from watchroom.rolling.calendar import Calendar
from watchroom.rolling.windows import MONTH, TWELVE_MONTHS, Window, windows_at


class Sample(NamedTuple):
    """One series at one moment: name and labels as written, and the value."""

    series: str
    value: float


class _Series(NamedTuple):
    """One series that a rule reads: how it is written, and which figure of which measure it is."""

    text: str
    measure: Measure
    by: Mapping[str, str]
    window: Window | None  # None: the present
    figure: str

    @property
    def name(self) -> str:
        """Its name in the store."""
        return names.series(self.measure.id, self.by)


class Figures:
    """The samples of a simulated store at any moment; moments only move forward."""

    def __init__(self, catalogue: Catalogue, selectors: Sequence[Selector], force: str, calendar: Calendar) -> None:
        """Find out which series the rules read.

        Raises:
            WorkFailed: A rule reads a window or a metric that is not simulated.
        """
        self._catalogue, self._force, self._calendar = catalogue, force, calendar
        self._shares = [
            (measure, shown)
            for measure, shown in shares(catalogue)
            if _is_selected_share(measure, shown, selectors, force)
        ]
        overdue = (self._overdue(measure, shown) for measure, shown in self._shares)
        self._open = {
            names.series(measure.id, by): (measure, by)
            for measure in chain.from_iterable(overdue)
            for by in measure.label_sets()
        }
        self._series = [
            series
            for measure in catalogue.measures.values()
            for suffix, family in suffixes(measure).items()
            for series in _selected(measure, suffix, family, selectors, force)
        ]
        read = [series.measure for series in self._series] + [measure for measure, _ in self._shares]
        read += [measure for measure, _ in self._open.values()]
        self.measures = {name for measure in read for name in measure.counted}
        windows = {series.window.name for series in self._series if series.window is not None}
        self.windows = sorted(windows | {shown.window for _, shown in self._shares})
        if months := {MONTH, TWELVE_MONTHS}.intersection(self.windows):
            window_read = min(months)
            raise WorkFailed(f"a rule reads the window `{window_read}`, which the back-test does not simulate; use 28d")
        by_area = by_area_of(catalogue.measures.values())
        self._sums = WindowSums({measure: frozenset(self.windows) for measure in self.measures}, by_area)

    def at(self, store: SimulatedStore, now_ms: int) -> Iterator[Sample]:
        """Every series that the rules read and the exporter would publish."""
        members = windows_at(now_ms, self.windows, self._calendar)
        missing = self._sums.missing(members)
        self._sums.move(members)
        for name in missing | store.changed:
            self._sums.replace(name, dict(store.buckets.get(name, {})))
        store.changed.clear()
        for series in self._series:
            kind = kind_of(series.measure)
            stored, timed = self._stored(series, store, now_ms), series.measure.target_for(series.by) is not None
            value = kind.figure(kind.figures(series.measure, stored, timed), series.figure)
            if value is not None:
                yield Sample(series.text, value)
        yield from self._of_shares(store, now_ms)

    def _of_shares(self, store: SimulatedStore, now_ms: int) -> Iterator[Sample]:
        tiles = {
            name: _tile(open_now.question(measure, name, by), store.open[name], now_ms)
            for name, (measure, by) in self._open.items()
        }
        reading = Reading(now_ms, None, {}, {}, {}, tiles)
        numbers = Numbers(self._catalogue, self._sums, reading, now_ms)
        for text, counts in share_counts(self._shares, numbers).items():
            series = f"{{{text},{labels_text({'force': self._force})}}}"
            yield Sample(PART + series, counts.part)
            yield Sample(WHOLE + series, counts.whole)

    def _overdue(self, measure: Measure, shown: Shown) -> list[Measure]:
        """The open measure whose overdue count as missed in a share."""
        is_needed = quantity_of(measure, shown).misses_overdue
        return [self._catalogue.measures[measure.display.overdue_from]] if is_needed else []

    def _stored(self, series: _Series, store: SimulatedStore, now_ms: int) -> Stored:
        if series.window is not None:
            return self._sums.together(series.window, series_behind(series.measure, series.by))
        return _tile(open_now.question(series.measure, series.name, series.by), store.open[series.name], now_ms)


def _is_selected_share(measure: Measure, shown: Shown, selectors: Sequence[Selector], force: str) -> bool:
    """Whether a rule reads a share of an alert, whatever the value of its split.

    Raises:
        WorkFailed: A rule reads it and it is not simulated.
    """
    wanted = [selector for selector in selectors if selector.metric in (PART, WHOLE)]
    found = [{**labels(measure, shown, value), "force": force} for value in _split_values(measure, shown)]
    if not any(selector.accepts(each) for selector in wanted for each in found):
        return False
    if kind_of(measure).reads is not Reads.BUCKETS:
        raise WorkFailed(f"a rule reads {PART} of {measure.id}, which the back-test does not simulate")
    return True


def _split_values(measure: Measure, shown: Shown) -> Sequence[str]:
    return next((label.all_values() for label in measure.labels if label.name == shown.split), ("",))


def _selected(
    measure: Measure, suffix: str, family: MetricFamily, selectors: Sequence[Selector], force: str
) -> Iterator[_Series]:
    """The series of one metric family that a rule reads.

    Raises:
        WorkFailed: A rule reads it and it is not simulated.
    """
    metric = names.metric(measure.id, suffix)
    wanted = [selector for selector in selectors if selector.metric == metric]
    if not _is_simulated(measure, family):
        if not wanted:
            return
        raise WorkFailed(f"a rule reads {metric}, which the back-test does not simulate")
    windows: list[Window | None] = [None] if family.over is Over.NOW else [Window(name) for name in measure.windows]
    split = area_windows(measure, suffix)
    over_sets = (
        (window, by) for window in windows for by in measure.label_sets(by_area=window is None or window.name in split)
    )
    for (window, by), (further, figure) in product(over_sets, family.samples):
        over = {} if window is None else {"window": window.name}
        labels = {**by, **over, **further, "force": force}
        if any(selector.accepts(labels) for selector in wanted):
            yield _Series(f"{metric}{{{labels_text(labels)}}}", measure, by, window, figure)


def _is_simulated(measure: Measure, family: MetricFamily) -> bool:
    """Whether the simulated store has what the exporter would read: buckets or an open set."""
    return family.over in (Over.WINDOWS, Over.NOW) and kind_of(measure).reads in (Reads.BUCKETS, Reads.OPEN_SET)


def _tile(question: OpenQuestion, found: OpenSet, now_ms: int) -> OpenTile:
    """The tile that Redis would return: the same ranges, on a sorted list."""
    since_ms = found.sorted_ms
    counts = [
        max(0, _first_after(since_ms, of.to_ms) - _first_at(since_ms, of.from_ms))
        for of in open_now.ranges(question, now_ms)
    ]
    first = _first_at(since_ms, open_now.shown(question, now_ms).from_ms)
    return open_now.tile(question, counts, since_ms[first] if first < len(since_ms) else None, now_ms)


def _first_at(since_ms: Sequence[int], from_ms: int | None) -> int:
    return 0 if from_ms is None else bisect_left(since_ms, from_ms)


def _first_after(since_ms: Sequence[int], to_ms: int | None) -> int:
    return len(since_ms) if to_ms is None else bisect_right(since_ms, to_ms)
