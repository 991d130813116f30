"""Alertmanager: does a page reach anybody, and does the Watchdog alert arrive?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from watchroom.backtest.rules import Rule
from watchroom.doctor.facts import Monitoring
from watchroom.doctor.finding import Finding, finding, listed
from watchroom.doctor.pages import no_answer, readable, shown
from watchroom.doctor.routes import Alert, Configuration, configuration
from watchroom.settings import Settings

PAGE: Final = "page"


def of_alertmanager(
    settings: Settings, monitoring: Monitoring, shipped: Sequence[Rule], areas: Sequence[str]
) -> Iterator[Finding]:
    """Checks where pages are sent, and whether the Watchdog alert arrives.

    Args:
        settings: Name the force.
        monitoring: Answers of Alertmanager.
        shipped: Our rules.
        areas: Values of the label `area`, by which alerts on measures may be routed.
    """
    if monitoring.status is None or monitoring.alerts is None:
        yield finding("alertmanager.unset", "Alertmanager")
        return
    subject = f"Alertmanager at {shown(settings.alertmanager_url)}"
    config, alerts = configuration(monitoring.status.body), monitoring.alerts.body
    if config is None or not isinstance(alerts, list):
        page = monitoring.status if config is None else monitoring.alerts
        yield no_answer("alertmanager", subject, page)
        return
    otherwise = no_answer("alertmanager", subject, monitoring.status)
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
    """Alerts that reach nobody. One real receiver that is not always muted is enough."""
    lost, muted, examples = [], [], set()
    for alert in alerts:
        sending = [each for each in config.reached(alert) if config.integrations(each.receiver)]
        notified = {each.receiver for each in sending if not each.is_muted}
        if not sending:
            lost.append(alert["alertname"])
        elif not notified:
            muted.append(alert["alertname"])
        elif all(map(config.is_example, notified)):
            examples |= notified
    if lost:
        yield finding("alertmanager-pages.lost", subject, number=len(set(lost)), names=listed(lost))
    if muted:
        yield finding("alertmanager-pages.muted", subject, number=len(set(muted)), names=listed(muted))
    if examples:
        yield finding("alertmanager-pages.example", subject, receivers=listed(sorted(examples)))


def _of_watchdog(
    subject: str, force: str, config: Configuration, alerts: Sequence[Mapping[str, Any]]
) -> Iterator[Finding]:
    # one Prometheus may serve several forces; some set the label `force`
    found = [alert for alert in alerts if alert.get("labels", {}).get("force", force) == force]
    if not found:
        yield finding("alertmanager-watchdog.absent", subject)
        return
    if all(alert.get("status", {}).get("state") == "suppressed" for alert in found):
        yield finding("alertmanager-watchdog.silenced", subject)
    elif all(each.is_muted for alert in found for each in config.reached(alert.get("labels", {}))):
        yield finding("alertmanager-watchdog.muted", subject)
    receivers = {each.get("name", "") for alert in found for each in alert.get("receivers", ())}
    if not any(config.integrations(name) for name in receivers):
        yield finding("alertmanager-watchdog.lost", subject, receivers=listed(sorted(receivers)))
