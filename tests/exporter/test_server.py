"""The exporter as a process: it serves, waits for Redis, ends in good order, and refuses a used port."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from urllib.error import HTTPError

import pytest

from tests.exporter.control_room import ControlRoom, parsed, value
from tests.flow.servers import RedisServer
from tests.parts import ROOT
from watchroom.errors import WorkFailed
from watchroom.exporter.run import now_ms
from watchroom.exporter.server import Answer, Server
from watchroom.replay.server import free_port

RUN = """
import sys
from watchroom.exporter.run import run
from watchroom.settings import read_settings

sys.exit(run(read_settings()))
"""


class Exporter:
    """One exporter process on a free port."""

    def __init__(self, redis_url: str) -> None:
        self.port = free_port()
        environment = {
            "PYTHONPATH": str(ROOT / "services"),
            "WATCHROOM_EXPORTER_PORT": str(self.port),
            "WATCHROOM_REDIS_URL": redis_url,
            "WATCHROOM_FORCE": "staffs",
            "WATCHROOM_FRESH_S": "3",
        }
        self.process = subprocess.Popen([sys.executable, "-c", RUN], env=environment)

    def get(self, path: str) -> tuple[int, str]:
        """Status and body, once it listens."""
        deadline_s = time.monotonic() + 20
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                    return answer.status, answer.read().decode()
            except HTTPError as error:
                return error.code, error.read().decode()
            except OSError:
                if time.monotonic() > deadline_s or self.process.poll() is not None:
                    raise
                time.sleep(0.05)

    def metrics_when(self, redis_up: int) -> str:
        """The page once `watchroom_redis_up` is as wanted."""
        deadline_s = time.monotonic() + 20
        while time.monotonic() < deadline_s:
            page = self.get("/metrics")[1]
            if value(parsed(page), "redis_up") == redis_up:
                return page
            time.sleep(0.1)
        raise AssertionError(f"redis_up never became {redis_up}")

    def end(self) -> int:
        """SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(10)


@pytest.fixture
def exporter(redis_server: RedisServer) -> Iterator[Exporter]:
    """An exporter over the test's own Redis."""
    started = Exporter(redis_server.url)
    yield started
    if started.process.poll() is None:
        started.process.kill()
        started.process.wait()


def test_the_process_serves_waits_for_redis_and_ends_with_0(
    exporter: Exporter, room: ControlRoom, redis_server: RedisServer
) -> None:
    """From no Redis to measures and back, without a restart."""
    room.fresh(now_ms() + 4_000)
    room.heard(now_ms())
    page = exporter.metrics_when(redis_up=1)
    assert value(parsed(page), "call_volume", line="999", window="5m") == 0
    assert exporter.get("/healthz")[0] == 200
    redis_server.kill()
    assert "lost_records" not in exporter.metrics_when(redis_up=0)
    status, body = exporter.get("/healthz")
    assert status == 503
    assert "Redis did not answer" in body
    redis_server.start()
    exporter.metrics_when(redis_up=1)
    assert exporter.end() == 0


def test_a_redis_that_hangs_blanks_the_page_and_does_not_hang_it(
    exporter: Exporter, room: ControlRoom, redis_server: RedisServer
) -> None:
    """The loop waits for Redis; a scrape never does, and finds a reading that is too old to be shown."""
    exporter.metrics_when(redis_up=1)
    room.fresh(now_ms() + 4_500)  # believed, and fresh for 7 s: the exporter's own reading decides after 3 s
    room.heard(now_ms())
    redis_server.server.pause()
    paused_ms = now_ms()
    page = exporter.metrics_when(redis_up=0)
    assert now_ms() - paused_ms < 6_000
    assert parsed(page) == {("watchroom_redis_up", frozenset()): 0}
    redis_server.server.resume()
    exporter.metrics_when(redis_up=1)


def test_a_port_in_use_is_told_with_what_to_do() -> None:
    """Another exporter on the same machine is the usual cause."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(WorkFailed, match=rf"cannot listen on 127.0.0.1:{port} .*WATCHROOM_EXPORTER_PORT"):
            Server("127.0.0.1", port, {})


@pytest.fixture
def port() -> Iterator[int]:
    """A server with one page."""
    server = Server("127.0.0.1", 0, {"/page": lambda _: Answer("hello\n")})
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize(
    ("method", "path", "status", "body"),
    [
        ("GET", "/page", 200, b"hello\n"),
        ("GET", "/page?x=1", 200, b"hello\n"),
        ("HEAD", "/page", 200, b""),
        ("GET", "/other", 404, b"no such page; there are /page\n"),
        ("POST", "/page", 501, None),
    ],
)
def test_the_router_answers_known_paths_only(
    port: int, method: str, path: str, status: int, body: bytes | None
) -> None:
    """GET and HEAD of a table of pages; everything else is refused."""
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request(method, path)
    answer: HTTPResponse = connection.getresponse()
    found = answer.read()
    connection.close()
    assert answer.status == status
    assert body is None or found == body
