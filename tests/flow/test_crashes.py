"""Crashes do not matter: SIGKILLs, a change of owner and a Redis that goes back, and every figure is right.

One run on a real Kafka and a real Redis: 40,000 records over 40 s. What Kafka holds in the end is read
back and recomputed by the oracle; all of Redis must equal it. A naive counter in the same run does not.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from tests.flow.crash_run import Child, PartitionKey, StepSeen, Watch, produce, read_all, until, until_died
from tests.flow.naive_counter import KEY as NAIVE
from tests.flow.servers import RedisServer, Stack
from tests.oracle.facts import Sent
from tests.oracle.recompute import Content, differences, recompute, refusal
from tests.oracle.scales import buckets_of
from tests.oracle.traffic import HISTORY, REFUSED, traffic
from tests.oracle.wire import content_of, sent_of, without_buckets
from watchroom.demo.processes import environment
from watchroom.demo.server import free_port
from watchroom.kafka.topics import ensure_topics
from watchroom.settings import Settings
from watchroom.streams import STREAMS

EVENTS, FOR_S, SEED = 40_000, 40.0, 20_211_031
LAG = 200  # records behind, when a worker is killed
BACKLOG = 10  # records that were waiting in a partition when its new owner took over
SEEN_MS = 200  # a step's records had been appended at least this long before it
SOURCES = {stream: {HISTORY: {"heartbeats": False, "history": True}} for stream in STREAMS}

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(400)]


class Run:
    """The processes of one run."""

    def __init__(self, stack: Stack, redis_server: RedisServer, folder: Path) -> None:
        self.settings = stack.settings(sources=SOURCES, streams=tuple(STREAMS), step_events=200)
        self.redis_server = redis_server
        self.folder = folder
        self.steps = folder / "steps"
        self.a, self.b = self._worker("a"), self._worker("b")
        topics = [self.settings.topic(stream) for stream in STREAMS]
        self.naive = Child(
            "the naive counter",
            ["tests.flow.naive_counter", stack.kafka, stack.redis_url, *topics, f"{stack.name}-naive"],
            {**os.environ, "PYTHONPATH": "services:."}, folder / "naive.log",
        )  # fmt: skip
        self.lags: list[int] = []

    def _worker(self, name: str) -> Child:
        more = {"worker_name": name, "health_port": free_port()}
        settings = self.settings.model_copy(update=more)
        given = {**os.environ, **environment(settings), "PYTHONPATH": "services:."}
        return Child(
            f"worker {name}", ["tests.flow.observed_worker", str(self.steps)], given, self.folder / f"{name}.log"
        )

    def end(self) -> None:
        """Leave nothing running."""
        for child in (self.a, self.b, self.naive):
            if child.gone() is None and child._process is not None:
                child.kill()

    async def kill(self, watch: Watch, victim: Child, *others: Child) -> None:
        """SIGKILL a worker and the naive counter while there is lag; start both again."""
        lag = 0
        while not lag:  # it is paused during the check: a worker can catch up in the time that a check takes
            victim.go_on()
            await watch.until_lag(LAG, victim, *others)
            victim.hold()
            lag = await watch.lag()
        victim.kill()
        self.naive.kill()
        self.lags.append(lag)
        victim.start()
        self.naive.start()

    async def dies(self, watch: Watch, where: str) -> None:
        """Worker a runs until it kills itself at this point."""
        self.a.start(where)
        await until_died(self.a)
        self.lags.append(await watch.lag())


@pytest.fixture
def run(real_stack: Stack, redis_server: RedisServer, tmp_path: Path) -> Iterator[Run]:
    """A run that leaves nothing behind."""
    made = Run(real_stack, redis_server, tmp_path)
    try:
        yield made
    finally:
        made.end()


async def crash_course(run: Run, watch: Watch) -> None:
    """Five kills, an owner that changes, and a Redis that goes back, while records come in."""
    began_s = time.monotonic()

    async def at(second: float) -> None:
        await asyncio.sleep(max(0.0, began_s + second - time.monotonic()))

    run.naive.start()
    await run.dies(watch, "after_dead_letters")
    await run.dies(watch, "after_step")
    run.a.start()
    await run.kill(watch, run.a)
    await at(12)
    run.b.start("late_start")
    await until_both_apply(watch, run.a, run.b)
    await at(20)
    snapshot = await asyncio.to_thread(run.redis_server.snapshot)
    at_snapshot = watch.applied()
    await run.kill(watch, run.b, run.a)
    await watch.until_applied_beyond(at_snapshot + LAG, run.a, run.b)  # else the restore would take nothing back
    await asyncio.to_thread(run.redis_server.restore, snapshot)
    await at(32)
    await run.kill(watch, run.a, run.b)


async def until_both_apply(watch: Watch, *workers: Child) -> None:
    """Wait until the worker that joined late has applied a record."""
    pids = {worker.process.pid for worker in workers}

    async def seen() -> int:
        return len(pids & {step.pid for step in watch.steps()})

    await until("steps of both workers", lambda count: count == len(pids), seen, *workers)


async def test_no_crash_rebalance_or_rollback_changes_a_figure(run: Run) -> None:
    """A wrong number is the worst fault; the oracle, the log and the letters must all agree."""
    settings, client = run.settings, run.redis_server.client()
    began_ms = int(time.time() * 1000)
    records = traffic(SEED, EVENTS, began_ms, settings.partitions)
    await ensure_topics(settings)
    async with AIOKafkaConsumer(bootstrap_servers=settings.kafka) as consumer:
        watch = Watch(settings, client, consumer, run.steps)
        producing = asyncio.create_task(produce(settings, records, FOR_S))
        crashing = asyncio.create_task(crash_course(run, watch))
        await asyncio.gather(producing, crashing)
        await watch.until_applied(run.a, run.b)
        ends = await watch.ends()
        assert watch.stored() == ends
    now_ms = int(time.time() * 1000)
    log = {stream: await read_all(settings.kafka, watch.of_stream(stream)) for stream in STREAMS}
    expected, letters = expected_of(settings, log, now_ms)
    found = content_of(client, settings.force)
    counted: Any = client.hgetall(NAIVE)
    naive = {topic.decode(): int(count) for topic, count in counted.items()}
    client.close()

    assert sum(ends.values()) == EVENTS
    going = ending_between(expected, began_ms, now_ms + 60_000)
    lines = differences(without_buckets(found, going), without_buckets(expected, going))
    assert not lines, f"{len(lines)} differences\n" + "\n".join(lines[:40])
    assert len(run.lags) == 5
    assert min(run.lags) > 0
    steps = watch.steps()
    assert max(handed_over(steps, log)) >= BACKLOG, "no partition with lag changed its owner"
    assert went_back(steps) > 0, "Redis was put back, and no offset was applied again"
    sent = await letters_in_kafka(settings)
    assert set(sent) == letters
    assert len(sent) > len(letters), "the worker died between letter and step, and no letter was sent again"
    in_log = Counter({settings.topic(stream): sum(map(len, log[stream].values())) for stream in STREAMS})
    assert naive != in_log, "a naive counter came out right: this run did not test much"
    assert (run.a.stop(), run.b.stop()) == (0, 0)
    assert min(map(len, (expected.restatements, expected.open, expected.dead_letters))) > 3
    assert sum(expected.ignored_fields.values()) > 3


def expected_of(
    settings: Settings, log: dict[str, dict[PartitionKey, list[ConsumerRecord]]], now_ms: int
) -> tuple[Content, set[tuple[str, int, int]]]:
    """The oracle's content and the identities of all dead letters, from what the broker holds."""
    events: list[Sent] = []
    refused: Counter[tuple[str, str]] = Counter()
    letters: set[tuple[str, int, int]] = set()
    for stream, places in log.items():
        # in order of time: each partition's order, and that of a key which has moved to another partition
        of_stream = [(record.timestamp, *place, record) for place, records in places.items() for record in records]
        for _, topic, partition, record in sorted(of_stream, key=lambda each: (each[0], each[2], each[3].offset)):
            if (reason := dict(record.headers).get(REFUSED)) is not None:
                refused[settings.topic(stream), reason.decode()] += 1
                letters.add((topic, partition, record.offset))
                continue
            event = sent_of(stream, (topic, partition), record, HISTORY)
            events.append(event)
            if refusal(event):
                letters.add((topic, partition, record.offset))
    return recompute(events, now_ms, refused.elements()), letters


async def letters_in_kafka(settings: Settings) -> list[tuple[str, int, int]]:
    """Identities of the letters in the dead-letter topic; a crash may have written one twice."""
    places = [TopicPartition(settings.dead_letter_topic, n) for n in range(settings.partitions)]
    found = []
    for records in (await read_all(settings.kafka, places)).values():
        for record in records:
            said = {name.removeprefix("watchroom-"): value.decode() for name, value in record.headers}
            found.append((said["topic"], int(said["partition"]), int(said["offset"])))
    return found


def by_topic_partition(steps: list[StepSeen]) -> dict[PartitionKey, list[StepSeen]]:
    """Each partition's steps in order."""
    found: dict[PartitionKey, list[StepSeen]] = {}
    for step in steps:
        found.setdefault((step.topic, step.partition), []).append(step)
    return found


def handed_over(steps: list[StepSeen], log: dict[str, dict[PartitionKey, list[ConsumerRecord]]]) -> list[int]:
    """For each partition that went from worker a to b: how many records waited when b took its first step."""
    records = {place: found for places in log.values() for place, found in places.items()}
    return [
        sum(record.offset >= after.base and record.timestamp < after.at_ms - SEEN_MS for record in records[place])
        for place, seen in by_topic_partition(steps).items()
        for before, after in pairwise(seen)
        if (before.worker, after.worker) == ("a", "b")
    ]


def went_back(steps: list[StepSeen]) -> int:
    """Steps that began below where their partition had been: Redis no longer had that progress."""
    return sum(
        after.base < before.next_offset
        for seen in by_topic_partition(steps).values()
        for before, after in pairwise(seen)
    )


def ending_between(content: Content, from_ms: int, to_ms: int) -> set[str]:
    """Buckets whose retention ended while the test ran: whether they were written depends on the second."""
    ending = set()
    for name in content.buckets:
        level, _, start = name.partition(":")
        if level in ("10s", "hour"):
            ending |= {n for n, until_ms in buckets_of(int(start) * 1000) if until_ms and from_ms <= until_ms <= to_ms}
    return ending
