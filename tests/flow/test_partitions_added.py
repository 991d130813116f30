"""Partitions are added to a topic under traffic: its stream is withheld, and after a rebuild every figure is right."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions
from redis import Redis

from tests.flow.pages import page, until_page_says
from tests.flow.rebuilt_force import RebuiltForce, settings_on
from tests.flow.servers import KafkaServer, RedisServer, Stack
from tests.flow.test_crashes import ending_between, expected_of
from tests.intake.worker_process import WorkerProcess
from tests.oracle.facts import Sent
from tests.oracle.recompute import differences
from tests.oracle.traffic import HISTORY, REFUSED, Outgoing, traffic
from tests.oracle.wire import content_of, partition_of, value_of, without_buckets
from watchroom.demo.processes import Process
from watchroom.demo.server import free_port
from watchroom.events.times import to_ms
from watchroom.kafka.topics import ensure_topics
from watchroom.store.partition_counts import PartitionCountStore

EVENTS, SEED, SETTLE_S = 1_500, 20_220_401, 2.0
WITHHELD_WITHIN_S = 15
BEFORE, AFTER = 4, 6
ADDED = ("calls", "incidents")  # streams whose topics get more partitions

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]


def now_ms() -> int:
    """The wall clock."""
    return time.time_ns() // 1_000_000


def records(began_ms: int) -> list[Outgoing]:
    """Traffic; of the misplaced records only those that are misplaced under both counts."""
    sent = traffic(SEED, EVENTS, began_ms, BEFORE)
    return [r for r in sent if dict(r.headers).get(REFUSED) != b"wrong_partition" or wrong_by_both(r)]


def corrected() -> tuple[list[Outgoing], list[Outgoing]]:
    """Incidents of November 2021 created at the time, and their grades, which arrived after the month had closed.

    Read in the opposite order, they give a different log of restatements.
    """
    at_ms, told_ms = to_ms("2021-11-20T12:00:00Z"), to_ms("2021-12-09T12:00:00Z")
    return (
        [_incident("created", f"corrected-{n}", at_ms, at_ms, grade="1", area="stoke") for n in range(20)],
        [_incident("graded", f"corrected-{n}", told_ms, told_ms, grade="2") for n in range(20)],
    )


def _incident(what: str, subject: str, at_ms: int, recorded_ms: int, **data: str) -> Outgoing:
    kind, event_id = f"incident.{what}", f"{subject}-{what}"
    event = Sent("incidents", kind, event_id, subject, at_ms, recorded_ms, data, HISTORY)
    return Outgoing("incidents", subject.encode(), value_of(event, recorded_ms), [])


def wrong_by_both(record: Outgoing) -> bool:
    """Whether neither count puts the key into the record's partition."""
    return record.partition not in {partition_of(record.key.decode(), count) for count in (BEFORE, AFTER)}


def placed(sent: list[Outgoing], *counts: int) -> list[Outgoing]:
    """Records as written by producers that know these counts, in turn."""
    return [
        record
        if record.partition is not None
        else replace(record, partition=where(record, counts[i % len(counts)] if record.stream in ADDED else BEFORE))
        for i, record in enumerate(sent)
    ]


def where(record: Outgoing, count: int) -> int:
    """The partition of a record; the first one for a key that is not text."""
    try:
        return partition_of((record.key or b"").decode(), count)
    except UnicodeDecodeError:
        return 0


class Repartitioned(RebuiltForce):
    """A force some of whose topics have got more partitions."""

    def _places(self, stream: str) -> list[TopicPartition]:
        count = AFTER if stream in ADDED else BEFORE
        return [TopicPartition(self.settings.topic(stream), number) for number in range(count)]


async def add_partitions(force: RebuiltForce, added: Sequence[str] = ADDED) -> int:
    """Add them; returns when that was done, in ms since the epoch."""
    admin = AIOKafkaAdminClient(bootstrap_servers=force.settings.kafka)
    await admin.start()
    try:
        await admin.create_partitions({force.settings.topic(stream): NewPartitions(AFTER) for stream in added})
    finally:
        await admin.close()
    return now_ms()


def wrong(force: RebuiltForce, began_ms: int) -> list[str]:
    """Where Redis differs from what the oracle computes from the log."""
    expected, _ = expected_of(force.settings, asyncio.run(force.log()), now_ms())
    found = content_of(force.client, force.settings.force)
    passing = ending_between(expected, began_ms, now_ms() + 60_000)
    return differences(without_buckets(found, passing), without_buckets(expected, passing))


def fresh_ms(force: RebuiltForce, stream: str) -> list[int]:
    """T of each partition that Redis has."""
    keys = force.client.scan_iter(f"{{{force.settings.force}}}:partition:{force.settings.topic(stream)}:*")
    return [int(force.client.hget(key, "fresh_ms") or 0) for key in keys]


def test_four_partitions_become_six_under_traffic(
    kafka: KafkaServer, redis_server: RedisServer, tmp_path: Path
) -> None:
    """Nothing wrong is published, the other streams continue, and a rebuild takes everything in order of time."""
    began_ms = now_ms()
    settings = settings_on(
        kafka, redis_server, partitions=BEFORE, partitions_settle_s=SETTLE_S, health_port=free_port(),
        exporter_port=free_port(),
    )  # fmt: skip
    force = RebuiltForce(settings, redis_server.client(), tmp_path)
    said = f"topic {settings.topic('calls')} has 6 partitions, but this force's figures were computed from 4"
    sent = records(began_ms)
    first, second, third = (sent[i : i + EVENTS // 3] for i in range(0, EVENTS, EVENTS // 3))
    created, graded = corrected()
    exporter = Process("exporter", settings, tmp_path / "exporter.log")

    async def under_traffic() -> int:
        await ensure_topics(settings)
        await force.send(placed([*first, *created], BEFORE))
        with force.worker(health_port=settings.health_port) as worker, exporter:
            await force.until_applied(worker)
            await until_page_says('watchroom_stream_withheld{stream="calls"} 0', 20, "/metrics", settings.exporter_port)
            sending = asyncio.create_task(force.send(placed(second[:100], BEFORE)))
            added_ms = await add_partitions(force)
            await sending
            await force.send(placed(graded, AFTER))
            await force.send(placed(second[100:], AFTER, BEFORE))  # some producers know the new count, some do not yet
            withheld = 'watchroom_stream_withheld{stream="calls"} 1'
            await until_page_says(withheld, WITHHELD_WITHIN_S, "/metrics", settings.exporter_port)
            await until_page_says(said, WITHHELD_WITHIN_S, "/readyz", settings.health_port)
            why = f"{settings.topic('calls')} has had 6 partitions since"
            await until_page_says(why, WITHHELD_WITHIN_S, "/healthz", settings.exporter_port)
            metrics = page(settings.exporter_port, "/metrics")
            assert 'watchroom_stream_withheld{stream="crimes"} 0' in metrics
            assert "watchroom_crime_recorded" in metrics
            assert "watchroom_call_volume" not in metrics
            assert await is_applied_soon(force, worker, "crimes", "contacts")
            assert max(fresh_ms(force, "calls")) <= added_ms
        with force.worker(health_port=settings.health_port) as worker:  # such a worker refuses the stream
            assert said in page(settings.health_port, "/readyz")
            assert await is_applied_soon(force, worker, "crimes")
        await force.until_nobody_is_in_the_group()
        return added_ms

    added_ms = asyncio.run(under_traffic())
    force.half_a_minute_passes()
    time.sleep(max(0.0, added_ms / 1000 + SETTLE_S + 1 - time.time()))  # the moment that the rebuild waits for
    done = force.run("rebuild")
    assert done.code == 0, done.said
    after = Repartitioned(settings, force.client, tmp_path)
    assert not wrong(after, began_ms)

    async def go_on() -> None:
        await after.send(placed(third, AFTER))
        with after.worker() as worker:
            await after.until_applied(worker)
        await after.until_nobody_is_in_the_group()

    asyncio.run(go_on())
    assert not wrong(after, began_ms)
    live = after.dump()
    after.half_a_minute_passes()
    done = after.run("rebuild")
    assert done.code == 0, done.said
    assert not wrong(after, began_ms)
    assert after.dump().keys() == live.keys()


async def is_applied_soon(force: RebuiltForce, worker: Process, *streams: str) -> bool:
    """Whether these streams are applied within some seconds."""
    async with asyncio.timeout(20):
        while not await force.is_applied(streams):
            worker.check()
            await asyncio.sleep(0.1)
    return True


def test_a_worker_with_no_other_stream_exits_with_2_and_so_does_every_later_one(
    real_stack: Stack, tmp_path: Path
) -> None:
    """Its supervisor and its log say that a person must rebuild; what it found is stored for the rebuild."""
    settings = real_stack.settings(partitions=BEFORE, streams=("calls",))
    force, added = RebuiltForce(settings, Redis.from_url(real_stack.redis_url), tmp_path), ("calls",)
    said = f"topic {settings.topic('calls')} has 6 partitions, but this force's figures were computed from 4"
    asyncio.run(ensure_topics(settings))
    for number in range(2):
        log = tmp_path / f"worker-{number}.log"
        with WorkerProcess(real_stack, log, partitions=BEFORE, streams="calls") as worker:
            if number == 0:
                worker.until_ready()
                added_ms = asyncio.run(add_partitions(force, added))
            assert worker.exit_code() == 2
        assert said in log.read_text()
        assert "run `watchroom rebuild`" in log.read_text()
    known = PartitionCountStore(real_stack.redis_url, settings.force).read()[settings.topic("calls")]
    assert [count.partitions for count in known.counts] == [BEFORE, AFTER]
    assert abs(known.counts[1].from_ms - added_ms) < 1_000 * WITHHELD_WITHIN_S
