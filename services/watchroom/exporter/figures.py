"""Figures that have their own period, from the months that hold any: no clock, no I/O.

A figure may be of a month long past or to come, so all months are looked at, and only the figures' fields are kept.
They are never added up.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from watchroom.exporter.exposition import gauge, labels_text
from watchroom.exporter.measures import families_of
from watchroom.kinds import figure, kind_of, names
from watchroom.kinds.kind import By, Reads
from watchroom.kinds.measure import Measure
from watchroom.rolling.buckets import MONTH_HEAD
from watchroom.rolling.periods import Period, known_period

Fields = Mapping[str, int]  # bucket field -> integer


class Latest(NamedTuple):
    """The figure of one label set and span whose period ends latest."""

    by: By
    text: str  # its period as it is written
    period: Period
    figure: figure.Figure


class FigureMonths:
    """The figures of all months, as read; empty if no measure has figures."""

    def __init__(self, measures: Iterable[Measure]) -> None:
        self.measures = [measure for measure in measures if kind_of(measure).reads is Reads.FIGURES]
        self._ids = {measure.id: measure for measure in self.measures}
        self._families = {measure.id: families_of(measure) for measure in self.measures}
        self._held: dict[str, dict[str, int]] = {}  # bucket -> field -> integer
        self._latest: dict[str, list[Latest]] | None = None  # by measure; None: not computed yet
        self._texts: dict[str, str] = {}  # by measure, until a figure changes

    def wants(self, bucket: str) -> bool:
        """Whether a bucket may hold figures."""
        return bool(self.measures) and bucket.startswith(MONTH_HEAD)

    def replace(self, bucket: str, fields: Fields) -> None:
        """Store the content read from a bucket."""
        if not self.wants(bucket):
            return
        ids = self._ids
        found = {field: number for field, number in fields.items() if number and field.partition("|")[0] in ids}
        if found != self._held.get(bucket, {}):
            self._held[bucket] = found
            self._latest, self._texts = None, {}

    def forget_all(self) -> None:
        """Clear everything before it is read again: a month that is gone has no figures."""
        self._held, self._latest, self._texts = {}, None, {}

    def latest(self, measure: Measure) -> list[Latest]:
        """The figure whose period ends latest, for each label set and span, in the order of the fields."""
        if self._latest is None:
            self._latest = self._computed()
        return self._latest.get(measure.id, [])

    def text(self, measure: Measure) -> str:
        """All families of a measure; empty if no figure was sent."""
        if measure.id not in self._texts:
            self._texts[measure.id] = self._written(measure)
        return self._texts[measure.id]

    def _written(self, measure: Measure) -> str:
        shown = self.latest(measure)
        kind = kind_of(measure)
        return "".join(
            gauge(
                family.name,
                family.about,
                (
                    line
                    for each in shown
                    for line in family.lines(labels_text({**each.by, "span": each.period.span}), kind, each.figure)
                ),
            )
            for family in self._families[measure.id]
        )

    def old(self, measure: Measure, now_ms: int) -> int | None:
        """How many label sets have no figure that is recent enough; None if no figure was sent."""
        youngest: dict[str, int] = {}
        for each in self.latest(measure):
            series = names.series(measure.id, each.by)
            youngest[series] = max(youngest.get(series, 0), each.figure.as_at_ms or 0)
        if not youngest:
            return None
        return sum(figure.is_old(measure, as_at_ms, now_ms) for as_at_ms in youngest.values())

    def _computed(self) -> dict[str, list[Latest]]:
        best: dict[tuple[str, str], Latest] = {}
        for measure_id, each in self._found():
            place = names.series(measure_id, each.by), each.period.span
            if place not in best or _ends(each) > _ends(best[place]):
                best[place] = each
        made: dict[str, list[Latest]] = {}
        for (series, _), each in best.items():
            made.setdefault(series.partition("|")[0], []).append(each)
        return made

    def _found(self) -> Iterator[tuple[str, Latest]]:
        for fields in self._held.values():
            by_series: dict[str, dict[str, int]] = {}
            for field, number in fields.items():
                series, _, what = field.rpartition("|")
                by_series.setdefault(series, {})[what] = number
            for series, stored in by_series.items():
                measure_id, by = names.parse_series(series)
                made = figure.figures(self._ids[measure_id], stored)
                if made.as_at_ms is not None:
                    text = by.pop(names.PERIOD)
                    yield measure_id, Latest(by, text, known_period(text), made)


def _ends(of: Latest) -> tuple[str, str]:
    """The later end first; for the same end, the shorter period first."""
    return of.period.last, of.period.first
