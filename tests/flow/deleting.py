"""A topic that is deleted while it is being read."""

from __future__ import annotations

import asyncio

from aiokafka.admin import AIOKafkaAdminClient

from watchroom.settings import Settings


async def delete_calls(settings: Settings) -> None:
    """Delete the calls' topic, and wait until it is gone."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka)
    await admin.start()
    await admin.delete_topics([settings.topic("calls")])
    while settings.topic("calls") in await admin.list_topics():  # noqa: ASYNC110 - the broker announces nothing
        await asyncio.sleep(0.02)
    await admin.close()
