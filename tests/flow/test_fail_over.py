"""The primary dies while a worker writes, with writes that no replica has: every figure is right all the same.

Real servers: Kafka, a primary, a replica and three sentinels, with TLS, and users that have the rights of the page.
Offsets lie in Redis beside the figures that they stand for, so a worker that finds an older offset in the new primary
counts from there again.
"""

from __future__ import annotations

import asyncio
import json
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer

from tests.conftest import new_name
from tests.flow.commands import watchroom
from tests.flow.crash_run import Watch, produce, read_all
from tests.flow.servers import KafkaServer, Stack
from tests.flow.servers.sentinel import Replicated
from tests.flow.test_crashes import SOURCES, ending_between, expected_of
from tests.flow.wall import Look, Wall, now_ms, wall
from tests.oracle.recompute import differences
from tests.oracle.traffic import traffic
from tests.oracle.wire import content_of, without_buckets
from tests.store.test_sentinel import Secured, secured_servers, settings_of
from watchroom.demo.processes import environment
from watchroom.kafka.topics import ensure_topics
from watchroom.streams import STREAMS

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(200)]
EVENTS, FOR_S, SEED = 4_000, 8.0, 20_211_127
LOST = 100  # records that the primary has applied and the replica has not, when the primary dies
FRESH_S = 1.0
LATE_S = 1.5  # between publication and a check: a refresh, on a busy machine


@pytest.fixture
def force() -> str:
    """A force that no other test has."""
    return new_name()


@pytest.fixture
def secured(tmp_path: Path, force: str) -> Iterator[Secured]:
    """The servers of this test only."""
    yield from secured_servers(tmp_path / "redis", 3, force)


async def test_a_failover_changes_no_figure_and_shows_no_old_figure_as_live(
    kafka: KafkaServer, secured: Secured, force: str, tmp_path: Path
) -> None:
    """The oracle recomputes what Kafka holds; the exporter shows nothing older than allowed."""
    replicated, ours = secured.servers, settings_of(secured.server())
    stack = Stack("real", kafka.address, ours["redis_url"], force)
    more = {**ours, "sources": SOURCES, "step_events": 200, "fresh_s": FRESH_S, "touch_s": 0.25}
    began_ms = now_ms()
    records = traffic(SEED, EVENTS, began_ms, 2)
    await ensure_topics(stack.settings(**ours, streams=tuple(STREAMS), partitions=2))
    with wall(stack, tmp_path, **more) as deployment, replicated.second.client() as second:
        async with AIOKafkaConsumer(bootstrap_servers=kafka.address) as consumer:
            watch = Watch(deployment.settings, second, consumer, tmp_path / "steps")
            await asyncio.to_thread(deployment.look_until, shown, 30, "figures")
            producing = asyncio.create_task(produce(deployment.settings, records, FOR_S))
            looking = asyncio.create_task(asyncio.to_thread(deployment.look_for, FOR_S + 2))
            await asyncio.sleep(FOR_S / 4)
            await asyncio.to_thread(die_with_writes_of_its_own, replicated, watch)
            await producing
            await watch.until_applied()
            ends = await watch.ends()
            assert watch.stored() == ends
            looks = await looking
            await asyncio.to_thread(deployment.look_until, shown, 30, "figures from the new primary")
        log = {stream: await read_all(kafka.address, watch.of_stream(stream)) for stream in STREAMS}
        expected, _ = expected_of(deployment.settings, log, now_ms())
        found = content_of(second, deployment.settings.force)
        counts = health(deployment)["counts"]
        months = await asyncio.to_thread(
            watchroom, "months", "--format", "json", environment=environment(deployment.settings)
        )

    assert sum(ends.values()) == EVENTS
    going = ending_between(expected, began_ms, now_ms() + 60_000)
    lines = differences(without_buckets(found, going), without_buckets(expected, going))
    assert not lines, f"{len(lines)} differences\n" + "\n".join(lines[:40])
    assert counts["moved"] > 0, "nothing was lost with the primary, and nothing was counted again"
    assert not all(map(shown, looks)), "it went on showing figures while there was no primary"
    assert not list(old_ones_shown(looks))
    assert months.code == 0, months
    assert json.loads(months.out)


def die_with_writes_of_its_own(replicated: Replicated, watch: Watch) -> None:
    """Cut the replica off, and kill the primary once it has acknowledged steps that the replica does not have."""
    with replicated.first.client() as first:
        ask: Any = first.execute_command
        ask("ACL", "SETUSER", "default", "-psync", "-sync")
        ask("CLIENT", "KILL", "TYPE", "replica")
        cut_off_at = sum(watch.stored().values())
        give_up_s = time.monotonic() + 10
        while sum(watch.stored(first).values()) < cut_off_at + LOST:
            assert time.monotonic() < give_up_s, "the worker does not go on"
            time.sleep(0.01)
        replicated.first.kill()


def shown(look: Look) -> bool:
    """Whether figures of calls are on the page."""
    return bool(look.measures("calls"))


def old_ones_shown(looks: list[Look]) -> Iterator[str]:
    """Looks that show figures although the last known applied-until was longer ago than allowed."""
    known_ms = 0.0
    for look in looks:
        if "watchroom_applied_timestamp_seconds" in look.families:
            known_ms = look.oldest_applied_ms()
        if shown(look) and look.at_ms - known_ms > (FRESH_S + LATE_S) * 1000:
            yield f"at {look.at_ms}: applied up to {known_ms}"


def health(deployment: Wall) -> Any:
    """The worker's health page."""
    url = f"http://{deployment.settings.health_host}:{deployment.settings.health_port}/health"
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.loads(answer.read())
