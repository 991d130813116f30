"""What must hold before `watchroom rebuild` clears anything: nobody writes, and the logs still tell every month."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupIdNotFound, KafkaError, for_code

from watchroom.entered import plain_whole_number
from watchroom.errors import BrokerUnavailable, ConfigurationInvalid, Fault, WorkFailed
from watchroom.events.times import to_text
from watchroom.intake.partition_counts import filled_from, first_record_ms, last_seen
from watchroom.intake.topic_settings import BY_BROKER, TIMESTAMP_TYPE
from watchroom.intake.topics import Topics, found_settings
from watchroom.kafka import clients
from watchroom.rolling.calendar import Calendar
from watchroom.settings import Settings
from watchroom.store.evictions import refuse_evicting
from watchroom.store.open_transactions import ends
from watchroom.store.partition_counts import NOT_KNOWN, Count, PartitionCounts
from watchroom.store.read import PartitionState, Reader

RUNNING_WITHIN_MS = 30_000  # a partition fresher than this has a worker
REQUEST_TIMEOUT_MS = 10_000
FETCH_WITHIN_MS = 500
LOOK_WITHIN_S = 20.0
COORDINATOR_WITHIN_S = 15.0
TRANSACTION_WITHIN_S = 10.0
RECREATED = "was deleted and created again since Redis was filled from it"


class Held(NamedTuple):
    """What Redis holds before a rebuild."""

    stood: dict[tuple[str, int], PartitionState]
    months: list[str]
    log_ids: dict[str, str]  # by topic
    partitions: dict[str, int]  # count by topic
    counts: Mapping[str, PartitionCounts] = MappingProxyType({})  # all that are known, by topic


class LogStart(NamedTuple):
    """How far back one partition's log reaches."""

    place: TopicPartition
    begin: int  # its first offset
    end: int  # the next offset to be written
    first_ms: int | None  # arrival of its first record; None where nothing is left, or nobody had to look


def look_at_redis(settings: Settings) -> Held:
    """What Redis holds; empty where nobody has ever written. Raises ConfigurationInvalid if it may evict keys."""
    reader = Reader(settings.redis, settings.force)
    try:
        refuse_evicting(reader.process(), settings.redis_shown)
        meta = reader.meta()
        ids, partitions = (meta.log_ids, meta.partitions) if meta else ({}, {})
        return Held(reader.partitions(), reader.months(), ids, partitions, reader.partition_counts())
    finally:
        reader.close()


def refuse_while_running(stood: Mapping[tuple[str, int], PartitionState], now_ms: int) -> None:
    """Raise WorkFailed if any partition was fresh so lately that a worker must be running."""
    for (topic, number), state in stood.items():
        if state.fresh_ms is not None and now_ms - state.fresh_ms < RUNNING_WITHIN_MS:
            ago_s = max(0, now_ms - state.fresh_ms) / 1000
            raise WorkFailed(
                f"a worker runs: {topic} partition {number} was fresh {ago_s:.0f} s ago; stop every worker"
                f" of this force, wait {RUNNING_WITHIN_MS // 1000} s, then run `watchroom rebuild` again"
            )


async def refuse_members(settings: Settings) -> None:
    """Raise WorkFailed if the workers' consumer group has a member."""
    admin = clients.admin(settings, REQUEST_TIMEOUT_MS)
    try:
        await clients.start(admin, settings)
        members = await _members(admin, settings.group)
    except (KafkaError, OSError) as error:
        raise BrokerUnavailable(f"Kafka at {settings.kafka} did not answer ({type(error).__name__})") from error
    finally:
        await admin.close()
    if members:
        raise WorkFailed(
            f"a worker runs: consumer group {settings.group} has {len(members)} member(s), the first is"
            f" {members[0]}; stop every worker, wait for its session to end"
            f" ({settings.session_timeout_s:g} s), then run `watchroom rebuild` again"
        )


async def _members(admin: AIOKafkaAdminClient, group: str) -> list[str]:
    """Ids of a group's members; waits for a broker that is only now making room for its first group."""
    until_s = time.monotonic() + COORDINATOR_WITHIN_S
    while True:
        try:
            (answer,) = await admin.describe_consumer_groups([group])
        except KafkaError as error:
            if not error.retriable or time.monotonic() > until_s:
                raise
        else:
            # (error, group, state, protocol type, protocol, members, ...)
            code, *_, members = answer.groups[0][:6]
            if not code or for_code(code) is GroupIdNotFound:  # nobody has ever joined
                return [str(member[0]) for member in members or ()]
            if not for_code(code).retriable or time.monotonic() > until_s:
                raise for_code(code)
        await asyncio.sleep(0.2)


async def look_at_logs(consumer: AIOKafkaConsumer, begins: Mapping[TopicPartition, int]) -> list[LogStart]:
    """Where each log begins and ends, and when the first record of a shortened one arrived.

    Args:
        consumer: Assigned to the partitions, and standing at their beginnings; it stands there again afterwards.
        begins: First offset by partition.

    Raises:
        BrokerUnavailable: Kafka showed no end of some log in time.
    """
    first_ms: dict[TopicPartition, int] = {}
    until_s = time.monotonic() + LOOK_WITHIN_S
    while waiting := [place for place in begins if not await _is_seen(consumer, place, begins[place], first_ms)]:
        if time.monotonic() > until_s:
            where = ", ".join(f"{place.topic} partition {place.partition}" for place in waiting[:3])
            raise BrokerUnavailable(f"Kafka gave nothing of {where} for {LOOK_WITHIN_S:.0f} s")
        for place, records in (await consumer.getmany(*waiting, timeout_ms=FETCH_WITHIN_MS)).items():
            first_ms.setdefault(place, records[0].timestamp)
    starts = [LogStart(place, begin, consumer.highwater(place), first_ms.get(place)) for place, begin in begins.items()]
    for place, begin in begins.items():
        consumer.seek(place, begin)
    return starts


async def refuse_open_transactions(consumer: AIOKafkaConsumer, starts: Collection[LogStart], tools: str) -> None:
    """Raise WorkFailed if some log cannot be read to its end; transactions that go on get a while to end.

    Args:
        consumer: One that reads only what is committed.
        starts: The logs.
        tools: `Settings.kafka_tools`.

    Raises:
        KafkaError: Kafka did not answer.
    """
    until_s = time.monotonic() + TRANSACTION_WITHIN_S
    # What the fetches showed decides whether to ask: not every broker answers the question below (see `embedded`).
    held_up = [start for start in starts if _is_held_up(consumer, start)]
    while held_up:
        stable = await consumer.end_offsets([start.place for start in held_up])  # of such a consumer the stable ones
        held_up = [start for start in held_up if stable[start.place] < start.end]
        if not held_up:
            return
        if time.monotonic() > until_s:
            topic, partition = held_up[0].place
            offset = stable[held_up[0].place]
            raise WorkFailed(
                f"{topic} partition {partition}: a transaction is open, and nothing from offset {offset} on may be"
                f" read; {ends(topic, partition, offset, tools)}. Nothing was changed"
            )
        await asyncio.sleep(0.2)


def _is_held_up(consumer: AIOKafkaConsumer, start: LogStart) -> bool:
    """Whether the last fetch showed that not all of a log could be read; some brokers say -1, for not known."""
    stable = consumer.last_stable_offset(start.place)
    return stable is not None and 0 <= stable < start.end


async def _is_seen(
    consumer: AIOKafkaConsumer, place: TopicPartition, begin: int, first_ms: Mapping[TopicPartition, int]
) -> bool:
    end = consumer.highwater(place)
    if end is None:
        return False
    return begin == 0 or place in first_ms or await consumer.position(place) >= end


def other_logs(starts: Sequence[LogStart], held: Held, topics: Topics) -> dict[TopicPartition, str]:
    """Partitions whose log does not tell what Redis was filled from, and why."""
    others = {}
    for start in starts:
        topic, number = start.place
        stored_id, found_id = held.log_ids.get(topic), topics.log_ids.get(topic)
        state = held.stood.get((topic, number))
        is_shorter = state is not None and (state.next_offset or 0) > start.end  # where a broker has no ids
        has_fewer = held.partitions.get(topic, 0) > topics.partitions[topic]  # Kafka takes none away
        if is_shorter or has_fewer or (stored_id and found_id and stored_id != found_id):
            others[start.place] = RECREATED
    return others


def counts_before(given: Sequence[str], streams: Mapping[str, str], partitions: Mapping[str, int]) -> dict[str, int]:
    """How many partitions each topic is said to have had, from the option: `calls=4`, or a number for the only topic.

    Args:
        given: As written by the user.
        streams: Topic by stream.
        partitions: How many each topic has.

    Raises:
        ConfigurationInvalid: A text names no topic, or more than one could be meant, or a topic has no more now.
    """
    found: dict[str, int] = {}
    for text in given:
        name, _, number = text.rpartition("=")
        count = plain_whole_number(number) or 0
        meant = [streams.get(name, name)] if name else [topic for topic, has in partitions.items() if has > count]
        if count < 1 or len(meant) != 1 or partitions.get(meant[0], 0) <= count:
            shown = ", ".join(f"{topic} has {has}" for topic, has in sorted(partitions.items()))
            write = "the stream and how many partitions its topic had before some were added, such as calls=4"
            raise ConfigurationInvalid([Fault("--partitions-before", "", f"{text}, and {shown}", write)])
        found[meant[0]] = count
    return found


def counts_of(topics: Topics, held: Held, before: Mapping[str, int]) -> dict[str, PartitionCounts]:
    """The partition counts of each topic, as far as they are known; what nobody has seen before was seen now.

    Args:
        topics: What the broker says.
        held: What Redis says.
        before: By topic: how many it had, where nobody noted it.

    Raises:
        BrokerUnavailable: A broker answered from older metadata; run it again.
    """
    filled = filled_from(topics, held.partitions, held.log_ids)
    found = {}
    for topic in topics.partitions:
        has, log_id = topics.partitions[topic], topics.log_ids.get(topic)
        known = held.counts.get(topic, NOT_KNOWN)
        if has < known.latest and known.log_id == log_id is not None:
            raise BrokerUnavailable(f"Kafka shows {has} partitions of topic {topic}, and has shown {known.latest}")
        if not known.is_of(log_id) or has < known.latest:  # Kafka takes none away: it was deleted and created again
            first = has if known.counts else filled.get(topic, has)
            known = PartitionCounts((Count(first, 0),), log_id)
        if filled.get(topic) == known.latest:
            known = last_seen(known, [state.fresh_ms for place, state in held.stood.items() if place[0] == topic])
        counts = known.counts
        if topic in before and before[topic] < counts[0].partitions:
            seen_ms = min([topics.asked_ms, *(each.from_ms for each in counts[1:])])
            counts = (Count(before[topic], 0), counts[0]._replace(from_ms=seen_ms), *counts[1:])
        if has > counts[-1].partitions:
            counts = (*counts, Count(has, topics.asked_ms))
        merged = known.merged if len(counts) == len(known.counts) else {}
        known = replace(known, counts=counts, log_id=log_id, merged=merged)
        found[topic] = last_seen(known, [topics.asked_ms]) if has == known.latest else known
    return found


async def dated(
    consumer: AIOKafkaConsumer, counts: Mapping[str, PartitionCounts], by_broker: Collection[str]
) -> dict[str, PartitionCounts]:
    """With an earlier time for a latest count whose partitions had a record before anybody asked.

    Args:
        consumer: A started one.
        counts: By topic.
        by_broker: Topics whose records Kafka stamps: a producer's stamp may be older than the partition.

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


async def stamped_by_broker(settings: Settings, topics: Collection[str]) -> set[str]:
    """Those of the topics whose records Kafka stamps when it writes them; without those of which it does not say it.

    Raises:
        KafkaError: Kafka did not answer.
    """
    admin = clients.admin(settings, REQUEST_TIMEOUT_MS)
    try:
        await clients.start(admin, settings)
        found = await found_settings(admin, topics)
    finally:
        await admin.close()
    return {topic for topic, each in found.items() if each.get(TIMESTAMP_TYPE) == BY_BROKER}


def refuse_early(counts: Mapping[str, PartitionCounts], settle_ms: int, now_ms: int) -> None:
    """Raise WorkFailed if producers may still write by an earlier count: after a rebuild that would be refused.

    Args:
        counts: By topic.
        settle_ms: See `partition_counts.in_use`.
        now_ms: The wall clock.
    """
    for topic, known in counts.items():
        until_ms = known.counts[-1].from_ms + settle_ms
        if len(known.counts) > 1 and not known.merged and now_ms < until_ms:
            raise WorkFailed(
                f"topic {topic} has had {known.latest} partitions since {to_text(known.counts[-1].from_ms)}, and a"
                f" producer may write by the earlier count for {settle_ms / 1000:g} s (WATCHROOM_PARTITIONS_SETTLE_S)."
                f" No figure was changed; run `watchroom rebuild` again after {to_text(until_ms)}, in"
                f" {(until_ms - now_ms + 999) // 1000} s"
            )


def refuse_loss(
    starts: Collection[LogStart],
    others: Mapping[TopicPartition, str],
    months: Sequence[str],
    calendar: Calendar,
    *,
    future_ms: int,
    lose_before: str | None,
) -> None:
    """Raise WorkFailed where Redis holds months that the logs do not tell any more.

    Args:
        starts: The logs.
        others: Partitions whose log does not tell what Redis was filled from, and why.
        months: What Redis holds, oldest first.
        calendar: Reporting zone of the months.
        future_ms: How far after its arrival an event may have happened.
        lose_before: Months before this one may be lost.
    """
    short = [start for start in starts if start.begin > 0 or start.place in others]
    lost: set[str] = set()
    for start in short:
        if start.first_ms is None:
            lost.update(months)  # nothing of it is left, or none of it is what Redis holds
        else:
            first_whole = calendar.month_of(start.first_ms + future_ms)
            lost.update(month for month in months if month <= first_whole)
    unaccepted = sorted(month for month in lost if lose_before is None or month >= lose_before)
    if unaccepted:
        after = calendar.months_after(unaccepted[-1], 1)
        raise WorkFailed(
            f"{'; '.join(_said(start, others.get(start.place)) for start in short)}. So these months would be lost in"
            f" whole or part: {', '.join(unaccepted)}. Nothing was changed; to accept that, run"
            f" `watchroom rebuild --lose-before {after}`"
        )


def _said(start: LogStart, why: str | None) -> str:
    where = f"the log of {start.place.topic} partition {start.place.partition}"
    return f"{where} {why or f'no longer begins at offset 0 but at {start.begin}'}"
