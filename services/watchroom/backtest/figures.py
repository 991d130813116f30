"""What the exporter would publish of the measures at one moment, for the series that rules ask for.

The window sums and the buckets of each window are the exporter's own code; a test compares every sample
with the exporter's page.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from watchroom.backtest.room import ControlRoom, OpenSet
from watchroom.backtest.selectors import Selector
from watchroom.catalogue import names
from watchroom.catalogue.metrics import LOCAL_HOUR, suffixes
from watchroom.catalogue.model import Catalogue, Measure
from watchroom.catalogue.shown import PERCENTILES
from watchroom.errors import WorkFailed
from watchroom.exporter.exposition import labels_text
from watchroom.exporter.sums import MONTH, TWELVE_MONTHS, Fields, Window, WindowSums, windows_at
from watchroom.rolling.bins import Bins
from watchroom.rolling.calendar import Calendar
from watchroom.rolling.values import DurationValue

FIVE_MIN_MS = 300_000
Read = Callable[[Fields], float | None]


class Sample(NamedTuple):
    """One series at one moment: name and labels as written, and the value."""

    series: str
    value: float


class _Windowed(NamedTuple):
    text: str
    measure: str
    window: Window
    series: str
    read: Read


class _Open(NamedTuple):
    text: str
    series: str
    read: Callable[[OpenSet, int], float | None]


class Figures:
    """The samples of a control room at any moment; moments go forward."""

    def __init__(self, catalogue: Catalogue, asked: Sequence[Selector], force: str, calendar: Calendar) -> None:
        """Find out which series are asked for.

        Raises:
            WorkFailed: A rule asks for a window or a metric that is not back-tested.
        """
        self._calendar = calendar
        self._windowed: list[_Windowed] = []
        self._open: list[_Open] = []
        for measure in catalogue.measures.values():
            for suffix in suffixes(measure):
                metric = names.metric(measure.id, suffix)
                wanted = [selector for selector in asked if selector.metric == metric]
                if wanted and suffix == LOCAL_HOUR:
                    raise WorkFailed(f"a rule asks for {metric}, which the back-test does not simulate")
                if wanted and measure.kind == "open":
                    self._open += _open_series(measure, suffix, wanted, force)
                elif wanted:
                    self._windowed += _windowed_series(measure, suffix, wanted, force)
        self.measures = {s.measure for s in self._windowed} | {names.parse_series(s.series)[0] for s in self._open}
        self.windows = sorted({series.window.name for series in self._windowed})
        if months := {MONTH, TWELVE_MONTHS}.intersection(self.windows):
            asked_for = min(months)
            raise WorkFailed(
                f"a rule asks for the window `{asked_for}`, which the back-test does not simulate; use 28d"
            )
        self._sums = WindowSums({measure: frozenset(self.windows) for measure in self.measures})

    def at(self, room: ControlRoom, now_ms: int) -> Iterator[Sample]:
        """Every series asked for that the exporter would publish."""
        members = windows_at(now_ms, self.windows, self._calendar)
        missing = self._sums.missing(members)
        self._sums.move(members)
        for name in missing | room.changed:
            self._sums.replace(name, dict(room.buckets.get(name, {})))
        room.changed.clear()
        for windowed in self._windowed:
            value = windowed.read(self._sums.series(windowed.window, windowed.series))
            if value is not None:
                yield Sample(windowed.text, value)
        for opened in self._open:
            value = opened.read(room.open[opened.series], now_ms)
            if value is not None:
                yield Sample(opened.text, value)


def _asked(wanted: Sequence[Selector], labels: Mapping[str, str]) -> bool:
    return any(selector.accepts(labels) for selector in wanted)


def _windowed_series(measure: Measure, suffix: str, wanted: Sequence[Selector], force: str) -> Iterator[_Windowed]:
    metric = names.metric(measure.id, suffix)
    more = [{"p": p} for p in PERCENTILES.values()] if suffix == "percentile_seconds" else [{}]
    for by in measure.label_sets():
        if suffix == "within" and measure.target_for(by) is None:
            continue
        for window in measure.windows:
            for extra in more:
                labels = {**by, "window": window, **extra, "force": force}
                if _asked(wanted, labels):
                    text = f"{metric}{{{labels_text(labels)}}}"
                    read = _reader(measure, suffix, extra)
                    yield _Windowed(text, measure.id, Window(window), names.series(measure.id, by), read)


def _reader(measure: Measure, suffix: str, extra: Mapping[str, str]) -> Read:
    if suffix == "part":  # a part of nothing is not published
        return lambda fields: fields.get(names.PART, 0) if fields.get(names.WHOLE, 0) else None
    if suffix in ("mean_seconds", "percentile_seconds"):
        bins = Bins.for_measure(measure)
        if extra:
            return lambda fields: DurationValue.from_fields(fields, bins).percentile_s(float(extra["p"]))
        return lambda fields: DurationValue.from_fields(fields, bins).mean_s
    field = suffix or names.COUNT
    return lambda fields: fields.get(field, 0)


def _open_series(measure: Measure, suffix: str, wanted: Sequence[Selector], force: str) -> Iterator[_Open]:
    metric = names.metric(measure.id, suffix)
    more = [{"within": "5m"}, {"within": "15m"}] if suffix == "due" else [{}]
    for by in measure.label_sets():
        target = measure.target_for(by)
        if target is None and suffix in ("due", "overdue"):
            continue
        ages = _Ages(measure.give_up_ms, target.limit_ms if target else 0)
        for extra in more:
            labels = {**by, **extra, "force": force}
            if _asked(wanted, labels):
                text = f"{metric}{{{labels_text(labels)}}}"
                yield _Open(text, names.series(measure.id, by), ages.reader(suffix, extra.get("within", "")))


class _Ages:
    """The tile of `store.read.Reader.open_tiles`, on a sorted list."""

    def __init__(self, give_up_ms: int, target_ms: int) -> None:
        self._give_up_ms = give_up_ms
        self._target_ms = target_ms

    def reader(self, suffix: str, within: str) -> Callable[[OpenSet, int], float | None]:
        """How to read one family."""
        if suffix == "due":
            ahead_ms = {"5m": FIVE_MIN_MS, "15m": 3 * FIVE_MIN_MS}[within]
            return lambda found, now_ms: self._due(found.sorted_ms, now_ms, ahead_ms)
        return {
            "": self._count,
            "oldest_seconds": self._oldest_s,
            "overdue": self._overdue,
            "gave_up": self._gave_up,
        }[suffix]

    def _count(self, found: OpenSet, now_ms: int) -> float:
        return len(found.sorted_ms) - self._gave_up(found, now_ms)

    def _gave_up(self, found: OpenSet, now_ms: int) -> int:
        return bisect_left(found.sorted_ms, now_ms - self._give_up_ms)

    def _oldest_s(self, found: OpenSet, now_ms: int) -> float | None:
        first = self._gave_up(found, now_ms)
        return max(0, now_ms - found.sorted_ms[first]) / 1000 if first < len(found.sorted_ms) else None

    def _due(self, since_ms: Sequence[int], now_ms: int, ahead_ms: int) -> float:
        due_now_ms = now_ms - self._target_ms
        first_ms = max(now_ms - self._give_up_ms, due_now_ms)
        return max(0, bisect_right(since_ms, due_now_ms + ahead_ms) - bisect_left(since_ms, first_ms))

    def _overdue(self, found: OpenSet, now_ms: int) -> float:
        due_now_ms = max(now_ms - self._give_up_ms, now_ms - self._target_ms)
        return bisect_left(found.sorted_ms, due_now_ms) - self._gave_up(found, now_ms)
