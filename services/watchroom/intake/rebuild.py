"""`watchroom rebuild`: counts this force's figures again from the topics, under today's definitions.

It refuses while a worker runs, and where a log no longer reaches back to its beginning: what those
records told is in Redis only, so the months that would be lost are named first.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from watchroom.catalogue.load import load_catalogue
from watchroom.errors import BrokerUnavailable, Moved, StoreUnavailable, WorkFailed
from watchroom.events.partitioner import CountInUse
from watchroom.events.record import Record
from watchroom.intake.batch import RecordBatch
from watchroom.intake.before_rebuild import (
    REQUEST_TIMEOUT_MS,
    Held,
    LogStart,
    counts_before,
    counts_of,
    dated,
    look_at_logs,
    look_at_redis,
    other_logs,
    refuse_early,
    refuse_loss,
    refuse_members,
    refuse_open_transactions,
    refuse_while_running,
    stamped_by_broker,
)
from watchroom.intake.dead_letters import DeadLetters
from watchroom.intake.header_names import accept_any_header_name
from watchroom.intake.judging import Refused, SendRefused
from watchroom.intake.letters import Identity, identities, identity_of
from watchroom.intake.merging import Merge
from watchroom.intake.partition import PartitionApplier
from watchroom.intake.partition_counts import in_use
from watchroom.intake.pipeline import Appliers, make_store
from watchroom.intake.status import Status
from watchroom.intake.topics import Topics, ensure_topics
from watchroom.kafka import clients
from watchroom.rolling.calendar import Calendar
from watchroom.settings import Settings
from watchroom.store.clear import clear
from watchroom.store.partition_counts import PartitionCounts, PartitionCountStore
from watchroom.store.read import Reader
from watchroom.streams import STREAMS

FETCH_RECORDS = 20_000
FETCH_WITHIN_MS = 1_000
NO_ANSWER_WITHIN_S = 60.0
RETRY_S = 0.5
RETRY_FOR_S = 15.0  # a server that went away is waited for so long, then the work has failed
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
        lose_before: Months before this one (`2021-04`) may be lost where the log no longer holds them.
        progress: Told how far it is.
        partitions_before: How many partitions topics had that have more now, where Redis does not say it: `calls=4`.

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
    refuse_while_running(redis.stood, _now_ms())
    await refuse_members(settings)
    sent = await identities(settings)
    accept_any_header_name()
    consumer = clients.consumer(
        settings,
        enable_auto_commit=False,
        auto_offset_reset="none",
        isolation_level="read_committed",  # as the worker reads: an aborted transaction never happened
        request_timeout_ms=REQUEST_TIMEOUT_MS,
    )
    letters = DeadLetters(settings, Status())
    store = make_store(settings, catalogue, topics)
    noted = PartitionCountStore(settings.redis, settings.force)
    settle_ms = round(settings.partitions_settle_s * 1000)
    try:
        starts = await _logs(consumer, settings, topics)
        if several := [topic for topic, known in counts.items() if len(known.counts) > 1]:
            counts = await dated(consumer, counts, await stamped_by_broker(settings, several))
        for topic in several:  # before anything is refused: the next try must know when the count was first seen
            noted.replace(topic, counts[topic])
        await refuse_open_transactions(consumer, starts, settings.kafka_tools)
        refuse_early(counts, settle_ms, _now_ms())
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
        work = _Work(consumer, Appliers(settings, catalogue, topics, store, _only_new(letters, sent)), starts, progress)
        await work.begin()
        for topic in several:
            known = counts[topic]
            merged = await work.merge(topic, known, in_use(known.counts, settle_ms))
            noted.replace(topic, replace(known, is_rebuilding=False, merged=merged))
        records = await work.run()
    except (KafkaError, OSError) as error:
        raise BrokerUnavailable(f"Kafka at {settings.kafka} did not answer ({type(error).__name__})") from error
    finally:
        noted.close()
        await consumer.stop()
        await letters.stop()
        await store.close()
    return Rebuilt(records, sum(_look_at_letters(settings).values()))


def _with_held(settings: Settings, redis: Held) -> Settings:
    """With the streams that Redis holds, fed or not: clearing takes their months too, so they are made again."""
    held = [stream for stream in STREAMS if stream in settings.streams or settings.topic(stream) in redis.partitions]
    return settings.model_copy(update={"streams": tuple(held)})


def _only_events(topics: Topics, settings: Settings) -> Topics:
    """Without the dead letters' topic, which is no stream's."""
    fed = settings.topics.values()
    return replace(topics, partitions={topic: topics.partitions[topic] for topic in fed})


def _look_at_letters(settings: Settings) -> dict[tuple[str, str], int]:
    reader = Reader(settings.redis, settings.force)
    try:
        return reader.dead_letters()
    finally:
        reader.close()


async def _logs(consumer: AIOKafkaConsumer, settings: Settings, topics: Topics) -> list[LogStart]:
    """Every partition's log; the consumer stands at their beginnings."""
    await clients.start(consumer, settings)
    places = [
        TopicPartition(topic, number)
        for topic in settings.topics.values()
        for number in range(topics.partitions[topic])
    ]
    consumer.assign(places)
    begins: dict[TopicPartition, int] = await consumer.beginning_offsets(places)
    for place, offset in begins.items():
        consumer.seek(place, offset)
    return await look_at_logs(consumer, begins)


def _only_new(letters: DeadLetters, sent: set[Identity]) -> SendRefused:
    """Sends the letters that are not in their topic yet: a worker sent most of them when the records came."""

    async def send(topic: str, partition: int, refused: Sequence[Refused]) -> None:
        await letters.send(topic, partition, [one for one in refused if identity_of(topic, partition, one) not in sent])

    return send


class _Work:
    """Reading and applying all logs, after Redis was cleared."""

    def __init__(
        self, consumer: AIOKafkaConsumer, make: Appliers, starts: Sequence[LogStart], progress: Progress
    ) -> None:
        self._consumer = consumer
        self._make = make
        self._begins = {start.place: start.begin for start in starts}
        self._ends = {start.place: start.end for start in starts}
        self._stands: dict[TopicPartition, int] = dict(self._begins)
        self._appliers: dict[TopicPartition, PartitionApplier] = {
            place: make(place.topic, place.partition) for place in self._begins
        }
        self._progress = progress
        self._applied = 0
        self._heard_at_s = time.monotonic()

    async def begin(self) -> None:
        """Say in Redis where every log begins."""
        for place, applier in self._appliers.items():
            await _insist(place, applier.start)
            await _insist(place, lambda: applier.begin(self._begins[place], _now_ms()))  # noqa: B023 - awaited here
        self._heard_at_s = time.monotonic()

    async def merge(self, topic: str, known: PartitionCounts, counts: Sequence[CountInUse]) -> dict[int, int]:
        """Apply a topic that has had several counts in order of time, up to the ends of its logs.

        Every key that is written later lies in one partition, so from there on each partition can be read by itself.
        Where an earlier rebuild has merged up to some offsets, a worker went on from there: so does this one.

        Returns:
            By partition: the offset below which all is applied.
        """
        places = {place.partition: place for place in self._begins if place.topic == topic}
        ends = dict(known.merged) or {number: self._ends[place] for number, place in places.items()}
        since_ms = {number: next(each.from_ms for each in counts if each.partitions > number) for number in places}
        merge = Merge({number: self._begins[place] for number, place in places.items()}, ends, since_ms)
        appliers = self._make.merging(topic, counts)
        for number, applier in appliers.items():
            await _insist(places[number], applier.start)
        while not merge.is_done:
            if wanted := merge.wanted():
                await self._fetch(merge, [places[number] for number in wanted])
            while runs := merge.take():
                for run in runs:
                    place = places[run.partition]
                    batch = RecordBatch(topic, run.partition, self._stands[place], run.records, run.next_offset)
                    await self._apply(place, batch, appliers[run.partition])
                self._tell()
            self._refuse_silence()
        for place in places.values():
            self._consumer.seek(place, self._stands[place])
            await _insist(place, self._appliers[place].start)
        return {number: self._stands[place] for number, place in places.items()}

    async def _fetch(self, merge: Merge, wanted: Sequence[TopicPartition]) -> None:
        fetched = await self._consumer.getmany(*wanted, timeout_ms=FETCH_WITHIN_MS, max_records=FETCH_RECORDS)
        for place in wanted:
            batch = _batch(place, 0, fetched.get(place, ()), await self._consumer.position(place))
            if batch.next_offset > self._stands[place]:
                self._heard_at_s = time.monotonic()
            merge.add(place.partition, batch.records, batch.next_offset)

    async def run(self) -> int:
        """Apply until every partition stands at the log's end that its fetches show; returns how many records.

        Where a transaction was opened meanwhile, that is the end of what may be read, and workers go on from there:
        what the log held at the beginning has been applied.
        """
        while any(self._is_behind(place) for place in self._begins):
            fetched = await self._consumer.getmany(timeout_ms=FETCH_WITHIN_MS, max_records=FETCH_RECORDS)
            for place, base in self._stands.items():
                # the position, not the last record's offset: compaction and markers leave gaps, at the end too
                batch = _batch(place, base, fetched.get(place, ()), await self._consumer.position(place))
                if batch.next_offset > base:
                    await self._apply(place, batch, self._appliers[place])
            self._refuse_silence()
            self._tell()
        return self._applied

    def _refuse_silence(self) -> None:
        if time.monotonic() - self._heard_at_s > NO_ANSWER_WITHIN_S:
            raise WorkFailed(f"Kafka gave no records for {NO_ANSWER_WITHIN_S:.0f} s; {UNFINISHED}")

    async def _apply(self, place: TopicPartition, batch: RecordBatch, applier: PartitionApplier) -> None:
        await _insist(place, lambda: applier.apply(batch, None, _now_ms()))
        self._stands[place] = batch.next_offset
        self._applied += len(batch.records)
        self._heard_at_s = time.monotonic()

    def _is_behind(self, place: TopicPartition) -> bool:
        end: int | None = self._consumer.highwater(place)
        if end is None:
            return True
        stable: int | None = self._consumer.last_stable_offset(place)  # of some brokers None or -1, for not known
        readable = end if stable is None or stable < 0 else min(stable, end)
        return self._stands[place] < max(readable, min(self._ends[place], end))

    def _tell(self) -> None:
        ends = {place: self._consumer.highwater(place) or begin for place, begin in self._begins.items()}
        began = sum(self._begins.values())
        self._progress(sum(self._stands.values()) - began, sum(ends.values()) - began)


async def _insist(place: TopicPartition, call: Callable[[], Awaitable[object]]) -> None:
    """Call until the servers answer, for a while; each call of an applier may be repeated."""
    until_s = time.monotonic() + RETRY_FOR_S
    while True:
        try:
            await call()
        except Moved as error:
            if error.went_back:
                raise WorkFailed(
                    f"Redis has lost what was written: {place.topic} partition {place.partition} is back at offset"
                    f" {error.stored_offset or 0}, as after a fail-over or a restore; {UNFINISHED}"
                ) from error
            raise WorkFailed(
                f"somebody else applied {place.topic} partition {place.partition} (up to {error.stored_offset}): a"
                " worker was started during the rebuild. Its figures are right and it goes on; there is nothing to do"
            ) from error
        except (StoreUnavailable, BrokerUnavailable) as error:
            if time.monotonic() > until_s:
                raise type(error)(f"{error}; {UNFINISHED}") from error
            await asyncio.sleep(RETRY_S)
        else:
            return


def _batch(place: TopicPartition, base: int, records: Sequence[ConsumerRecord], next_offset: int) -> RecordBatch:
    return RecordBatch(
        place.topic,
        place.partition,
        base,
        [Record(r.offset, r.timestamp, r.key, r.value, tuple(r.headers)) for r in records],
        next_offset,
    )


def _now_ms() -> int:
    """The wall clock, read at this command's edge."""
    return time.time_ns() // 1_000_000
