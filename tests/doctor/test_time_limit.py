"""The doctor ends in time whatever the servers do. The limit is short here to keep the tests fast."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from threading import Event
from typing import Any

import pytest

from watchroom.demo.server import LOOPBACK, free_port
from watchroom.doctor.examine import examine
from watchroom.settings import Settings, read_settings

WITHIN_S = 0.5
ENOUGH_S = 4.0  # one silent sentinel alone takes longer, and so does a page


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("watchroom.doctor.examine.WITHIN_S", WITHIN_S)


@pytest.fixture
def silent() -> Iterator[list[int]]:
    """Ports that accept a connection and send nothing."""
    with ExitStack() as ending:
        servers = [ending.enter_context(socket.create_server((LOOPBACK, 0))) for _ in range(5)]
        yield [server.getsockname()[1] for server in servers]


def examined(**given: Any) -> tuple[set[str], float]:
    """The checks that found something, and how long it took in seconds."""
    settings: Settings = read_settings(exporter_url=f"http://{LOOPBACK}:{free_port()}", **given)
    began_s = time.monotonic()
    found = {each.check for each in examine(settings)}
    return found, time.monotonic() - began_s


@pytest.mark.parametrize("scheme", ["redis+sentinel", "rediss+sentinel"])
def test_silent_sentinels_do_not_delay_it(scheme: str, silent: list[int]) -> None:
    """Each of them takes seconds, and there may be many."""
    sentinels = ",".join(f"{LOOPBACK}:{port}" for port in silent)
    found, took_s = examined(redis_url=f"{scheme}://{sentinels}/mymaster", kafka=f"{LOOPBACK}:{silent[0]}")
    assert {"redis", "kafka"} <= found
    assert took_s < ENOUGH_S


def test_host_names_that_do_not_resolve_do_not_delay_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A resolver that does not answer holds its thread for longer than anybody waits."""
    hung, resolve = Event(), socket.getaddrinfo

    def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        if "force.example" in str(host):
            hung.wait(30)
        return resolve(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    try:
        found, took_s = examined(redis_url="redis://redis.force.example:1", kafka="kafka.force.example:9092")
    finally:
        hung.set()
    assert {"redis", "kafka"} <= found
    assert took_s < ENOUGH_S


def test_invalid_host_names_lead_to_findings() -> None:
    """Two dots in a row are a typing mistake, which Python refuses before resolving the name."""
    found, _ = examined(redis_url="redis://a..b:1", kafka="a..b:9092")
    assert {"redis", "kafka"} <= found
