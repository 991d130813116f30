"""Static checks of docker-compose.yml: no Docker engine runs here.

Each check is also run on a compose file, or on a neighbour's configuration, with one fault, and must find it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import typer.main
import yaml

from tests.deploy import addresses, compose
from tests.parts import ROOT
from watchroom.cli import app
from watchroom.errors import BrokerUnavailable
from watchroom.simulator.command import run_simulate

TEXT = (ROOT / "docker-compose.yml").read_text()
COMMANDS = set(getattr(typer.main.get_command(app), "commands"))  # noqa: B009 - a group's attribute, not a command's


def neighbour(path: str) -> str:
    """A configuration that refers to services."""
    return (ROOT / path).read_text()


PROMETHEUS = "deploy/prometheus/prometheus.yml"
ALERTMANAGER = "deploy/alertmanager/alertmanager.yml"
SOURCES = "grafana/provisioning/datasources/datasources.yaml"
PROVIDERS = "grafana/provisioning/dashboards/dashboards.yaml"
LINKS = "schemas/links.toml"

CHECKS: dict[str, Callable[[dict[str, Any]], list[str]]] = {
    "mounts": lambda read: compose.mount_faults(read, ROOT),
    "settings": compose.setting_faults,
    "ports": compose.port_faults,
    "images": lambda read: compose.image_faults(read, ROOT),
    "privileges": compose.privilege_faults,
    "care": compose.care_faults,
    "commands": lambda read: compose.command_faults(read, COMMANDS),
    "Kafka and Redis": addresses.inner_faults,
    "Prometheus": lambda read: addresses.prometheus_faults(read, neighbour(PROMETHEUS)),
    "Alertmanager": lambda read: addresses.alertmanager_faults(read, neighbour(ALERTMANAGER)),
    "Grafana": lambda read: addresses.grafana_faults(read, neighbour(SOURCES), neighbour(PROVIDERS)),
    "links": lambda read: addresses.link_faults(read, neighbour(LINKS)),
}

BROKEN = [
    ("mounts", "./deploy/redis/redis.conf:", "./deploy/redis/redis.cnf:", "redis: ./deploy/redis/redis.cnf does not"),
    ("mounts", "/etc/prometheus:ro", "/etc/prometheus", "prometheus: ./deploy/prometheus is writable"),
    ("mounts", '"redis:/data"', '"reddis:/data"', "redis: volume reddis is not declared"),
    ("mounts", "dockerfile: deploy/Dockerfile", "dockerfile: Dockerfile", "worker: no ./Dockerfile"),
    ("settings", "WATCHROOM_KAFKA:", "WATCHROOM_BROKERS:", "worker: there is no setting WATCHROOM_BROKERS"),
    ("settings", "${WATCHROOM_WATCHDOG_WEBHOOK", "${WATCHROOM_HOOK", "watchdog: there is no setting WATCHROOM_HOOK"),
    ("settings", 'COMMAND:-["cat"]', "COMMAND:-cat", "watchdog: WATCHROOM_WATCHDOG_COMMAND: found"),
    ("settings", '{"calls": {"sim-telephony"', '{"call": {"sim-telephony"', "worker: WATCHROOM_SOURCES: call: found"),
    ("ports", '"127.0.0.1:9464:9464"', '"9464:9464"', "exporter: 9464:9464 is not published on 127.0.0.1 only"),
    ("ports", '"127.0.0.1:3000:3000"', '"0.0.0.0:3000:3000"', "grafana: 0.0.0.0:3000:3000 is not"),
    ("images", "redis:8.8.0", "redis:latest", "redis: image redis:latest has no whole version"),
    ("images", "redis:8.8.0", "redis", "redis: image redis has no whole version"),
    ("images", "grafana/grafana:13.2.1", "grafana/grafana:13.2", "grafana: image grafana/grafana:13.2 has no whole"),
    ("images", "watchroom:0.2.0", "watchroom:0.0.9", "worker: image watchroom:0.0.9 is not of version"),
    ("privileges", 'user: "472:0"', 'user: "0:0"', "grafana: runs as 0"),
    ("privileges", "    user: redis\n", "", "redis: runs as whoever the image says"),
    ("privileges", "cap_drop: [ALL]", "cap_drop: [NET_RAW]", "worker: keeps capabilities"),
    ("privileges", "no-new-privileges:true", "no-new-privileges:false", "kafka: may gain privileges"),
    ("privileges", "  read_only: true\n", "", "prometheus: its root file system is writable"),
    ("privileges", "user: redis\n", "user: redis\n    network_mode: host\n", "redis: shares the machine's network"),
    ("care", "restart: unless-stopped", 'restart: "no"', "worker: restart is no"),
    ("care", 'restart: "no" #', "restart: always #", "simulator: sends its events again at each start"),
    ("care", "    healthcheck: *own-page\n", "", "exporter: no whole healthcheck"),
    ("care", 'test: ["CMD-SHELL", "redis-cli ping | grep -q PONG"]', "test:", "redis: its healthcheck tests nothing"),
    ("care", "http://127.0.0.1:9465/readyz", "http://127.0.0.1:9464/readyz", "worker: HEALTH_PAGE is not http://127.0"),
    ("commands", "command: [exporter]", "command: [export]", "exporter: there is no command export"),
    ("commands", "depends_on: [kafka, redis]", "depends_on: [kafka, valkey]", "worker: waits for valkey"),
    ("Kafka and Redis", "WATCHROOM_KAFKA: kafka:19092", "WATCHROOM_KAFKA: kafka:9092", "kafka is reached on [19092]"),
    ("Kafka and Redis", "redis://redis:6379/0", "redis://valkey:6379/0", "there is no service valkey"),
    ("Kafka and Redis", "- 0.0.0.0\n", "- 127.0.0.1\n", "worker: redis:6379: redis is reached on []"),
    ("Prometheus", "WATCHROOM_HEALTH_HOST: 0.0.0.0", "WATCHROOM_HEALTH_HOST: 127.0.0.1", "worker is reached on []"),
    ("Prometheus", "WATCHROOM_EXPORTER_HOST:", "WATCHROOM_EXPORTER_PORT: 9\n      WATCHROOM_EXPORTER_HOST:", "on [9]"),
    ("Prometheus", "--web.listen-address=0.0.0.0:9093", "--web.listen-address=0.0.0.0:9094", "reached on [9094]"),
    ("Prometheus", "WATCHROOM_FORCE: force", "WATCHROOM_FORCE: north", "has the label force=force, the process north"),
    ("Prometheus", "  worker: #", "  folder: #", "there is no service worker"),
    ("Alertmanager", "  watchdog:\n", "  hound:\n", "there is no service watchdog"),
    ("Grafana", "  prometheus:\n    <<", "  prom:\n    <<", "data sources: prometheus:9090: there is no service"),
    ("Grafana", "./grafana/dashboards:/", "./grafana/dashboards:/elsewhere/", "boards: nothing is mounted at"),
    ("Grafana", "grafana/dashboards/watchroom-live.json", "grafana/boards/watchroom-live.json", "the first page"),
    ("links", '"127.0.0.1:3000:3000"', '"127.0.0.1:3001:3000"', "grafana: nothing is published on http://127.0.0.1:3000"),
]  # fmt: skip


@pytest.mark.parametrize("check", CHECKS)
def test_the_compose_file_has_no_faults(check: str) -> None:
    """A start in production must not fail because of a typing error that a test can find."""
    assert CHECKS[check](yaml.safe_load(TEXT)) == []


@pytest.mark.parametrize(("check", "is_", "becomes", "says"), BROKEN, ids=[f"{b[0]}: {b[3]}" for b in BROKEN])
def test_a_fault_in_the_compose_file_is_found(check: str, is_: str, becomes: str, says: str) -> None:
    """The checks above, each in cases where it must fail."""
    assert is_ in TEXT, "the text to break is not there any more"
    faults = CHECKS[check](yaml.safe_load(TEXT.replace(is_, becomes)))
    assert [fault for fault in faults if says in fault], faults


@pytest.mark.parametrize(
    ("check", "path", "is_", "becomes", "says"),
    [
        (addresses.prometheus_faults, PROMETHEUS, "exporter:9464", "exporter:9465", "exporter is reached on [9464]"),
        (addresses.prometheus_faults, PROMETHEUS, "worker:9465", "127.0.0.1:9465", "there is no service 127.0.0.1"),
        (addresses.prometheus_faults, PROMETHEUS, "force: force", "force: north", "the label force=north"),
        (addresses.alertmanager_faults, ALERTMANAGER, "watchdog:9466", "watchdog:9467", "is reached on [9466]"),
        (addresses.alertmanager_faults, ALERTMANAGER, "9466/watchdog", "9466/dog", "the Watchdog is not sent to"),
        (addresses.link_faults, LINKS, "127.0.0.1:9464", "127.0.0.1:9465", "nothing is published on"),
    ],
    ids=lambda value: value if isinstance(value, str) and " " in value else "",
)
def test_a_configuration_that_disagrees_with_the_compose_file_is_found(
    check: Callable[[dict[str, Any], str], list[str]], path: str, is_: str, becomes: str, says: str
) -> None:
    """A port that is changed in only one file is found, whichever file it is."""
    assert is_ in neighbour(path), "the text to break is not there any more"
    faults = check(yaml.safe_load(TEXT), neighbour(path).replace(is_, becomes))
    assert [fault for fault in faults if says in fault], faults


def test_the_simulator_accepts_the_settings_that_it_is_started_with() -> None:
    """Its sources are declared as required; then it looks for Kafka, which is not running."""
    service = compose.services(yaml.safe_load(TEXT))["simulator"]
    settings = compose.settings_of(service).model_copy(update={"kafka": "127.0.0.1:1"})
    assert service["command"] == ["simulate", "--days", "28", "--live"]
    with pytest.raises(BrokerUnavailable, match=r"no answer from Kafka at 127\.0\.0\.1:1 "):
        run_simulate(settings, days=28, live=True)
