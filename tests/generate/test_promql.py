"""Queries to Prometheus: every quantity of every kind makes a query that Prometheus can parse."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.parts import ROOT, missing
from watchroom.catalogue.load import load_catalogue
from watchroom.catalogue.model import Catalogue
from watchroom.generate.promql import base, counts, expression, local_hour
from watchroom.kinds import KINDS
from watchroom.kinds.measure import Measure
from watchroom.kinds.shown import Shown

FORCE = ('force=~"county"',)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    """The shipped one."""
    return load_catalogue(ROOT / "schemas" / "measures", ("stoke", "county"))


def askable(catalogue: Catalogue) -> Iterator[tuple[Measure, Shown]]:
    """Every quantity of every measure: for one set of label values, and split by each label where possible."""
    for measure in catalogue.measures.values():
        window = measure.windows[0] if measure.windows else ""
        wheres = [by for by in measure.label_sets() if not measure.targets or measure.target_for(by)]
        for word, quantity in KINDS[measure.kind].quantities.items():
            if quantity.needs_target and not measure.targets:
                continue
            if quantity.misses_overdue and not measure.display.overdue_from:
                continue
            yield measure, Shown(word, wheres[0], window)
            if quantity.is_additive:
                for label in measure.labels:
                    where = {n: v for n, v in wheres[0].items() if n != label.name and n in ("line", "grade")}
                    if label.name in ("line", "grade") or where:
                        yield measure, Shown(word, where, window, label.name)


def refused(expressions: list[str], folder: Path) -> str:
    """Objections of promtool to these expressions; empty if there are none."""
    promtool = shutil.which("promtool")
    if promtool is None:
        missing("promtool is not on this machine; install prometheus")
    rules = [{"record": f"watchroom:try{number}", "expr": text} for number, text in enumerate(expressions)]
    file = folder / "rules.yml"
    file.write_text(json.dumps({"groups": [{"name": "try", "rules": rules}]}))
    done = subprocess.run([promtool, "check", "rules", str(file)], capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_prometheus_parses_every_query(catalogue: Catalogue, tmp_path: Path) -> None:
    """An unclosed bracket in one of hundreds of generated queries would show as NO DATA."""
    asked = list(askable(catalogue))
    assert {(measure.kind, shown.what) for measure, shown in asked} == {
        (kind.name, word) for kind in KINDS.values() for word in kind.quantities
    }
    expressions = [expression(catalogue, measure, shown, FORCE) for measure, shown in asked]
    expressions += [base(measure, shown, FORCE) for measure, shown in asked]
    baselines = [measure for measure in catalogue.measures.values() if measure.display.baseline]
    expressions += [local_hour(measure, {}, measure.labels[0].name, "[1-6]", FORCE) for measure in baselines]
    assert refused(expressions, tmp_path) == ""
    assert all('force=~"county"' in text for text in expressions)


def test_a_query_that_cannot_be_parsed_is_found(tmp_path: Path) -> None:
    """The check above in a case in which it fails."""
    assert "parse" in refused(["sum by (force) (watchroom_x"], tmp_path)


def test_a_second_exporter_does_not_change_any_sum(catalogue: Catalogue) -> None:
    """Two exporters publish the same gauges: each series must be counted once in a sum."""
    asked = expression(catalogue, catalogue.measures["incidents_unattended"], Shown("open", {}, "", "grade"))
    assert asked == (
        'sum by (force, grade) (max by (force, grade, area) (watchroom_incidents_unattended{grade!~"ungraded|other"}))'
    )


def test_overdue_entities_count_as_missed(catalogue: Catalogue) -> None:
    """Compliance of attended incidents alone looks best while the worst ones are still waiting."""
    measure = catalogue.measures["incident_attendance_time"]
    shown = Shown("live_within", {"grade": "1"}, "1h")
    part, whole = counts(catalogue, measure, shown)
    assert "watchroom_incident_attendance_time_within" in part
    assert "watchroom_incidents_unattended_overdue" in whole
    assert counts(catalogue, measure, Shown("within", {"grade": "1"}, "1h")).part == part
