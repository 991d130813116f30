"""`watchroom rebuild`: this force's figures made anew from the topics, under today's definitions.

It refuses while a worker runs, and where a log no longer reaches back to its beginning: what those
records told is in Redis only, so the months that would be lost are named first.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from watchroom.catalogue.load import load_catalogue
from watchroom.errors import BrokerUnavailable, WorkFailed
from watchroom.events.record import Record
from watchroom.intake.batch import RecordBatch
from watchroom.intake.dead_letters import DeadLetters
from watchroom.intake.partition import PartitionApplier, Refused, SendRefused
from watchroom.intake.pipeline import Appliers, make_store
from watchroom.intake.status import Status
from watchroom.intake.topics import Topics, ensure_topics
from watchroom.rolling.calendar import Calendar
from watchroom.settings import STREAMS, Settings
from watchroom.store.clear import clear
from watchroom.store.read import PartitionState, Reader

RUNNING_WITHIN_MS = 30_000  # a partition fresher than this has a worker
FETCH_RECORDS = 20_000
FETCH_WITHIN_MS = 1_000
NO_ANSWER_WITHIN_S = 60.0

Progress = Callable[[int, int], None]
"""Called with (records applied, records known to be in the log)."""


def rebuild(settings: Settings, lose_before: str | None, progress: Progress) -> int:
    """Clear this force's keys and read its topics from the start; returns how many records were applied.

    Args:
        settings: Which force, broker and Redis.
        lose_before: Months before this one (`2021-04`) may be lost where the log no longer holds them.
        progress: Told how far it is.

    Raises:
        WorkFailed: A worker runs, or months would be lost; nothing was changed.
        BrokerUnavailable, StoreUnavailable: A server did not answer; run it again.
    """
    return asyncio.run(_rebuild(settings, lose_before, progress))


async def _rebuild(settings: Settings, lose_before: str | None, progress: Progress) -> int:
    catalogue = load_catalogue(settings.schemas / "measures", settings.areas)
    topics = await ensure_topics(settings)
    reader = Reader(settings.redis_url, settings.force)
    try:
        stood = reader.partitions()
        refuse_while_running(stood, int(time.time() * 1000))
        await _refuse_members(settings)
        months = reader.months()
    finally:
        reader.close()
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka,
        enable_auto_commit=False,
        auto_offset_reset="none",
        isolation_level="read_committed",  # as the worker reads: an aborted transaction never happened
    )
    status = Status()
    letters = DeadLetters(settings, status)
    store = make_store(settings, catalogue, topics)
    try:
        begins = await _seek_to_beginnings(consumer, settings, topics)
        await _refuse_loss(consumer, begins, months, Calendar(settings.zone), lose_before)
        clear(settings.redis_url, settings.force)
        send = _only_new_letters(letters, stood)
        appliers = Appliers(settings, catalogue, topics, store, send)
        return await _apply_all(consumer, appliers, begins, progress)
    except (KafkaError, OSError) as error:
        raise BrokerUnavailable(f"Kafka at {settings.kafka} did not answer ({type(error).__name__})") from error
    finally:
        await consumer.stop()
        await letters.stop()
        await store.close()


def refuse_while_running(stood: Mapping[tuple[str, int], PartitionState], now_ms: int) -> None:
    """Raise WorkFailed if any partition was fresh so lately that a worker must be running."""
    for (topic, number), state in stood.items():
        if state.fresh_ms is not None and now_ms - state.fresh_ms < RUNNING_WITHIN_MS:
            ago_s = (now_ms - state.fresh_ms) / 1000
            raise WorkFailed(
                f"a worker runs: {topic} partition {number} was fresh {ago_s:.0f} s ago; stop every worker"
                f" of this force, wait {RUNNING_WITHIN_MS // 1000} s, then run `watchroom rebuild` again"
            )


async def _refuse_members(settings: Settings) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka)
    try:
        await admin.start()
        described = await admin.describe_consumer_groups([settings.group])
    except (KafkaError, OSError) as error:
        raise BrokerUnavailable(f"Kafka at {settings.kafka} did not answer ({type(error).__name__})") from error
    finally:
        await admin.close()
    members = [member for answer in described for group in answer.groups for member in _members(group)]
    if members:
        raise WorkFailed(
            f"a worker runs: consumer group {settings.group} has {len(members)} member(s), the first is"
            f" {members[0]}; stop every worker, wait for its session to end"
            f" ({settings.session_timeout_s:.0f} s), then run `watchroom rebuild` again"
        )


def _members(group: Sequence[object]) -> list[str]:
    """Ids of a described group's members: (error, group, state, protocol type, protocol, members, ...)."""
    members = group[5]
    return [str(member[0]) for member in members] if isinstance(members, list | tuple) else []


async def _seek_to_beginnings(
    consumer: AIOKafkaConsumer, settings: Settings, topics: Topics
) -> dict[TopicPartition, int]:
    await consumer.start()
    names = [settings.topic(stream) for stream in STREAMS]
    places = [TopicPartition(topic, number) for topic in names for number in range(topics.partitions[topic])]
    consumer.assign(places)
    begins: dict[TopicPartition, int] = await consumer.beginning_offsets(places)
    for place, offset in begins.items():
        consumer.seek(place, offset)
    return begins


async def _refuse_loss(
    consumer: AIOKafkaConsumer,
    begins: Mapping[TopicPartition, int],
    months: Sequence[str],
    calendar: Calendar,
    lose_before: str | None,
) -> None:
    """Raise WorkFailed where a log begins above 0 and Redis holds months that its lost records told of."""
    lost: set[str] = set()
    for place, begin in begins.items():
        if begin == 0:
            continue
        if (await consumer.end_offsets([place]))[place] <= begin:
            lost.update(months)  # nothing of it is left
            continue
        found = await consumer.getone(place)
        consumer.seek(place, begin)
        first_kept = calendar.month_of(found.timestamp)
        lost.update(month for month in months if month <= first_kept)
    unaccepted = sorted(month for month in lost if lose_before is None or month >= lose_before)
    if unaccepted:
        after = calendar.months_after(unaccepted[-1], 1)
        raise WorkFailed(
            f"the log no longer begins at offset 0, so months would be lost in whole or part: {', '.join(unaccepted)};"
            f" nothing was changed. To accept that, run `watchroom rebuild --lose-before {after}`"
        )


def _only_new_letters(letters: DeadLetters, stood: Mapping[tuple[str, int], PartitionState]) -> SendRefused:
    """Letters of records that a worker had applied before are in their topic already."""

    async def send(topic: str, partition: int, refused: Sequence[Refused]) -> None:
        state = stood.get((topic, partition))
        from_offset = (state.next_offset or 0) if state else 0
        await letters.send(topic, partition, [one for one in refused if one.record.offset >= from_offset])

    return send


async def _apply_all(
    consumer: AIOKafkaConsumer, make: Appliers, begins: Mapping[TopicPartition, int], progress: Progress
) -> int:
    """Apply until every partition stands at the log's end that its fetches show."""
    appliers: dict[TopicPartition, PartitionApplier] = {}
    stands = dict(begins)
    for place in begins:
        appliers[place] = make(place.topic, place.partition)
        await appliers[place].start()
        await appliers[place].begin(begins[place], int(time.time() * 1000))
    applied, heard_at_s = 0, time.monotonic()
    while any(consumer.highwater(place) is None or stands[place] < consumer.highwater(place) for place in begins):
        fetched = await consumer.getmany(timeout_ms=FETCH_WITHIN_MS, max_records=FETCH_RECORDS)
        for place, base in stands.items():
            # the position, not the last record's offset: compaction and markers leave gaps, at the end too
            batch = _batch(place, base, fetched.get(place, ()), await consumer.position(place))
            if batch.next_offset > base:
                await appliers[place].apply(batch, None, int(time.time() * 1000))
                stands[place] = batch.next_offset
                heard_at_s = time.monotonic()
            applied += len(batch.records)
        if time.monotonic() - heard_at_s > NO_ANSWER_WITHIN_S:
            raise WorkFailed(f"Kafka gave no records for {NO_ANSWER_WITHIN_S:.0f} s; run `watchroom rebuild` again")
        progress(applied, sum((consumer.highwater(place) or 0) - begin for place, begin in begins.items()))
    return applied


def _batch(place: TopicPartition, base: int, records: Sequence[ConsumerRecord], next_offset: int) -> RecordBatch:
    return RecordBatch(
        place.topic,
        place.partition,
        base,
        [Record(r.offset, r.timestamp, r.key, r.value, tuple(r.headers)) for r in records],
        next_offset,
    )
