"""Grafana's own files: the uids that boards and alerts name, the scrape interval, no saving over derived boards."""

from __future__ import annotations

import re
from typing import Any

import yaml

from tests.parts import ROOT, missing
from watchroom.generate.boards.files import outputs

FOLDER = ROOT / "grafana" / "provisioning"


def _read(path: str) -> Any:
    return yaml.safe_load((FOLDER / path).read_text(encoding="utf-8"))


def test_data_sources_have_the_uids_that_boards_refer_to() -> None:
    """A board opens with the source `prometheus`; alerts are shown from `alertmanager`."""
    sources = {each["uid"]: each for each in _read("datasources/datasources.yaml")["datasources"]}
    assert set(sources) == {"prometheus", "alertmanager"}
    assert {uid: each["type"] for uid, each in sources.items()} == {uid: uid for uid in sources}
    assert sources["prometheus"]["isDefault"]
    assert sources["prometheus"]["jsonData"]["alertmanagerUid"] == "alertmanager"
    assert not any(each["editable"] for each in sources.values())


def test_rates_use_the_scrape_interval_of_prometheus() -> None:
    """Otherwise `$__rate_interval` would be too short for two samples."""
    config = ROOT / "deploy" / "prometheus" / "prometheus.yml"
    if not config.is_file():
        missing("no deploy/prometheus/prometheus.yml")
    scrape = re.search(r"scrape_interval: *(\w+)", config.read_text(encoding="utf-8"))
    sources = {each["uid"]: each for each in _read("datasources/datasources.yaml")["datasources"]}
    assert scrape
    assert sources["prometheus"]["jsonData"]["timeInterval"] == scrape[1]


def test_nobody_can_save_over_a_derived_board() -> None:
    """Changes made in the browser would be lost or, worse, would stay."""
    (provider,) = _read("dashboards/dashboards.yaml")["providers"]
    assert provider["allowUiUpdates"] is False
    assert provider["disableDeletion"] is True
    assert provider["type"] == "file"


def test_boards_are_read_from_the_folder_in_which_they_are_mounted() -> None:
    """Otherwise Grafana would start without boards and report nothing."""
    compose = ROOT / "docker-compose.yml"
    if not compose.is_file():
        missing("no docker-compose.yml")
    (provider,) = _read("dashboards/dashboards.yaml")["providers"]
    volumes = yaml.safe_load(compose.read_text(encoding="utf-8"))["services"]["grafana"]["volumes"]
    mounted = dict(volume.split(":")[:2] for volume in volumes)
    assert mounted["./grafana/dashboards"] == provider["options"]["path"]
    assert mounted["./grafana/provisioning"] == "/etc/grafana/provisioning"
    assert all(path.startswith("grafana/dashboards/") for path in outputs())


def test_every_folder_that_grafana_looks_for_exists() -> None:
    """It logs an error for each missing one. `alerting` is empty because Prometheus has the rules."""
    assert {path.name for path in FOLDER.iterdir()} == {"alerting", "dashboards", "datasources", "plugins"}
    for name in ("alerting", "plugins"):
        assert [path.name for path in (FOLDER / name).iterdir()] == [".gitkeep"]
