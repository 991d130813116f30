"""What a worker does besides applying batches, each in a task of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from contextlib import closing

import structlog

from watchroom.errors import BrokerUnavailable, StoreUnavailable
from watchroom.intake.intake import Intake
from watchroom.intake.partition_counts import (
    confirmed,
    counts_of_figures,
    known_counts,
    last_seen,
    needs_rebuild,
    read_held,
)
from watchroom.kafka import clients
from watchroom.kafka.topic_metadata import TopicSeen, topics_seen
from watchroom.kafka.topics import Topics
from watchroom.settings import Settings
from watchroom.store.backoff import Backoff
from watchroom.store.keys import Keys
from watchroom.store.noted import NotedHash
from watchroom.store.open_transactions import OpenTransaction, field, value
from watchroom.store.partition_counts import NOT_KNOWN, Count, PartitionCountStore
from watchroom.store.read import Reader
from watchroom.timing import Pause, now_ms

LOOK_S = 0.5  # how often to look which partitions are due
SILENT_S = 5.0  # a fetch is answered within 0.5 s, with records or without
TRANSACTIONS_EVERY_S = 2.0
RETRY_MOST_S = 16.0
LAST_TRY_WITHIN_S = 5.0  # of a worker that ends

log = structlog.get_logger("watchroom.intake")


async def repeat(intake: Intake, every_s: float, work: Callable[[], Awaitable[object]]) -> None:
    """Do `work` every `every_s` seconds until cancelled. An unexpected error ends the process: nobody awaits this task.

    A Redis that does not answer is not reported here: the steps do that.
    """
    while True:
        await asyncio.sleep(every_s)
        try:
            await work()
        except StoreUnavailable:
            continue
        except Exception as error:  # noqa: BLE001  # see above
            intake.fail(error)


async def touch_forever(intake: Intake, touch_s: float) -> None:
    """Every `touch_s` seconds: write each idle partition's freshness, and compare its offset with Redis's.

    Each partition in its own task, so that one that has to wait does not delay the others.
    """
    look_s = min(touch_s / 2, LOOK_S)
    under_way: set[asyncio.Task[None]] = set()
    try:
        while True:
            await asyncio.sleep(look_s)
            for partition in intake.assignment:
                partition.stalled_s()
                if partition.is_due(touch_s - look_s):
                    task = asyncio.create_task(intake.touch(partition))
                    under_way.add(task)
                    task.add_done_callback(under_way.discard)
            notice_silence(intake)
    finally:
        for task in under_way:
            task.cancel()


def notice_silence(intake: Intake) -> None:
    """Note in the status that Kafka answers no fetches, or that it answers again."""
    silent_s = min((each.silent_s(now_ms()) for each in intake.assignment if each.is_reading), default=None)
    if silent_s is None:
        return
    if silent_s <= SILENT_S:
        intake.status.answered("kafka")
    elif refused := intake.login_refused():
        intake.status.waiting("kafka", refused, is_whole=True)
    else:
        intake.status.waiting("kafka", f"no response to a fetch for {silent_s:.0f} s")


async def end_when_returned(intake: Intake, agreeing: Callable[[], Awaitable[Collection[str]]]) -> None:
    """If streams are left alone, ask whether Redis holds one of them under our definition again; then the process ends.

    That happens after a failover to an older snapshot and back, and after a rebuild under our catalogue.

    Args:
        intake: Of this worker.
        agreeing: Returns the streams that Redis holds under our definitions.
    """
    if not intake.streams.left:
        return
    try:
        found = await agreeing()
    except StoreUnavailable as error:
        intake.wait_for_redis(error)
    else:
        intake.status.answered("redis")
        intake.streams.returned(found)


class OpenTransactionNotes:
    """Keeps what Redis says about open transactions in our partitions up to date.

    Args:
        settings: Which Redis and force.
        backoff: Shared by all clients of Redis in this process.
    """

    def __init__(self, settings: Settings, backoff: Backoff | None = None) -> None:
        self._tools = settings.kafka_tools
        self._stored = NotedHash(settings.redis, Keys(settings.force).open_transactions, backoff)
        self._noted: dict[str, OpenTransaction] = {}

    async def write(self, intake: Intake) -> None:
        """Write what has changed; raises StoreUnavailable."""
        found: dict[str, OpenTransaction] = {}
        for partition in intake.assignment:
            if transaction := partition.open_transaction(now_ms()):
                topic, number = partition.topic_partition
                found[field(topic, number)] = transaction
                if field(topic, number) not in self._noted:
                    log.error(transaction.said(topic, number, self._tools), topic=topic, partition=number)
        if found or self._noted:
            texts = {name: value(each) for name, each in found.items()}
            await asyncio.to_thread(self._stored.change, texts, self._noted.keys() - found.keys())
            self._noted = found

    def close(self) -> None:
        """Give the connections back."""
        self._stored.close()


class CountKeeper:
    """Notes the partition counts that this worker sees, for a rebuild.

    Args:
        settings: Which Kafka, Redis and force.
        topics: What the broker said when the worker started.
        backoff: Shared by all clients of Redis in this process.
    """

    def __init__(self, settings: Settings, topics: Topics, backoff: Backoff | None = None) -> None:
        self._settings = settings
        self._topics = topics
        self._store = PartitionCountStore(settings.redis, settings.force, backoff)
        self._backoff = backoff
        self._noted: dict[str, Count] = {}  # by topic: the latest count that Redis had when the worker started

    async def open(self) -> dict[str, str]:
        """Note what is not known yet, and when each count was last seen.

        Returns:
            By stream: a sentence, where only a rebuild can go on.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        reader = Reader(self._settings.redis, self._settings.force, backoff=self._backoff)
        with closing(reader):
            held = await asyncio.to_thread(read_held, reader)
        made_from = counts_of_figures(self._topics, held)
        added: dict[str, str] = {}
        for stream, topic in self._settings.topics.items():
            has = self._topics.partitions[topic]
            is_another = not held.counts.get(topic, NOT_KNOWN).is_of(self._topics.log_ids.get(topic))
            known = known_counts(topic, self._topics, held, is_another=is_another)
            if is_another:
                await asyncio.to_thread(self._store.replace, topic, known)
            if has == known.latest:
                known = last_seen(known, [self._topics.asked_ms])
                await asyncio.to_thread(self._store.note_last, topic, known.counts[-1])
            self._noted[topic] = known.counts[-1]
            if sentence := needs_rebuild(topic, has, known, made_from.get(topic)):
                added[stream] = sentence
        return added

    async def note_forever(self, intake: Intake) -> None:
        """Note the new count of each topic whose partitions were added to, as soon as Kafka and Redis answer."""
        pause = Pause(2 * LOOK_S, RETRY_MOST_S)
        wait_s = LOOK_S
        while True:
            await asyncio.sleep(wait_s)
            try:
                await self._note_all(intake)
            except (StoreUnavailable, BrokerUnavailable) as error:
                log.warning("the new partition count is not recorded yet", detail=str(error))
                wait_s = pause.next_s()
            except Exception as error:  # noqa: BLE001  # nobody awaits this task
                intake.fail(error)
                return
            else:
                pause.reset()
                wait_s = LOOK_S

    async def finish(self, intake: Intake) -> None:
        """Try once more; if this fails, a rebuild finds the count by itself."""
        try:
            async with asyncio.timeout(LAST_TRY_WITHIN_S):
                await self._note_all(intake)
        except (StoreUnavailable, BrokerUnavailable, TimeoutError) as error:
            log.warning("the new partition count was not recorded", detail=repr(error))
        finally:
            self._store.close()

    async def _note_all(self, intake: Intake) -> None:
        for topic, count in tuple(intake.streams.to_note.items()):
            earlier = self._noted[topic]
            earlier = earlier._replace(last_ms=max(earlier.last_ms, intake.assignment.counted_ms.get(topic, 0)))
            if count.partitions > earlier.partitions:  # otherwise it is noted already
                has = confirmed(topic, count, await self._seen(topic))
                await asyncio.to_thread(self._store.note, topic, has, self._topics.log_ids.get(topic), earlier)
            intake.streams.to_note.pop(topic, None)

    async def _seen(self, topic: str) -> TopicSeen | None:
        consumer = clients.consumer(self._settings)
        with clients.errors_as_unavailable(self._settings):
            try:
                await clients.start(consumer, self._settings)
                return (await topics_seen(consumer._client, [topic])).get(topic)  # noqa: SLF001 - no public way
            finally:
                await consumer.stop()
