"""Debian's Prometheus and Alertmanager, small: scraping every second, answering on the loopback."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.flow.servers.program import program
from watchroom.demo.server import LOOPBACK, LocalServer, free_port, get

_WITHIN_S = 30.0


class PrometheusServer:
    """One Prometheus that scrapes `targets` (`host:port`) and evaluates `rules` (files) each second."""

    def __init__(
        self, folder: Path, targets: Sequence[str], rules: Sequence[Path] = (), alertmanager: str | None = None
    ) -> None:
        self.port = free_port()
        self.url = f"http://{LOOPBACK}:{self.port}"
        managers = [{"static_configs": [{"targets": [alertmanager]}]}] if alertmanager else []
        configuration = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "scrape_configs": [{"job_name": "watchroom", "static_configs": [{"targets": list(targets)}]}],
            "rule_files": [str(path) for path in rules],
            "alerting": {"alertmanagers": managers},
        }
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / "prometheus.yml"
        file.write_text(json.dumps(configuration))  # JSON is YAML
        command = [program("Prometheus", "prometheus"), f"--config.file={file}", f"--storage.tsdb.path={folder}/data"]
        command += [f"--web.listen-address={LOOPBACK}:{self.port}", "--log.level=warn"]
        self.server = LocalServer("Prometheus", command, folder / "prometheus.log", lambda: _ready(self.port))

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.server.start(_WITHIN_S)

    def stop(self) -> None:
        """End it."""
        self.server.stop()

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The result vector of a PromQL expression now: objects with `metric` and `value`."""
        question = urllib.parse.urlencode({"query": expression})
        answer: list[dict[str, Any]] = _get(f"{self.url}/api/v1/query?{question}")["data"]["result"]
        return answer


class AlertmanagerServer:
    """One Alertmanager without a cluster; by default it notifies nobody and shows its alerts."""

    def __init__(self, folder: Path, configuration: Path | None = None) -> None:
        self.port = free_port()
        self.address = f"{LOOPBACK}:{self.port}"
        self.url = f"http://{self.address}"
        folder.mkdir(parents=True, exist_ok=True)
        if configuration is None:
            configuration = folder / "alertmanager.yml"
            configuration.write_text(json.dumps({"route": {"receiver": "nobody"}, "receivers": [{"name": "nobody"}]}))
        command = [program("Alertmanager", "prometheus-alertmanager", "alertmanager")]
        command += [f"--config.file={configuration}", f"--storage.path={folder}/data", "--cluster.listen-address="]
        command += [f"--web.listen-address={self.address}", "--log.level=warn"]
        self.server = LocalServer("Alertmanager", command, folder / "alertmanager.log", lambda: _ready(self.port))

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.server.start(_WITHIN_S)

    def stop(self) -> None:
        """End it."""
        self.server.stop()

    def alerts(self) -> list[dict[str, Any]]:
        """The alerts that it holds now."""
        held: list[dict[str, Any]] = _get(f"{self.url}/api/v2/alerts")
        return held


def _ready(port: int) -> bool:
    return get(LOOPBACK, port, "/-/ready") is not None


def _get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=5) as answer:
        return json.load(answer)
