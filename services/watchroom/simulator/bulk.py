"""Sends a long history to Kafka in whole batches, in a quarter of the CPU time that single records take.

The order within a partition is the order of sending, as with `produce`. A record waits until its batch is full or
`flush` is called, so this is not for live events.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any

from aiokafka import AIOKafkaProducer

from watchroom.events.partitioner import partition_of
from watchroom.kafka.produce import Ends, as_ours, connected
from watchroom.settings import Settings
from watchroom.timing import now_ms

MOST_UNDERWAY = 32  # batches that the broker has not answered yet, 128 KiB each

_partition_of = lru_cache(maxsize=65_536)(partition_of)  # an entity has several events


class Bulk:
    """Batches being filled and batches underway."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer
        self._counts: dict[str, int] = {}
        self._filling: dict[tuple[str, int], Any] = {}
        self._underway: dict[asyncio.Future[Any], tuple[tuple[str, int], int]] = {}
        self._ends: Ends = {}

    async def send(self, topic: str, key: bytes, value: bytes) -> None:
        """Put a record into its partition's batch; waits while too many are underway."""
        count = self._counts.get(topic) or await self._count(topic)
        partition = (topic, _partition_of(key, count))
        at_ms = now_ms()
        batch = self._filling.get(partition)
        if batch is None or batch.append(key=key, value=value, timestamp=at_ms) is None:
            await self._ship(partition)
            batch = self._filling[partition] = self._producer.create_batch()
            batch.append(key=key, value=value, timestamp=at_ms)

    async def flush(self) -> Ends:
        """Send all batches and wait for all answers; returns the next offset of every partition that got a record."""
        for partition in list(self._filling):
            await self._ship(partition)
        while self._underway:
            await self._collect(asyncio.ALL_COMPLETED)
        return dict(self._ends)

    async def _ship(self, partition: tuple[str, int]) -> None:
        batch = self._filling.pop(partition, None)
        if batch is None:
            return
        while len(self._underway) >= MOST_UNDERWAY:
            await self._collect(asyncio.FIRST_COMPLETED)
        records = batch.record_count()
        batch.close()
        self._underway[await self._producer.send_batch(batch, partition[0], partition=partition[1])] = (
            partition,
            records,
        )

    async def _collect(self, when: str) -> None:
        done, _ = await asyncio.wait(self._underway, return_when=when)
        for answer in done:
            partition, records = self._underway.pop(answer)
            self._ends[partition] = max(self._ends.get(partition, 0), answer.result().offset + records)

    async def _count(self, topic: str) -> int:
        self._counts[topic] = len(await self._producer.partitions_for(topic))
        return self._counts[topic]


@asynccontextmanager
async def bulk(settings: Settings) -> AsyncIterator[Bulk]:
    """A connected sender of batches.

    Args:
        settings: Which brokers to use, and how to connect to them.

    Raises:
        BrokerUnavailable: No broker answered in time, here or in the body.
    """
    with as_ours(settings.kafka):
        async with connected(settings) as producer:
            yield Bulk(producer)
