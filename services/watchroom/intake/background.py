"""What a worker does besides applying batches, each in a task of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import closing

import structlog

from watchroom.catalogue.model import Catalogue
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
from watchroom.kinds import kind_of, names
from watchroom.kinds.kind import Reads
from watchroom.kinds.measure import Measure
from watchroom.rolling.calendar import Calendar
from watchroom.settings import Settings
from watchroom.store import bands
from watchroom.store.backoff import Backoff
from watchroom.store.bands import MonthBands
from watchroom.store.freshness import Age, age_of, applied_until
from watchroom.store.keys import Keys
from watchroom.store.noted import NotedHash
from watchroom.store.open_transactions import OpenTransaction, field, value
from watchroom.store.partition_counts import NOT_KNOWN, Count, PartitionCountStore
from watchroom.store.read import Reader
from watchroom.store.write import Store
from watchroom.timing import Pause, insist, now_ms
from watchroom.wording import duration

LOOK_S = 0.5  # how often to look which partitions are due
SILENT_S = 5.0  # a fetch is answered within 0.5 s, with records or without
TRANSACTIONS_EVERY_S = 2.0
BANDS_EVERY_S = 30.0
BANDS_WITHIN_S = 30.0  # to read a month's hashes
COUNTS_EVERY_S = 0.5
RETRY_FIRST_S, RETRY_MOST_S = 1.0, 16.0
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


async def write_freshness_forever(intake: Intake, touch_s: float) -> None:
    """Every `touch_s` seconds: write each idle partition's freshness, and compare its offset with Redis's.

    Each partition in its own task, so that one that has to wait does not delay the others.
    """
    look_s = min(touch_s / 2, LOOK_S)
    async with asyncio.TaskGroup() as under_way:
        while True:
            await asyncio.sleep(look_s)
            for partition in intake.assignment:
                partition.stalled_s()
                if partition.is_due(touch_s - look_s):
                    under_way.create_task(intake.write_freshness(partition))
            notice_silence(intake)


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
        intake.status.waiting("kafka", f"Kafka has not answered a fetch for {duration(silent_s)}")


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
                known = last_seen(known, [self._topics.queried_ms])
                await asyncio.to_thread(self._store.note_last, topic, known.counts[-1])
            self._noted[topic] = known.counts[-1]
            if sentence := needs_rebuild(topic, has, known, made_from.get(topic)):
                added[stream] = sentence
        return added

    async def note(self, intake: Intake) -> None:
        """Note the new count of each topic whose partitions were added to, once Kafka and Redis answer."""

        def failed(error: Exception) -> None:
            if not isinstance(error, StoreUnavailable | BrokerUnavailable):
                raise error
            log.warning("the new partition count has not been recorded yet", detail=str(error))

        pause, refused = Pause(RETRY_FIRST_S, RETRY_MOST_S), Pause(RETRY_FIRST_S, RETRY_MOST_S)
        await insist(lambda: self._note_all(intake), failed, pause=pause, refused=refused)

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
        async with clients.open_consumer(self._settings) as consumer:
            return (await topics_seen(consumer._client, [topic])).get(topic)  # noqa: SLF001 - no public way


class MonthBandsWriter:
    """Writes the bands of closed months that are missing, or that no longer agree with the hashes.

    Tokens are kept for about a year, bands for good. The worker that has a stream's first partition writes them; any
    other worker would write the same.

    Args:
        settings: Which Redis and force; the zone, and when months close.
        catalogue: The measures.
        store: Writes.
    """

    def __init__(self, settings: Settings, catalogue: Catalogue, store: Store) -> None:
        self._settings = settings
        self._store = store
        self._calendar = Calendar(settings.zone)
        # with a back-off of its own: it needs rights that no step needs, and a missing one must not delay steps
        self._reader = Reader(settings.redis, settings.force, BANDS_WITHIN_S)
        measures = [m for m in catalogue.measures.values() if kind_of(m).reads is Reads.TOKENS]
        self._of_stream = {s: [m for m in measures if m.stream == s] for s in settings.streams}

    async def write_due(self, intake: Intake) -> None:
        """Write what is due of the streams whose first partition is ours; if Redis does not answer, the next time."""
        ours = {topic for topic, partition in (each.topic_partition for each in intake.assignment) if partition == 0}
        for stream, measures in self._of_stream.items():
            if measures and self._settings.topic(stream) in ours:
                try:
                    await self.write(stream, now_ms())
                except StoreUnavailable as error:
                    log.warning("bands of closed months not written yet: no answer from Redis", detail=str(error))

    def close(self) -> None:
        """Give the connections back."""
        self._reader.close()

    async def write(self, stream: str, at_ms: int) -> int:
        """Write what is due of one stream; returns how many months were written.

        Raises:
            StoreUnavailable: Redis did not answer; the rest is written the next time.
        """
        if self._store.is_refused:  # after a changed password, for example; the steps find out when it is over
            return 0
        written = 0
        for measure, month, made in await asyncio.to_thread(self._due, stream, at_ms):
            written += await self._store.write_bands(stream, bands.field(measure, month), made)
        return written

    def _due(self, stream: str, at_ms: int) -> Sequence[tuple[str, str, MonthBands]]:
        applied_ms = applied_until(self._reader.partitions(), [self._settings.topic(stream)])
        if applied_ms is None or age_of(applied_ms, at_ms, self._settings.fresh_s * 1000) is Age.OLD:
            return []
        versions, stored, _ = self._reader.held_tokens()
        found = []
        for measure in self._of_stream[stream]:
            due = [m for m in self._closed(measure, versions, applied_ms) if _is_due(measure, m, versions, stored)]
            made = bands.bands_of_months(measure.id, due, versions, self._reader.token_hash)
            found += [(measure.id, month, each) for month, each in made]
        return found

    def _closed(self, measure: Measure, versions: Mapping[str, int], applied_ms: int) -> list[str]:
        """Closed months whose hash is held."""
        head = names.token_month(measure.id, "")
        held = (name.removeprefix(head) for name in versions if name.startswith(head))
        closes_after_ms = self._settings.closes_after_ms(measure.stream)
        return [month for month in held if self._calendar.month_end_ms(month) + closes_after_ms < applied_ms]


def _is_due(measure: Measure, month: str, versions: Mapping[str, int], stored: Mapping[str, str]) -> bool:
    text = stored.get(bands.field(measure.id, month))
    return text is None or not bands.is_current(bands.from_json(text), measure.id, month, versions)
