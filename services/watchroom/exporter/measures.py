"""One measure's samples; of a window whose sums did not change the text is kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, assert_never

from watchroom.catalogue.metrics import LOCAL_HOUR, about, suffixes
from watchroom.exporter.exposition import gauge, labels_text, line
from watchroom.exporter.sums import Window, WindowSums, windows_of_measure
from watchroom.kinds import kind_of, names
from watchroom.kinds.kind import By, Kind, MetricFamily, Over, Stored
from watchroom.kinds.measure import Measure
from watchroom.kinds.open_now import OpenTile

NO_WINDOW: Final[By] = {}


class Series:
    """One measure under one set of label values."""

    def __init__(self, measure: Measure, by: By) -> None:
        self.by = dict(by)
        self.name = names.series(measure.id, by)
        self.target = measure.target_for(by)


def series_of(measure: Measure) -> tuple[Series, ...]:
    """Every series of a measure: also those in which nothing ever happened, which publish 0."""
    return tuple(Series(measure, by) for by in measure.label_sets())


class _Family:
    """One metric family of a measure: how its samples are written."""

    def __init__(self, measure: Measure, suffix: str, family: MetricFamily) -> None:
        self.name = names.metric(measure.id, suffix)
        self.about = about(measure, family)
        self.over = family.over
        self.samples = [(f",{labels_text(further)}" if further else "", figure) for further, figure in family.samples]

    def lines(self, labels: str, kind: Kind, figures: object) -> Iterator[str]:
        """The samples of one series; a figure that cannot be computed has none."""
        for further, figure in self.samples:
            value = kind.figure(figures, figure)
            if value is not None:
                yield line(self.name, labels + further if labels else further[1:], value)


def families_of(measure: Measure) -> list[_Family]:
    """How the samples of each of a measure's families are written."""
    return [_Family(measure, suffix, family) for suffix, family in suffixes(measure).items()]


class WindowedMeasure:
    """Text of a measure that adds up over time.

    Args:
        measure: The entry.
        of_stream: Every measure of its stream, itself among them: what happened in any of them shows that
            there was a feed.
    """

    def __init__(self, measure: Measure, of_stream: frozenset[str]) -> None:
        self.measure = measure
        self._kind = kind_of(measure)
        self._of_stream = of_stream
        self._wanted = windows_of_measure(measure)
        self._series = series_of(measure)
        self._families = families_of(measure)
        self._kept: dict[Window, tuple[int, dict[str, str]]] = {}

    def text(self, sums: WindowSums) -> str:
        """All families of the measure, with every window that its entry names and that is known."""
        wanted = [window for window in sums.windows if window.name in self._wanted]
        windows = [window for window in wanted if sums.is_known(window, self._of_stream)]
        self._kept = {window: self._window(window, sums) for window in windows}
        return "".join(
            gauge(family.name, family.about, (made.get(family.name, "") for _, made in self._kept.values()))
            for family in self._families
        )

    def _window(self, window: Window, sums: WindowSums) -> tuple[int, dict[str, str]]:
        version = sums.version(window, self.measure.id)
        kept = self._kept.get(window)
        if kept and kept[0] == version:
            return kept
        shown = [family for family in self._families if _is_over(family.over, window)]
        samples: dict[str, list[str]] = {family.name: [] for family in shown}
        over = f",{labels_text(window.labels())}"
        for series in self._series:
            labels = (labels_text(series.by) + over).removeprefix(",")
            stored = sums.series(window, series.name)
            figures = self._kind.figures(self.measure, stored, series.target is not None)
            for family in shown:
                samples[family.name].extend(family.lines(labels, self._kind, figures))
        return version, {name: "".join(lines) for name, lines in samples.items()}


def _is_over(over: Over, window: Window) -> bool:
    match over:
        case Over.WINDOWS:
            return window.name != LOCAL_HOUR
        case Over.LOCAL_HOURS:
            return window.name == LOCAL_HOUR
        case Over.NOW | Over.OWN_PERIOD:
            return False
        case _:
            assert_never(over)


class OpenMeasure:
    """Text of a measure of who is open now."""

    def __init__(self, measure: Measure) -> None:
        self.measure = measure
        self.series: Sequence[Series] = series_of(measure)
        self._kind = kind_of(measure)
        self._families = families_of(measure)

    def text(self, tiles: Mapping[str, OpenTile], since_ms: int) -> str:
        """All families of the measure.

        Args:
            tiles: What was read for each series.
            since_ms: How long ago that was; the oldest has aged by as much.
        """
        found = [(labels_text(each.by), self._figures(each, tiles[each.name].aged(since_ms))) for each in self.series]
        return "".join(gauge(family.name, family.about, self._lines(family, found)) for family in self._families)

    def _figures(self, series: Series, stored: Stored) -> object:
        return self._kind.figures(self.measure, stored, series.target is not None)

    def _lines(self, family: _Family, found: Iterable[tuple[str, object]]) -> Iterator[str]:
        for labels, figures in found:
            yield from family.lines(labels, self._kind, figures)
