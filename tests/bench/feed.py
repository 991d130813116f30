"""Fills a topic fast, and sends at a steady rate."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import NamedTuple

from aiokafka import AIOKafkaProducer

from tests.bench.calls import Event

BATCH_BYTES = 64 * 1024  # as a producer with a few ms of linger sends them


class Sent(NamedTuple):
    """An acknowledged event: its position, and when it was passed to the producer (monotonic s)."""

    partition: int
    offset: int
    at_s: float


async def fill(kafka: str, topic: str, events: Sequence[Event]) -> None:
    """Send all, in order within each partition, and wait until the broker has them."""
    async with AIOKafkaProducer(bootstrap_servers=kafka, acks="all", max_batch_size=BATCH_BYTES) as producer:
        batches = {event.partition: producer.create_batch() for event in events}
        answers = []
        for event in events:
            batch = batches[event.partition]
            if batch.append(key=event.key, value=event.value, timestamp=None) is None:
                answers.append(await producer.send_batch(batch, topic, partition=event.partition))
                batch = batches[event.partition] = producer.create_batch()
                batch.append(key=event.key, value=event.value, timestamp=None)
        for partition, batch in batches.items():
            answers.append(await producer.send_batch(batch, topic, partition=partition))
        await asyncio.gather(*answers)


async def steady(kafka: str, topic: str, events: Sequence[Event], a_second: int) -> list[Sent]:
    """Send one by one at a steady rate; returns each acknowledgement."""
    async with AIOKafkaProducer(bootstrap_servers=kafka, acks="all") as producer:
        began_s = time.monotonic()
        sent = []
        for index, event in enumerate(events):
            await asyncio.sleep(began_s + index / a_second - time.monotonic())
            at_s = time.monotonic()
            sent.append((at_s, await producer.send(topic, event.value, event.key, event.partition)))
        answers = await asyncio.gather(*(answer for _, answer in sent))
    return [Sent(answer.partition, answer.offset, at_s) for (at_s, _), answer in zip(sent, answers, strict=True)]
