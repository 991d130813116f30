"""What is reported about a Redis with which a worker cannot work, or not safely: role, kind, persistence, version."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from redis.exceptions import AskError, MovedError

from tests.flow.commands import watchroom
from tests.flow.servers import RedisServer
from tests.store.steps import DEFINITIONS, TOPIC, full
from watchroom.demo.server import LOOPBACK, free_port
from watchroom.errors import ConfigurationInvalid, StoreRefuses, StoreUnavailable
from watchroom.store.evictions import Seen
from watchroom.store.findings import Finding, of_evictions, of_info, without_info
from watchroom.store.read import Reader
from watchroom.store.refusals import unavailable
from watchroom.store.write import Store

pytestmark = pytest.mark.real


@pytest.fixture
def plain(redis_server: RedisServer) -> Iterator[Any]:
    """A client that may do everything; untyped."""
    with redis_server.client() as client:
        yield client


def checks(found: list[Finding]) -> list[tuple[str, str]]:
    """The check and the severity of each finding."""
    return [(finding.check, finding.severity) for finding in found]


def test_a_redis_with_our_configuration_gives_no_finding(plain: Any) -> None:
    """The tests start it with deploy/redis/redis.conf."""
    assert of_info(plain.info()) == []


def test_disabled_persistence_is_a_warning(plain: Any) -> None:
    """It loses nothing now, but much at its next restart."""
    plain.config_set("appendonly", "no")
    (finding,) = of_info(plain.info())
    assert (finding.check, finding.severity) == ("persistence", "warning")
    assert str(finding).startswith("Redis: the append-only file is off: a restart loses ")
    assert "set `appendonly yes` in redis.conf" in finding.do
    failed = {"aof_enabled": 1, "aof_last_write_status": "err", "rdb_last_bgsave_status": "err"}
    assert checks(of_info(failed)) == [("persistence", "error")] * 2


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl"])
def test_a_policy_that_may_evict_is_an_error_whatever_the_limit_is(plain: Any, policy: str) -> None:
    """Somebody may set a limit later."""
    plain.config_set("maxmemory-policy", policy)
    (finding,) = of_info(plain.info())
    assert (finding.check, finding.severity) == ("eviction", "error")
    assert policy in finding.found
    assert "write noeviction" in finding.do


def test_evicted_keys_are_an_error_until_a_rebuild() -> None:
    """From the mark and from the primary's own count; without INFO only the mark is known."""
    info = {"run_id": "a", "role": "master", "evicted_keys": 3}
    assert of_evictions(info, Seen("a", 3)) == []
    assert checks(of_evictions(info, Seen("a", 2))) == [("eviction", "error")]
    assert checks(of_evictions(None, Seen(marked=True))) == [("eviction", "error")]
    assert of_evictions(None, Seen()) == []
    assert without_info().severity == "warning"


@pytest.mark.parametrize(("version", "is_old"), [("6.2.14", True), ("7.0.0", False), ("7.2.4", False), ("10.1", False)])
def test_a_version_whose_scripts_cannot_check_rights_is_a_warning(version: str, is_old: bool) -> None:
    """Versions are compared as numbers, not as texts."""
    assert checks(of_info({"redis_version": version})) == [("version", "warning")] * is_old


@pytest.mark.parametrize("field", ["redis_mode", "server_mode"])
def test_a_sentinel_instead_of_a_redis_is_an_error(field: str) -> None:
    """Redis and Valkey use fields of different names."""
    assert checks(of_info({field: "sentinel"})) == [("mode", "error")]
    assert of_info({field: "standalone"}) == []


def test_a_field_that_a_service_leaves_out_gives_no_finding() -> None:
    """Managed services report little."""
    assert of_info({}) == []


async def test_a_worker_waits_on_a_replica_and_an_exporter_reads_it(redis_server: RedisServer, plain: Any) -> None:
    """From the start, and even for a user who may not run INFO: HELLO gives the role too."""
    store, reader = Store(redis_server.url, "force", DEFINITIONS), Reader(redis_server.url, "force")
    await store.open()
    await store.step(full(None, 10), again=False)
    nobody = free_port()
    for allowed in ("+info", "-info"):
        plain.execute_command("ACL", "SETUSER", "default", allowed)
        plain.replicaof(LOOPBACK, nobody)
        fresh = Store(redis_server.url, "force", DEFINITIONS)
        with pytest.raises(StoreUnavailable, match="it is a replica, and a worker writes to the primary"):
            await fresh.open()
        with pytest.raises(StoreUnavailable, match="it is a replica"):
            await store.step(full(10, 20), again=False)
        assert reader.process().is_replica
        assert reader.partitions()[TOPIC, 0].next_offset == 10
        plain.replicaof("NO", "ONE")
        await fresh.open()
        await fresh.close()
    await store.step(full(10, 20), again=False)
    await store.close()
    reader.close()


async def test_a_replica_that_accepts_writes_is_not_written_to(redis_server: RedisServer, plain: Any) -> None:
    """Writes there are lost at its next synchronisation, without any message."""
    store = Store(redis_server.url, "force", DEFINITIONS)
    await store.open()
    await store.step(full(None, 10), again=False)
    plain.config_set("replica-read-only", "no")
    plain.replicaof(LOOPBACK, free_port())
    for _ in range(2):  # at the next check, and from then on
        with pytest.raises(StoreUnavailable, match="it is a replica"):
            await store.check_evictions()
        with pytest.raises(StoreUnavailable, match="it is a replica"):
            await store.step(full(10, 20), again=False)
    plain.replicaof("NO", "ONE")
    await store.step(full(10, 20), again=False)
    assert await store.next_offset(TOPIC, 0) == 20
    await store.close()


def test_a_replica_is_an_error_only_for_a_process_that_writes() -> None:
    """The message has the address of its primary."""
    info = {"role": "slave", "master_host": "10.0.0.1", "master_port": 6379, "master_link_status": "down"}
    assert checks(of_info(info)) == [("replication", "warning"), ("role", "error")]
    assert "a replica of 10.0.0.1:6379" in of_info(info)[-1].found
    assert checks(of_info(info, is_written=False)) == [("replication", "warning")]


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A cluster node that has no slots yet."""
    server = RedisServer(  # without a cluster port, Redis uses its own + 10,000, which may be taken
        tmp_path_factory.mktemp("node"), "--cluster-enabled", "yes", "--cluster-port", str(free_port())
    )
    server.start()
    yield server
    server.kill()


@pytest.mark.parametrize("allowed", ["+info", "-info"])
async def test_a_cluster_node_is_refused_with_a_clear_message(node: RedisServer, allowed: str) -> None:
    """Clusters are not supported yet; nobody should have to guess what MOVED means."""
    with node.client() as client:
        ask: Any = client.execute_command
        ask("ACL", "SETUSER", "default", allowed)
        info: Any = client.info() if allowed == "+info" else {}
    store, reader = Store(node.url, "force", DEFINITIONS), Reader(node.url, "force")
    with pytest.raises(ConfigurationInvalid, match="is a node of a Redis Cluster, which this version") as refused:
        await store.open()
    await store.close()
    (fault,) = refused.value.faults
    assert (fault.where, refused.value.exit_code) == ("WATCHROOM_REDIS_URL", 2)
    for call in (reader.process, reader.meta):
        with pytest.raises(StoreRefuses, match="is a node of a Redis Cluster, which this version"):
            call()
        reader._backoff.ended()
    reader.close()
    if info:
        assert checks(of_info(info)) == [("mode", "error")]


@pytest.mark.parametrize("database", [0, 1])
def test_a_command_on_a_cluster_node_prints_one_line(node: RedisServer, database: int) -> None:
    """A database other than 0 is refused even before a key is read."""
    done = watchroom("months", environment={"WATCHROOM_REDIS_URL": node.url.removesuffix("/0") + f"/{database}"})
    assert (done.code, len(done.lines)) == (1, 1), done
    assert "is a node of a Redis Cluster" in done.said


@pytest.mark.parametrize("text", ["MOVED 3999 127.0.0.1:6381", "ASK 3999 127.0.0.1:6381"])
def test_the_redirection_of_a_healthy_cluster_gives_the_same_message(text: str) -> None:
    """As redis-py reads it: the slot is on another node."""
    code, _, rest = text.partition(" ")
    error = {"MOVED": MovedError, "ASK": AskError}[code](rest)
    said = unavailable("redis://h", error)
    assert isinstance(said, StoreRefuses)
    assert str(said).startswith("Redis at redis://h:6379/0 is a node of a Redis Cluster")
