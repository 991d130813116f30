"""Order does not matter, down to the last key: records through the real applier into a real Redis.

Fewer histories than in `test_order.py`, and everything that lies between a record and Redis: parsing,
refusals, steps of a few events, states read back by another worker, the script itself.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis

from tests.flow.servers import RedisServer
from tests.fold.pipeline import SETTINGS, catalogue
from tests.oracle.facts import HELD_MS, Sent
from tests.oracle.histories import TOPIC, TYPES, batches, deliveries, histories, moments
from tests.oracle.recompute import differences, recompute
from tests.oracle.scales import buckets_of
from tests.oracle.wire import content_of, partition_of, refused_records, value_of, without_buckets
from watchroom.errors import Moved
from watchroom.events.record import Record
from watchroom.intake.admission import Refused
from watchroom.intake.batches import RecordBatch
from watchroom.intake.partition import Appliers, PartitionApplier, make_store
from watchroom.kafka.topics import Topics

PARTITIONS = 2
SOON_MS = 120_000  # buckets that Redis expires so soon are not compared: its clock continues while the test runs
PartitionKey = tuple[str, int]


@dataclass
class Log:
    """What the broker holds: records by partition, and what the oracle knows of them."""

    records: dict[PartitionKey, list[Record]] = field(default_factory=lambda: defaultdict(list))
    events: list[Sent] = field(default_factory=list)
    refused: Counter[tuple[str, str]] = field(default_factory=Counter)
    ends: Counter[PartitionKey] = field(default_factory=Counter)

    def append(self, topic_partition: PartitionKey, at_ms: int, key: bytes, value: bytes, *, gap: int = 0) -> int:
        """Append a record, after `gap` offsets that compaction removed; returns its offset."""
        offset = self.ends[topic_partition] + gap
        self.ends[topic_partition] = offset + 1
        self.records[topic_partition].append(Record(offset, at_ms, key, value))
        return offset


@st.composite
def logs(draw: st.DrawFn, delivery: Sequence[Sent]) -> Log:
    """The events in this order in their topics, with gaps, and with records between them that must be refused."""
    log = Log()
    for event in delivery:
        topic, partition = event.topic, partition_of(event.subject, PARTITIONS)
        gap = draw(st.sampled_from((0, 0, 0, 3)))
        offset = log.append((topic, partition), event.arrival_ms, event.subject.encode(), value_of(event), gap=gap)
        log.events.append(replace(event, partition=partition, offset=offset))
        match draw(st.integers(0, 9)):
            case 0:
                bad = draw(st.sampled_from(refused_records(event.stream, event.subject, event.time_ms)))
                log.append((topic, partition), event.arrival_ms, bad.key, bad.value)
                log.refused[topic, bad.reason] += 1
            case 1:
                log.append((topic, 1 - partition), event.arrival_ms, event.subject.encode(), value_of(event))
                log.refused[topic, "wrong_partition"] += 1
            case 2 if event.stream != "returns":  # returns are never late
                late = replace(event, id="late", time_ms=event.time_ms - 40 * 86_400_000)
                log.append((topic, partition), event.arrival_ms, event.subject.encode(), value_of(late))
                log.refused[topic, "late"] += 1
            case 3:
                beat = replace(event, type="feed.heartbeat", subject=event.source, time_ms=event.arrival_ms, data={})
                log.append((topic, partition), event.arrival_ms, event.source.encode(), value_of(beat))
    return log


class Workers:
    """Two workers on one Redis, each with its own applier for every partition."""

    def __init__(self, redis_url: str, force: str, step_events: int) -> None:
        settings = SETTINGS.model_copy(
            update={"redis_url": redis_url, "force": force, "step_events": step_events, "streams": tuple(TYPES)}
        )
        topics = Topics({TOPIC.format(stream): PARTITIONS for stream in TYPES}, {})
        self.store = make_store(settings, catalogue(), topics)
        self.letters: set[tuple[str, int, int]] = set()
        self._make = Appliers(settings, catalogue(), topics, self.store, self._keep)
        self._appliers: dict[tuple[int, PartitionKey], PartitionApplier] = {}

    async def _keep(self, topic: str, partition: int, refused: Sequence[Refused]) -> None:
        self.letters |= {(topic, partition, letter.record.offset) for letter in refused}

    def restart(self, worker: int) -> None:
        """Make it forget all partitions."""
        self._appliers = {owned: applier for owned, applier in self._appliers.items() if owned[0] != worker}

    async def apply(self, worker: int, batch: RecordBatch, now_ms: int) -> None:
        """Apply what Redis does not have of a batch, as a worker does whose step is refused as moved."""
        owned = worker, (batch.topic, batch.partition)
        if owned not in self._appliers:
            self._appliers[owned] = self._make(*owned[1])
            await self._appliers[owned].start()
        applier, stored = self._appliers[owned], batch.base
        while stored < batch.next_offset:
            try:
                await applier.apply(batch, None, now_ms)
            except Moved:
                stored = await applier.start() or 0
            else:
                return


def cut(data: st.DataObject, log: Log) -> list[RecordBatch]:
    """The log in fetches, partition by partition, in any interleaving of the partitions."""
    queues = []
    for (topic, partition), records in log.records.items():
        fetches, base = [], 0
        for part in data.draw(batches(records)):
            fetches.append(RecordBatch(topic, partition, base, part, part[-1].offset + 1))
            base = part[-1].offset + 1
        queues.append(fetches)
    fetched = []
    while queues := [queue for queue in queues if queue]:
        fetched.append(data.draw(st.sampled_from(queues)).pop(0))
    return fetched


async def apply_all(data: st.DataObject, log: Log, workers: Workers, now_ms: int) -> None:
    """Apply every fetch once or more: by either worker, by both in turn, or by both at the same moment."""
    try:
        for batch in cut(data, log):
            match data.draw(st.integers(0, 5)):
                case 0:
                    await asyncio.gather(workers.apply(0, batch, now_ms), workers.apply(1, batch, now_ms))
                case 1:
                    await workers.apply(0, batch, now_ms)
                    await workers.apply(1, batch, now_ms)
                case 2:
                    workers.restart(0)
                    await workers.apply(0, batch, now_ms)
                case worker:
                    await workers.apply(worker % 2, batch, now_ms)
    finally:
        await workers.store.close()


@pytest.mark.slow
@pytest.mark.real
@pytest.mark.timeout(300)
def test_redis_holds_what_the_oracle_computes_for_any_order_repetition_and_batching(
    redis_server: RedisServer,
) -> None:
    """The step, the stored states and changes of owner must not spoil what the fold gets right."""
    client: Redis = redis_server.client()

    @settings(
        max_examples=60 * int(os.environ.get("WATCHROOM_TEST_EXAMPLES", "1")), deadline=None, derandomize=True,
        suppress_health_check=list(HealthCheck), report_multiple_bugs=False,
    )  # fmt: skip
    @given(st.data())
    def holds(data: st.DataObject) -> None:
        client.flushall()
        events = data.draw(histories())
        now_ms = data.draw(moments(events))
        log = data.draw(logs(data.draw(deliveries(events))))
        workers = Workers(redis_server.url, "order", data.draw(st.sampled_from((1, 2, 2000))))
        asyncio.run(apply_all(data, log, workers, now_ms))
        expected = recompute(log.events, now_ms, log.refused.elements())
        found = content_of(client, "order")
        going = [
            name
            for event in events
            for at_ms in (event.time_ms, HELD_MS.get(event.subject.rpartition("|")[2], event.time_ms))
            for name, until_ms in buckets_of(at_ms)
            if until_ms is not None and now_ms < until_ms <= now_ms + SOON_MS
        ]
        lines = differences(without_buckets(found, going), without_buckets(expected, going))
        assert not lines, "\n".join(lines)
        assert len(workers.letters) == log.refused.total()
        stored = {
            topic_partition: client.hget(
                f"{{order}}:partition:{topic_partition[0]}:{topic_partition[1]}", "next_offset"
            )
            for topic_partition in log.ends
        }
        assert stored == {topic_partition: str(end).encode() for topic_partition, end in log.ends.items()}

    try:
        holds()
    finally:
        client.close()
