"""A topic that was deleted and created again under its old name is another log."""

from __future__ import annotations

import pytest

from tests.flow.servers.redis import RedisServer
from tests.store.steps import DEFINITIONS, PARTITIONS
from watchroom.errors import RebuildNeeded
from watchroom.store.write import Store


async def test_a_recreated_topic_requires_a_rebuild(redis_server: RedisServer) -> None:
    """Its offsets begin at 0 again: once past the stored one they would pass for events never seen."""
    topic = next(iter(PARTITIONS))
    for log_ids, refused in (({topic: "one"}, False), ({topic: "one"}, False), ({topic: "two"}, True), ({}, False)):
        store = Store(redis_server.url, "force", DEFINITIONS, log_ids)
        try:
            if refused:
                with pytest.raises(RebuildNeeded, match=f"{topic} was deleted and created again"):
                    await store.open()
            else:
                await store.open()
        finally:
            await store.close()


async def test_a_recreated_topic_of_a_stream_under_another_definition_stops_no_worker(
    redis_server: RedisServer,
) -> None:
    """The worker reads nothing of it; a recreated topic of a matching stream still stops the worker."""
    calls, incidents = PARTITIONS
    other = {**DEFINITIONS, "incidents": {**DEFINITIONS["incidents"], "reporting zone": "UTC"}}
    first = Store(redis_server.url, "force", DEFINITIONS, {calls: "one", incidents: "one"})
    await first.open()
    await first.close()
    for log_ids, refused in (({calls: "one", incidents: "two"}, False), ({calls: "two", incidents: "one"}, True)):
        store = Store(redis_server.url, "force", other, log_ids)
        if refused:
            with pytest.raises(RebuildNeeded, match=f"{calls} was deleted and created again"):
                await store.open()
        else:
            assert list(await store.open()) == ["incidents"]
        await store.close()
