"""Static checks of rules. Each yields a text for every fault."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from watchroom.catalogue.metrics import FOREIGN
from watchroom.catalogue.model import Catalogue

FOREIGN_NAMES = [family.name for family in FOREIGN]
METRIC = re.compile(r"\b(?:(?:[a-z_]+:)?watchroom|alertmanager)_[a-z0-9_]+(?::[a-z0-9_]+)?")
FUNCTION = re.compile(
    r"\b(rate|irate|increase|delta|idelta|deriv|resets)\s*\((?!(?:{})\b)".format("|".join(FOREIGN_NAMES))
)
URLS = {"runbook_url": "/runbook/", "dashboard_url": "/d/watchroom-"}


def unknown_metrics(rules: Iterable[Mapping[str, Any]], known: Collection[str]) -> Iterator[str]:
    """Metrics in expressions and texts that are neither published nor recorded."""
    listed = list(rules)
    recorded = {rule["record"] for rule in listed if "record" in rule}
    for rule in listed:
        name = rule.get("alert") or rule["record"]
        texts = [rule["expr"], *(text for text in rule.get("annotations", {}).values() if "query" in text)]
        for metric in METRIC.findall(" ".join(texts)):
            if metric not in known and metric not in recorded:
                yield f"{name}: nothing publishes {metric}"


def changes_of_gauges(rules: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """`rate()` and similar of anything but a counter of another program: our figures are gauges over a window."""
    for rule in rules:
        for function in FUNCTION.findall(rule["expr"]):
            yield f"{rule.get('alert') or rule['record']}: {function}() of a gauge"


def incomplete(alerts: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Alerts without their texts, their links or a known severity."""
    for rule in alerts:
        texts = rule.get("annotations", {})
        for key in ("summary", "description"):
            if len(texts.get(key, "")) < 20:
                yield f"{rule['alert']}: no {key}"
        for key, part in URLS.items():
            if part not in texts.get(key, ""):
                yield f"{rule['alert']}: no {key} with {part}"
        if rule["labels"].get("severity") not in ("page", "ticket", "none"):
            yield f"{rule['alert']}: no severity"
        if "$value" not in texts.get("summary", ""):
            yield f"{rule['alert']}: the summary does not give the value"


def unexplained(alerts: Iterable[Mapping[str, Any]], catalogue: Catalogue) -> Iterator[str]:
    """Alerts without the definition of their measure, or on a share without its counts."""
    summaries = {rule["alert"]: rule["annotations"]["summary"] for rule in alerts}
    for measure, alert in catalogue.alerts():
        if measure.definition not in summaries.get(alert.name, ""):
            yield f"{alert.name}: the summary does not give the definition"
        is_share = alert.shown.what in ("share", "within", "live_within")
        if is_share and summaries.get(alert.name, "").count("| query") != 2:
            yield f"{alert.name}: the summary does not give both counts"


def absent_with_or(rules: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """`X or absent(X)`: absent() is 1, and the text prints that as the value of X."""
    for rule in rules:
        if re.search(r"\bor\b.*absent(_over_time)?\(", rule["expr"]):
            yield f"{rule.get('alert') or rule['record']}: `or absent(...)`; write two alerts"
