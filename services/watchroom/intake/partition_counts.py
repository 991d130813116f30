"""How many partitions topics have had: noted by workers, needed by a rebuild.

A key lies where the count of its time put it. Once partitions were added, some keys have records in two partitions, and
only a rebuild, which reads all of them in order of time, can go on with such a stream.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from watchroom.errors import BrokerUnavailable, StoreUnavailable
from watchroom.events.partitioner import CountInUse
from watchroom.intake.intake import Intake, added_said
from watchroom.intake.log_ids import topics_seen
from watchroom.intake.topics import Topics
from watchroom.kafka import clients
from watchroom.settings import Settings
from watchroom.store.backoff import Backoff
from watchroom.store.partition_counts import NOT_KNOWN, Count, PartitionCounts, PartitionCountStore
from watchroom.store.read import Reader

LOOK_S = 0.5  # how often to look whether a count is to be noted
RETRY_MOST_S = 16.0
LAST_TRY_WITHIN_S = 5.0  # of a worker that ends
FOR_EVER_MS = 2**63 - 1

log = structlog.get_logger("watchroom.intake")


async def first_record_ms(consumer: AIOKafkaConsumer, topic: str, partitions: Iterable[int]) -> int | None:
    """Kafka timestamp of the oldest record in these partitions; None if they hold none. Raises KafkaError."""
    wanted = {TopicPartition(topic, number): 0 for number in partitions}
    found = await consumer.offsets_for_times(wanted) if wanted else {}
    return min((each.timestamp for each in found.values() if each is not None and each.timestamp >= 0), default=None)


def in_use(counts: Sequence[Count], settle_ms: int) -> list[CountInUse]:
    """When producers may have used each count.

    A producer learns of new partitions when it next asks for metadata, and a batch that it has made goes to its
    partition however late it is sent: so the earlier count is in use for `settle_ms` more. The other way round, the
    first record in a new partition may be younger than the first that the new count put into an old one, but by less.

    Args:
        counts: All that the topic has had, the earliest first.
        settle_ms: The producers' metadata.max.age.ms and delivery.timeout.ms together.
    """
    ends = [each.from_ms + settle_ms for each in counts[1:]] + [FOR_EVER_MS]
    return [
        CountInUse(each.partitions, max(0, each.from_ms - settle_ms), end)
        for each, end in zip(counts, ends, strict=True)
    ]


class CountKeeper:
    """Notes the counts that this worker sees.

    Args:
        settings: Which Kafka, Redis and force.
        topics: What the broker said at the worker's start.
        backoff: Of all clients of Redis that this worker has.
    """

    def __init__(self, settings: Settings, topics: Topics, backoff: Backoff | None = None) -> None:
        self._settings = settings
        self._topics = topics
        self._store = PartitionCountStore(settings.redis, settings.force, backoff)
        self._backoff = backoff
        self._earlier: dict[str, int] = {}  # by topic: the count from which Redis was filled

    async def open(self) -> dict[str, str]:
        """Note what is not known yet.

        Returns:
            By stream: a sentence, where only a rebuild can go on.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        stored, filled = await asyncio.to_thread(self._read)
        added: dict[str, str] = {}
        for stream, topic in self._settings.topics.items():
            has, log_id = self._topics.partitions[topic], self._topics.log_ids.get(topic)
            known = stored.get(topic, NOT_KNOWN)
            if not known.is_of(log_id):
                known = PartitionCounts((Count(has if known.counts else filled.get(topic, has), 0),), log_id)
                await asyncio.to_thread(self._store.replace, topic, known)
            if sentence := _needs_rebuild(topic, has, known, filled.get(topic)):
                added[stream] = sentence
                self._earlier[topic] = known.latest
        return added

    def _read(self) -> tuple[dict[str, PartitionCounts], dict[str, int]]:
        reader = Reader(self._settings.redis, self._settings.force, backoff=self._backoff)
        try:
            meta = reader.meta()
            return self._store.read(), filled_from(self._topics, meta.partitions, meta.log_ids) if meta else {}
        finally:
            reader.close()

    async def note_forever(self, intake: Intake) -> None:
        """Note the new count of each topic whose partitions were added to, as soon as Kafka and Redis answer."""
        wait_s = LOOK_S
        while True:
            await asyncio.sleep(wait_s)
            try:
                await self._note_all(intake)
            except (StoreUnavailable, BrokerUnavailable) as error:
                log.warning("the new partition count is not noted yet", detail=str(error))
                wait_s = min(2 * wait_s, RETRY_MOST_S)
            except Exception as error:  # noqa: BLE001  # nobody awaits this task
                intake.fail(error)
                return
            else:
                wait_s = LOOK_S

    async def finish(self, intake: Intake) -> None:
        """Try once more; a rebuild finds the count by itself if this fails."""
        try:
            async with asyncio.timeout(LAST_TRY_WITHIN_S):
                await self._note_all(intake)
        except (StoreUnavailable, BrokerUnavailable, TimeoutError) as error:
            log.warning("the new partition count is not noted", detail=repr(error))
        finally:
            self._store.close()

    async def _note_all(self, intake: Intake) -> None:
        for topic, seen_ms in tuple(intake.to_note.items()):
            count = await self._count(topic, seen_ms)
            await asyncio.to_thread(self._store.note, topic, count, self._topics.log_ids.get(topic))
            intake.to_note.pop(topic, None)

    async def _count(self, topic: str, seen_ms: int) -> Count:
        consumer = clients.consumer(self._settings)
        try:
            await clients.start(consumer, self._settings)
            seen = await topics_seen(consumer._client, [topic])  # noqa: SLF001 - no public way asks for one topic
            earlier = self._earlier.get(topic, self._topics.partitions[topic])
            has = seen[topic].partitions if topic in seen else earlier
            first_ms = await first_record_ms(consumer, topic, range(earlier, has))
        except (KafkaError, OSError, TimeoutError) as error:
            raise BrokerUnavailable(f"Kafka did not answer ({type(error).__name__})") from error
        finally:
            await consumer.stop()
        return Count(has, seen_ms if first_ms is None else min(first_ms, seen_ms))


def filled_from(topics: Topics, partitions: Mapping[str, int], log_ids: Mapping[str, str]) -> dict[str, int]:
    """How many partitions each topic had when Redis was begun to be filled; without those that were made anew since.

    Args:
        topics: What the broker says.
        partitions: What Redis says, by topic.
        log_ids: Likewise.
    """
    return {
        topic: count
        for topic, count in partitions.items()
        if None in (was := log_ids.get(topic), now := topics.log_ids.get(topic)) or was == now
    }


def _needs_rebuild(topic: str, has: int, known: PartitionCounts, filled: int | None) -> str | None:
    """Why a worker must not feed a topic; None if it may.

    Args:
        topic: Its name.
        has: How many partitions it has.
        known: What is known of its counts.
        filled: How many it had when the figures in Redis were begun; None where there are none.
    """
    if known.is_rebuilding:
        return (
            f"topic {topic}: a rebuild that merges its partitions runs or was interrupted, so its stream is withheld;"
            " stop all workers of this force and run `watchroom rebuild`"
        )
    if has > (filled or known.latest):
        return added_said(topic, has, filled or known.latest)
    if len(known.counts) > 1 and (filled is None or not known.merged):
        return added_said(topic, has, known.counts[0].partitions)
    return None
