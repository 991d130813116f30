"""Sends a long past to Kafka in whole batches: a quarter of the CPU time that one record at a time takes.

The order within a partition is the order of sending, as with `produce`; a record waits here until its
batch is full or `flush` is called, so this is not for live events.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from watchroom.errors import BrokerUnavailable
from watchroom.events.partitioner import partition_of
from watchroom.kafka import clients
from watchroom.kafka.produce import BATCH_BYTES, TIMEOUT_MS, Ends
from watchroom.settings import Settings

MOST_UNDERWAY = 32  # batches that the broker has not answered yet, 128 KiB each
Place = tuple[str, int]

_partition_of = lru_cache(maxsize=65_536)(partition_of)  # an entity has several events


class Bulk:
    """Batches being filled and batches underway."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer
        self._counts: dict[str, int] = {}
        self._filling: dict[Place, Any] = {}
        self._underway: dict[asyncio.Future[Any], tuple[Place, int]] = {}
        self._ends: Ends = {}

    async def send(self, topic: str, key: bytes, value: bytes) -> None:
        """Put a record into its partition's batch; waits while too many are underway."""
        count = self._counts.get(topic) or await self._count(topic)
        place = (topic, _partition_of(key, count))
        now_ms = time.time_ns() // 1_000_000
        batch = self._filling.get(place)
        if batch is None or batch.append(key=key, value=value, timestamp=now_ms) is None:
            await self._ship(place)
            batch = self._filling[place] = self._producer.create_batch()
            batch.append(key=key, value=value, timestamp=now_ms)

    async def flush(self) -> Ends:
        """Send what is there and wait for all answers; the next offset of every partition that got a record."""
        for place in list(self._filling):
            await self._ship(place)
        while self._underway:
            await self._collect(asyncio.ALL_COMPLETED)
        return dict(self._ends)

    async def _ship(self, place: Place) -> None:
        batch = self._filling.pop(place, None)
        if batch is None:
            return
        while len(self._underway) >= MOST_UNDERWAY:
            await self._collect(asyncio.FIRST_COMPLETED)
        records = batch.record_count()
        batch.close()
        self._underway[await self._producer.send_batch(batch, place[0], partition=place[1])] = (place, records)

    async def _collect(self, when: str) -> None:
        done, _ = await asyncio.wait(self._underway, return_when=when)
        for answer in done:
            place, records = self._underway.pop(answer)
            self._ends[place] = max(self._ends.get(place, 0), answer.result().offset + records)

    async def _count(self, topic: str) -> int:
        self._counts[topic] = len(await self._producer.partitions_for(topic))
        return self._counts[topic]


@asynccontextmanager
async def bulk(settings: Settings) -> AsyncIterator[Bulk]:
    """A connected sender of batches.

    Args:
        settings: Which brokers, and how they are spoken to.

    Raises:
        BrokerUnavailable: No broker answered, or not in time, here or in the body.
    """
    producer = clients.producer(settings, acks="all", max_batch_size=BATCH_BYTES, request_timeout_ms=TIMEOUT_MS)
    try:
        await asyncio.wait_for(clients.start(producer, settings), TIMEOUT_MS / 1000)
        yield Bulk(producer)
    except (KafkaError, OSError, TimeoutError) as error:
        raise BrokerUnavailable(
            f"no answer from Kafka at {settings.kafka} ({type(error).__name__}); "
            "check that it runs and that host and port are right (--kafka)"
        ) from error
    finally:
        await producer.stop()
