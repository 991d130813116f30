"""How often a real Redis that refuses us is asked in a minute, and what worker and exporter report meanwhile."""

from __future__ import annotations

import ast
import asyncio
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import new_name
from tests.flow.servers import RedisServer, Stack
from tests.intake.worker_process import WorkerProcess
from tests.parts import ROOT
from tests.store.steps import DEFINITIONS
from tests.store.test_backoff import Clock
from tests.store.test_rights import acl_rules
from watchroom.catalogue.load import load_catalogue
from watchroom.demo.embedded import EmbeddedStack
from watchroom.demo.processes import Process
from watchroom.demo.server import free_port
from watchroom.errors import StoreRefuses
from watchroom.exporter.board.pages import BoardPages
from watchroom.exporter.mirror import Mirror
from watchroom.exporter.page import Page
from watchroom.exporter.run import definition_differences
from watchroom.exporter.server import PageRequest
from watchroom.intake.background import MonthBandsWriter
from watchroom.rolling.calendar import Calendar
from watchroom.settings import read_settings
from watchroom.store.backoff import Backoff
from watchroom.store.keys import Keys
from watchroom.store.noted import NotedHash
from watchroom.store.partition_counts import Count, PartitionCountStore
from watchroom.store.read import Reader
from watchroom.store.write import Store
from watchroom.timing import now_ms

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]
MOST_IN_A_MINUTE = 9  # of one client
CLIENTS_OF_A_WORKER = {"CountKeeper", "make_store", "OpenTransactionNotes"}
STEP_S = 0.5  # of the minute that these tests count through


@pytest.fixture
def plain(redis_server: RedisServer) -> Iterator[Any]:
    """A client that may do everything; untyped, for ACL."""
    with redis_server.client() as client:
        yield client


def tries(plain: Any) -> int:
    """How many logins were refused, by Redis's own log."""
    return sum(int(entry["count"]) for entry in plain.acl_log() if entry["reason"] == "auth")


def test_an_exporter_with_a_wrong_password_asks_rarely(redis_server: RedisServer, plain: Any) -> None:
    """It refreshes each second; some servers lock a user out after ten attempts."""
    plain.execute_command("ACL", "SETUSER", "wr", "reset", *acl_rules("right"))
    reader, clock = Reader(redis_server.url.replace("://", "://wr:wrong@"), "force"), Clock()
    reader._backoff = Backoff(clock)
    said = set()
    for _ in range(round(60 / STEP_S)):
        with pytest.raises(StoreRefuses) as refused:
            reader.process()
        said.add(str(refused.value))
        clock.now_s += STEP_S
    reader.close()
    assert 4 <= tries(plain) <= MOST_IN_A_MINUTE
    (line,) = said
    assert "rejects the login of user 'wr'" in line


def test_pages_that_are_requested_again_and_again_ask_redis_as_rarely(redis_server: RedisServer, plain: Any) -> None:
    """Each page has its own client; browsers refresh every few seconds."""
    plain.execute_command("ACL", "SETUSER", "wr", "reset", *acl_rules("right"))
    settings = read_settings(redis_url=redis_server.url.replace("://", "://wr:wrong@"), force="force")
    catalogue = load_catalogue(settings.schemas / "measures", settings.areas)
    reader = Reader(settings.redis, settings.force)
    mirror = Mirror(reader, catalogue, Calendar(settings.zone))
    pages = BoardPages(
        catalogue, Page(mirror, settings, definition_differences(catalogue, settings)), settings, clock=now_ms
    )
    clock = Clock()
    pages._backoff = Backoff(clock)
    for _ in range(round(60 / STEP_S)):
        answer = pages.table()["/open/"](PageRequest("calls_waiting"))
        assert "rejects the login of user" in answer.body
        clock.now_s += STEP_S
    reader.close()
    assert 4 <= tries(plain) <= MOST_IN_A_MINUTE


async def test_a_worker_with_many_partitions_asks_as_rarely(redis_server: RedisServer, plain: Any) -> None:
    """Each partition retries by itself; together they are one client."""
    plain.execute_command("ACL", "SETUSER", "wr", "reset", *acl_rules("right"))
    clock = Clock()
    store = Store(redis_server.url.replace("://", "://wr:wrong@"), "force", DEFINITIONS, backoff=Backoff(clock))
    with pytest.raises(StoreRefuses):
        await store.open()
    for _ in range(round(60 / STEP_S)):
        clock.now_s += STEP_S
        asked = [store.next_offset(f"watchroom.{number}", 0) for number in range(16)]
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert all(isinstance(answer, StoreRefuses) for answer in answers)
    await store.close()
    assert 4 <= tries(plain) <= MOST_IN_A_MINUTE + 1


async def test_all_clients_of_a_worker_together_ask_as_rarely(redis_server: RedisServer, plain: Any) -> None:
    """Steps, open transactions, partition counts and bands of months share one login."""
    plain.execute_command("ACL", "SETUSER", "wr", "reset", *acl_rules("right"))
    url, clock = redis_server.url.replace("://", "://wr:wrong@"), Clock()
    backoff = Backoff(clock)
    store, counts = Store(url, "force", DEFINITIONS, backoff=backoff), PartitionCountStore(url, "force", backoff)
    noted = NotedHash(url, Keys("force").open_transactions, backoff)
    settings = read_settings(redis_url=url, force="force")
    writer = MonthBandsWriter(settings, load_catalogue(settings.schemas / "measures", settings.areas), store)
    for _ in range(round(60 / STEP_S)):
        with pytest.raises(StoreRefuses, match="rejects the login of user 'wr'"):
            noted.change({"t|0": "1 2 3"})
        with pytest.raises(StoreRefuses):
            counts.note("t", Count(4, 0), None)
        with pytest.raises(StoreRefuses):
            await store.next_offset("t", 0)
        assert await writer.write("calls", 0) == 0
        clock.now_s += STEP_S
    await store.close()
    counts.close()
    noted.close()
    assert 4 <= tries(plain) <= MOST_IN_A_MINUTE


def test_each_client_of_a_worker_shares_its_back_off() -> None:
    """A client without it would ask in addition to the others."""
    source = (ROOT / "services" / "watchroom" / "intake" / "worker.py").read_text()
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    made = {name: call for call in calls if (name := ast.unparse(call.func)) in CLIENTS_OF_A_WORKER}
    assert made.keys() == CLIENTS_OF_A_WORKER
    assert all("self._redis_backoff" in map(ast.unparse, call.args) for call in made.values())


def test_changes_at_runtime_are_reported_and_recovered_from(
    redis_server: RedisServer, plain: Any, embedded: EmbeddedStack, tmp_path: Path
) -> None:
    """A role, a right, a password: both report Redis's answer and where to look, and recover without a restart."""
    name = new_name()

    def allow(password: str, *more: str) -> None:
        plain.execute_command("ACL", "SETUSER", "wr", "reset", *acl_rules(password, name), *more)

    allow("right")
    url = redis_server.url.replace("://", "://wr:right@")
    stack = Stack("embedded", embedded.kafka, url, name)
    settings = stack.settings(streams=("calls",), exporter_port=free_port(), fresh_s=3)
    with (
        WorkerProcess(stack, tmp_path / "worker.log", streams="calls", partitions=4, touch_s=0.5) as worker,
        Process("exporter", settings, tmp_path / "exporter.log") as exporter,
    ):
        worker.until_ready()
        assert exporter.running
        assert "the Redis user may not run INFO: everything works, but there is no way to tell whether" in worker.log()

        def worker_says() -> str:
            return "\n".join(worker.health().get("reasons", ()))

        def exporter_says() -> str:
            return str(page(settings.exporter_port)["redis"])

        plain.replicaof("127.0.0.1", free_port())
        until_said("it is a replica, and a worker writes to the primary", worker_says)
        assert page(settings.exporter_port)["redis_answers"], "an exporter may read from one"
        plain.replicaof("NO", "ONE")
        worker.until_ready()
        allow("right", "-hset", "-hget")
        until_said("run HGET; check its rights, see deploy/redis/rights.md", worker_says, exporter_says)
        allow("right")
        worker.until_ready()
        until_said("", exporter_says, whole=True)
        allow("changed")
        plain.execute_command("CLIENT", "KILL", "USER", "wr")
        until_said("rejects the login of user 'wr'", worker_says, exporter_says)
        for said in worker_says(), exporter_says():
            assert "user and password in WATCHROOM_REDIS_URL" in said
            assert "right" not in said.replace("rights", "")
        assert worker.get("/livez")[0] == 200, "a restart would not help"
        allow("right")
        worker.until_ready()
        until_said("", exporter_says, whole=True)


def until_said(text: str, *who: Callable[[], str], whole: bool = False) -> None:
    """Wait until each of them says this (with `whole`, exactly this)."""
    give_up_s = time.monotonic() + 30
    while not all((said() == text) if whole else (text in said()) for said in who):
        assert time.monotonic() < give_up_s, (text, [said() for said in who])
        time.sleep(0.1)


def page(port: int) -> Any:
    """The exporter's health page."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=10) as answer:
            return json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return json.loads(error.read())
