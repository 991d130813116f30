"""The record-batch consumer on a real broker: nothing lost, nothing applied twice, whatever happens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from itertools import pairwise

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from tests.flow.servers import Stack
from tests.intake.recorder import Recorder, consuming
from watchroom.errors import RebuildNeeded
from watchroom.intake.batches import RecordBatch
from watchroom.intake.fetching import MOST_RECORDS
from watchroom.kafka.topics import ensure_topics
from watchroom.settings import Settings

pytestmark = pytest.mark.timeout(90)


@pytest.fixture
def settings(real_stack: Stack) -> Settings:
    """Two partitions per topic, short timers."""
    return real_stack.settings(partitions=2, touch_s=0.2)


def calls(settings: Settings, partition: int = 0) -> tuple[str, int]:
    """A partition of the calls' topic."""
    return settings.topic("calls"), partition


async def produce(settings: Settings, values: Sequence[bytes], partition: int = 0, key: bytes = b"k") -> int:
    """Send records to one partition of the calls; returns the log's end after them."""
    async with AIOKafkaProducer(bootstrap_servers=settings.kafka) as producer:
        sent = [await producer.send(settings.topic("calls"), value, key, partition) for value in values]
        return int((await asyncio.gather(*sent))[-1].offset) + 1


def numbers(start: int, end: int) -> list[bytes]:
    """Record values that state which offset they should have."""
    return [str(number).encode() for number in range(start, end)]


def chained(batches: Sequence[RecordBatch]) -> bool:
    """Whether each batch begins where the previous one ended."""
    return all(one.next_offset == other.base for one, other in pairwise(batches))


async def test_from_offset_0_every_record_arrives_once_and_in_order(settings: Settings) -> None:
    """A partition without a stored offset starts at the log's beginning; its first offset is 0."""
    await ensure_topics(settings)
    recorder = Recorder()
    end = await produce(settings, numbers(0, 25_000))
    async with consuming(settings, recorder):
        await recorder.until(lambda r: r.stored.get(calls(settings)) == end)
        more = await produce(settings, numbers(25_000, 25_003))
        await recorder.until(lambda r: r.stored.get(calls(settings)) == more)
    assert recorder.offsets(calls(settings)) == list(range(25_003))
    assert [int(r.value or b"") for b in recorder.batches for r in b.records] == list(range(25_003))
    assert chained(recorder.batches)
    assert max(len(batch.records) for batch in recorder.batches) <= MOST_RECORDS


async def test_a_first_batch_that_ends_at_offset_0_is_committed_too(settings: Settings) -> None:
    """Faust takes offset 0 for none and would never commit this partition again; lag tools would raise alarms."""
    await ensure_topics(settings)
    recorder = Recorder()
    async with consuming(settings, recorder):
        for _ in range(2):
            end = await produce(settings, [b"one"])
            await until(lambda: recorder.stored.get(calls(settings)) == end)  # noqa: B023 - awaited in this same iteration
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.kafka, group_id=settings.group)
    await consumer.start()
    try:
        assert await consumer.committed(TopicPartition(*calls(settings))) == 2
    finally:
        await consumer.stop()


@pytest.mark.parametrize("stored", [30, 90], ids=["behind", "ahead"])
async def test_a_worker_starts_at_the_offset_in_redis_whatever_kafka_has_committed(
    settings: Settings, stored: int
) -> None:
    """Kafka's commit is only a hint: if Redis is behind it, records are applied; if ahead, none is applied twice."""
    await ensure_topics(settings)
    end = await produce(settings, numbers(0, 100))
    async with AIOKafkaConsumer(bootstrap_servers=settings.kafka, group_id=settings.group) as consumer:
        consumer.assign([TopicPartition(*calls(settings))])
        await consumer.commit({TopicPartition(*calls(settings)): 60})
    recorder = Recorder(stored={calls(settings): stored})
    async with consuming(settings, recorder):
        await recorder.until(lambda r: r.stored[calls(settings)] == end)
    assert recorder.offsets(calls(settings)) == list(range(stored, 100))


async def test_gaps_left_by_compaction_are_skipped_and_the_end_is_reached(settings: Settings) -> None:
    """Compaction leaves gaps, also at the end of what is fetched; each batch says where it ended."""
    topic = settings.topic("calls")
    compact = {
        "cleanup.policy": "compact",
        "segment.ms": "100",
        "min.cleanable.dirty.ratio": "0.001",
        "min.compaction.lag.ms": "0",
        "max.compaction.lag.ms": "100",
    }
    await create(settings, NewTopic(topic, 2, 1))
    await ensure_topics(settings)
    await configure(settings, topic, compact)  # a worker refuses to start on a compacted topic
    for start in range(0, 1_000, 100):
        await produce(settings, numbers(start, start + 100), key=b"same")
        await asyncio.sleep(0.12)  # a segment must age before it is rolled and may be compacted
    end = await produce(settings, [b"last"], key=b"other")
    kept = await until_compacted(settings, fewer_than=600)
    recorder = Recorder()
    async with consuming(settings, recorder):
        await recorder.until(lambda r: r.stored.get(calls(settings)) == end)
        await recorder.until(lambda r: r.fresh_ms.get(calls(settings)) is not None)
    assert len(recorder.offsets(calls(settings))) <= kept < end - 1
    assert recorder.offsets(calls(settings)) == sorted(set(recorder.offsets(calls(settings))))
    assert chained(recorder.batches)


async def create(settings: Settings, topic: NewTopic) -> None:
    """Create a topic before the worker would."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka)
    await admin.start()
    await admin.create_topics([topic])
    await admin.close()


async def configure(settings: Settings, topic: str, configs: dict[str, str]) -> None:
    """Change the settings of a topic."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka)
    await admin.start()
    await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, configs)])
    await admin.close()


async def until_compacted(settings: Settings, fewer_than: int) -> int:
    """Wait until the broker has compacted the calls; returns how many records are left."""
    async with asyncio.timeout(40):
        while True:
            consumer = AIOKafkaConsumer(bootstrap_servers=settings.kafka, auto_offset_reset="earliest")
            await consumer.start()
            place = TopicPartition(*calls(settings))
            consumer.assign([place])
            left, end = 0, (await consumer.end_offsets([place]))[place]
            while await consumer.position(place) < end:
                left += sum(map(len, (await consumer.getmany(timeout_ms=500)).values()))
            await consumer.stop()
            if left < fewer_than:
                return left
            await asyncio.sleep(0.2)


async def test_transaction_markers_are_gaps_and_aborted_events_are_ignored(settings: Settings) -> None:
    """A log that ends in a marker is applied to its end, or the partition would never be fresh again."""
    await ensure_topics(settings)
    recorder = Recorder()
    async with consuming(settings, recorder):
        async with AIOKafkaProducer(bootstrap_servers=settings.kafka, transactional_id=settings.group) as producer:
            for value, commits in ((b"kept", True), (b"dropped", False), (b"kept too", True), (b"dropped", False)):
                await producer.begin_transaction()
                await producer.send_and_wait(settings.topic("calls"), value, partition=0)
                await (producer.commit_transaction() if commits else producer.abort_transaction())
        await recorder.until(lambda r: r.stored.get(calls(settings)) == 8)
        await recorder.until(lambda r: r.fresh_ms.get(calls(settings)) is not None)
    assert [r.value for b in recorder.batches for r in b.records] == [b"kept", b"kept too"]
    assert chained(recorder.batches)


async def test_when_redis_goes_back_the_worker_goes_back_without_a_restart(settings: Settings) -> None:
    """In the middle of a run, with batches queued and under way: from Redis's offset on, each record once."""
    await ensure_topics(settings)
    recorder = Recorder()
    went_back: list[int] = []

    def go_back(batch: RecordBatch) -> None:
        if batch.base > 500 * (len(went_back) + 1) and len(went_back) < 3:
            went_back.append(batch.base)
            recorder.go_back(calls(settings), batch.base - 450)

    recorder.before = go_back
    async with consuming(settings, recorder) as intake:
        for start in range(0, 3_000, 100):
            end = await produce(settings, numbers(start, start + 100))
        await recorder.until(lambda r: r.stored[calls(settings)] == end)
        assert intake.status.counts["moved"] == len(went_back) == 3
    assert recorder.held[calls(settings)] == list(range(end))


async def test_an_idle_partition_notices_that_redis_went_back(settings: Settings) -> None:
    """No event arrives that would reveal it; the timer does."""
    await ensure_topics(settings)
    recorder = Recorder()
    async with consuming(settings, recorder):
        end = await produce(settings, numbers(0, 100))
        await recorder.until(lambda r: r.stored.get(calls(settings)) == end)
        recorder.go_back(calls(settings), 40)
        await recorder.until(lambda r: r.stored[calls(settings)] == end)
    assert recorder.offsets(calls(settings))[100:] == list(range(40, 100))


async def test_an_error_in_a_batch_stops_the_worker_and_nothing_more_is_applied(settings: Settings) -> None:
    """Faust would acknowledge the batch and continue with the next; here the error ends the worker."""
    await ensure_topics(settings)
    recorder = Recorder()

    def fail(batch: RecordBatch) -> None:
        if any(record.value == b"poison" for record in batch.records):
            raise ZeroDivisionError

    recorder.before = fail
    async with consuming(settings, recorder) as intake:
        end = await produce(settings, numbers(0, 10))
        await recorder.until(lambda r: r.stored.get(calls(settings)) == end)
        await produce(settings, [b"poison"])
        await asyncio.wait_for(intake.failed.wait(), 20)
        await produce(settings, numbers(11, 20))
        await asyncio.sleep(0.5)  # nothing should happen: there is no condition to wait for
        assert isinstance(intake.failure, ZeroDivisionError)
    assert recorder.offsets(calls(settings)) == list(range(10))
    recorder.before = lambda _: None
    async with consuming(settings, recorder):
        await recorder.until(lambda r: r.stored[calls(settings)] == 20)
    assert recorder.offsets(calls(settings)) == list(range(20))


async def test_two_workers_share_and_hand_over_partitions_without_loss(settings: Settings) -> None:
    """One joins late while there is lag, then leaves; partitions change owner twice."""
    await ensure_topics(settings)
    recorder = Recorder()
    ends: dict[int, int] = {}

    async def feed() -> None:
        for start in range(0, 4_000, 50):
            for partition in (0, 1):
                ends[partition] = await produce(settings, numbers(start, start + 50), partition)

    feeding = asyncio.create_task(feed())
    async with consuming(settings.model_copy(update={"worker_name": "one"}), recorder) as one:
        await recorder.until(lambda r: len(r.batches) > 5)
        async with consuming(settings.model_copy(update={"worker_name": "two"}), recorder) as two:
            await until(lambda: bool(list(one.assignment)) and bool(list(two.assignment)))
            await recorder.until(lambda r: len(r.batches) > 40)
        await feeding
        await recorder.until(lambda r: all(r.stored.get(calls(settings, p)) == ends[p] for p in (0, 1)), 60)
        assert one.failure is None
        assert two.failure is None
    for partition in (0, 1):
        assert recorder.held[calls(settings, partition)] == list(range(4_000))


async def until(done: Callable[[], bool], within_s: float = 30) -> None:
    """Wait for a condition by polling."""
    async with asyncio.timeout(within_s):
        while not done():  # noqa: ASYNC110 - the assigned partitions of a worker announce nothing
            await asyncio.sleep(0.05)


async def test_records_the_log_no_longer_holds_are_counted_and_the_rest_is_applied(settings: Settings) -> None:
    """Redis is below the log's beginning (retention passed during an outage): report it, and continue."""
    await ensure_topics(settings)
    end = await produce(settings, numbers(0, 100))
    await delete_below(settings, 70)
    recorder = Recorder(stored={calls(settings): 20})
    async with consuming(settings, recorder) as intake:
        await recorder.until(lambda r: r.stored[calls(settings)] == end)
        assert intake.status.counts["lost_offsets"] == 50
    assert recorder.lost == {calls(settings): (20, 70)}
    assert recorder.offsets(calls(settings)) == list(range(70, 100))


async def delete_below(settings: Settings, offset: int) -> None:
    """Make the log of calls 0 begin at `offset`."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka)
    await admin.start()
    await admin.delete_records({TopicPartition(*calls(settings)): RecordsToDelete(before_offset=offset)})
    await admin.close()


async def test_a_stored_offset_above_the_end_of_the_log_needs_a_rebuild(settings: Settings) -> None:
    """The topic was deleted and created again: jumping to its end or its beginning would be a silent reset."""
    await ensure_topics(settings)
    await produce(settings, numbers(0, 10))
    recorder = Recorder(stored={calls(settings): 500})
    async with consuming(settings, recorder) as intake:
        await asyncio.wait_for(intake.failed.wait(), 30)
        assert isinstance(intake.failure, RebuildNeeded)
        assert "offset 500" in str(intake.failure)
        assert "watchroom rebuild" in str(intake.failure)
    assert recorder.offsets(calls(settings)) == []
    assert recorder.stored[calls(settings)] == 500
