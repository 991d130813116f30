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
NOBODY: Final = "When they fire, nobody is called."
MUTED_FIX: Final = (
    f"Remove the mute_time_intervals or active_time_intervals from their route (see {ROUTES}), or correct the times."
)


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
    """Alerts that are sent nowhere: one real receiver that is not always muted is enough."""
    lost, muted, examples = [], [], set()
    for alert in alerts:
        sending = [each for each in config.reached(alert) if config.integrations(each.receiver)]
        heard = {each.receiver for each in sending if not each.is_muted}
        if not sending:
            lost.append(alert["alertname"])
        elif not heard:
            muted.append(alert["alertname"])
        elif all(map(config.is_example, heard)):
            examples |= heard
    if lost:
        names = list(dict.fromkeys(lost))
        yield wrong(
            "alertmanager-pages",
            subject,
            f"{len(names)} alert(s) of severity page lead to no receiver with an integration: {listed(names)}",
            NOBODY,
            f"Give the receiver that they are routed to an e-mail address, a webhook or a pager (see {ROUTES}).",
        )
    if muted:
        names = list(dict.fromkeys(muted))
        yield wrong(
            "alertmanager-pages",
            subject,
            f"{len(names)} alert(s) of severity page are muted at all times: {listed(names)}",
            NOBODY,
            MUTED_FIX,
        )
    if examples:
        yield wrong(
            "alertmanager-pages",
            subject,
            f"pages go only to the shipped example addresses of receiver {listed(sorted(examples))}",
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
    elif all(each.is_muted for alert in found for each in config.reached(alert.get("labels", {}))):
        yield wrong("alertmanager-watchdog", subject, f"{WATCHDOG} is muted at all times", why, MUTED_FIX)
    receivers = {each.get("name", "") for alert in found for each in alert.get("receivers", ())}
    if not any(config.integrations(name) for name in receivers):
        fix = f"Route it to a webhook receiver with the address of `watchroom watchdog` (see {ROUTES})."
        what = f"{WATCHDOG} leads to no receiver with an integration ({listed(sorted(receivers))})"
        yield wrong("alertmanager-watchdog", subject, what, why, fix)
