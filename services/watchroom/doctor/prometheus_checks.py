"""Prometheus: does it scrape this force, and has it loaded the rules that we ship?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from watchroom.backtest.rules import Rule, from_api
from watchroom.doctor.facts import Monitoring, Page
from watchroom.doctor.finding import Finding, listed, wrong
from watchroom.doctor.rules import is_same, key
from watchroom.doctor.web import no_answer, not_set, readable, shown
from watchroom.settings import Settings

JOBS: Final = ("watchroom-exporter", "watchroom-worker")  # the rules' expressions name them
CONFIGURATION: Final = "deploy/prometheus/prometheus.yml"


def of_prometheus(settings: Settings, monitoring: Monitoring, shipped: Sequence[Rule]) -> Iterator[Finding]:
    """Targets, the label `force`, rules, and the way to Alertmanager."""
    if monitoring.targets is None:
        yield not_set("prometheus", "Prometheus", "WATCHROOM_PROMETHEUS_URL", "Targets and rules")
        return
    subject = f"Prometheus at {shown(settings.prometheus_url)}"
    pages = {"targets": monitoring.targets, "rules": monitoring.rules, "alertmanagers": monitoring.alertmanagers}
    data: dict[str, Any] = {}
    for name, page in pages.items():
        if page is None or not (isinstance(page.body, Mapping) and isinstance(page.body.get("data"), Mapping)):
            yield no_answer("prometheus", subject, page or Page(), "WATCHROOM_PROMETHEUS_URL")
            return
        data[name] = page.body["data"]
    otherwise = no_answer("prometheus", subject, monitoring.targets, "WATCHROOM_PROMETHEUS_URL")
    yield from readable(_of_answers(subject, settings.force, data, shipped), otherwise)


def _of_answers(subject: str, force: str, data: Mapping[str, Any], shipped: Sequence[Rule]) -> Iterator[Finding]:
    yield from _of_targets(subject, force, data["targets"].get("activeTargets") or [])
    yield from _of_rules(subject, from_api(data["rules"].get("groups") or []), shipped)
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
    known = {key(rule): rule for rule in loaded}
    missing = [rule.name for rule in shipped if key(rule) not in known]
    other = [rule.name for rule in shipped if key(rule) in known and not is_same(known[key(rule)], rule)]
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
    ours = {key(rule) for rule in shipped}
    for rule in loaded:
        if key(rule) in ours and rule.error:
            fix = "Look at the page Rules of Prometheus; see whether two targets of one force have the same labels."
            yield wrong(
                "prometheus-rules", subject, f"cannot evaluate {rule.name}: {rule.error}", "It cannot fire.", fix
            )
