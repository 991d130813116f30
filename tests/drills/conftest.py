"""One control room for a module of drills: the shared Kafka, a Redis of its own, all processes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import new_name
from tests.drills.deployment import Deployment, running_deployment
from tests.flow.servers import KafkaServer, RedisServer, Stack


@pytest.fixture(scope="module")
def deployment(kafka: KafkaServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    """A deployment that is quiet and fresh when the first drill begins."""
    folder = tmp_path_factory.mktemp("room")
    redis = RedisServer(folder / "redis")
    redis.start()
    try:
        with running_deployment(Stack("real", kafka.address, redis.url, new_name()), redis, folder) as made:
            yield made
    finally:
        redis.kill()
