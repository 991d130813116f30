"""Prometheus: does it scrape this force, and has it loaded the rules that we ship?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from watchroom.backtest.rules import Rule, from_api
from watchroom.doctor.facts import Monitoring, Page
from watchroom.doctor.finding import Finding, finding, listed
from watchroom.doctor.pages import no_answer, readable, shown
from watchroom.doctor.rules import is_same, key
from watchroom.settings import Settings

JOBS: Final = ("watchroom-exporter", "watchroom-worker")  # as in the rules' expressions


def of_prometheus(settings: Settings, monitoring: Monitoring, shipped: Sequence[Rule]) -> Iterator[Finding]:
    """Targets, the label `force`, rules, and the connection to Alertmanager."""
    if monitoring.targets is None:
        yield finding("prometheus.unset", "Prometheus")
        return
    subject = f"Prometheus at {shown(settings.prometheus_url)}"
    pages = {"targets": monitoring.targets, "rules": monitoring.rules, "alertmanagers": monitoring.alertmanagers}
    data: dict[str, Any] = {}
    for name, page in pages.items():
        if page is None or not (isinstance(page.body, Mapping) and isinstance(page.body.get("data"), Mapping)):
            yield no_answer("prometheus", subject, page or Page())
            return
        data[name] = page.body["data"]
    otherwise = no_answer("prometheus", subject, monitoring.targets)
    yield from readable(_of_answers(subject, settings.force, data, shipped), otherwise)


def _of_answers(subject: str, force: str, data: Mapping[str, Any], shipped: Sequence[Rule]) -> Iterator[Finding]:
    yield from _of_targets(subject, force, data["targets"].get("activeTargets") or [])
    yield from _of_rules(subject, from_api(data["rules"].get("groups") or []), shipped)
    if not data["alertmanagers"].get("activeAlertmanagers"):
        yield finding("prometheus-alertmanager", subject)


def _of_targets(subject: str, force: str, targets: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    for job in JOBS:
        forces = [target["labels"].get("force") for target in targets if target["labels"].get("job") == job]
        if not forces:
            yield finding("prometheus-targets.missing", subject, job=job)
        elif force not in forces:
            labels = listed(sorted({f"force={name}" if name else "no force label" for name in forces}))
            yield finding("prometheus-force", subject, job=job, force=force, labels=labels)
    for target in targets:
        labels = target["labels"]
        is_ours = labels.get("job") in JOBS or str(labels.get("job")).startswith("alertmanager")
        if is_ours and labels.get("force") in (force, None, "") and target.get("health") == "down":
            values = {"instance": labels.get("instance"), "job": labels.get("job"), "error": target.get("lastError")}
            yield finding("prometheus-targets.down", subject, **values)


def _of_rules(subject: str, loaded: Sequence[Rule], shipped: Sequence[Rule]) -> Iterator[Finding]:
    known = {key(rule): rule for rule in loaded}
    missing = [rule.name for rule in shipped if key(rule) not in known]
    other = [rule.name for rule in shipped if key(rule) in known and not is_same(known[key(rule)], rule)]
    for names, state in ((missing, "has not loaded"), (other, "has loaded other versions of")):
        if names:
            values = {"number": len(names), "all": len(shipped), "names": listed(names)}
            yield finding("prometheus-rules.other", subject, state=state, **values)
    ours = {key(rule) for rule in shipped}
    for rule in loaded:
        if key(rule) in ours and rule.error:
            yield finding("prometheus-rules.error", subject, name=rule.name, error=rule.error)
