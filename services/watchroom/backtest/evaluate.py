"""Evaluates recording rules and alerts over a month of samples. Prometheus itself evaluates each expression."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from watchroom.backtest import blocks
from watchroom.backtest.firing import Firing, firings
from watchroom.backtest.prometheus import Prometheus
from watchroom.backtest.rules import Rule, RuleInputs
from watchroom.catalogue.model import Catalogue
from watchroom.errors import WorkFailed
from watchroom.exporter.exposition import labels_text
from watchroom.generate import promql
from watchroom.generate.rules import shares
from watchroom.kinds import quantity_of
from watchroom.kinds.measure import Measure
from watchroom.kinds.shown import Alert


class Span(NamedTuple):
    """Evaluations from the first to the last moment, both included; times in ms since the epoch."""

    first_ms: int
    last_ms: int
    step_ms: int

    def moments_ms(self) -> range:
        """Every evaluation."""
        return range(self.first_ms, self.last_ms + 1, self.step_ms)


@dataclass(frozen=True, slots=True)
class Fired:
    """One firing of an alert, and the counts behind its value when it began."""

    firing: Firing
    labels: Mapping[str, str]  # of the series, without those that the rule adds
    counts: Mapping[str, float]  # "part" and "whole" of a share, or "base"; empty for the platform's alerts


@dataclass(frozen=True, slots=True)
class AlertResult:
    """All firings of one alert in the month."""

    rule: Rule
    fired: tuple[Fired, ...]  # by time

    @property
    def total_ms(self) -> int:
        """How long it fired, all its series together."""
        return sum(each.firing.to_ms - each.firing.from_ms for each in self.fired)

    @property
    def longest_ms(self) -> int:
        """The longest firing; 0 if there is none."""
        return max((each.firing.to_ms - each.firing.from_ms for each in self.fired), default=0)


def evaluate(inputs: RuleInputs, spans: Sequence[Span], folder: Path, catalogue: Catalogue) -> list[AlertResult]:
    """Evaluate every alert at every step of each span; spans are independent of each other.

    Args:
        inputs: The rules, and what they read.
        spans: All with the step at which samples were written.
        folder: Its `data` holds the blocks of the samples; those of the recording rules are added.
        catalogue: Says which counts belong to an alert.

    Raises:
        WorkFailed: An alert that mutes others fired, and others read whether it fires: their values are unknown then.
    """
    lookback_ms = min(span.step_ms for span in spans) - 1
    for level in inputs.levels:
        with Prometheus(folder, lookback_ms=lookback_ms) as server:
            lines = [line for rule in level for span in spans for line in _recorded(server, rule, span)]
        blocks.write(sorted(lines, key=_time_of), folder)
    with Prometheus(folder, lookback_ms=lookback_ms) as server:
        results = [_result(server, rule, spans, catalogue) for rule in inputs.alerts]
    _check_muting(inputs, results)
    return results


def _check_muting(inputs: RuleInputs, results: Iterable[AlertResult]) -> None:
    """Alerts on measures are held while an alert that mutes them fires. `ALERTS` is empty here, so none may fire."""
    muting = [each.rule.name for each in results if each.fired and "mutes" in each.rule.labels]
    if muting and inputs.reads_alerts:
        raise WorkFailed(
            f"{', '.join(muting)} fired in a month in which nothing was broken, so the alerts that it mutes cannot "
            "be evaluated; correct that rule first"
        )


def count_queries(alert: Alert, measure: Measure) -> dict[str, str]:
    """The queries for the counts behind the figure of an alert."""
    if quantity_of(measure, alert.shown).counts:
        return shares.counts(measure, alert.shown)._asdict()
    return {"base": promql.base(measure, alert.shown)}


def _recorded(server: Prometheus, rule: Rule, span: Span) -> Iterator[str]:
    for point in server.over(rule.expression, *span):
        series = f"{rule.name}{{{labels_text({**point.labels, **rule.labels})}}}"
        for at_ms, value in point.values.items():
            yield f"{series} {value!r} {at_ms / 1000:.3f}\n"


def _time_of(line: str) -> float:
    return float(line.rpartition(" ")[2])


def _result(server: Prometheus, rule: Rule, spans: Iterable[Span], catalogue: Catalogue) -> AlertResult:
    behind = [(alert, measure) for measure, alert in catalogue.alerts() if alert.name == rule.name]
    queries = count_queries(*behind[0]) if behind else {}
    found = []
    for span in spans:
        for point in server.over(rule.expression, *span):
            found += [
                Fired(firing, point.labels, _counts(server, queries, firing.from_ms, point.labels))
                for firing in firings(point.values, span.moments_ms(), rule.for_s * 1000, rule.keep_s * 1000)
            ]
    return AlertResult(rule, tuple(sorted(found, key=lambda each: each.firing.from_ms)))


def _counts(server: Prometheus, queries: Mapping[str, str], at_ms: int, labels: Mapping[str, str]) -> dict[str, float]:
    """The counts for the alert's own force and split."""
    counts = {}
    for name, query in queries.items():
        for point in server.at(query, at_ms):
            if all(labels.get(label) == text for label, text in point.labels.items()):
                counts[name] = point.values[at_ms]
    return counts
