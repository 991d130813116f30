"""Alert rules: one for every alert of the catalogue, on measures and on the platform.

The figure of a measure is a gauge over a window. It is compared as it is, without `rate()` or `increase()`.
"""

from __future__ import annotations

from textwrap import indent
from typing import Any, Final

from watchroom.catalogue.model import Catalogue
from watchroom.catalogue.platform_alerts import PlatformAlert
from watchroom.generate import promql
from watchroom.generate.rules import shares
from watchroom.generate.rules.links import Links, board_of
from watchroom.generate.rules.recording import miss_selector
from watchroom.generate.rules.shares import labels_kept
from watchroom.generate.rules.wording import description, summary
from watchroom.kinds import quantity_of
from watchroom.kinds.measure import Measure
from watchroom.kinds.shown import Alert

MEASURES_GROUP: Final = "watchroom-measures"
PLATFORM_GROUP: Final = "watchroom-platform"


def measure_group(catalogue: Catalogue, links: Links) -> dict[str, Any]:
    """Alerts on measures, in catalogue order."""
    rules = [_measure_rule(catalogue, measure, alert, links) for measure, alert in catalogue.alerts()]
    return {"name": MEASURES_GROUP, "rules": rules}


def platform_group(catalogue: Catalogue, links: Links) -> dict[str, Any]:
    """Alerts on the platform, in the order of their file."""
    rules = [_platform_rule(name, alert, links) for name, alert in catalogue.platform_alerts.items()]
    return {"name": PLATFORM_GROUP, "rules": rules}


def labels_of(measure: Measure, alert: Alert) -> dict[str, str]:
    """The labels that the rule adds; `force` and the split come from the expression.

    The label values that the alert is about (`where`) are labels too, because a page on 999 must not mute a ticket on
    101.
    """
    return {"severity": alert.severity, "stream": measure.stream, "measure": measure.id, **alert.shown.where}


def expression(catalogue: Catalogue, measure: Measure, alert: Alert) -> str:
    """When the alert holds: its figure is beyond the limit, or it was when the figure was lost.

    While an alert on the platform mutes this one, there is no way to know whether it is over. If it ended then, its
    "resolved" would be muted too, and Alertmanager would not notify anybody of the next one within its repeat
    interval, because it considers the first notification as sent. So the alert stays until its figure is back.
    Meanwhile its value is NaN, so that the text can say that the value is unknown.
    """
    labels = [*labels_kept(alert.shown), *(alert.shown.where if alert.burn else ())]
    fired = f'max by ({", ".join(labels)}) (ALERTS{{alertname="{alert.name}",alertstate="firing"}})'
    on = ", ".join(labels_kept(alert.shown))
    return f"""(
{indent(holds(catalogue, measure, alert), "  ")}
) or (
  0 * {fired} / 0
  and on (force) (
    max by (force) (ALERTS{{alertstate="firing",mutes="all"}})
    or max by (force) (ALERTS{{alertstate="firing",mutes="stream",stream="{measure.stream}"}})
  )
  unless on ({on}) {_rests_on(measure, alert)}
)"""


def holds(catalogue: Catalogue, measure: Measure, alert: Alert) -> str:
    """When the figure is beyond its limit, with enough entities behind it."""
    shown = alert.shown
    if alert.burn:
        limit = f"{alert.burn.miss_limit:g}"
        windows = (alert.burn.long, alert.burn.short)
        beyond = "\nand ".join(f"{miss_selector(measure, shown, window)} > {limit}" for window in windows)
    else:
        is_share = quantity_of(measure, shown).counts is not None
        figure = shares.share(measure, shown) if is_share else f"({promql.expression(catalogue, measure, shown)})"
        beyond = f"{figure} > {alert.above:g}" if alert.above is not None else f"{figure} < {alert.below:g}"
    if not alert.at_least:
        return beyond
    on = ", ".join(labels_kept(shown))
    return f"{beyond}\nand on ({on}) {_rests_on(measure, alert)} >= {alert.at_least}"


def _rests_on(measure: Measure, alert: Alert) -> str:
    """How many entities the figure rests on; absent while it is lost."""
    shown = alert.shown
    is_share = quantity_of(measure, shown).counts is not None
    return shares.whole(measure, shown) if is_share else promql.base(measure, shown)


def _measure_rule(catalogue: Catalogue, measure: Measure, alert: Alert, links: Links) -> dict[str, Any]:
    rule = _rule(alert.name, alert, links, board_of(measure), summary(measure, alert))
    if listed := links.behind(measure, alert):
        rule["annotations"]["open_url"] = listed
    return {**rule, "expr": expression(catalogue, measure, alert), "labels": labels_of(measure, alert)}


def _platform_rule(name: str, alert: PlatformAlert, links: Links) -> dict[str, Any]:
    labels = {"severity": alert.severity, **({"mutes": alert.mutes} if alert.mutes else {})}
    return {**_rule(name, alert, links, alert.dashboard, alert.summary), "expr": alert.expression, "labels": labels}


def _rule(name: str, alert: Alert | PlatformAlert, links: Links, board: str, text: str) -> dict[str, Any]:
    """What every rule has; expression and labels are filled in afterwards, at their usual position."""
    return {
        "alert": name,
        "expr": "",
        "for": f"{alert.for_s}s",
        "keep_firing_for": f"{alert.keep_s}s",
        "labels": {},
        "annotations": {
            "summary": text,
            "description": description(alert),
            "runbook_url": links.runbook(name),
            "dashboard_url": links.board(board),
        },
    }
