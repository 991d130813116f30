"""What everybody writes first: read a record, increment a counter in Redis, let the consumer commit by itself.

    python -m tests.flow.naive_counter KAFKA REDIS-URL TOPIC... GROUP

It runs beside the worker in the crash test and gives wrong counts; that is why the worker is built as it is.
"""

from __future__ import annotations

import asyncio
import sys

from aiokafka import AIOKafkaConsumer
from redis.asyncio import Redis
from redis.exceptions import RedisError

KEY = "naive"


async def count(kafka: str, redis_url: str, topics: list[str], group: str) -> None:
    """Increment `naive` by one for each record, for ever."""
    redis = Redis.from_url(redis_url)
    async with AIOKafkaConsumer(
        *topics, bootstrap_servers=kafka, group_id=group, auto_offset_reset="earliest", auto_commit_interval_ms=1000,
        session_timeout_ms=6000, heartbeat_interval_ms=500,
    ) as consumer:  # fmt: skip
        async for record in consumer:
            try:
                await redis.hincrby(KEY, record.topic, 1)
            except (RedisError, OSError):
                await asyncio.sleep(0.1)


if __name__ == "__main__":
    _, kafka_, redis_, *topics_, group_ = sys.argv
    asyncio.run(count(kafka_, redis_, topics_, group_))
