"""Looking at the running consumer: does aiokafka still work, and are the logs still those we began with?"""

# ruff: noqa: SLF001 - what is looked at is private

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import GroupAuthorizationFailedError, TopicAuthorizationFailedError

from watchroom.errors import BrokerRefuses, WorkFailed
from watchroom.intake.log_ids import topics_seen

BROKER_WAIT_S = 10.0


class LogsSeen(NamedTuple):
    """What the broker says about the topics that we read."""

    ids: Mapping[str, str]  # of each topic's log, where the broker has ids
    without_partitions: Sequence[str]  # topics that are not there
    partitions: Mapping[str, int] = MappingProxyType({})  # count by topic, of those that are there
    asked_ms: int = 0  # when the request was sent, milliseconds since the epoch


async def look_at_logs(consumer: AIOKafkaConsumer) -> LogsSeen:
    """Which logs the subscribed topics have now, and how many partitions.

    Raises:
        KafkaError, OSError, TimeoutError: No broker answered.
    """
    topics = sorted(consumer.subscription())
    asked_ms = int(time.time() * 1000)
    async with asyncio.timeout(BROKER_WAIT_S):
        seen = await topics_seen(consumer._client, topics)
    return LogsSeen(
        {topic: each.log_id for topic, each in seen.items() if each.log_id is not None},
        [topic for topic in topics if not consumer.partitions_for_topic(topic)],
        {topic: each.partitions for topic, each in seen.items()},
        asked_ms,
    )


def refuse_dead_tasks(consumer: AIOKafkaConsumer) -> None:
    """Raise WorkFailed if a task that aiokafka never ends has ended: nobody else looks at them.

    Raises:
        BrokerRefuses: The one that keeps our place in the group stands still since our user lacks a right.
    """
    told = consumer._coordinator._pending_exception  # aiokafka waits until a caller of `getmany` has taken it
    if isinstance(told, (GroupAuthorizationFailedError, TopicAuthorizationFailedError)):
        what = "group" if isinstance(told, GroupAuthorizationFailedError) else "topic"
        raise BrokerRefuses(
            f"Kafka does not let this user use {what} {told.args[0] if told.args else ''}: grant it READ, see"
            " deploy/kafka/rights.md"
        )
    tasks = {"fetches": consumer._fetcher._fetch_task, "keeps its group": consumer._coordinator._coordination_task}
    for what, task in tasks.items():
        if task.done() and not consumer._closed:
            why = "cancelled" if task.cancelled() else repr(task.exception())
            raise WorkFailed(f"the Kafka client's task that {what} has ended ({why}); a restart makes a new one")
