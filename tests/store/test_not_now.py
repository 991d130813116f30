"""A Redis that is there but accepts no writes now: the worker waits, as after a failover or when it is full."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from redis import Redis

from tests.flow.servers import RedisServer
from tests.store.steps import DEFINITIONS, TOPIC, content, full
from watchroom.demo.server import free_port
from watchroom.errors import StoreRefuses, StoreUnavailable
from watchroom.store.keys import Keys
from watchroom.store.noted import NotedHash
from watchroom.store.write import Store

KEYS = Keys("force")


@pytest.fixture
async def store(redis_server: RedisServer) -> AsyncIterator[Store]:
    """A store on this test's own Redis, with one step in it."""
    opened = Store(redis_server.url, "force", DEFINITIONS)
    await opened.open()
    await opened.step(full(None, 10), again=False)
    yield opened
    await opened.close()


@pytest.fixture
def client(redis_server: RedisServer) -> Iterator[Redis]:
    """A plain client."""
    with redis_server.client() as plain:
        yield plain


async def test_a_worker_waits_for_a_full_redis(store: Store, client: Redis) -> None:
    """`noeviction`: it refuses writes instead of evicting buckets; nothing of the step is written."""
    before = content(client, KEYS)
    client.config_set("maxmemory", 1)
    with pytest.raises(StoreUnavailable, match="does not accept writes at the moment"):
        await store.step(full(10, 20), again=False)
    with pytest.raises(StoreUnavailable, match="does not accept writes at the moment"):
        await store.open()
    assert content(client, KEYS) == before
    client.config_set("maxmemory", 0)
    await store.step(full(10, 20), again=True)
    assert await store.next_offset(TOPIC, 0) == 20


async def test_a_worker_waits_for_a_replica_to_become_the_primary(store: Store, client: Redis) -> None:
    """After a failover the old address may answer but accept no writes."""
    before = content(client, KEYS)
    client.replicaof("127.0.0.1", free_port())
    with pytest.raises(StoreUnavailable, match="does not accept writes at the moment"):
        await store.step(full(10, 20), again=False)
    assert content(client, KEYS) == before
    client.replicaof("NO", "ONE")
    await store.step(full(10, 20), again=True)
    assert await store.next_offset(TOPIC, 0) == 20


def test_a_write_outside_the_steps_waits_with_the_same_message(redis_server: RedisServer, client: Redis) -> None:
    """Not with that of a pipeline, which repeats everything that was to be written."""
    noted = NotedHash(redis_server.url, "noted")
    client.config_set("maxmemory", 1)
    with pytest.raises(
        StoreUnavailable, match=r"^Redis does not accept writes at the moment \((OOM )?command not allowed"
    ):
        noted.change({"field": "value"})
    client.config_set("maxmemory", 0)
    noted.change({"field": "value"})
    noted.close()


def test_after_a_failover_a_write_outside_the_steps_goes_to_the_new_primary_too(
    redis_server: RedisServer, client: Redis
) -> None:
    """The old one stays up as a replica: over the existing connection it would refuse for ever."""
    noted = NotedHash(redis_server.url, "noted")
    noted.change({"field": "value"})
    client.replicaof("127.0.0.1", free_port())
    before = {each["id"] for each in client.client_list()}
    with pytest.raises(StoreUnavailable, match="it is a replica"):
        noted.change({"field": "value"})
    client.replicaof("NO", "ONE")
    noted.change({"field": "other"})
    new = {each["id"] for each in client.client_list() if each["cmd"] == "exec"} - before
    noted.close()
    assert len(new) == 1, "the name is looked up again with a new connection"


async def test_after_a_failover_the_name_is_resolved_again(redis_server: RedisServer, tmp_path: Path) -> None:
    """The old primary stays up as a replica: over the existing connections it would refuse every step for ever."""
    other = RedisServer(tmp_path / "other")
    other.start()
    name = Name(redis_server)
    store = Store(await name.url(), "force", DEFINITIONS)
    try:
        with redis_server.client() as first, other.client() as second:
            await store.open()
            await store.step(full(None, 10), again=False)
            second.replicaof(*address(redis_server))
            while second.hget(KEYS.partition(TOPIC, 0), "next_offset") != b"10":  # noqa: ASYNC110 - Redis announces nothing
                await asyncio.sleep(0.05)
            second.replicaof("NO", "ONE")
            first.replicaof(*address(other))
            name.leads_to = other
            with pytest.raises(StoreUnavailable, match="does not accept writes at the moment"):
                await store.step(full(10, 20), again=False)
            await store.step(full(10, 20), again=True)
            assert second.hget(KEYS.partition(TOPIC, 0), "next_offset") == b"20"
    finally:
        await store.close()
        await name.close()
        other.kill()


def address(server: RedisServer) -> tuple[str, int]:
    """Host and port of a Redis."""
    parts = urlsplit(server.url)
    return str(parts.hostname), int(parts.port or 0)


class Name:
    """A name that comes to mean another server, as in DNS: a port that forwards new connections."""

    def __init__(self, leads_to: RedisServer) -> None:
        self.leads_to = leads_to
        self._server: asyncio.Server | None = None
        self._ways: set[asyncio.Task[None]] = set()

    async def url(self) -> str:
        """Begin to forward; returns the URL of the name."""
        port = free_port()
        self._server = await asyncio.start_server(self._pass_on, "127.0.0.1", port)
        return f"redis://127.0.0.1:{port}/0"

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(*address(self.leads_to))
        self._ways |= {asyncio.create_task(copy(reader, back)), asyncio.create_task(copy(there, writer))}

    async def close(self) -> None:
        """Stop forwarding."""
        if self._server is not None:
            self._server.close()
        for way in self._ways:
            way.cancel()
        await asyncio.gather(*self._ways, return_exceptions=True)


async def copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    """Forward bytes until there are no more."""
    while data := await source.read(65_536):
        sink.write(data)
        await sink.drain()
    sink.close()


async def test_a_worker_waits_when_there_are_too_few_replicas(store: Store, client: Redis) -> None:
    """A Redis configured to write only with enough replicas."""
    client.config_set("min-replicas-to-write", 1)
    with pytest.raises(StoreUnavailable, match="NOREPLICAS"):
        await store.step(full(10, 20), again=False)
    client.config_set("min-replicas-to-write", 0)
    await store.step(full(10, 20), again=True)


async def test_a_user_without_rights_learns_which_commands_are_missing(
    redis_server: RedisServer, client: Redis
) -> None:
    """A command exits with 1; a worker waits, and retries rarely, until the right has been granted."""
    client.acl_setuser("reader", enabled=True, nopass=True, keys=["*"], commands=["+@read", "+@connection", "+multi"])
    store = Store(redis_server.url.replace("://", "://reader:x@"), "force", DEFINITIONS)
    with pytest.raises(StoreRefuses, match=r"does not let user 'reader' run EVALSHA, SCRIPT\|LOAD, UNLINK"):
        await store.open()
    await store.close()
