"""A Prometheus as shipped, for one force: its job names, its interval of 5 s, and our rule files if they exist."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from tests.flow.servers.program import program
from tests.flow.servers.prometheus import PrometheusServer
from tests.parts import ROOT
from watchroom.errors import WorkFailed
from watchroom.settings import Settings

SCRAPE_S = 5
LOOK_S = 0.5
RULES = ROOT / "deploy" / "prometheus" / "rules"


class OneForce(PrometheusServer):
    """Scrapes the exporter and the worker of these settings."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        targets = {
            "watchroom-exporter": f"{settings.exporter_host}:{settings.exporter_port}",
            "watchroom-worker": f"{settings.health_host}:{settings.health_port}",
        }
        super().__init__(folder, list(targets.values()))
        configuration = {
            "global": {"scrape_interval": f"{SCRAPE_S}s", "evaluation_interval": f"{SCRAPE_S}s"},
            "rule_files": [str(path) for path in sorted(RULES.glob("*.yml"))],
            "scrape_configs": [
                {"job_name": job, "static_configs": [{"targets": [target], "labels": {"force": settings.force}}]}
                for job, target in targets.items()
            ],
        }
        (folder / "prometheus.yml").write_text(json.dumps(configuration))  # JSON is YAML

    def until(self, expression: str, within_s: float) -> list[dict[str, Any]]:
        """The first non-empty result of an expression such as `up == 1`.

        Raises:
            WorkFailed: It stayed empty.
        """
        end_s = time.monotonic() + within_s
        while not (found := self.query(expression)):
            if time.monotonic() > end_s:
                raise WorkFailed(f"Prometheus found nothing within {within_s:g} s for {expression}")
            time.sleep(LOOK_S)
        return found


def is_installed() -> str:
    """Path of the program; raises `PartMissing`, so that nothing else is started."""
    return program("Prometheus", "prometheus")
