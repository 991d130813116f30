"""How many partitions topics have had: noted by workers, needed by a rebuild.

A key lies where the count of its time put it. Once partitions were added, some keys have records in two partitions, and
only a rebuild, which reads all of them in order of time, can go on with such a stream.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from watchroom.errors import BrokerUnavailable, StoreUnavailable
from watchroom.events.partitioner import CountInUse
from watchroom.intake.intake import Intake, added_said
from watchroom.intake.log_ids import TopicSeen, topics_seen
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

    Partitions were added between the last answer that showed the earlier count and the first that showed the new one.
    A producer learns of them when it next asks for metadata, and a batch that it has made goes to its partition however
    late it is sent: so the earlier count may be in use for `settle_ms` after the first answer. The new count may be in
    use from the last answer; `settle_ms` before it, since clocks and brokers' metadata differ.

    Args:
        counts: All that the topic has had, the earliest first.
        settle_ms: The producers' metadata.max.age.ms and delivery.timeout.ms together.
    """
    ends = [each.from_ms + settle_ms for each in counts[1:]] + [FOR_EVER_MS]
    begins = [0] + [max(0, each.last_ms - settle_ms) for each in counts[:-1]]
    return [CountInUse(each.partitions, begin, end) for each, begin, end in zip(counts, begins, ends, strict=True)]


def last_seen(known: PartitionCounts, seen_ms: Iterable[int | None]) -> PartitionCounts:
    """With the time at which the latest known count was last seen.

    Args:
        known: What is known of the topic.
        seen_ms: When it was seen, the latest of these counts; T of a partition is never later than an answer that
            showed the count of its topic.
    """
    *earlier, last = known.counts
    last = last._replace(last_ms=max([last.last_ms, *(ms for ms in seen_ms if ms is not None)]))
    return replace(known, counts=(*earlier, last))


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
        self._noted: dict[str, Count] = {}  # by topic: the latest count that Redis had at the worker's start

    async def open(self) -> dict[str, str]:
        """Note what is not known yet, and when each count was last seen.

        Returns:
            By stream: a sentence, where only a rebuild can go on.

        Raises:
            StoreUnavailable: Redis did not answer.
        """
        stored, filled, fresh_ms = await asyncio.to_thread(self._read)
        added: dict[str, str] = {}
        for stream, topic in self._settings.topics.items():
            has, log_id = self._topics.partitions[topic], self._topics.log_ids.get(topic)
            known = stored.get(topic, NOT_KNOWN)
            if not known.is_of(log_id):
                known = PartitionCounts((Count(has if known.counts else filled.get(topic, has), 0),), log_id)
                await asyncio.to_thread(self._store.replace, topic, known)
            if filled.get(topic) == known.latest:
                known = last_seen(known, fresh_ms[topic])
            if has == known.latest:
                known = last_seen(known, [self._topics.asked_ms])
                await asyncio.to_thread(self._store.note_last, topic, known.counts[-1])
            self._noted[topic] = known.counts[-1]
            if sentence := _needs_rebuild(topic, has, known, filled.get(topic)):
                added[stream] = sentence
        return added

    def _read(self) -> tuple[dict[str, PartitionCounts], dict[str, int], dict[str, list[int | None]]]:
        reader = Reader(self._settings.redis, self._settings.force, backoff=self._backoff)
        try:
            meta = reader.meta()
            filled = filled_from(self._topics, meta.partitions, meta.log_ids) if meta else {}
            fresh_ms: dict[str, list[int | None]] = {topic: [] for topic in filled}
            for (topic, _), state in reader.partitions().items():
                fresh_ms.setdefault(topic, []).append(state.fresh_ms)
            return self._store.read(), filled, fresh_ms
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
        for topic, count in tuple(intake.to_note.items()):
            earlier = self._noted[topic]
            earlier = earlier._replace(last_ms=max(earlier.last_ms, intake.lanes.counted_ms(topic) or 0))
            if count.partitions > earlier.partitions:  # or else it is noted already
                has = confirmed(topic, count, await self._seen(topic))
                await asyncio.to_thread(self._store.note, topic, has, self._topics.log_ids.get(topic), earlier)
            intake.to_note.pop(topic, None)

    async def _seen(self, topic: str) -> TopicSeen | None:
        consumer = clients.consumer(self._settings)
        try:
            await clients.start(consumer, self._settings)
            return (await topics_seen(consumer._client, [topic])).get(topic)  # noqa: SLF001 - no public way for one topic
        except (KafkaError, OSError, TimeoutError) as error:
            raise BrokerUnavailable(f"Kafka did not answer ({type(error).__name__})") from error
        finally:
            await consumer.stop()


def confirmed(topic: str, count: Count, seen: TopicSeen | None) -> Count:
    """A count that is to be noted, with all partitions: of an assignment, only those that we were given are known.

    Args:
        topic: Whose.
        count: At least so many partitions were seen.
        seen: What Kafka says now; None where it says nothing of the topic.

    Raises:
        BrokerUnavailable: It says less: ask again, another broker may have answered, from older metadata.
    """
    found = 0 if seen is None else seen.partitions
    if found < count.partitions:
        raise BrokerUnavailable(f"Kafka now shows {found} partitions of topic {topic}, and showed {count.partitions}")
    return count._replace(partitions=found)


def filled_from(topics: Topics, partitions: Mapping[str, int], log_ids: Mapping[str, str]) -> dict[str, int]:
    """How many partitions each topic had when Redis was begun to be filled; without recreated topics.

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
