"""`python -m tests.bench.floor KAFKA TOPIC PARTITIONS EVENTS`: raw aiokafka `getmany` that only counts."""

from __future__ import annotations

import asyncio
import sys

import uvloop
from aiokafka import AIOKafkaConsumer, TopicPartition


async def main(kafka: str, topic: str, partitions: int, events: int) -> None:
    """Say `ready`, read this many records, say `done`, and wait to be ended."""
    async with AIOKafkaConsumer(bootstrap_servers=kafka, auto_offset_reset="earliest") as consumer:
        consumer.assign([TopicPartition(topic, n) for n in range(partitions)])
        await consumer.getmany(timeout_ms=100)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        count = 0
        while count < events:
            fetched = await consumer.getmany(timeout_ms=500)
            count += sum(map(len, fetched.values()))
        sys.stdout.write("done\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
