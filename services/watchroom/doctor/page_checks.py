"""Exporter, Prometheus and Alertmanager: do figures and alerts reach people?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from watchroom.doctor.addresses import exporter_address, shown
from watchroom.doctor.facts import Monitoring, Page
from watchroom.doctor.finding import Finding, listed, unchecked, wrong
from watchroom.doctor.routes import Alert, Configuration, configuration
from watchroom.doctor.rules import Rule, loaded_rules
from watchroom.settings import Settings

JOBS: Final = ("watchroom-exporter", "watchroom-worker")  # the rules' expressions name them
WATCHDOG: Final = "Watchdog"
PAGE: Final = "page"
CONFIGURATION: Final = "deploy/prometheus/prometheus.yml"
ROUTES: Final = "deploy/alertmanager/alertmanager.yml"


def of_exporter(settings: Settings, page: Page) -> Iterator[Finding]:
    """An exporter that does not answer, or does not publish."""
    subject = f"exporter at {shown(exporter_address(settings))}"
    blind = "No board shows a figure, and no alert can fire."
    if not page.status:
        fix = "Start `watchroom exporter`, or write its address into WATCHROOM_EXPORTER_URL."
        yield wrong("exporter", subject, page.failure, blind, fix)
        return
    if not isinstance(page.body, Mapping) or not isinstance(page.body.get("withheld"), Mapping):
        fix = "Write the exporter's address into WATCHROOM_EXPORTER_URL."
        yield wrong("exporter", subject, f"is no exporter of ours (HTTP {page.status})", blind, fix)
        return
    if not page.body.get("redis_answers"):
        said = page.body.get("redis") or "no reason given"
        yield wrong("exporter", subject, f"gets no answer from Redis: {said}", blind, "Check its WATCHROOM_REDIS_URL.")
        return
    withheld = page.body["withheld"]
    for stream in settings.streams:
        if stream not in withheld:
            what, fix = f"does not know the stream {stream}", "Give every process the same WATCHROOM_STREAMS."
            yield wrong("exporter-withholds", subject, what, "The stream has no figures.", fix)
        elif reasons := withheld[stream]:
            yield wrong(
                "exporter-withholds",
                subject,
                f"withholds {stream}: {listed(reasons, 3)}",
                "Boards show NO DATA for this stream, and none of its alerts can fire.",
                "Remove the causes: other findings name them. Compare its WATCHROOM_SOURCES with these.",
            )


def of_prometheus(settings: Settings, monitoring: Monitoring, shipped: Sequence[Rule]) -> Iterator[Finding]:
    """Targets, the label `force`, rules, and the way to Alertmanager."""
    if monitoring.targets is None:
        yield _not_set("prometheus", "Prometheus", "WATCHROOM_PROMETHEUS_URL", "Targets and rules")
        return
    subject = f"Prometheus at {shown(settings.prometheus_url)}"
    pages = {"targets": monitoring.targets, "rules": monitoring.rules, "alertmanagers": monitoring.alertmanagers}
    data: dict[str, Any] = {}
    for name, page in pages.items():
        if page is None or not (isinstance(page.body, Mapping) and isinstance(page.body.get("data"), Mapping)):
            yield _no_answer("prometheus", subject, page or Page(), "WATCHROOM_PROMETHEUS_URL")
            return
        data[name] = page.body["data"]
    yield from _of_targets(subject, settings.force, data["targets"].get("activeTargets") or [])
    yield from _of_rules(subject, loaded_rules(data["rules"].get("groups") or []), shipped)
    if not data["alertmanagers"].get("activeAlertmanagers"):
        why, fix = "Its alerts reach nobody.", f"Write Alertmanager's address into `alerting` of {CONFIGURATION}."
        yield wrong("prometheus-alertmanager", subject, "knows no Alertmanager", why, fix)


def _of_targets(subject: str, force: str, targets: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    for job in JOBS:
        forces = [target["labels"].get("force") for target in targets if target["labels"].get("job") == job]
        if not forces:
            what, why = f"scrapes no target of job {job}", "Boards stay empty, and alerts cannot fire."
            yield wrong("prometheus-targets", subject, what, why, f"Add the job as in {CONFIGURATION}.")
        elif force not in forces:
            labels = listed(sorted({f"force={name}" if name else "no label force" for name in forces}))
            yield wrong(
                "prometheus-force",
                subject,
                f"no target of job {job} has the label force={force} ({labels})",
                "Rules and boards go by this label: this force has no figures and no alerts.",
                f"Give the target `labels: {{force: {force}}}` in {CONFIGURATION}, or correct WATCHROOM_FORCE.",
            )
    for target in targets:
        labels = target["labels"]
        is_ours = labels.get("job") in JOBS or str(labels.get("job")).startswith("alertmanager")
        if is_ours and labels.get("force") in (force, None, "") and target.get("health") == "down":
            yield wrong(
                "prometheus-targets",
                subject,
                f"target {labels.get('instance')} of job {labels.get('job')} is down: {target.get('lastError')}",
                "What it says of itself is missing from boards and alerts.",
                "Start it, or correct its address in Prometheus' configuration.",
            )


def _of_rules(subject: str, loaded: Sequence[Rule], shipped: Sequence[Rule]) -> Iterator[Finding]:
    known = {rule.key: rule for rule in loaded}
    missing = [rule.name for rule in shipped if rule.key not in known]
    other = [rule.name for rule in shipped if rule.key in known and not known[rule.key].is_same(rule)]
    mend = (
        "Copy deploy/prometheus/rules/*.yml (after `watchroom generate`, if the catalogue is your own), and reload it."
    )
    for names, what in ((missing, "has not loaded"), (other, "has loaded other versions of")):
        if names:
            why = "What they watch for is not noticed, or noticed under other limits than the catalogue's."
            which = listed(list(dict.fromkeys(names)))
            yield wrong(
                "prometheus-rules", subject, f"{what} {len(names)} of our {len(shipped)} rules: {which}", why, mend
            )
    ours = {rule.key for rule in shipped}
    for rule in loaded:
        if rule.key in ours and rule.error:
            fix = "Look at the page Rules of Prometheus; see whether two targets of one force have the same labels."
            yield wrong(
                "prometheus-rules", subject, f"cannot evaluate {rule.name}: {rule.error}", "It cannot fire.", fix
            )


def of_alertmanager(settings: Settings, monitoring: Monitoring, shipped: Sequence[Rule]) -> Iterator[Finding]:
    """Where pages lead, and whether the Watchdog arrives."""
    if monitoring.status is None or monitoring.alerts is None:
        yield _not_set("alertmanager", "Alertmanager", "WATCHROOM_ALERTMANAGER_URL", "Whether pages reach anybody")
        return
    subject = f"Alertmanager at {shown(settings.alertmanager_url)}"
    config, alerts = configuration(monitoring.status.body), monitoring.alerts.body
    if config is None or not isinstance(alerts, list):
        page = monitoring.status if config is None else monitoring.alerts
        yield _no_answer("alertmanager", subject, page, "WATCHROOM_ALERTMANAGER_URL")
        return
    yield from _of_pages(
        subject, config, [{**rule.labels, "force": settings.force} for rule in shipped if _pages(rule)]
    )
    yield from _of_watchdog(subject, settings.force, config, alerts)


def _pages(rule: Rule) -> bool:
    return rule.labels.get("severity") == PAGE


def _of_pages(subject: str, config: Configuration, alerts: Sequence[Alert]) -> Iterator[Finding]:
    lost = [
        alert["alertname"] for alert in alerts if not any(config.integrations(name) for name in config.route(alert))
    ]
    if lost:
        yield wrong(
            "alertmanager-pages",
            subject,
            f"{len(lost)} alert(s) of severity page lead to no receiver with an integration: {listed(lost)}",
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


def _not_set(check: str, name: str, setting: str, what: str) -> Finding:
    why = f"{what} can be checked only with its address."
    return unchecked(check, name, f"{setting} is not set", why, f"Set {setting} (deploy/settings.md).")


def _no_answer(check: str, subject: str, page: Page, setting: str) -> Finding:
    what = page.failure or f"answers something else (HTTP {page.status})"
    fix = f"Check that it runs, and {setting}"
    fix += " (https://user:password@host/, if it asks for them)." if page.status in (401, 403) else "."
    return wrong(check, subject, what, "Nothing is known of alerts, and perhaps none is sent.", fix)
