"""A Redis that evicts keys: no worker writes to it, and nothing is published from it until a rebuild."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.flow.commands import Running, watchroom
from tests.flow.servers import PrometheusServer, RedisServer
from tests.flow.servers.sentinel import until
from tests.parts import ROOT, PartMissing, missing
from tests.store.steps import DEFINITIONS
from tests.test_cli import CALL_LOG, EXTRACT
from watchroom.catalogue.load import load_catalogue
from watchroom.demo.embedded import EmbeddedStack
from watchroom.demo.server import LOOPBACK, free_port
from watchroom.errors import ConfigurationInvalid, StoreRefuses
from watchroom.exporter.exposition import CONTENT_TYPE
from watchroom.exporter.mirror import Mirror
from watchroom.exporter.page import Page
from watchroom.exporter.run import definition_differences
from watchroom.exporter.server import Answer, Server
from watchroom.intake import worker
from watchroom.intake.worker import check_redis
from watchroom.kafka.topics import Topics
from watchroom.rolling.calendar import Calendar
from watchroom.settings import Settings, read_settings
from watchroom.store.backoff import Backoff
from watchroom.store.clear import clear
from watchroom.store.evictions import Process, Seen, process_of
from watchroom.store.read import Reader
from watchroom.store.write import Store
from watchroom.timing import now_ms

pytestmark = pytest.mark.real
POLICIES = ("volatile-lru", "allkeys-lru", "volatile-ttl", "allkeys-random", "volatile-lfu")


@pytest.fixture
def settings(redis_server: RedisServer, force: str) -> Settings:
    """Settings for this test's own Redis."""
    return read_settings(redis_url=redis_server.url, force=force, streams=("calls",))


@pytest.fixture
def plain(redis_server: RedisServer) -> Iterator[Any]:
    """A client that may do everything; untyped."""
    with redis_server.client() as client:
        yield client


@pytest.fixture
def withheld(settings: Settings) -> Iterator[Callable[[], str]]:
    """Ask an exporter why calls are withheld; each call asks again."""
    catalogue = load_catalogue(settings.schemas / "measures", settings.areas)
    reader = Reader(settings.redis, settings.force)
    mirror = Mirror(reader, catalogue, Calendar(settings.zone))
    page = Page(mirror, settings, definition_differences(catalogue, settings))

    def ask() -> str:
        mirror.refresh(now_ms())
        return "\n".join(page.faults(now_ms())["calls"])

    yield ask
    reader.close()


def evict(plain: Any, key: str = "of-somebody-else") -> None:
    """Make Redis evict a key, then restore the right policy."""
    plain.set(key, "x" * 1000, ex=1000)
    plain.config_set("maxmemory-policy", "volatile-lru")
    plain.config_set("maxmemory", 1)
    with pytest.raises(Exception, match="maxmemory"):  # there is nothing left that it may evict
        plain.set("more", "x")
    plain.config_set("maxmemory", 0)
    plain.config_set("maxmemory-policy", "noeviction")
    assert plain.info("stats")["evicted_keys"] > 0


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("maxmemory", [0, 1_000_000_000])
async def test_no_worker_starts_on_a_redis_that_may_evict(
    settings: Settings, plain: Any, policy: str, maxmemory: int
) -> None:
    """Whatever its limit is today: somebody may set one later."""
    plain.config_set("maxmemory-policy", policy)
    plain.config_set("maxmemory", maxmemory)
    store = Store(settings.redis, settings.force, DEFINITIONS)
    with pytest.raises(ConfigurationInvalid, match=rf"maxmemory-policy: found {policy}; write noeviction") as refused:
        await store.open()
    await store.close()
    assert refused.value.exit_code == 2
    assert plain.keys("*") == []


async def test_a_worker_checks_redis_before_it_writes_anything(
    settings: Settings, plain: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Partition counts are the first thing it writes; before that it names all missing rights together."""

    async def found(_: Settings) -> Topics:
        return Topics({settings.topic("calls"): 4}, {})

    monkeypatch.setattr(worker, "ensure_topics", found)
    plain.config_set("maxmemory-policy", "volatile-lru")
    with pytest.raises(ConfigurationInvalid, match="maxmemory-policy"):
        await worker.Worker(settings)._work()
    assert plain.keys("*") == []
    plain.config_set("maxmemory-policy", "noeviction")
    plain.execute_command("ACL", "SETUSER", "few", "on", ">p", "~*", "+@all", "-hset", "-evalsha")
    lacking = settings.model_copy(update={"redis_url": settings.redis_url.replace("://", "://few:p@")})
    with pytest.raises(StoreRefuses, match="run EVALSHA, HSET;"):
        await check_redis(lacking, Backoff())


async def test_the_exporter_withholds_figures_while_redis_may_evict(
    settings: Settings, plain: Any, withheld: Callable[[], str]
) -> None:
    """It also says which policy it found."""
    store = Store(settings.redis, settings.force, DEFINITIONS)
    await store.open()
    await store.close()
    assert "evict" not in withheld()
    plain.config_set("maxmemory-policy", "volatile-lru")
    assert "its maxmemory-policy is volatile-lru; write noeviction" in withheld()
    plain.config_set("maxmemory-policy", "noeviction")
    assert "evict" not in withheld()


async def test_an_eviction_is_reported_until_a_rebuild(
    settings: Settings, plain: Any, redis_server: RedisServer, withheld: Callable[[], str]
) -> None:
    """By the exporter at once, by the worker's mark after a restart of Redis, and no longer after clearing."""
    store = Store(settings.redis, settings.force, DEFINITIONS)
    await store.open()
    evict(plain)
    assert "Redis has evicted keys" in withheld()
    await store.check_evictions()
    await store.close()
    redis_server.restart()  # its counter begins at 0 again
    store = Store(settings.redis, settings.force, DEFINITIONS)
    assert plain.info("stats")["evicted_keys"] == 0
    assert "Redis has evicted keys" in withheld()
    await store.check_evictions()
    assert "Redis has evicted keys" in withheld()
    evict(plain)
    clear(settings.redis, settings.force)
    await store.open()
    assert "evict" not in withheld(), "what was evicted before the rebuild is not of what it made"
    evict(plain)
    assert "Redis has evicted keys" in withheld()
    await store.close()


async def test_resetting_the_eviction_counter_hides_no_eviction(settings: Settings, plain: Any) -> None:
    """`CONFIG RESETSTAT` sets it to 0: later evictions are above zero but below the known count."""
    evict(plain)
    clear(settings.redis, settings.force)
    store = Store(settings.redis, settings.force, DEFINITIONS)
    await store.open()
    plain.hset(store.keys.meta, "evictions", 5)
    plain.config_resetstat()
    await store.check_evictions()
    assert plain.hget(store.keys.meta, "evicted") is None, "nothing was evicted since"
    evict(plain)
    await store.check_evictions()
    await store.close()
    assert plain.hget(store.keys.meta, "evicted") == b"1"


async def test_everything_works_without_the_right_to_run_info(
    settings: Settings, plain: Any, withheld: Callable[[], str]
) -> None:
    """Evictions cannot be seen then, so nothing is claimed about them."""
    plain.config_set("maxmemory-policy", "volatile-lru")
    plain.execute_command("ACL", "SETUSER", "default", "-info")
    store = Store(settings.redis, settings.force, DEFINITIONS)
    await store.open()
    await store.close()
    assert "evict" not in withheld()


def test_a_running_worker_exits_with_2_when_the_policy_is_changed(
    settings: Settings, plain: Any, embedded: EmbeddedStack
) -> None:
    """Somebody may change it for another user of the same Redis."""
    variables = {
        "WATCHROOM_REDIS_URL": settings.redis_url,
        "WATCHROOM_FORCE": settings.force,
        "WATCHROOM_KAFKA": embedded.kafka,
        "WATCHROOM_TOPIC_PREFIX": settings.force,
        "WATCHROOM_GROUP": settings.force,
        "WATCHROOM_STREAMS": "calls",
        "WATCHROOM_HEALTH_PORT": str(free_port()),
        "WATCHROOM_TOUCH_S": "0.5",
    }
    running = Running("watchroom", "worker", environment=variables)
    until_s = time.monotonic() + 60
    while not plain.exists(f"{{{settings.force}}}:meta") and time.monotonic() < until_s:
        time.sleep(0.1)
    plain.config_set("maxmemory-policy", "allkeys-lru")
    done = running.end(60)
    assert done.code == 2, done
    assert "maxmemory-policy: found allkeys-lru; write noeviction" in done.said


@pytest.mark.parametrize(
    "command",
    [
        ["months"],
        ["open", "--measure", "calls_waiting"],
        ["rebuild"],
        ["replay", "--map", CALL_LOG],
    ],
)
async def test_no_command_reads_from_or_writes_to_a_redis_that_may_evict(
    settings: Settings, plain: Any, embedded: EmbeddedStack, command: list[str], tmp_path: Path
) -> None:
    """Case 13: 8,000 calls were counted instead of 4,000, and the command reported nothing."""
    store = Store(settings.redis, settings.force, DEFINITIONS)
    await store.open()
    await store.close()
    plain.config_set("maxmemory-policy", "volatile-lru")
    servers = {"WATCHROOM_REDIS_URL": settings.redis_url, "WATCHROOM_KAFKA": embedded.kafka}
    (tmp_path / "calls.csv").write_text(EXTRACT)
    more = [str(tmp_path / "calls.csv"), "--kafka", embedded.kafka] if command[0] == "replay" else []
    done = watchroom(
        *command, *more, environment={**servers, "WATCHROOM_FORCE": settings.force, "WATCHROOM_STREAMS": "calls"}
    )
    assert (done.code, len(done.lines)) == (2, 1), done
    assert "maxmemory-policy: found volatile-lru; write noeviction" in done.said


async def test_no_command_reads_a_redis_that_has_evicted_keys(settings: Settings, plain: Any) -> None:
    """Months too: nobody can see what is missing from one."""
    store = Store(settings.redis, settings.force, DEFINITIONS)
    await store.open()
    await store.close()
    evict(plain)
    given = {"WATCHROOM_REDIS_URL": settings.redis_url, "WATCHROOM_FORCE": settings.force}
    done = watchroom("months", environment=given)
    assert (done.code, len(done.lines)) == (2, 1), done
    assert "Redis has evicted keys, so figures may be wrong; stop the workers; run `watchroom rebuild`" in done.said


async def test_the_eviction_mark_of_a_worker_leads_to_the_alert(
    settings: Settings, plain: Any, redis_server: RedisServer, tmp_path: Path
) -> None:
    """Redis, the worker's check, the exporter's page and the shipped rules, until a rebuild."""
    store = Store(settings.redis, settings.force, DEFINITIONS)
    await store.open()
    catalogue = load_catalogue(settings.schemas / "measures", settings.areas)
    reader = Reader(settings.redis, settings.force)
    mirror = Mirror(reader, catalogue, Calendar(settings.zone))
    page = Page(mirror, settings, definition_differences(catalogue, settings))
    reading = threading.Lock()

    def metrics(_: object) -> Answer:
        with reading:
            mirror.refresh(now_ms())
            return Answer(page.text(now_ms()), CONTENT_TYPE)

    server = Server(LOOPBACK, 0, {"/metrics": metrics})
    threading.Thread(target=server.serve_forever, daemon=True).start()
    rules = ROOT / "deploy" / "prometheus" / "rules" / "platform.yml"
    try:
        prometheus = PrometheusServer(tmp_path / "prometheus", [f"{LOOPBACK}:{server.server_port}"], [rules])
    except PartMissing as error:
        missing(str(error))
    firing = 'ALERTS{alertname="RedisEvicted",alertstate="firing",severity="page",mutes="all"}'
    try:
        prometheus.start()
        until("a look without a mark", lambda: prometheus.query("watchroom_redis_evicted == 0"))
        assert not prometheus.query(firing)
        evict(plain)
        await store.check_evictions()
        redis_server.restart()  # its counter begins at 0 again, so only the mark is left
        until("the alert", lambda: prometheus.query(firing))
        assert prometheus.query("watchroom_redis_checked == 1")
        clear(settings.redis, settings.force)
        store = await opened_again(store, settings)
        until("a look after the rebuild", lambda: prometheus.query("watchroom_redis_evicted == 0"))
        plain.execute_command("ACL", "SETUSER", "default", "-info")
        plain.execute_command("CLIENT", "KILL", "TYPE", "normal")
        until("a look without the right to INFO", lambda: prometheus.query("watchroom_redis_checked == 0"))
    finally:
        prometheus.stop()
        server.shutdown()
        server.server_close()
        reader.close()
        await store.close()


async def opened_again(store: Store, settings: Settings) -> Store:
    """A restarted worker."""
    await store.close()
    store = Store(settings.redis, settings.force, DEFINITIONS)
    await store.open()
    return store


def test_missing_fields_of_info_are_not_reported_as_a_fault() -> None:
    """Managed services leave fields out; a replica counts its own evictions."""
    assert process_of({"run_id": "a"}) == Process("a")
    assert not Process("a").may_evict
    assert process_of({"run_id": "a", "evicted_keys": 5, "role": "slave"}).evicted is None
    assert not Seen().missed(Process("a"))
    assert Seen("a", 5).missed(Process("a", evicted=6))
    assert not Seen("a", 5).missed(Process("a", evicted=5))
    assert Seen("b", 5).missed(Process("a", evicted=1)), "another process begins at 0"
    assert Seen("a", 5).missed(Process("a", evicted=3)), "so does one whose count was reset"
    assert not Seen("a", 5).missed(Process("a", evicted=0))
