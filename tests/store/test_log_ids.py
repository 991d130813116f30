"""A topic made anew under its old name is another log."""

from __future__ import annotations

import pytest

from tests.flow.servers.redis import RedisServer
from tests.store.steps import DEFINITIONS, PARTITIONS
from watchroom.errors import RebuildNeeded
from watchroom.store.write import Store


async def test_a_topic_made_anew_asks_for_a_rebuild(redis_server: RedisServer) -> None:
    """Its offsets begin at 0 again: once past the stored one they would pass for events never seen."""
    topic = next(iter(PARTITIONS))
    for log_ids, refused in (({topic: "one"}, False), ({topic: "one"}, False), ({topic: "two"}, True), ({}, False)):
        store = Store(redis_server.url, "force", DEFINITIONS, log_ids)
        try:
            if refused:
                with pytest.raises(RebuildNeeded, match=f"{topic} was made anew"):
                    await store.open()
            else:
                await store.open()
        finally:
            await store.close()
