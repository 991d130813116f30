"""What must hold before `watchroom rebuild` clears anything: nobody writes, and no month would be lost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import closing
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from watchroom.errors import BrokerUnavailable, WorkFailed
from watchroom.intake.partition_counts import Held, read_held
from watchroom.kafka import clients
from watchroom.kafka.topics import Topics
from watchroom.rolling.calendar import Calendar
from watchroom.settings import Settings
from watchroom.store.evictions import refuse_evicting
from watchroom.store.freshness import RUNNING_WITHIN_MS
from watchroom.store.open_transactions import ends
from watchroom.store.read import PartitionState, Reader
from watchroom.wording import duration

REQUEST_TIMEOUT_MS = 10_000
FETCH_WITHIN_MS = 500
LOOK_WITHIN_S = 20.0
COORDINATOR_WITHIN_S = 15.0
TRANSACTION_WITHIN_S = 10.0


class LogStart(NamedTuple):
    """How far back one partition's log reaches."""

    topic_partition: TopicPartition
    begin: int  # its first offset
    end: int  # the next offset to be written
    first_ms: int | None  # arrival of its first record; None if no record is left, or the log begins at 0


def look_at_redis(settings: Settings) -> Held:
    """What Redis holds; empty if no worker has ever written. Raises ConfigurationInvalid if it may evict keys."""
    with closing(Reader(settings.redis, settings.force)) as reader:
        refuse_evicting(reader.process(), settings.redis_shown)
        return read_held(reader)._replace(months=reader.months())


def refuse_while_running(states: Mapping[tuple[str, int], PartitionState], now_ms: int) -> None:
    """Raise WorkFailed if any partition was fresh so recently that a worker must be running."""
    for (topic, number), state in states.items():
        if state.fresh_ms is not None and now_ms - state.fresh_ms < RUNNING_WITHIN_MS:
            ago_s = max(0, now_ms - state.fresh_ms) / 1000
            raise WorkFailed(
                f"a worker is running: {topic} partition {number} was fresh {duration(ago_s)} ago; stop every worker"
                f" of this force, wait {RUNNING_WITHIN_MS // 1000} s, then run `watchroom rebuild` again"
            )


async def refuse_members(settings: Settings) -> None:
    """Raise WorkFailed if the workers' consumer group has a member."""
    async with clients.open_admin(settings, REQUEST_TIMEOUT_MS) as admin:
        members = await _members(admin, settings.group)
    if members:
        raise WorkFailed(
            f"a worker is running: consumer group {settings.group} has {len(members)} member(s), the first of which is"
            f" {members[0]}; stop every worker, wait for its session to end"
            f" ({settings.session_timeout_s:g} s), then run `watchroom rebuild` again"
        )


async def _members(admin: AIOKafkaAdminClient, group: str) -> list[str]:
    """Ids of a group's members; waits for a broker that is still creating its topic of offsets."""
    until_s = time.monotonic() + COORDINATOR_WITHIN_S
    while True:
        try:
            return [str(member[0]) for member in await clients.group_members(admin, group)]
        except KafkaError as error:
            if not error.retriable or time.monotonic() > until_s:
                raise
        await asyncio.sleep(0.2)


async def look_at_logs(consumer: AIOKafkaConsumer, begins: Mapping[TopicPartition, int]) -> list[LogStart]:
    """Where each log begins and ends, and when the first record of a shortened log arrived.

    Args:
        consumer: Assigned to the partitions, at their beginnings; it is there again afterwards.
        begins: First offset by partition.

    Raises:
        BrokerUnavailable: Kafka did not show the end of every log in time.
    """
    first_ms: dict[TopicPartition, int] = {}
    until_s = time.monotonic() + LOOK_WITHIN_S
    while waiting := [tp for tp in begins if not await _is_seen(consumer, tp, begins[tp], first_ms)]:
        if time.monotonic() > until_s:
            where = ", ".join(f"{tp.topic} partition {tp.partition}" for tp in waiting[:3])
            raise BrokerUnavailable(f"Kafka returned no records from {where} for {LOOK_WITHIN_S:.0f} s")
        for tp, records in (await consumer.getmany(*waiting, timeout_ms=FETCH_WITHIN_MS)).items():
            first_ms.setdefault(tp, records[0].timestamp)
    starts = [LogStart(tp, begin, consumer.highwater(tp), first_ms.get(tp)) for tp, begin in begins.items()]
    for tp, begin in begins.items():
        consumer.seek(tp, begin)
    return starts


async def refuse_open_transactions(consumer: AIOKafkaConsumer, starts: Collection[LogStart], tools: str) -> None:
    """Raise WorkFailed if a log cannot be read to its end because of an open transaction; first wait for it to end.

    Args:
        consumer: It reads only what is committed.
        starts: The logs.
        tools: `Settings.kafka_tools`.

    Raises:
        KafkaError: Kafka did not answer.
    """
    until_s = time.monotonic() + TRANSACTION_WITHIN_S
    # Asked only if the fetches have shown it: not every broker answers the question below (see `embedded`).
    held_up = [start for start in starts if _is_held_up(consumer, start)]
    while held_up:
        # this consumer reads only what is committed, so these are the last stable offsets
        stable = await consumer.end_offsets([start.topic_partition for start in held_up])
        held_up = [start for start in held_up if stable[start.topic_partition] < start.end]
        if held_up and time.monotonic() > until_s:
            topic, partition = held_up[0].topic_partition
            offset = stable[held_up[0].topic_partition]
            raise WorkFailed(
                f"{topic} partition {partition}: a transaction is open, and nothing from offset {offset} onwards can"
                f" be read; {ends(topic, partition, offset, tools)}. Nothing was changed"
            )
        await asyncio.sleep(0.2)


def _is_held_up(consumer: AIOKafkaConsumer, start: LogStart) -> bool:
    """Whether the last fetch showed that a part of the log cannot be read; some brokers answer -1, for unknown."""
    stable = consumer.last_stable_offset(start.topic_partition)
    return stable is not None and 0 <= stable < start.end


async def _is_seen(
    consumer: AIOKafkaConsumer, tp: TopicPartition, begin: int, first_ms: Mapping[TopicPartition, int]
) -> bool:
    end = consumer.highwater(tp)
    if end is None:
        return False
    return begin == 0 or tp in first_ms or await consumer.position(tp) >= end


def other_logs(starts: Sequence[LogStart], held: Held, topics: Topics) -> set[TopicPartition]:
    """Partitions whose log is not the one that Redis was filled from."""
    others = set()
    for start in starts:
        topic, number = start.topic_partition
        stored_id, found_id = held.log_ids.get(topic), topics.log_ids.get(topic)
        state = held.states.get((topic, number))
        is_shorter = state is not None and (state.next_offset or 0) > start.end  # if the broker has no log ids
        has_fewer = held.partitions.get(topic, 0) > topics.partitions[topic]  # Kafka never takes partitions away
        if is_shorter or has_fewer or (stored_id and found_id and stored_id != found_id):
            others.add(start.topic_partition)
    return others


def refuse_loss(
    starts: Collection[LogStart],
    others: Collection[TopicPartition],
    months: Sequence[str],
    calendar: Calendar,
    *,
    future_ms: int,
    lose_before: str | None,
) -> None:
    """Raise WorkFailed if Redis holds months whose records are no longer in the logs.

    Args:
        starts: The logs.
        others: Partitions whose log is not the one that Redis was filled from.
        months: What Redis holds, oldest first.
        calendar: Reporting zone of the months.
        future_ms: How far after its arrival an event may have happened.
        lose_before: Months before this one may be lost.
    """
    short = [start for start in starts if start.begin > 0 or start.topic_partition in others]
    lost: set[str] = set()
    for start in short:
        if start.first_ms is None:
            lost.update(months)  # the log is empty, or has nothing that Redis holds
        else:
            first_whole = calendar.month_of(start.first_ms + future_ms)
            lost.update(month for month in months if month <= first_whole)
    unaccepted = sorted(month for month in lost if lose_before is None or month >= lose_before)
    if unaccepted:
        after = calendar.months_after(unaccepted[-1], 1)
        said = [_said(start, is_other=start.topic_partition in others) for start in short]
        raise WorkFailed(
            f"{'; '.join(said)}. These months would be lost in whole or in part: {', '.join(unaccepted)}."
            f" Nothing was changed; to accept this loss, run `watchroom rebuild --lose-before {after}`"
        )


def _said(start: LogStart, *, is_other: bool) -> str:
    where = f"the log of {start.topic_partition.topic} partition {start.topic_partition.partition}"
    if is_other:
        return f"{where} was deleted and created again since Redis was filled from it"
    return f"{where} no longer begins at offset 0 but at {start.begin}"
