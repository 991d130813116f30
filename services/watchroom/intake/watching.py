"""Looking at the running consumer: does aiokafka still work, and are the logs still those we began with?"""

# ruff: noqa: SLF001 - what is looked at is private

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer

from watchroom.errors import WorkFailed
from watchroom.intake.log_ids import log_ids

BROKER_WAIT_S = 10.0


class LogsSeen(NamedTuple):
    """What the broker says about the topics that we read."""

    ids: Mapping[str, str]  # of each topic's log, where the broker has ids
    without_partitions: Sequence[str]  # topics that are not there


async def look_at_logs(consumer: AIOKafkaConsumer) -> LogsSeen:
    """Which logs the subscribed topics have now.

    Raises:
        KafkaError, OSError, TimeoutError: No broker answered.
    """
    topics = sorted(consumer.subscription())
    async with asyncio.timeout(BROKER_WAIT_S):
        ids = await log_ids(consumer._client, topics)
    return LogsSeen(ids, [topic for topic in topics if not consumer.partitions_for_topic(topic)])


def refuse_dead_tasks(consumer: AIOKafkaConsumer) -> None:
    """Raise WorkFailed if a task that aiokafka never ends has ended: nobody else looks at them."""
    tasks = {"fetches": consumer._fetcher._fetch_task, "keeps its group": consumer._coordinator._coordination_task}
    for what, task in tasks.items():
        if task.done() and not consumer._closed:
            why = "cancelled" if task.cancelled() else repr(task.exception())
            raise WorkFailed(f"the Kafka client's task that {what} has ended ({why}); a restart makes a new one")
