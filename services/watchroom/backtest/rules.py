"""The rules of the rule files as Prometheus reads them, and the series that they need."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from watchroom.backtest.selectors import Selector, selectors
from watchroom.catalogue.metrics import FOREIGN, all_families
from watchroom.catalogue.model import Catalogue
from watchroom.errors import WorkFailed

ALERTS = "ALERTS"  # one series for each alert that is pending or fires
PROMETHEUS_OWN = ("up", ALERTS)  # written by Prometheus at each scrape and at each evaluation


class Rule(NamedTuple):
    """One alerting or recording rule."""

    name: str
    expression: str  # as Prometheus prints it
    is_alert: bool
    for_s: float
    keep_s: float  # keep_firing_for
    labels: Mapping[str, str]
    annotations: Mapping[str, str] = MappingProxyType({})
    error: str = ""  # of its last evaluation

    @property
    def severity(self) -> str:
        """Page, ticket or none."""
        return self.labels.get("severity", "none")


def from_api(groups: Iterable[Mapping[str, Any]]) -> list[Rule]:
    """The rules in the answer of Prometheus at /api/v1/rules, in file order."""
    return [
        Rule(
            name=rule["name"],
            expression=rule["query"],
            is_alert=rule["type"] == "alerting",
            for_s=float(rule.get("duration", 0)),
            keep_s=float(rule.get("keepFiringFor", 0)),
            labels=rule.get("labels") or {},
            annotations=rule.get("annotations") or {},
            error=rule.get("lastError") or "",
        )
        for group in groups
        for rule in group["rules"]
    ]


class RuleInputs:
    """What a set of rules reads.

    `levels` are the recording rules that alerts depend on; each level depends only on those before it. `series` are
    the selectors of metrics that exporters, workers and Prometheus publish.
    """

    def __init__(self, rules: Sequence[Rule], catalogue: Catalogue, more: Iterable[str] = ()) -> None:
        """Trace the alerts back to published metrics.

        Args:
            rules: All rules.
            catalogue: Lists every metric.
            more: Further expressions that will be queried, as Prometheus prints them.

        Raises:
            WorkFailed: A rule reads a metric that is never published, or recording rules form a cycle.
        """
        self.alerts = [rule for rule in rules if rule.is_alert]
        recorded: dict[str, list[Rule]] = {}
        for rule in rules:
            if not rule.is_alert:
                recorded.setdefault(rule.name, []).append(rule)
        known = {*all_families(catalogue), *(family.name for family in FOREIGN), *PROMETHEUS_OWN, *recorded}
        self.series: list[Selector] = []
        depends_on: dict[str, set[str]] = {}  # recorded name -> recorded names that it reads
        waiting: list[tuple[str, str]] = [("", rule.expression) for rule in self.alerts]
        waiting += [("", expression) for expression in more]
        while waiting:
            reader, expression = waiting.pop()
            for selector in selectors(expression, known):
                if selector.metric not in recorded:
                    self.series.append(selector)
                    continue
                if reader:
                    depends_on[reader].add(selector.metric)
                if selector.metric not in depends_on:
                    depends_on[selector.metric] = set()
                    waiting += [(selector.metric, rule.expression) for rule in recorded[selector.metric]]
        self.levels = [[rule for name in level for rule in recorded[name]] for level in _levels(depends_on)]

    @property
    def reads_alerts(self) -> bool:
        """Whether an alert's expression reads which other alerts fire."""
        return any(selector.metric == ALERTS for selector in self.series)


def _levels(depends_on: Mapping[str, set[str]]) -> list[list[str]]:
    left, levels = dict(depends_on), []
    while left:
        level = sorted(name for name, others in left.items() if not others & left.keys())
        if not level:
            raise WorkFailed(f"recording rules depend on each other: {', '.join(sorted(left))}; break the cycle")
        levels.append(level)
        left = {name: others for name, others in left.items() if name not in level}
    return levels
