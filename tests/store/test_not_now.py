"""A Redis that is there and does not write now: the worker waits, as after a failover or when it is full."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from redis import Redis

from tests.flow.servers import RedisServer
from tests.store.steps import PARTITIONS, PARTS, TOPIC, content, full
from watchroom.errors import StoreUnavailable, WorkFailed
from watchroom.replay.server import free_port
from watchroom.store.keys import Keys
from watchroom.store.write import Store

KEYS = Keys("force")


@pytest.fixture
async def store(redis_server: RedisServer) -> AsyncIterator[Store]:
    """A store on a Redis of this test alone, with one step in it."""
    opened = Store(redis_server.url, "force", PARTS, PARTITIONS)
    await opened.open()
    await opened.step(full(None, 10), again=False)
    yield opened
    await opened.close()


@pytest.fixture
def client(redis_server: RedisServer) -> Iterator[Redis]:
    """A plain client."""
    with redis_server.client() as plain:
        yield plain


async def test_a_full_redis_is_waited_for(store: Store, client: Redis) -> None:
    """`noeviction`: it refuses writes instead of dropping buckets; nothing of the step is written."""
    before = content(client, KEYS)
    client.config_set("maxmemory", 1)
    with pytest.raises(StoreUnavailable, match="does not write now"):
        await store.step(full(10, 20), again=False)
    with pytest.raises(StoreUnavailable, match="does not write now"):
        await store.open()
    assert content(client, KEYS) == before
    client.config_set("maxmemory", 0)
    await store.step(full(10, 20), again=True)
    assert (await store.position(TOPIC, 0)).next_offset == 20


async def test_a_replica_is_waited_for_until_it_is_the_master(store: Store, client: Redis) -> None:
    """After a failover the old address may answer and take no writes."""
    before = content(client, KEYS)
    client.replicaof("127.0.0.1", free_port())
    with pytest.raises(StoreUnavailable, match="does not write now"):
        await store.step(full(10, 20), again=False)
    assert content(client, KEYS) == before
    client.replicaof("NO", "ONE")
    await store.step(full(10, 20), again=True)
    assert (await store.position(TOPIC, 0)).next_offset == 20


async def test_too_few_replicas_are_waited_for(store: Store, client: Redis) -> None:
    """A Redis told to write only with replicas at hand."""
    client.config_set("min-replicas-to-write", 1)
    with pytest.raises(StoreUnavailable, match="NOREPLICAS"):
        await store.step(full(10, 20), again=False)
    client.config_set("min-replicas-to-write", 0)
    await store.step(full(10, 20), again=True)


async def test_a_user_without_rights_is_a_fault_and_not_a_wait(redis_server: RedisServer, client: Redis) -> None:
    """Waiting would help nobody: the message says what Redis refused, and the process ends with 1."""
    client.acl_setuser("reader", enabled=True, nopass=True, keys=["*"], commands=["+@read", "+@connection"])
    store = Store(redis_server.url.replace("://", "://reader:x@"), "force", PARTS, PARTITIONS)
    with pytest.raises(WorkFailed, match="no permissions to run the"):
        await store.open()
    await store.close()
