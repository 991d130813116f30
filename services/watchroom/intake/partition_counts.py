"""The partition counts that topics have had: what follows from them for a worker and for a rebuild.

A key is in the partition that the count of its time gives. After partitions were added, some keys have records in two
partitions. Only a rebuild, which reads all of them in order of time, can go on with such a stream.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition

from watchroom.entered import plain_whole_number
from watchroom.errors import BrokerUnavailable, ConfigurationInvalid, Fault, WorkFailed
from watchroom.events.partitioner import CountInUse
from watchroom.events.times import to_text
from watchroom.kafka.topic_metadata import TopicSeen
from watchroom.kafka.topics import Topics
from watchroom.store.partition_counts import NOT_KNOWN, Count, PartitionCounts
from watchroom.store.read import PartitionState, Reader

FOR_EVER_MS = 2**63 - 1


class Held(NamedTuple):
    """What Redis holds of a force."""

    states: Mapping[tuple[str, int], PartitionState]
    log_ids: Mapping[str, str]  # by topic: of the log that the figures were made from
    partitions: Mapping[str, int]  # by topic: how many it had when its figures were begun
    counts: Mapping[str, PartitionCounts] = MappingProxyType({})  # all that are known, by topic
    months: Sequence[str] = ()


def read_held(reader: Reader) -> Held:
    """Read all but the months; empty where no worker has ever written. Raises StoreUnavailable."""
    meta = reader.meta()
    ids, partitions = (meta.log_ids, meta.partitions) if meta else ({}, {})
    return Held(reader.partitions(), ids, partitions, reader.partition_counts())


def added_text(topic: str, found: int, known: int, *, is_least: bool = False) -> str:
    """The sentence about a topic whose partitions were added to: no worker can go on with it."""
    return (
        f"topic {topic} has {'at least ' * is_least}{found} partitions, but this force's figures were computed from"
        f" {known}:"
        " its stream is withheld; stop all workers of this force and run `watchroom rebuild`"
    )


def in_use(counts: Sequence[Count], settle_ms: int) -> list[CountInUse]:
    """When producers may have used each count.

    Partitions were added between the last answer that showed the earlier count and the first that showed the new one.
    A producer learns of them when it next asks for metadata, and a finished batch goes to its partition however late it
    is sent. So the earlier count may be in use for `settle_ms` after the first answer. The new count may be in use from
    `settle_ms` before the last answer, because clocks and the brokers' metadata differ.

    Args:
        counts: All that the topic has had, the earliest first.
        settle_ms: The producers' metadata.max.age.ms and delivery.timeout.ms together.
    """
    ends = [each.from_ms + settle_ms for each in counts[1:]] + [FOR_EVER_MS]
    begins = [0] + [max(0, each.last_ms - settle_ms) for each in counts[:-1]]
    return [CountInUse(each.partitions, begin, end) for each, begin, end in zip(counts, begins, ends, strict=True)]


def last_seen(known: PartitionCounts, seen_ms: Iterable[int | None]) -> PartitionCounts:
    """The same, with the time at which the latest known count was last seen.

    Args:
        known: What is known of the topic.
        seen_ms: When it was seen; the latest of these counts. A partition is never applied until later than the last
            answer that showed the count of its topic.
    """
    *earlier, last = known.counts
    last = last._replace(last_ms=max([last.last_ms, *(ms for ms in seen_ms if ms is not None)]))
    return replace(known, counts=(*earlier, last))


def confirmed(topic: str, count: Count, seen: TopicSeen | None) -> Count:
    """A count to be noted, with all partitions: an assignment shows only those that we were given.

    Args:
        topic: Whose.
        count: At least so many partitions were seen.
        seen: What Kafka says now; None if it does not know the topic.

    Raises:
        BrokerUnavailable: It says less, perhaps from the older metadata of another broker; ask again.
    """
    found = 0 if seen is None else seen.partitions
    if found < count.partitions:
        raise BrokerUnavailable(
            f"Kafka now reports {found} partitions for topic {topic}, but reported {count.partitions} before"
        )
    return count._replace(partitions=found)


def counts_of_figures(topics: Topics, held: Held) -> dict[str, int]:
    """By topic: its partition count when its figures were begun; a topic created again since then is left out."""
    return {
        topic: count
        for topic, count in held.partitions.items()
        if None in (was := held.log_ids.get(topic), now := topics.log_ids.get(topic)) or was == now
    }


def known_counts(topic: str, topics: Topics, held: Held, *, is_another: bool) -> PartitionCounts:
    """What is known of a topic, with when its latest count was last seen in use.

    Args:
        topic: Its name.
        topics: What the broker says.
        held: What Redis says.
        is_another: The topic was created again, so nothing that Redis has is about it.
    """
    known, made_from = held.counts.get(topic, NOT_KNOWN), counts_of_figures(topics, held).get(topic)
    if is_another:
        has = topics.partitions[topic]
        first = has if known.counts or made_from is None else made_from
        known = PartitionCounts((Count(first, 0),), topics.log_ids.get(topic))
    if made_from == known.latest:
        known = last_seen(known, [state.fresh_ms for of, state in held.states.items() if of[0] == topic])
    return known


def needs_rebuild(topic: str, has: int, known: PartitionCounts, made_from: int | None) -> str | None:
    """Why a worker must not feed a topic; None if it may.

    Args:
        topic: Its name.
        has: How many partitions it has.
        known: What is known of its counts.
        made_from: How many it had when the figures in Redis were begun; None if there are none.
    """
    if known.is_rebuilding:
        return (
            f"topic {topic}: a rebuild that merges its partitions is running or was interrupted, so its stream is"
            " withheld; stop all workers of this force and run `watchroom rebuild`"
        )
    if has > (made_from or known.latest):
        return added_text(topic, has, made_from or known.latest)
    if len(known.counts) > 1 and (made_from is None or not known.merged):
        return added_text(topic, has, known.counts[0].partitions)
    return None


def counts_before(given: Sequence[str], streams: Mapping[str, str], partitions: Mapping[str, int]) -> dict[str, int]:
    """Parses the option --partitions-before: `calls=4`, or a number if only one topic can be meant.

    Args:
        given: The texts that the user wrote.
        streams: Topic by stream.
        partitions: How many each topic has.

    Raises:
        ConfigurationInvalid: A text names no topic, or several could be meant, or the topic has no more partitions now.
    """
    found: dict[str, int] = {}
    for text in given:
        name, _, number = text.rpartition("=")
        count = plain_whole_number(number) or 0
        meant = [streams.get(name, name)] if name else [topic for topic, has in partitions.items() if has > count]
        if count < 1 or len(meant) != 1 or partitions.get(meant[0], 0) <= count:
            shown = ", ".join(f"{topic} has {has}" for topic, has in sorted(partitions.items()))
            write = (
                "the stream and the number of partitions that its topic had before more were added, for example calls=4"
            )
            raise ConfigurationInvalid([Fault("--partitions-before", "", f"{text}, but {shown}", write)])
        found[meant[0]] = count
    return found


def counts_of(topics: Topics, held: Held, before: Mapping[str, int]) -> dict[str, PartitionCounts]:
    """The partition counts of each topic, as far as they are known; a new count counts as seen now.

    Args:
        topics: What the broker says.
        held: What Redis says.
        before: By topic: an earlier count that nobody noted.

    Raises:
        BrokerUnavailable: A broker answered from older metadata; run it again.
    """
    found = {}
    for topic, has in topics.partitions.items():
        stored, log_id = held.counts.get(topic, NOT_KNOWN), topics.log_ids.get(topic)
        if has < stored.latest and stored.log_id == log_id is not None:
            raise BrokerUnavailable(
                f"Kafka reports {has} partitions for topic {topic}, but reported {stored.latest} before"
            )
        is_another = not stored.is_of(log_id) or has < stored.latest  # Kafka never takes partitions away
        known = known_counts(topic, topics, held, is_another=is_another)
        counts = known.counts
        if topic in before and before[topic] < counts[0].partitions:
            seen_ms = min([topics.queried_ms, *(each.from_ms for each in counts[1:])])
            counts = (Count(before[topic], 0), counts[0]._replace(from_ms=seen_ms), *counts[1:])
        if has > counts[-1].partitions:
            counts = (*counts, Count(has, topics.queried_ms))
        merged = known.merged if len(counts) == len(known.counts) else {}
        known = replace(known, counts=counts, log_id=log_id, merged=merged)
        found[topic] = last_seen(known, [topics.queried_ms]) if has == known.latest else known
    return found


async def first_record_ms(consumer: AIOKafkaConsumer, topic: str, partitions: Iterable[int]) -> int | None:
    """Kafka timestamp of the oldest record in these partitions; None if they hold none. Raises KafkaError."""
    wanted = {TopicPartition(topic, number): 0 for number in partitions}
    found = await consumer.offsets_for_times(wanted) if wanted else {}
    return min((each.timestamp for each in found.values() if each is not None and each.timestamp >= 0), default=None)


async def dated(
    consumer: AIOKafkaConsumer, counts: Mapping[str, PartitionCounts], by_broker: Collection[str]
) -> dict[str, PartitionCounts]:
    """The same, with an earlier time for a latest count if its partitions had a record before anybody asked.

    Args:
        consumer: A started one.
        counts: By topic.
        by_broker: Topics whose timestamps are Kafka's; a producer's timestamp may be older than the partition.

    Raises:
        KafkaError: Kafka did not answer.
    """
    found = dict(counts)
    for topic, known in counts.items():
        if topic in by_broker and len(known.counts) > 1:
            *others, earlier, last = known.counts
            first_ms = await first_record_ms(consumer, topic, range(earlier.partitions, last.partitions))
            if first_ms is not None and first_ms < last.from_ms:
                last = last._replace(from_ms=max(first_ms, earlier.last_ms))
                found[topic] = replace(known, counts=(*others, earlier, last))
    return found


def refuse_early(counts: Mapping[str, PartitionCounts], settle_ms: int, now_ms: int) -> None:
    """Raise WorkFailed if producers may still use an earlier count: after a rebuild their events would be refused.

    Args:
        counts: By topic.
        settle_ms: See `partition_counts.in_use`.
        now_ms: The wall clock.
    """
    for topic, known in counts.items():
        until_ms = known.counts[-1].from_ms + settle_ms
        if len(known.counts) > 1 and not known.merged and now_ms < until_ms:
            raise WorkFailed(
                f"topic {topic} has had {known.latest} partitions since {to_text(known.counts[-1].from_ms)}, and"
                f" producers may still use the earlier count for {settle_ms / 1000:g} s"
                f" (WATCHROOM_PARTITIONS_SETTLE_S)."
                f" No figure was changed; run `watchroom rebuild` again after {to_text(until_ms)}, in"
                f" {(until_ms - now_ms + 999) // 1000} s"
            )
