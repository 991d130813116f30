"""The shipped monitoring, run here: our rules, our Prometheus and Alertmanager configuration, a webhook.

Only addresses differ, and times are divided by one factor: `for` and `keep_firing_for` by the
generator, Alertmanager's group and repeat times and Prometheus' resend delay here. Scrape and evaluation
intervals, limits, labels, routes and inhibition are as shipped.
"""

from __future__ import annotations

import json
import re
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple, Self

import yaml

from tests.flow.servers.program import program
from tests.parts import ROOT
from watchroom.demo.server import LOOPBACK, LocalServer, free_port, get

FACTOR = 6  # every waiting time of the rules is divided by this; a drill takes seconds, not minutes
READY_WITHIN_S = 30.0
RESEND_S = 60  # Prometheus' own default


class Notice(NamedTuple):
    """One alert of one notification, as the webhook received it."""

    at_s: float  # monotonic
    receiver: str
    status: str  # firing, resolved
    labels: dict[str, str]
    annotations: dict[str, str]

    @property
    def name(self) -> str:
        """The alert."""
        return self.labels["alertname"]


class Webhook:
    """Receives what Alertmanager sends; the path is the receiver's name."""

    def __init__(self) -> None:
        self.notices: list[Notice] = []
        notices = self.notices

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                receiver = self.path.strip("/")
                for alert in body["alerts"]:
                    notices.append(
                        Notice(time.monotonic(), receiver, alert["status"], alert["labels"], alert["annotations"])
                    )
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Notices are kept, not printed."""

        self._server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
        self.url = f"http://{LOOPBACK}:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def of(self, name: str, status: str = "firing") -> list[Notice]:
        """What was sent about one alert."""
        return [notice for notice in self.notices if (notice.name, notice.status) == (name, status)]


class Monitoring:
    """Prometheus and Alertmanager with the shipped files.

    Args:
        folder: For configuration, data and logs.
        targets: Address by job: `watchroom-exporter`, `watchroom-worker`.
        force: Value of the target label `force`.
        webhook: Where every receiver of the shipped configuration posts to.
        rules: Rule files, already divided by `factor`.
        factor: What Alertmanager's times and the resend delay are divided by.
    """

    def __init__(
        self,
        folder: Path,
        targets: dict[str, str],
        force: str,
        webhook: str,
        rules: dict[str, str],
        *,
        factor: int = FACTOR,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._prometheus_port, self._alertmanager_port = free_port(), free_port()
        self.url = f"http://{LOOPBACK}:{self._prometheus_port}"
        for name, text in rules.items():
            (folder / name).write_text(text)
        alertmanager = f"{LOOPBACK}:{self._alertmanager_port}"
        targets = {**targets, "alertmanager": alertmanager}
        shipped = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
        (folder / "prometheus.yml").write_text(
            json.dumps(_prometheus(shipped, [folder / name for name in rules], targets, force, alertmanager))
        )
        shipped = yaml.safe_load((ROOT / "deploy/alertmanager/alertmanager.yml").read_text())
        (folder / "alertmanager.yml").write_text(json.dumps(_alertmanager(shipped, webhook, factor)))
        self.alertmanager = LocalServer(
            "Alertmanager",
            [
                program("Alertmanager", "prometheus-alertmanager", "alertmanager"),
                f"--config.file={folder}/alertmanager.yml", f"--storage.path={folder}/alerts",
                "--cluster.listen-address=", f"--web.listen-address={alertmanager}", "--log.level=warn",
            ],
            folder / "alertmanager.log", lambda: _ready(self._alertmanager_port),
        )  # fmt: skip
        self.prometheus = LocalServer(
            "Prometheus",
            [
                program("Prometheus", "prometheus"), f"--config.file={folder}/prometheus.yml",
                f"--storage.tsdb.path={folder}/data", f"--web.listen-address={LOOPBACK}:{self._prometheus_port}",
                f"--web.external-url={self.url}/", f"--rules.alert.resend-delay={RESEND_S // factor}s",
                "--log.level=warn",
            ],
            folder / "prometheus.log", lambda: _ready(self._prometheus_port),
        )  # fmt: skip

    def __enter__(self) -> Self:
        self.alertmanager.start(READY_WITHIN_S)
        self.prometheus.start(READY_WITHIN_S)
        return self

    def __exit__(self, *_: object) -> None:
        self.prometheus.stop()
        self.alertmanager.stop()

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The result of an instant query now: objects with `metric` and `value`.

        Raises:
            AssertionError: Prometheus refuses the expression.
        """
        question = urllib.parse.urlencode({"query": expression})
        try:
            with urllib.request.urlopen(f"{self.url}/api/v1/query?{question}", timeout=10) as answer:
                result: list[dict[str, Any]] = json.load(answer)["data"]["result"]
                return result
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{expression}\n{error.read().decode()}") from error

    def firing(self) -> set[str]:
        """Names of the alerts that fire now, Watchdog aside; muted ones too."""
        found = self.query('ALERTS{alertstate="firing"}')
        return {each["metric"]["alertname"] for each in found} - {"Watchdog"}


def _prometheus(
    shipped: dict[str, Any], rules: list[Path], targets: dict[str, str], force: str, alertmanager: str
) -> dict[str, Any]:
    """The shipped configuration with our addresses."""
    for job in shipped["scrape_configs"]:
        if job["job_name"] in targets:
            job["static_configs"] = [{"targets": [targets[job["job_name"]]], "labels": {"force": force}}]
    shipped["scrape_configs"] = [job for job in shipped["scrape_configs"] if job["job_name"] in targets]
    shipped["rule_files"] = [str(path) for path in rules]
    shipped["alerting"] = {"alertmanagers": [{"static_configs": [{"targets": [alertmanager]}]}]}
    return shipped


def _alertmanager(shipped: dict[str, Any], webhook: str, factor: int) -> dict[str, Any]:
    """The shipped configuration: every receiver posts to our webhook, times divided."""
    for receiver in shipped["receivers"]:
        name = receiver["name"]
        for kind in [key for key in receiver if key.endswith("_configs")]:
            del receiver[kind]
        receiver["webhook_configs"] = [{"url": f"{webhook}/{name}", "send_resolved": True}]
    _divide(shipped["route"], factor)
    return shipped


def _divide(route: dict[str, Any], factor: int) -> None:
    for key in ("group_wait", "group_interval", "repeat_interval"):
        if key in route:
            route[key] = f"{max(1, round(seconds(route[key]) * 1000 / factor))}ms"
    for inner in route.get("routes", ()):
        _divide(inner, factor)


def seconds(text: str) -> float:
    """`1h30m` as Prometheus reads it, in seconds."""
    units = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
    return sum(float(number) * units[unit] for number, unit in re.findall(r"(\d+)(ms|[smhdw])", text))


def _ready(port: int) -> bool:
    return get(LOOPBACK, port, "/-/ready") is not None


class Panel(NamedTuple):
    """One query of one panel."""

    board: str
    title: str
    kind: str  # stat, table, ...
    expression: str
    nothing: str  # what it shows while there is no series


def panels(force: str) -> Iterator[Panel]:
    """Every query of every shipped board, including those in collapsed rows; variables are filled in."""
    for path in sorted((ROOT / "grafana/dashboards").glob("*.json")):
        board = json.loads(path.read_text())
        open_, closed = board["panels"], (row.get("panels", []) for row in board["panels"] if row["type"] == "row")
        for panel in chain(open_, *closed):
            nothing = panel.get("fieldConfig", {}).get("defaults", {}).get("noValue", "")
            for target in panel.get("targets", ()):
                expression = re.sub(r"\$\{?force\b(:\w+)?\}?", force, target["expr"])
                expression = expression.replace("$__rate_interval", "1m")
                yield Panel(path.stem, panel["title"], panel["type"], expression, nothing)


def until(what: str, condition: Callable[[], Any], within_s: float, every_s: float = 0.2) -> float:
    """Wait for a condition, and return how many seconds that took.

    Raises:
        AssertionError: It did not come true in time.
    """
    began_s = time.monotonic()
    while not condition():
        if time.monotonic() - began_s > within_s:
            raise AssertionError(f"not within {within_s:g} s: {what}")
        time.sleep(every_s)
    return time.monotonic() - began_s
