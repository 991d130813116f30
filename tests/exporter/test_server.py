"""The exporter as a process: it serves, waits for Redis, shuts down cleanly, and refuses a port that is in use."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse

import pytest

from tests.exporter.process import Exporter
from tests.exporter.store import ExporterStore, parsed, value
from tests.flow.servers import RedisServer, pause, resume
from watchroom.errors import WorkFailed
from watchroom.exporter.server import Answer, Server
from watchroom.timing import now_ms


@pytest.fixture
def exporter(redis_server: RedisServer) -> Iterator[Exporter]:
    """An exporter over the test's own Redis."""
    started = Exporter(redis_server.url)
    yield started
    started.kill()


def test_the_process_serves_waits_for_redis_and_exits_with_0(
    exporter: Exporter, store: ExporterStore, redis_server: RedisServer
) -> None:
    """From no Redis to measures and back, without a restart."""
    store.fresh(now_ms() + 4_000)
    store.source_seen(now_ms())
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
    exporter: Exporter, store: ExporterStore, redis_server: RedisServer
) -> None:
    """Only the loop waits for Redis; a scrape finds a reading that is too old to be shown."""
    exporter.metrics_when(redis_up=1)
    store.fresh(now_ms() + 4_500)  # believed, and fresh for 7 s: the exporter's own reading decides after 3 s
    store.source_seen(now_ms())
    pause(redis_server.server)
    paused_ms = now_ms()
    page = exporter.metrics_when(redis_up=0)
    assert now_ms() - paused_ms < 6_000
    assert {name for name, _labels in parsed(page)} == {"watchroom_redis_up", "watchroom_stream_fed"}
    resume(redis_server.server)
    exporter.metrics_when(redis_up=1)


def test_a_port_in_use_is_reported_with_what_to_do() -> None:
    """Another exporter on the same machine is the usual cause."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(WorkFailed, match=rf"WATCHROOM_EXPORTER_PORT: found {port}, but the process cannot listen"):
            Server("127.0.0.1", port, {})


@pytest.fixture
def port() -> Iterator[int]:
    """A server with one exact path, and one path that includes everything below it."""
    pages = {"/page": lambda _: Answer("hello\n"), "/of/": lambda asked: Answer(f"{asked.rest} {asked.query}\n")}
    server = Server("127.0.0.1", 0, pages)
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
        ("GET", "/of/calls", 200, b"calls ()\n"),
        ("GET", "/of/a%2Fb/c?grade=1&grade=&x", 200, b"a/b/c (('grade', '1'), ('grade', ''), ('x', ''))\n"),
        ("GET", "/of/", 200, b" ()\n"),
        ("GET", "/of", 404, b"no such page; the pages are /of/, /page\n"),
        ("GET", "/page/more", 404, b"no such page; the pages are /of/, /page\n"),
        ("GET", "//other/page", 404, b"no such page; the pages are /of/, /page\n"),
        ("GET", "/other", 404, b"no such page; the pages are /of/, /page\n"),
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


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/page"), ("HEAD", "/page"), ("GET", "/other"), ("POST", "/page")]
)
def test_every_answer_has_the_same_security_headers(port: int, method: str, path: str) -> None:
    """Also refusals, which the base class sends: nothing is loaded from elsewhere, sniffed, framed or stored."""
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request(method, path)
    headers = connection.getresponse().headers
    connection.close()
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["Server"] == "watchroom"
