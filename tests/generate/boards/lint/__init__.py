"""What every board must be: rules that are checked on the JSON that Grafana will read.

Two lists: the Prometheus rules of Grafana's own dashboard-linter (without those on `instance`, which nobody in a
control room picks; what it asks of `job` we ask of `force`, the label that every target has), and ours, most of
which keep an old or missing number from looking like a good one. A test breaks each of them.

Source: grafana/dashboard-linter, docs/rules.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from tests.generate.boards.lint import grafana, live, ours
from watchroom.catalogue.metrics import Family
from watchroom.errors import Fault
from watchroom.kinds import KINDS, names

Dashboard = Mapping[str, Any]
Families = Mapping[str, Family]
Rule = Callable[[Dashboard, Families], Iterator[tuple[str, str, str]]]
"""Yields the panel or part, what was found, what to write instead."""

RULES: Final[Mapping[str, Rule]] = {**grafana.RULES, **ours.RULES, **live.RULES}
_QUOTED: Final = re.compile(r'"[^"]*"')
_ROW: Final = re.compile(r'measure="(\w+)",quantity=~?"([\w|]+)"')
_METRIC: Final = re.compile(r"\bwatchroom_[a-z0-9_]+\b")


def faults(dashboard: Dashboard, families: Families) -> list[Fault]:
    """Every fault of a board; the key of a fault is its rule and panel.

    Args:
        dashboard: The JSON, read.
        families: Every metric that Watchroom publishes, by name.
    """
    return [
        Fault(str(dashboard.get("uid", "no uid")), f"{name}: {where}", found, write)
        for name, rule in RULES.items()
        for where, found, write in rule(dashboard, families)
    ]


def expressions(dashboard: Dashboard) -> list[str]:
    """Every PromQL expression of a board's panels, in order."""
    return [target["expr"] for panel in grafana.panels(dashboard) for target in panel.get("targets", ())]


def metrics_used(dashboard: Dashboard) -> set[str]:
    """The names of Watchroom's metrics that a board queries, including those in its variables.

    A row of a table shows the metrics of its quantity.
    """
    variables = [str(each.get("query", "")) for each in grafana.variables(dashboard)]
    asked = (_QUOTED.sub("", text) for text in (*expressions(dashboard), *variables))
    named = {name for text in asked for name in _METRIC.findall(text)}
    rows = (found.groups() for text in expressions(dashboard) for found in _ROW.finditer(text))
    return named | {name for measure, quantities in rows for name in _behind(measure, quantities.split("|"))}


def _behind(measure: str, quantities: Iterable[str]) -> Iterator[str]:
    """The metrics of quantities, and of what is excluded, under every kind that has them."""
    for what in quantities:
        yield names.metric(measure, what)
        for quantity in (kind.quantities[what] for kind in KINDS.values() if what in kind.quantities):
            yield from (names.metric(measure, suffix) for suffix in quantity.counts or (quantity.suffix,))


def rules_file(dashboards: Mapping[str, Dashboard]) -> str:
    """Every expression as a recording rule, so that `promtool check rules` parses it: YAML."""
    lines = ["groups:"]
    for number, (name, dashboard) in enumerate(dashboards.items()):
        lines += [f"  - name: {name}", "    rules:"]
        for place, expr in enumerate(expressions(dashboard)):
            plain = expr.replace("$__rate_interval", "1m")
            quoted = plain.replace("'", "''")
            lines += [f"      - record: board_{number}:panel:{place}", f"        expr: '{quoted}'"]
    return "\n".join(lines) + "\n"
