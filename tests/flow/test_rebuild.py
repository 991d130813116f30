"""`watchroom rebuild` on real servers: the same content from the log, or a refusal that changes nothing."""

from __future__ import annotations

import asyncio
import re
import shutil
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.flow.rebuilt_force import RebuiltForce, settings_on, without
from tests.flow.servers import KafkaServer, RedisServer
from tests.flow.test_crashes import ending_between, expected_of, letters_in_kafka
from tests.oracle import recompute as oracle
from tests.oracle.facts import LINES, Added, Sent, _first_ms, _naming, label
from tests.oracle.recompute import Content, differences
from tests.oracle.scales import HOUR_MS
from tests.oracle.traffic import traffic
from tests.oracle.wire import content_of, without_buckets
from tests.parts import PartMissing, missing
from watchroom.demo.processes import Process
from watchroom.demo.server import free_port
from watchroom.intake.assignment import REMEDIES
from watchroom.kafka.topics import ensure_topics
from watchroom.settings import Settings

EVENTS, SEED = 3_000, 20_211_101
NEW_MEASURE = """
[calls_answered]
kind = "count"
stream = "calls"
at = "answered"
by = { line = "line" }
windows = ["24h", "month"]
brief = "Calls answered"
definition = "Calls by the moment a person answered them."
source = "A test"
"""

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]


@dataclass
class LeftForce:
    """A force that a worker has filled; the worker has stopped."""

    force: RebuiltForce
    redis_server: RedisServer
    snapshot: Path
    dump: dict[str, Any]
    content: Content
    letters: list[tuple[str, int, int]]
    began_ms: int

    def back(self) -> None:
        """Restore Redis to what the worker left, half a minute ago."""
        self.redis_server.restore(self.snapshot)

    def passing(self) -> set[str]:
        """Buckets that may expire during these tests."""
        return ending_between(self.content, self.began_ms, now_ms() + 60_000)

    def differences(self) -> list[str]:
        """Where Redis now differs from what the oracle computes from the log now."""
        settings = self.force.settings
        log = asyncio.run(self.force.log())
        expected, _ = expected_of(settings, log, now_ms())
        found = content_of(self.force.client, settings.force)
        passing = ending_between(expected, self.began_ms, now_ms() + 60_000)
        return differences(without_buckets(found, passing), without_buckets(expected, passing))


def now_ms() -> int:
    """The wall clock."""
    return time.time_ns() // 1_000_000


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """One Redis for this module, restored before each test to what the worker left."""
    try:
        server = RedisServer(tmp_path_factory.mktemp("redis"))
    except PartMissing as error:
        missing(str(error))
    try:
        server.start()
        yield server
    finally:
        server.kill()


@pytest.fixture(scope="module")
def once(kafka: KafkaServer, redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> LeftForce:
    """A worker filled Redis with restatements, late events and dead letters, and was stopped."""
    began_ms = now_ms()
    settings = settings_on(kafka, redis_server, partitions=2, step_events=100)
    force = RebuiltForce(settings, redis_server.client(), tmp_path_factory.mktemp("room"))

    async def fill() -> list[tuple[str, int, int]]:
        await ensure_topics(settings)
        await force.send(traffic(SEED, EVENTS, began_ms, settings.partitions))
        with force.worker() as worker:
            await force.until_applied(worker)
        await force.until_nobody_is_in_the_group()
        return await letters_in_kafka(settings)

    letters = asyncio.run(fill())
    force.half_a_minute_passes()
    content = content_of(force.client, settings.force)
    return LeftForce(force, redis_server, redis_server.snapshot(), force.dump(), content, letters, began_ms)


@pytest.fixture
def filled(once: LeftForce) -> LeftForce:
    """The same for each test."""
    once.back()
    return once


def test_a_rebuild_restores_every_key_as_the_worker_left_it(filled: LeftForce) -> None:
    """Buckets, open sets, states, sources, offsets, counts and the log of restatements are a function of the log."""
    assert not filled.differences()
    assert min(map(len, (filled.content.restatements, filled.content.open, filled.content.dead_letters))) > 3
    done = filled.force.run("rebuild")
    assert done.code == 0, done.said
    refused = sum(filled.content.dead_letters.values())
    assert done.lines == [f"rebuilt from {EVENTS:,} records; {refused:,} of them are dead letters"]
    passing = filled.passing()
    assert without(filled.force.dump(), passing) == without(filled.dump, passing)
    assert not filled.differences()
    assert asyncio.run(letters_in_kafka(filled.force.settings)) == filled.letters  # none was sent twice


def test_a_rebuild_restores_what_redis_holds_of_a_stream_that_is_no_longer_fed(filled: LeftForce) -> None:
    """Its months stay readable, although clearing the force's keys removes them too."""
    fed = filled.force.settings.model_copy(update={"streams": ("calls",)})
    force = RebuiltForce(fed, filled.force.client, filled.force.folder)
    done = force.run("rebuild")
    assert done.code == 0, done.said
    assert without(force.dump(), filled.passing()) == without(filled.dump, filled.passing())


def test_an_interrupted_rebuild_locks_everyone_out_until_it_is_run_again(filled: LeftForce) -> None:
    """Incomplete content must not be added to, shown or printed."""
    force = filled.force
    force.killed_while_clearing()
    left = force.dump()
    assert 1 < len(left) < len(filled.dump)
    for command in (["worker"], ["months"]):
        done = force.run(*command, WATCHROOM_HEALTH_PORT=str(free_port()))
        assert done.code == 2
        assert "a rebuild is running, or was interrupted" in done.said
        assert "run `watchroom rebuild`" in done.said
    assert force.dump() == left
    assert force.run("rebuild").code == 0
    passing = filled.passing()
    assert without(force.dump(), passing) == without(filled.dump, passing)
    assert asyncio.run(letters_in_kafka(force.settings)) == filled.letters


def test_a_rebuild_is_refused_while_a_worker_runs_or_its_membership_has_not_expired(filled: LeftForce) -> None:
    """Two writers at once would undo each other's work; the message says what to stop and how long to wait."""
    force = filled.force
    with force.worker(session_timeout_s=15) as worker:  # longer than a rebuild takes to check
        asyncio.run(force.until_fresh(worker))
        running = force.run("rebuild")
    assert running.code == 1
    (line,) = running.lines
    assert re.search(r"a worker is running: \S+ partition \d was fresh \d+ s ago; stop every worker", line)
    force.half_a_minute_passes()
    before = force.dump()
    member = force.run("rebuild")
    assert member.code == 1
    (line,) = member.lines
    assert f"a worker is running: consumer group {force.settings.group} has 1 member(s)" in line
    assert "stop every worker, wait for its session to end" in line
    assert force.dump() == before
    asyncio.run(force.until_nobody_is_in_the_group())


def test_a_new_measure_is_refused_until_a_rebuild_and_is_right_afterwards(
    filled: LeftForce, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`contributions(old state)` under another catalogue would take back what was never added."""
    schemas = with_a_new_measure(tmp_path)
    force = RebuiltForce(filled.force.settings.model_copy(update={"schemas": schemas}), filled.force.client, tmp_path)
    with force.worker() as worker:
        asyncio.run(force.until_fresh(worker))
        assert "measure calls_answered is new" in shown(force, tmp_path, until='"withheld"', path="/healthz")
        assert "watchroom_call" not in shown(force, tmp_path, until="watchroom_incident_volume{")
    assert "calls is not processed" in (tmp_path / "worker.log").read_text()
    assert f"measure calls_answered is new; {REMEDIES}" in (tmp_path / "worker.log").read_text()
    assert without(force.dump(), filled.passing()) == without(filled.dump, filled.passing())
    asyncio.run(force.until_nobody_is_in_the_group())
    force.half_a_minute_passes()

    assert force.run("rebuild").code == 0
    assert not [line for line in filled.differences() if "calls_answered" not in line]
    expected = expected_answered(force, monkeypatch)
    found = answered_of(content_of(force.client, force.settings.force))
    assert found == expected
    assert len({name.partition(":")[0] for name in found}) == 4  # every level
    with force.worker():
        hour = now_ms() // HOUR_MS
        page = shown(force, tmp_path, until="watchroom_calls_answered{")
        if now_ms() // HOUR_MS != hour:  # the window moved on while the page was read; it will not twice
            page = shown(force, tmp_path, until="watchroom_calls_answered{")
    by_line = {line: in_24_hours(expected, f"calls_answered|line={line}|count") for line in LINES}
    assert min(by_line.values()) > 0
    found_lines = re.findall(r'^watchroom_calls_answered\{line="(999|101)",window="24h"\} (\S+)$', page, re.MULTILINE)
    assert {line: float(count) for line, count in found_lines} == by_line
    asyncio.run(force.until_nobody_is_in_the_group())


def with_a_new_measure(folder: Path) -> Path:
    """Our schemas with one more entry."""
    schemas = folder / "schemas"
    shutil.copytree(Settings().schemas, schemas)
    (schemas / "measures" / "more.toml").write_text(NEW_MEASURE)
    return schemas


def expected_answered(force: RebuiltForce, monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, int]]:
    """The new measure's buckets, worked out from the log by the oracle."""

    def added_by(events: list[Sent]) -> Added:
        added = Added()
        answered = _first_ms(events, "call.answered")
        if answered is not None and _first_ms(events, "call.presented", "call.queued") is not None:
            named = _naming(events, "line")
            by = {"line": label(named[0].data["line"] if named else None, LINES)}
            added.count(answered, "calls_answered", by, "count")
        return added

    monkeypatch.setattr(oracle, "added_by", added_by)
    content, _ = expected_of(force.settings, asyncio.run(force.log()), now_ms())
    return answered_of(content)


def answered_of(content: Content) -> dict[str, dict[str, int]]:
    """Only the new measure's fields."""
    of_measure = {
        name: {field: n for field, n in cells.items() if field.startswith("calls_answered|")}
        for name, cells in content.buckets.items()
    }
    return {name: cells for name, cells in of_measure.items() if cells}


def in_24_hours(buckets: dict[str, dict[str, int]], field: str) -> int:
    """Sum over the hours of the last day, including the current hour."""
    hours = {name: cells for name, cells in buckets.items() if name.startswith("hour:")}
    from_s = (now_ms() - 24 * HOUR_MS) // 1000
    return sum(cells.get(field, 0) for name, cells in hours.items() if int(name.partition(":")[2]) > from_s)


def shown(force: RebuiltForce, folder: Path, until: str, path: str = "/metrics") -> str:
    """What an exporter of this force shows, once `until` is there."""
    settings = force.settings.model_copy(update={"exporter_port": free_port()})
    with Process("exporter", settings, folder / "exporter.log"):
        until_s = time.monotonic() + 30
        while time.monotonic() < until_s:
            with urllib.request.urlopen(f"http://127.0.0.1:{settings.exporter_port}{path}") as answer:
                text = str(answer.read().decode())
            if until in text:
                return text
            time.sleep(0.2)
    raise AssertionError(f"{until} is not in\n{text}")
