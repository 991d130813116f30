"""One TOML entry and `make generate`: the new measure is on a board, in the rules, and on the built-in page."""

from __future__ import annotations

import json
import shutil
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml

from tests.exporter.store import ExporterStore, value
from tests.flow.servers import RedisServer
from tests.generate.rules.cases import cases_text
from tests.generate.rules.tools import run
from tests.parts import ROOT
from watchroom.catalogue.load import load_catalogue
from watchroom.exporter.board.board_page import board_page
from watchroom.generate.outputs import generate
from watchroom.settings import read_settings

NOW_MS = round(datetime.fromisoformat("2021-11-24T10:20:00Z").timestamp() * 1000)
ENTRY = """
[incident_arrivals]
kind = "count"
stream = "incidents"
at = "first_on_scene"
by = { grade = "grade_at_attendance", area = "area" }
windows = ["1h", "24h", "month"]
brief = "Incidents attended"
definition = "Incidents by the moment of the first resource on scene."
source = "A new colleague's first day"

[[incident_arrivals.alerts]]
name = "NobodyArrives"
severity = "ticket"
show = "number"
window = "24h"
below = 1
meaning = "Nobody has arrived anywhere for a day."
impact = "Either nobody works, or arrivals are not entered."
action = ["Ask one car where it is."]
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A copy of the sources with one more entry, and everything generated from them."""
    shutil.copytree(ROOT / "schemas", tmp_path / "schemas")
    file = tmp_path / "schemas" / "measures" / "incidents.toml"
    file.write_text(file.read_text() + ENTRY)
    assert generate(tmp_path, check=False, say=lambda _: None)
    return tmp_path


def board(root: Path, name: str) -> str:
    """All queries and texts of one board."""
    return json.dumps(json.loads((root / "grafana" / "dashboards" / f"watchroom-{name}.json").read_text()))


def test_a_new_measure_is_on_its_board_and_among_the_months(root: Path) -> None:
    """Nobody edits a board: the entry's stream decides which one, and its definition is on the panel."""
    assert "watchroom_incident_arrivals{" in board(root, "response")
    assert "Incidents by the moment of the first resource on scene." in board(root, "response")
    assert "watchroom_incident_arrivals{" in board(root, "month")
    assert "incident_arrivals" not in board(root, "crime")


def test_the_alert_of_a_new_measure_gets_a_rule_a_runbook_and_a_test(root: Path, tmp_path: Path) -> None:
    """An alert without a rule would never fire, and one without a runbook would not say what to do."""
    (group,) = yaml.safe_load((root / "deploy/prometheus/rules/measures.yml").read_text())["groups"]
    (rule,) = [rule for rule in group["rules"] if rule["alert"] == "NobodyArrives"]
    assert rule["labels"]["severity"] == "ticket"
    assert "watchroom_incident_arrivals{" in rule["expr"]
    assert "Ask one car where it is." in (root / "deploy/runbooks/NobodyArrives.md").read_text()
    cases = tmp_path / "measures_test.yml"
    catalogue = load_catalogue(root / "schemas/measures", Path("areas.toml"))
    cases.write_text(cases_text(catalogue, str(root / "deploy/prometheus/rules")))
    assert "NobodyArrives fires" in cases.read_text()
    assert run("promtool", "test", "rules", cases).returncode == 0
    assert "incident_arrivals" in (root / "schemas/measures/README.md").read_text()


def test_a_new_measure_is_published_and_on_the_built_in_page(root: Path, redis_server: RedisServer) -> None:
    """The exporter reads the same entry: its metric and its card need no second definition."""
    settings = read_settings(redis_url=redis_server.url, force="staffs", schemas=root / "schemas")
    client = redis_server.client()
    store = ExporterStore(client, settings).begin(NOW_MS)
    store.add(NOW_MS, {"incident_arrivals|grade=1,area=stoke|count": 41})
    assert value(store.scrape(NOW_MS), "incident_arrivals", grade="1", area="all", window="1h") == 41
    mirror = store.mirror()
    mirror.refresh(NOW_MS)
    seen = board_page(store.page(mirror).board(NOW_MS), ZoneInfo(settings.zone))
    client.close()
    card = seen[seen.index("Incidents attended") :]
    assert "41" in card[:2000]
