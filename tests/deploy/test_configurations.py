"""Each configuration that docker-compose.yml mounts, given to its own server or checker with compose's arguments.

The servers are Debian's, older than those in the images; paths and ports are local. See deploy/README.md.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy import compose
from tests.flow.servers.kafka import KafkaServer
from tests.flow.servers.program import program
from tests.parts import ROOT, PartMissing, missing
from watchroom.demo.server import LOOPBACK, LocalServer, free_port, get, ping
from watchroom.errors import WorkFailed
from watchroom.settings import read_settings

READ = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
WITHIN_S = 30


def service(name: str) -> dict[str, Any]:
    """A service of the compose file."""
    return compose.services(READ)[name]


def installed(part: str, *names: str) -> str:
    """Path of a program; without it the test is skipped (in CI: fails)."""
    try:
        return program(part, *names)
    except PartMissing as error:
        missing(str(error))


def here(name: str, folder: Path, port: int) -> list[str]:
    """A service's arguments, with its mounts copied below `folder`, its volumes empty and its address ours."""
    for source, target, _ in compose.mounts(service(name)):
        place = folder / target.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        if not source.startswith("./"):
            place.mkdir()
        elif (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, place)
        else:
            shutil.copy(ROOT / source, place)
    words = [re.sub(r"(^|=)/", rf"\g<1>{folder}/", str(word)) for word in service(name)["command"]]
    return [
        re.sub(r"0\.0\.0\.0(:[0-9]+)?", lambda at: LOOPBACK + (f":{port}" if at[1] else ""), word) for word in words
    ]


def said(*command: str) -> tuple[int, str]:
    """Exit code and complete output of a command."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def config_file(arguments: list[str]) -> str:
    """The path behind --config.file."""
    return next(word.partition("=")[2] for word in arguments if word.startswith("--config.file="))


# ----------------------------------------------------------------------------------------- Prometheus


@pytest.mark.real
def test_prometheus_starts_with_the_arguments_of_compose_and_loads_every_rule(tmp_path: Path) -> None:
    """The checker passes the mounted files, and the server accepts its arguments."""
    port = free_port()
    arguments = here("prometheus", tmp_path, port)
    code, text = said(installed("Prometheus", "promtool"), "check", "config", config_file(arguments))
    assert code == 0, text
    assert text.count("rules found") == len(list((ROOT / "deploy/prometheus/rules").glob("*.yml"))) > 1
    _starts("Prometheus", [installed("Prometheus", "prometheus"), *arguments], tmp_path / "log", port)


@pytest.mark.real
def test_a_broken_rule_fails_the_check(tmp_path: Path) -> None:
    """The check above in a case where it must fail."""
    file = config_file(here("prometheus", tmp_path, free_port()))
    (Path(file).parent / "rules" / "broken.yml").write_text("groups: [{name: x, rules: [{alert: X, expr: 'sum(('}]}]")
    code, text = said(installed("Prometheus", "promtool"), "check", "config", file)
    assert code != 0
    assert "broken.yml" in text


# --------------------------------------------------------------------------------------- Alertmanager


@pytest.mark.real
def test_alertmanager_starts_with_the_arguments_of_compose(tmp_path: Path) -> None:
    """The checker passes the mounted files, and the server accepts its arguments."""
    port = free_port()
    arguments = here("alertmanager", tmp_path, port)
    code, text = said(installed("Alertmanager", "amtool"), "check-config", config_file(arguments))
    assert code == 0, text
    server = installed("Alertmanager", "prometheus-alertmanager", "alertmanager")
    _starts("Alertmanager", [server, *arguments], tmp_path / "log", port)


@pytest.mark.real
def test_a_route_to_an_unknown_receiver_fails_the_check(tmp_path: Path) -> None:
    """The check above in a case where it must fail."""
    file = Path(config_file(here("alertmanager", tmp_path, free_port())))
    file.write_text(file.read_text().replace("receiver: watchdog", "receiver: nobody"))
    code, text = said(installed("Alertmanager", "amtool"), "check-config", str(file))
    assert (code != 0, "nobody" in text) == (True, True)


def watchdog_every_s(configuration: str) -> float:
    """How often Alertmanager sends the Watchdog: its repeat interval, rounded up to a group interval."""
    route = next(
        route
        for route in yaml.safe_load(configuration)["route"]["routes"]
        if route["matchers"] == ['alertname="Watchdog"']
    )
    group_s, repeat_s = (_seconds(route[name]) for name in ("group_interval", "repeat_interval"))
    return group_s * -(-repeat_s // group_s)


def test_the_silence_limit_is_longer_than_two_late_watchdog_messages() -> None:
    """One lost message must not wake anybody."""
    shipped = (ROOT / "deploy/alertmanager/alertmanager.yml").read_text()
    silent_s = compose.settings_of(service("watchdog")).watchdog_silent_s
    assert silent_s == read_settings().watchdog_silent_s
    assert silent_s > 2 * watchdog_every_s(shipped)
    assert silent_s <= 2 * watchdog_every_s(shipped.replace("repeat_interval: 50s", "repeat_interval: 4h"))


def _seconds(duration: str) -> float:
    number, unit = re.fullmatch(r"([0-9]+)([smh])", duration).groups()  # type: ignore[union-attr]  # ours are such
    return int(number) * {"s": 1, "m": 60, "h": 3600}[unit]


# ------------------------------------------------------------------------------------- Redis and Kafka


@pytest.mark.real
def test_redis_starts_with_the_arguments_of_compose_and_applies_them(tmp_path: Path) -> None:
    """The append-only file is on, nothing is evicted, and the data is in the folder of the volume."""
    port = free_port()
    command = [*here("redis", tmp_path, port), "--port", str(port)]
    command[0] = installed("Redis", "redis-server")
    server = LocalServer("Redis", command, tmp_path / "log", lambda: ping(port))
    try:
        server.start(WITHIN_S)
        asked = ("appendonly", "maxmemory-policy", "dir", "bind", "protected-mode")
        found = {name: said("redis-cli", "-p", str(port), "config", "get", name)[1].split()[-1] for name in asked}
        assert found == {
            "appendonly": "yes",
            "maxmemory-policy": "noeviction",
            "dir": f"{tmp_path}/data",
            "bind": LOOPBACK,
            "protected-mode": "no",
        }
    finally:
        server.stop()


def kafka_properties(service: dict[str, Any]) -> str:
    """The properties that the image's start script makes of its variables (KAFKA_A_B becomes a.b)."""
    given = compose.environment(service)
    return "".join(
        f"{name.removeprefix('KAFKA_').lower().replace('_', '.')}={value}\n"
        for name, value in given.items()
        if name.startswith("KAFKA_") and name != "KAFKA_HEAP_OPTS"
    )


def kafka_format(folder: Path, properties: str) -> tuple[int, str]:
    """Have Apache Kafka's own tool check the properties and format an empty folder with them."""
    try:
        tools = KafkaServer(folder / "unused")
    except PartMissing as error:
        missing(str(error))
    file = folder / "server.properties"
    file.write_text(re.sub(r"(?m)^log\.dirs=.*$", f"log.dirs={folder}/log", properties))
    cluster = compose.environment(service("kafka"))["CLUSTER_ID"]
    return said(*tools._command("kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(file)))


@pytest.mark.real
def test_kafka_accepts_the_properties_from_compose(tmp_path: Path) -> None:
    """Roles, listeners and quorum fit together, and the cluster has a valid id."""
    properties = kafka_properties(service("kafka"))
    assert "log.dirs=/var/lib/kafka/data\n" in properties
    assert ("kafka", "/var/lib/kafka/data", "rw") in compose.mounts(service("kafka"))
    code, text = kafka_format(tmp_path, properties)
    assert code == 0, text
    assert (tmp_path / "log" / "meta.properties").is_file()


@pytest.mark.real
def test_a_listener_without_a_protocol_is_refused_by_kafka(tmp_path: Path) -> None:
    """The check above in a case where it must fail."""
    code, text = kafka_format(tmp_path, kafka_properties(service("kafka")).replace("HOST:PLAINTEXT,", ""))
    assert code != 0
    assert "HOST" in text


# -------------------------------------------------------------------------------------------- Grafana


def board_faults(folder: Path, home: Path, uids: set[str]) -> list[str]:
    """Faults that Grafana would find in the boards' folder: no board, an invalid one, an unknown data source."""
    faults = [] if home.is_file() else [f"the first page {home.name} is not there"]
    for file in sorted(folder.glob("*.json")):
        try:
            text = file.read_text()
            uid = json.loads(text)["uid"]
        except (ValueError, KeyError) as error:
            faults.append(f"{file.name}: {type(error).__name__}")
            continue
        if uid != file.stem:
            faults.append(f"{file.name} has the uid {uid}")
        asked = set(re.findall(r'"type": "(?:prometheus|alertmanager)",\s*"uid": "([^"]+)"', text))
        faults += [f"{file.name}: there is no data source {one}" for one in sorted(asked - uids) if "$" not in one]
    return faults


def provisioned() -> set[str]:
    """Uids of the data sources provisioned in Grafana."""
    folder = compose.mounted(service("grafana"), "/etc/grafana/provisioning", ROOT)
    assert folder is not None
    read = [yaml.safe_load(file.read_text()) for file in (folder / "datasources").glob("*.yaml")]
    return {source["uid"] for one in read for source in one["datasources"]}


def test_grafana_finds_its_boards_and_their_data_sources() -> None:
    """The home page exists, and each board has the uid that links use and queries a provisioned data source."""
    home = compose.mounted(
        service("grafana"), compose.environment(service("grafana"))["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"], ROOT
    )
    assert home is not None
    assert board_faults(home.parent, home, provisioned()) == []


def test_boards_that_grafana_could_not_draw_are_found(tmp_path: Path) -> None:
    """The check above in cases where it must fail."""
    source = {"type": "prometheus", "uid": "elsewhere"}
    (tmp_path / "asks.json").write_text(json.dumps({"uid": "asks", "panels": [{"datasource": source}]}, indent=2))
    (tmp_path / "cut.json").write_text("{")
    (tmp_path / "other.json").write_text('{"uid": "another"}')
    assert board_faults(tmp_path, tmp_path / "home.json", {"prometheus"}) == [
        "the first page home.json is not there",
        "asks.json: there is no data source elsewhere",
        "cut.json: JSONDecodeError",
        "other.json has the uid another",
    ]


def _starts(name: str, command: Sequence[str], log: Path, port: int) -> None:
    """It becomes ready, and ends."""
    server = LocalServer(name, command, log, lambda: get(LOOPBACK, port, "/-/ready") is not None)
    try:
        server.start(WITHIN_S)
    except WorkFailed as error:
        pytest.fail(str(error))
    finally:
        server.stop()
