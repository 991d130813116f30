"""Alertmanager: does a page reach anybody, and does the Watchdog arrive?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from watchroom.backtest.rules import Rule
from watchroom.doctor.facts import Monitoring
from watchroom.doctor.finding import Finding, listed, wrong
from watchroom.doctor.routes import Alert, Configuration, configuration
from watchroom.doctor.web import no_answer, not_set, readable, shown
from watchroom.settings import Settings

WATCHDOG: Final = "Watchdog"
PAGE: Final = "page"
ROUTES: Final = "deploy/alertmanager/alertmanager.yml"


def of_alertmanager(
    settings: Settings, monitoring: Monitoring, shipped: Sequence[Rule], areas: Sequence[str]
) -> Iterator[Finding]:
    """Where pages lead, and whether the Watchdog arrives.

    Args:
        settings: They name the force.
        monitoring: Answers of Alertmanager.
        shipped: Our rules.
        areas: Values of the label `area`, by which alerts on measures may be routed.
    """
    if monitoring.status is None or monitoring.alerts is None:
        yield not_set("alertmanager", "Alertmanager", "WATCHROOM_ALERTMANAGER_URL", "Whether pages reach anybody")
        return
    subject = f"Alertmanager at {shown(settings.alertmanager_url)}"
    config, alerts = configuration(monitoring.status.body), monitoring.alerts.body
    if config is None or not isinstance(alerts, list):
        page = monitoring.status if config is None else monitoring.alerts
        yield no_answer("alertmanager", subject, page, "WATCHROOM_ALERTMANAGER_URL")
        return
    otherwise = no_answer("alertmanager", subject, monitoring.status, "WATCHROOM_ALERTMANAGER_URL")
    yield from readable(_of_pages(subject, config, list(_pages(settings.force, shipped, areas))), otherwise)
    yield from readable(_of_watchdog(subject, settings.force, config, alerts), otherwise)


def _pages(force: str, shipped: Sequence[Rule], areas: Sequence[str]) -> Iterator[Alert]:
    """The labels that our alerts of severity page may have: those on measures may be split by area."""
    for rule in shipped:
        if rule.is_alert and rule.severity == PAGE:
            alert = {**rule.labels, "alertname": rule.name, "force": force}
            yield alert
            yield from ({**alert, "area": area} for area in areas if "measure" in alert)


def _of_pages(subject: str, config: Configuration, alerts: Sequence[Alert]) -> Iterator[Finding]:
    lost = dict.fromkeys(
        alert["alertname"] for alert in alerts if not any(config.integrations(name) for name in config.route(alert))
    )
    if lost:
        yield wrong(
            "alertmanager-pages",
            subject,
            f"{len(lost)} alert(s) of severity page lead to no receiver with an integration: {listed(list(lost))}",
            "When they fire, nobody is called.",
            f"Give the receiver that they are routed to an e-mail address, a webhook or a pager (see {ROUTES}).",
        )
    examples = {name for alert in alerts for name in config.route(alert) if config.is_example(name)}
    if examples:
        yield wrong(
            "alertmanager-pages",
            subject,
            f"pages go to the shipped example addresses of receiver {listed(sorted(examples))}",
            "They lead nowhere, so nobody is called.",
            f"Write your own addresses into {ROUTES}.",
        )


def _of_watchdog(
    subject: str, force: str, config: Configuration, alerts: Sequence[Mapping[str, Any]]
) -> Iterator[Finding]:
    why = "Its absence is how people learn that no alert can arrive; now it cannot be trusted."
    # of one Prometheus, whatever forces it serves; some add their own label
    found = [alert for alert in alerts if alert.get("labels", {}).get("force", force) == force]
    if not found:
        fix = "Check that Prometheus has loaded the rules and sends to this Alertmanager."
        yield wrong("alertmanager-watchdog", subject, f"{WATCHDOG} does not arrive", why, fix)
        return
    if all(alert.get("status", {}).get("state") == "suppressed" for alert in found):
        what = f"{WATCHDOG} is silenced or inhibited"
        yield wrong("alertmanager-watchdog", subject, what, why, "Expire the silence that matches it.")
    receivers = {each.get("name", "") for alert in found for each in alert.get("receivers", ())}
    if not any(config.integrations(name) for name in receivers):
        fix = f"Route it to a webhook receiver with the address of `watchroom watchdog` (see {ROUTES})."
        what = f"{WATCHDOG} leads to no receiver with an integration ({listed(sorted(receivers))})"
        yield wrong("alertmanager-watchdog", subject, what, why, fix)
