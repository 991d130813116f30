"""What the doctor reads from a real Redis."""

from __future__ import annotations

import pytest

from tests.flow.servers import RedisServer
from watchroom.doctor.examine import of_redis
from watchroom.doctor.redis_facts import redis_facts
from watchroom.settings import Settings, read_settings
from watchroom.store.partition_counts import Count, PartitionCounts, PartitionCountStore

pytestmark = pytest.mark.real


def test_a_rebuild_that_was_interrupted_during_its_merge_is_found(redis_server: RedisServer) -> None:
    """Its mark remains after the figures have been cleared, and no worker starts until it is removed."""
    settings = read_settings(redis_url=redis_server.url, streams="calls")
    topic = settings.topic("calls")
    store = PartitionCountStore(settings.redis, settings.force)
    try:
        store.replace(topic, PartitionCounts((Count(4, 0), Count(6, 1_000)), "id", is_rebuilding=True))
        assert said(settings) == [f"a rebuild that merges the partitions of {topic} is running, or was interrupted"]
        store.replace(topic, PartitionCounts((Count(4, 0), Count(6, 1_000)), "id"))
        assert said(settings) == [f"Redis at {settings.redis_shown} holds no data for this force"]
    finally:
        store.close()


def said(settings: Settings) -> list[str]:
    """The findings for the force."""
    return [each.what for each in of_redis(settings, redis_facts(settings), None) if each.check == "force"]
