"""The process itself, over HTTP, and in the chain that it watches, with a Prometheus that is killed."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import pytest

from tests.flow.servers import AlertmanagerServer, PrometheusServer
from tests.parts import PartMissing, missing
from tests.watchdog.receiver import Receiver, running_receiver
from tests.watchdog.test_message import alert, message
from watchroom.demo.server import LOOPBACK, LocalServer, free_port, get
from watchroom.settings import read_settings
from watchroom.watchdog import pages
from watchroom.watchdog.run import run

PROGRAM = (
    "from watchroom.settings import read_settings; from watchroom.watchdog.run import run; "
    "raise SystemExit(run(read_settings()))"
)


class Process:
    """A watchdog process on a free port."""

    def __init__(self, folder: Path, **given: object) -> None:
        self.port = free_port()
        env = {f"WATCHROOM_WATCHDOG_{name.upper()}": str(value) for name, value in {"port": self.port, **given}.items()}
        self.server = LocalServer(
            "watchdog", [sys.executable, "-c", PROGRAM], folder / "watchdog.log", self._answers, env
        )

    def __enter__(self) -> Self:
        self.server.start(20)
        return self

    def __exit__(self, *_: object) -> None:
        self.server.stop()

    def _answers(self) -> bool:
        return get(LOOPBACK, self.port, "/healthz") is not None

    def ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, str]:
        """Status and text of an answer."""
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=10)
        try:
            connection.request(method, path, body)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def health(self) -> dict[str, Any]:
        """What /healthz says."""
        status, text = self.ask("GET", "/healthz")
        assert status == 200
        found: dict[str, Any] = json.loads(text)
        return found


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """The fallback channel."""
    with running_receiver() as running:
        yield running


def await_(holds: Callable[[], bool], within_s: float = 20) -> None:
    """Wait for a condition."""
    deadline_s = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline_s, f"not within {within_s:g} s"
        time.sleep(0.02)


def test_an_outage_is_reported_although_the_channel_first_refuses_and_its_end_is_reported_once(
    tmp_path: Path, receiver: Receiver
) -> None:
    """A whole outage: never seen, refused, reported, repeated, seen again, its end reported once."""
    receiver.answers = [500]
    with Process(tmp_path, webhook=receiver.url, silent_s=1, repeat_s=1.5) as process:
        await_(lambda: receiver.statuses() == ["silent", "silent"])
        assert receiver.refused == 1
        assert receiver.posted[0]["heard"] is False
        assert receiver.posted[0]["since"] == receiver.posted[1]["since"]
        assert process.health()["silent"] is True

        def received_and_reported() -> bool:
            assert process.ask("POST", "/watchdog", message(alert())) == (200, "received\n")
            return "back" in receiver.statuses()

        await_(received_and_reported)
        received_and_reported()
        assert receiver.statuses().count("back") == 1
        assert process.health()["silent"] is False
    assert "s3cret" not in process.server.tail(1000)


def test_a_dead_channel_does_not_delay_the_other(tmp_path: Path, receiver: Receiver) -> None:
    """The second channel is for the day when the first is dead as well."""
    file = tmp_path / "message"
    command = [sys.executable, "-c", f"import sys; open({str(file)!r}, 'w').write(sys.stdin.read())"]
    receiver.hold.clear()
    with Process(tmp_path, webhook=receiver.url, command=json.dumps(command), silent_s=0.5) as process:
        await_(lambda: file.exists() and file.read_text() != "")
        assert json.loads(file.read_text())["status"] == "silent"
        assert receiver.posted == []
        assert process.health()["silent"] is True


def test_other_messages_do_not_end_an_outage(tmp_path: Path, receiver: Receiver) -> None:
    """Whatever else is sent (small, large, wrong or resolved), the outage continues and the process survives."""
    with Process(tmp_path, webhook=receiver.url, silent_s=60) as process:
        assert process.ask("POST", "/watchdog", message(alert(status="resolved")))[0] == 200
        assert process.ask("POST", "/watchdog", message(alert("RedisDown")))[1].startswith("not counted")
        status, text = process.ask("POST", "/watchdog", b"Watchdog")
        assert (status, "not JSON" in text) == (400, True)
        assert process.ask("POST", "/watchdog", b"[" * pages.MOST_BYTES)[0] == 400
        assert process.ask("POST", "/watchdog", b" " * (pages.MOST_BYTES + 1))[0] == 413
        assert process.ask("GET", "/watchdog")[0] == 405
        assert process.ask("GET", "/")[0] == 404
        assert process.health()["heard"] is False


async def test_a_body_that_does_not_arrive_is_refused() -> None:
    """A sender that stops half-way must not keep a connection for ever."""
    from aiohttp import web

    runner = pages.runner(lambda: None, dict, read_timeout_s=0.1)
    await runner.setup()
    port = free_port()
    try:
        await web.TCPSite(runner, LOOPBACK, port).start()
        reader, writer = await asyncio.open_connection(LOOPBACK, port)
        writer.write(b"POST /watchdog HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        assert (await asyncio.wait_for(reader.readline(), 5)).startswith(b"HTTP/1.1 408")
        writer.close()
    finally:
        await runner.cleanup()


def test_a_port_in_use_and_the_result_of_a_trial_are_reported(
    receiver: Receiver, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message about the port says what to do; a trial shows in advance whether the channel works."""
    with socket.create_server((LOOPBACK, 0)) as taken:
        settings = read_settings(watchdog_port=taken.getsockname()[1], watchdog_webhook=receiver.url)
        assert run(settings) == 1
    assert "WATCHROOM_WATCHDOG_PORT: found" in capsys.readouterr().err
    assert run(settings, trial=True) == 0
    receiver.answers = [500]
    assert run(settings, trial=True) == 1
    assert receiver.statuses() == ["trial"]


@pytest.mark.real
@pytest.mark.slow
def test_a_killed_prometheus_reaches_the_fallback_channel(tmp_path: Path, receiver: Receiver) -> None:
    """The chain that is watched, with real parts: the rule, Alertmanager's route, and a killed Prometheus.

    Alertmanager keeps sending the Watchdog until the alert has expired (four times the resend delay,
    a second here); only then the silence begins.
    """
    with Process(tmp_path, webhook=receiver.url, silent_s=5, repeat_s=60) as process:
        try:
            manager = AlertmanagerServer(tmp_path / "alertmanager", _routing(tmp_path, process.port))
            prometheus = PrometheusServer(tmp_path / "prometheus", [], [_rule(tmp_path)], manager.address)
        except PartMissing as error:
            missing(str(error))
        prometheus.server.command += ("--rules.alert.resend-delay=1s",)
        try:
            manager.start()
            prometheus.start()
            await_(lambda: process.health()["heard"] is True, 30)
            await_(lambda: receiver.statuses() in ([], ["silent", "back"]))
            before = len(receiver.posted)
            received_s = time.monotonic()
            await_(lambda: process.health()["quiet_for_s"] < 1 and time.monotonic() - received_s > 4)
            assert len(receiver.posted) == before, "an outage was reported while the Watchdog arrived"
            prometheus.server.kill()
            await_(lambda: receiver.statuses()[before:] == ["silent"], 30)
            assert receiver.posted[-1]["heard"] is True
            prometheus.start()
            await_(lambda: receiver.statuses()[before:] == ["silent", "back"], 30)
        finally:
            prometheus.stop()
            manager.stop()


def _rule(folder: Path) -> Path:
    file = folder / "watchdog.yml"
    rule = {"alert": "Watchdog", "expr": "vector(1)", "labels": {"severity": "none"}}
    file.write_text(json.dumps({"groups": [{"name": "watchdog", "rules": [rule]}]}))
    return file


def _routing(folder: Path, port: int) -> Path:
    """The shipped route of Alertmanager, with seconds instead of minutes; JSON is YAML."""
    file = folder / "alertmanager.yml"
    hook = {"url": f"http://{LOOPBACK}:{port}/watchdog", "send_resolved": True}
    times = {"group_wait": "0s", "group_interval": "1s", "repeat_interval": "1s"}
    own = {"receiver": "watchdog", "matchers": ['alertname="Watchdog"'], **times}
    receivers = [{"name": "nobody"}, {"name": "watchdog", "webhook_configs": [hook]}]
    file.write_text(json.dumps({"route": {"receiver": "nobody", "routes": [own]}, "receivers": receivers}))
    return file
