"""One measure's samples, window by window; a window whose sums did not change keeps its text."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from watchroom.catalogue import names
from watchroom.catalogue.metrics import LOCAL_HOUR, about, suffixes
from watchroom.catalogue.model import Measure
from watchroom.exporter.exposition import gauge, labels_text, line
from watchroom.exporter.sums import Fields, Window, WindowSums, windows_of_measure
from watchroom.rolling.bins import Bins
from watchroom.rolling.values import DurationValue, ShareValue
from watchroom.store.read import OpenTile

PERCENTILES = (50, 90, 95)

Samples = dict[str, list[str]]  # family suffix -> lines


class Series:
    """One measure under one set of label values."""

    def __init__(self, measure: Measure, by: Mapping[str, str]) -> None:
        self.by = dict(by)
        self.name = names.series(measure.id, by)
        self.target = measure.target_for(by)


def series_of(measure: Measure) -> tuple[Series, ...]:
    """Every series of a measure: also those in which nothing ever happened, which publish 0."""
    return tuple(Series(measure, by) for by in measure.label_sets())


class WindowedMeasure:
    """Text of a count, share or duration.

    Args:
        measure: The entry.
        of_stream: Every measure of its stream, itself among them: what happened in any of them shows that
            there was a feed.
    """

    def __init__(self, measure: Measure, of_stream: frozenset[str]) -> None:
        self.measure = measure
        self._of_stream = of_stream
        self._wanted = windows_of_measure(measure)
        self._series = series_of(measure)
        self._bins = Bins.for_measure(measure)
        self._kept: dict[Window, tuple[int, dict[str, str]]] = {}

    def text(self, sums: WindowSums) -> str:
        """All families of the measure, with every window that its entry names and that is known."""
        wanted = [window for window in sums.windows if window.name in self._wanted]
        windows = [window for window in wanted if sums.is_known(window, self._of_stream)]
        self._kept = {window: self._window(window, sums) for window in windows}
        return "".join(
            gauge(
                names.metric(self.measure.id, suffix),
                about(self.measure, meaning),
                (made.get(suffix, "") for _, made in self._kept.values()),
            )
            for suffix, meaning in suffixes(self.measure).items()
        )

    def _window(self, window: Window, sums: WindowSums) -> tuple[int, dict[str, str]]:
        version = sums.version(window, self.measure.id)
        kept = self._kept.get(window)
        if kept and kept[0] == version:
            return kept
        samples: Samples = defaultdict(list)
        for series in self._series:
            labels = labels_text({**series.by, **window.labels()})
            fields = sums.series(window, series.name)
            if window.name == LOCAL_HOUR:
                name = names.metric(self.measure.id, LOCAL_HOUR)
                samples[LOCAL_HOUR].append(line(name, labels, fields.get(names.COUNT, 0)))
            else:
                self._write(series, labels, fields, samples)
        return version, {suffix: "".join(lines) for suffix, lines in samples.items()}

    def _write(self, series: Series, labels: str, fields: Fields, into: Samples) -> None:
        def put(suffix: str, value: float, more: str = "") -> None:
            into[suffix].append(line(names.metric(self.measure.id, suffix), labels + more, value))

        if self.measure.kind == "count":
            put("", fields.get(names.COUNT, 0))
        elif self.measure.kind == "share":
            value = ShareValue.from_fields(fields)
            put("whole", value.whole)
            if value.whole:  # a part of nothing is no share: absent, never 0 %
                put("part", value.part)
        else:
            duration = DurationValue.from_fields(fields, self._bins)
            put("observations", duration.observations)
            put("missing_start", duration.missing_start)
            put("negative", duration.negative)
            if series.target:
                put("within", duration.within)
            if duration.mean_s is not None:
                put("mean_seconds", duration.mean_s)
            for p in PERCENTILES:
                percentile_s = duration.percentile_s(p)
                if percentile_s is not None:
                    put("percentile_seconds", percentile_s, f',p="{p}"')


def open_text(measure: Measure, series: Sequence[Series], tiles: Mapping[str, OpenTile], since_ms: int) -> str:
    """All families of an open measure; due and overdue only where there is a target.

    Args:
        measure: The entry.
        series: All of its series.
        tiles: What was read for each series.
        since_ms: How long ago that was; the oldest has aged by as much.
    """
    samples: Samples = defaultdict(list)
    for each in series:
        tile = tiles[each.name]

        def put(suffix: str, value: float | None, by: Mapping[str, str]) -> None:
            if value is not None:
                samples[suffix].append(line(names.metric(measure.id, suffix), labels_text(by), value))

        put("", tile.open, each.by)
        put("oldest_seconds", _aged_s(tile.oldest_ms, since_ms), each.by)
        put("due", tile.due_5min, {**each.by, "within": "5m"})
        put("due", tile.due_15min, {**each.by, "within": "15m"})
        put("overdue", tile.overdue, each.by)
        put("gave_up", tile.gave_up, each.by)
    return "".join(
        gauge(names.metric(measure.id, suffix), about(measure, meaning), samples.get(suffix, ()))
        for suffix, meaning in suffixes(measure).items()
    )


def _aged_s(age_ms: int | None, since_ms: int) -> float | None:
    return None if age_ms is None else max(0, age_ms + since_ms) / 1000
