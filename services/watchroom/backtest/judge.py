"""From samples to firings: recording rules and alerts, each expression evaluated by Prometheus itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from watchroom.backtest import blocks
from watchroom.backtest.firing import Firing, firings
from watchroom.backtest.prometheus import Point, Prometheus
from watchroom.backtest.rules import Asked, Rule
from watchroom.catalogue.model import Catalogue
from watchroom.errors import WorkFailed
from watchroom.exporter.exposition import labels_text
from watchroom.generate import promql
from watchroom.kinds import quantity_of
from watchroom.kinds.measure import Measure
from watchroom.kinds.shown import Alert

Ask = Callable[[str, int], list[Point]]


class Span(NamedTuple):
    """Evaluations from the first to the last moment, ms, both included."""

    first_ms: int
    last_ms: int
    step_ms: int

    def moments_ms(self) -> range:
        """Every evaluation."""
        return range(self.first_ms, self.last_ms + 1, self.step_ms)


@dataclass(frozen=True, slots=True)
class Fired:
    """One firing of an alert, and on what it rested when it was told."""

    firing: Firing
    labels: Mapping[str, str]  # of the series; the rule's own stand at the rule
    counts: Mapping[str, float]  # "part" and "whole" of a share, or "base"; empty for the platform's alerts


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of one alert in the month."""

    rule: Rule
    fired: tuple[Fired, ...]  # by time

    @property
    def total_ms(self) -> int:
        """Time in which it fired, of all its series together."""
        return sum(each.firing.to_ms - each.firing.from_ms for each in self.fired)

    @property
    def longest_ms(self) -> int:
        """The longest firing; 0 if there is none."""
        return max((each.firing.to_ms - each.firing.from_ms for each in self.fired), default=0)


def judge(asked: Asked, spans: Sequence[Span], folder: Path, catalogue: Catalogue) -> list[Judged]:
    """Evaluate every alert at every step of each span; spans are judged apart, as if nothing lay between.

    Args:
        asked: The rules.
        spans: When; all with the step at which samples were written.
        folder: Its `data` holds the blocks of the samples; those of the recording rules are added.
        catalogue: Says which counts belong to an alert.

    Raises:
        WorkFailed: An alert that mutes others fired, and others ask for it: their answers are not known then.
    """
    lookback_ms = min(span.step_ms for span in spans) - 1
    for level in asked.levels:
        with Prometheus(folder, lookback_ms=lookback_ms) as server:
            lines = [line for rule in level for span in spans for line in _recorded(server, rule, span)]
        blocks.write(sorted(lines, key=_time_of), folder)
    with Prometheus(folder, lookback_ms=lookback_ms) as server:
        judged = [_judged(server, rule, spans, catalogue) for rule in asked.alerts]
    _check_muting(asked, judged)
    return judged


def _check_muting(asked: Asked, judged: Iterable[Judged]) -> None:
    """Measures' alerts hold on while an alert that mutes them fires: `ALERTS` is empty here, so none may fire."""
    muting = [each.rule.name for each in judged if each.fired and "mutes" in each.rule.labels]
    if muting and asked.reads_alerts:
        raise WorkFailed(
            f"{', '.join(muting)} fired in a month in which nothing was broken, so what it mutes cannot be judged; "
            "put that rule right first"
        )


def counts_asked(alert: Alert, measure: Measure, catalogue: Catalogue) -> dict[str, str]:
    """Queries of the counts on which an alert's figure rests."""
    if quantity_of(measure, alert.shown).counts:
        return promql.counts(catalogue, measure, alert.shown)._asdict()
    return {"base": promql.base(measure, alert.shown)}


def _recorded(server: Prometheus, rule: Rule, span: Span) -> Iterator[str]:
    for point in server.over(rule.expression, *span):
        labels = {name: text for name, text in point.labels.items() if name != "__name__"} | dict(rule.labels)
        series = f"{rule.name}{{{labels_text(labels)}}}"
        for at_ms, value in point.values.items():
            yield f"{series} {value!r} {at_ms / 1000:.3f}\n"


def _time_of(line: str) -> float:
    return float(line.rpartition(" ")[2])


def _judged(server: Prometheus, rule: Rule, spans: Iterable[Span], catalogue: Catalogue) -> Judged:
    queries: dict[str, str] = {}
    for measure, alert in catalogue.alerts():
        if alert.name == rule.name:
            queries = counts_asked(alert, measure, catalogue)
    found = []
    for span in spans:
        for point in server.over(rule.expression, *span):
            labels = {name: text for name, text in point.labels.items() if name != "__name__"}
            found += [
                Fired(firing, labels, _counts(server, queries, firing.from_ms, labels))
                for firing in firings(point.values, span.moments_ms(), rule.for_s * 1000, rule.keep_s * 1000)
            ]
    return Judged(rule, tuple(sorted(found, key=lambda each: each.firing.from_ms)))


def _counts(server: Prometheus, queries: Mapping[str, str], at_ms: int, labels: Mapping[str, str]) -> dict[str, float]:
    """The answers' numbers for the alert's own force and split."""
    counts = {}
    for name, query in queries.items():
        for point in server.at(query, at_ms):
            if all(labels.get(label) == text for label, text in point.labels.items()):
                counts[name] = point.values[at_ms]
    return counts
