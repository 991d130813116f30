"""`watchroom rebuild`: counts this force's figures again from the topics, under today's definitions.

It refuses to run while a worker runs. It also refuses if a log no longer reaches back to its beginning, and names the
months that would be lost: only Redis still has what the deleted records said.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition

from watchroom.catalogue.load import load_catalogue
from watchroom.errors import BrokerUnavailable, Moved, StoreUnavailable, WorkFailed
from watchroom.events.partitioner import CountInUse
from watchroom.intake.admission import Refused, SendRefused
from watchroom.intake.batches import Merge, RecordBatch, batches_of
from watchroom.intake.dead_letters import DeadLetters
from watchroom.intake.health import Status
from watchroom.intake.letters import Identity, identities, identity_of
from watchroom.intake.partition import Appliers, PartitionApplier, make_store
from watchroom.intake.partition_counts import Held, counts_before, counts_of, dated, in_use, refuse_early
from watchroom.intake.rebuild_checks import (
    REQUEST_TIMEOUT_MS,
    LogStart,
    look_at_logs,
    look_at_redis,
    other_logs,
    refuse_loss,
    refuse_members,
    refuse_open_transactions,
    refuse_while_running,
)
from watchroom.kafka import clients
from watchroom.kafka.topics import Topics, ensure_topics, stamped_by_broker
from watchroom.rolling.calendar import Calendar
from watchroom.settings import Settings
from watchroom.store.clear import clear
from watchroom.store.partition_counts import PartitionCounts, PartitionCountStore
from watchroom.store.read import Reader
from watchroom.streams import STREAMS
from watchroom.timing import Pause, insist, now_ms

FETCH_RECORDS = 20_000
FETCH_WITHIN_MS = 1_000
NO_ANSWER_WITHIN_S = 60.0
RETRY_S = 0.5
RETRY_FOR_S = 15.0  # if a server does not answer for so long, the work has failed
UNFINISHED = "the rebuild is not finished: run `watchroom rebuild` again"

Progress = Callable[[int, int], None]
"""Called with (offsets done, offsets known to be in the logs)."""


class Rebuilt(NamedTuple):
    """What a rebuild did."""

    records: int
    refused: int  # of them: dead letters


def rebuild(
    settings: Settings, lose_before: str | None, progress: Progress, partitions_before: Sequence[str] = ()
) -> Rebuilt:
    """Clear this force's keys and read its topics from the start.

    Args:
        settings: Which force, broker and Redis.
        lose_before: Months before this one (`2021-04`) may be lost if the log no longer holds them.
        progress: Called as it goes on.
        partitions_before: Earlier partition counts that Redis does not know: `calls=4`.

    Raises:
        WorkFailed: A worker runs, or months would be lost; nothing was changed.
        BrokerUnavailable, StoreUnavailable: A server did not answer; run it again.
        ConfigurationInvalid: The catalogue cannot be used, or `partitions_before` fits no topic.
    """
    return asyncio.run(_rebuild(settings, lose_before, progress, partitions_before))


async def _rebuild(
    settings: Settings, lose_before: str | None, progress: Progress, partitions_before: Sequence[str]
) -> Rebuilt:
    catalogue = load_catalogue(settings.schemas / "measures", settings.areas)
    redis = look_at_redis(settings)
    settings = _with_held(settings, redis)
    topics = await ensure_topics(settings)
    topics_fed = _only_events(topics, settings)
    before = counts_before(partitions_before, settings.topics, topics_fed.partitions)
    counts = counts_of(topics_fed, redis, before)
    refuse_while_running(redis.states, now_ms())
    await refuse_members(settings)
    sent = await identities(settings)
    letters = DeadLetters(settings, Status())
    store = make_store(settings, catalogue, topics)
    noted = PartitionCountStore(settings.redis, settings.force)
    settle_ms = round(settings.partitions_settle_s * 1000)
    try:
        async with clients.open_consumer(
            settings,
            auto_offset_reset="none",
            isolation_level="read_committed",  # as the worker reads: an aborted transaction never happened
            request_timeout_ms=REQUEST_TIMEOUT_MS,
        ) as consumer:
            starts = await _logs(consumer, settings, topics)
            if several := [topic for topic, known in counts.items() if len(known.counts) > 1]:
                counts = await dated(consumer, counts, await stamped_by_broker(settings, several))
            for topic in several:  # before anything is refused: the next try must know when the count was first seen
                noted.replace(topic, counts[topic])
            await refuse_open_transactions(consumer, starts, settings.kafka_tools)
            refuse_early(counts, settle_ms, now_ms())
            refuse_loss(
                starts,
                other_logs(starts, redis, topics),
                redis.months,
                Calendar(settings.zone),
                future_ms=round(settings.future_s * 1000),
                lose_before=lose_before,
            )
            for topic, known in counts.items():
                noted.replace(topic, replace(known, is_rebuilding=topic in several))
            clear(settings.redis, settings.force)
            appliers = Appliers(settings, catalogue, topics, store, _only_new(letters, sent))
            work = _Work(consumer, appliers, starts, progress)
            await work.begin()
            for topic in several:
                known = counts[topic]
                merged = await work.merge(topic, known, in_use(known.counts, settle_ms))
                noted.replace(topic, replace(known, is_rebuilding=False, merged=merged))
            records = await work.run()
    finally:
        noted.close()
        await letters.stop()
        await store.close()
    with closing(Reader(settings.redis, settings.force)) as reader:
        return Rebuilt(records, sum(reader.dead_letters().values()))


def _with_held(settings: Settings, redis: Held) -> Settings:
    """Settings with every stream that Redis holds, fed or not: all are cleared, so all must be counted again."""
    held = [stream for stream in STREAMS if stream in settings.streams or settings.topic(stream) in redis.partitions]
    return settings.model_copy(update={"streams": tuple(held)})


def _only_events(topics: Topics, settings: Settings) -> Topics:
    """Without the topic of dead letters, which belongs to no stream."""
    fed = settings.topics.values()
    return replace(topics, partitions={topic: topics.partitions[topic] for topic in fed})


async def _logs(consumer: AIOKafkaConsumer, settings: Settings, topics: Topics) -> list[LogStart]:
    """Every partition's log; the consumer's position is at each beginning."""
    partitions = [
        TopicPartition(topic, number)
        for topic in settings.topics.values()
        for number in range(topics.partitions[topic])
    ]
    consumer.assign(partitions)
    begins: dict[TopicPartition, int] = await consumer.beginning_offsets(partitions)
    for tp, offset in begins.items():
        consumer.seek(tp, offset)
    return await look_at_logs(consumer, begins)


def _only_new(letters: DeadLetters, sent: set[Identity]) -> SendRefused:
    """Sends only letters that are not in their topic yet: a worker has sent most of them already."""

    async def send(topic: str, partition: int, refused: Sequence[Refused]) -> None:
        await letters.send(topic, partition, [one for one in refused if identity_of(topic, partition, one) not in sent])

    return send


class _Work:
    """Reads and applies all logs, after Redis was cleared."""

    def __init__(
        self, consumer: AIOKafkaConsumer, make: Appliers, starts: Sequence[LogStart], progress: Progress
    ) -> None:
        self._consumer = consumer
        self._make = make
        self._begins = {start.topic_partition: start.begin for start in starts}
        self._ends: dict[TopicPartition, int] = {start.topic_partition: start.end for start in starts}
        self._next_offsets: dict[TopicPartition, int] = dict(self._begins)  # everything below is applied
        self._appliers = {tp: make(*tp) for tp in self._begins}
        self._progress = progress
        self._applied = 0  # records
        self._progress_at_s = time.monotonic()

    async def begin(self) -> None:
        """Write to Redis where every log begins."""
        for tp, applier in self._appliers.items():
            await _insist(tp, applier.start)
            await _insist(tp, partial(applier.begin, self._begins[tp], now_ms()))
        self._progress_at_s = time.monotonic()

    async def merge(self, topic: str, known: PartitionCounts, counts: Sequence[CountInUse]) -> dict[int, int]:
        """Apply a topic that has had several partition counts in order of time, up to the ends of its logs.

        Every key that is written later is in one partition, so from there on each partition can be read by itself.
        Where an earlier rebuild has merged up to some offsets, workers went on from there, and so does this one.

        Returns:
            By partition: the offset below which everything is applied.
        """
        partitions = {tp.partition: tp for tp in self._begins if tp.topic == topic}
        ends = dict(known.merged) or {number: self._ends[tp] for number, tp in partitions.items()}
        since_ms = {number: next(each.from_ms for each in counts if each.partitions > number) for number in partitions}
        merge = Merge(topic, {number: self._begins[tp] for number, tp in partitions.items()}, ends, since_ms)
        appliers = self._make.merging(topic, counts)
        for number, applier in appliers.items():
            await _insist(partitions[number], applier.start)
        while not merge.is_done:
            if wanted := merge.wanted():
                fetched = await self._fetch({partitions[number]: base for number, base in wanted.items()})
                for tp, batch in fetched.items():
                    merge.add(tp.partition, batch.records, batch.next_offset)
            while batches := merge.take():
                for batch in batches:
                    await self._apply(partitions[batch.partition], batch, appliers[batch.partition])
                self._report()
        for tp in partitions.values():
            self._consumer.seek(tp, self._next_offsets[tp])
            await _insist(tp, self._appliers[tp].start)
        return {number: self._next_offsets[tp] for number, tp in partitions.items()}

    async def run(self) -> int:
        """Apply every log up to the end that its fetches show; returns how many records.

        Where a transaction was opened meanwhile, that is the end of what may be read, and workers go on from there:
        all that the log held at the beginning is applied.
        """
        while any(self._is_behind(tp) for tp in self._begins):
            for tp, batch in (await self._fetch(self._next_offsets)).items():
                await self._apply(tp, batch, self._appliers[tp])
            self._report()
        return self._applied

    async def _fetch(self, bases: Mapping[TopicPartition, int]) -> dict[TopicPartition, RecordBatch]:
        """The batches that come next; raises WorkFailed if there have been none for a minute."""
        fetched = await self._consumer.getmany(*bases, timeout_ms=FETCH_WITHIN_MS, max_records=FETCH_RECORDS)
        batches = batches_of(bases, {tp: await self._consumer.position(tp) for tp in bases}, fetched)
        if batches:
            self._progress_at_s = time.monotonic()
        elif time.monotonic() - self._progress_at_s > NO_ANSWER_WITHIN_S:
            raise WorkFailed(f"Kafka returned no records for {NO_ANSWER_WITHIN_S:.0f} s; {UNFINISHED}")
        return batches

    async def _apply(self, tp: TopicPartition, batch: RecordBatch, applier: PartitionApplier) -> None:
        await _insist(tp, lambda: applier.apply(batch, None, now_ms()))
        self._next_offsets[tp] = batch.next_offset
        self._applied += len(batch.records)
        self._progress_at_s = time.monotonic()

    def _is_behind(self, tp: TopicPartition) -> bool:
        end: int | None = self._consumer.highwater(tp)
        if end is None:
            return True
        stable: int | None = self._consumer.last_stable_offset(tp)  # some brokers do not know it: None or -1
        readable = end if stable is None or stable < 0 else min(stable, end)
        return self._next_offsets[tp] < max(readable, min(self._ends[tp], end))

    def _report(self) -> None:
        ends = {tp: self._consumer.highwater(tp) or begin for tp, begin in self._begins.items()}
        began = sum(self._begins.values())
        self._progress(sum(self._next_offsets.values()) - began, sum(ends.values()) - began)


async def _insist(tp: TopicPartition, call: Callable[[], Awaitable[object]]) -> None:
    """Call an applier until the servers answer, for a while."""
    until_s = time.monotonic() + RETRY_FOR_S

    def failed(error: Exception) -> None:
        if isinstance(error, Moved) and error.went_back:
            raise WorkFailed(
                f"Redis has lost data: {tp.topic} partition {tp.partition} is back at offset"
                f" {error.stored_offset or 0}, as after a failover or a restore; {UNFINISHED}"
            ) from error
        if isinstance(error, Moved):
            raise WorkFailed(
                f"another process applied {tp.topic} partition {tp.partition} (up to offset {error.stored_offset}):"
                " a worker was started during the rebuild. Its figures are correct and it continues;"
                " no action is needed"
            ) from error
        if not isinstance(error, StoreUnavailable | BrokerUnavailable):
            raise error
        if time.monotonic() > until_s:
            raise type(error)(f"{error}; {UNFINISHED}") from error

    await insist(call, failed, pause=Pause(RETRY_S, RETRY_S), refused=Pause(RETRY_S, RETRY_S))
