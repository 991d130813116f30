"""One measure's samples; the text of a window whose sums did not change is kept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from watchroom.catalogue.metrics import about, suffixes
from watchroom.exporter.exposition import gauge, labels_text, line
from watchroom.exporter.sums import WindowSums, series_behind, windows_of_measure
from watchroom.kinds import area_windows, kind_of, names
from watchroom.kinds.kind import By, Kind, MetricFamily, Over, Stored
from watchroom.kinds.measure import Measure
from watchroom.kinds.open_now import OpenTile
from watchroom.rolling.windows import LOCAL_HOUR, Window

_Version = tuple[int, bool]  # of the sums behind a window's text, and whether it is by area


class Series:
    """One measure under one set of label values."""

    def __init__(self, measure: Measure, by: By) -> None:
        self.by = dict(by)
        self.labels = labels_text(by)
        self.name = names.series(measure.id, by)
        self.behind = series_behind(measure, by)
        self.target = measure.target_for(by)


def series_of(measure: Measure, *, by_area: bool = True) -> tuple[Series, ...]:
    """Every series of a measure, including those in which nothing ever happened: these publish 0.

    Args:
        measure: The entry.
        by_area: False: those of all areas combined.
    """
    return tuple(Series(measure, by) for by in measure.label_sets(by_area=by_area))


class _Family:
    """One metric family of a measure: how its samples are written."""

    def __init__(self, measure: Measure, suffix: str, family: MetricFamily) -> None:
        self.name = names.metric(measure.id, suffix)
        self.about = about(measure, family)
        self.over = family.over
        self.area_windows = area_windows(measure, suffix)
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
        witnesses: Every measure of each of its streams: an event in any of them shows that there was a feed.
    """

    def __init__(self, measure: Measure, witnesses: tuple[frozenset[str], ...]) -> None:
        self.measure = measure
        self._kind = kind_of(measure)
        self._witnesses = witnesses
        self._wanted = windows_of_measure(measure)
        self._by_area = series_of(measure)
        self._together = series_of(measure, by_area=False)
        self._families = families_of(measure)
        self._kept: dict[Window, tuple[_Version, dict[str, str]]] = {}
        self._text: tuple[object, str] = None, ""

    def text(self, sums: WindowSums) -> str:
        """All families of the measure, with every window that its entry names and that is known."""
        known = sums.known(self._witnesses)
        state = sums.changed(self.measure.counted), known
        if self._text[0] != state:
            self._kept = {window: self._window(window, sums) for window in known if window.name in self._wanted}
            self._text = (
                state,
                "".join(
                    gauge(family.name, family.about, (made.get(family.name, "") for _, made in self._kept.values()))
                    for family in self._families
                ),
            )
        return self._text[1]

    def _window(self, window: Window, sums: WindowSums) -> tuple[_Version, dict[str, str]]:
        by_area = sums.is_by_area(window, self.measure.id)
        version = max(sums.version(window, measure) for measure in self.measure.counted), by_area
        kept = self._kept.get(window)
        if kept and kept[0] == version:
            return kept
        over = Over.LOCAL_HOURS if window.name == LOCAL_HOUR else Over.WINDOWS
        shown = [family for family in self._families if family.over is over]
        split = [family for family in shown if by_area and window.name in family.area_windows]
        together = [family for family in shown if family not in split]
        made = {family.name: "" for family in shown}
        made |= self._samples(split, self._by_area, window, sums)
        made |= self._samples(together, self._together, window, sums)
        return version, made

    def _samples(
        self, families: Sequence[_Family], of: Sequence[Series], window: Window, sums: WindowSums
    ) -> dict[str, str]:
        """The samples of these families, by name, over these series."""
        samples: dict[str, list[str]] = {family.name: [] for family in families}
        over = f",{labels_text(window.labels())}"
        for series in of if families else ():
            labels = series.labels + over if series.labels else over[1:]
            stored = sums.together(window, series.behind)
            figures = self._kind.figures(self.measure, stored, series.target is not None)
            for family in families:
                samples[family.name].extend(family.lines(labels, self._kind, figures))
        return {name: "".join(lines) for name, lines in samples.items()}


class OpenMeasure:
    """Text of an open measure."""

    def __init__(self, measure: Measure) -> None:
        self.measure = measure
        self.series: Sequence[Series] = series_of(measure)
        self._kind = kind_of(measure)
        self._families = families_of(measure)

    def text(self, tiles: Mapping[str, OpenTile], since_ms: int) -> str:
        """All families of the measure.

        Args:
            tiles: What was read for each series.
            since_ms: How long ago that was; the oldest has aged by the same time.
        """
        found = [(each.labels, self._figures(each, tiles[each.name].aged(since_ms))) for each in self.series]
        return "".join(gauge(family.name, family.about, self._lines(family, found)) for family in self._families)

    def _figures(self, series: Series, stored: Stored) -> object:
        return self._kind.figures(self.measure, stored, series.target is not None)

    def _lines(self, family: _Family, found: Iterable[tuple[str, object]]) -> Iterator[str]:
        for labels, figures in found:
            yield from family.lines(labels, self._kind, figures)
