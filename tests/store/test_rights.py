"""Rights of a Redis user: a missing one is found before anything is written, at start and while a worker runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.flow.servers import RedisServer
from tests.parts import ROOT
from tests.store.steps import DEFINITIONS, TOPIC, content, full
from watchroom.errors import StoreRefuses
from watchroom.store.clear import clear
from watchroom.store.keys import Keys
from watchroom.store.read import Reader
from watchroom.store.refusals import RIGHTS
from watchroom.store.rights import NEEDED, OF_WORKERS, missing_rights
from watchroom.store.write import Store

pytestmark = pytest.mark.real
KEYS = Keys("force")
PASSWORD = "x"
AT_CONNECTING = {"hello", "select"}


def acl_rules(password: str = PASSWORD, force: str = "force") -> list[str]:
    """The page's rules for the user of Redis, as operators are told to write them."""
    return page_rules(r"~\{force\}.*", password, force)


def sentinel_rules(password: str = PASSWORD) -> list[str]:
    """The page's rules for the user of the sentinels."""
    return page_rules(r"-@all \+hello \+sentinel.*", password)


def page_rules(rest: str, password: str, force: str = "") -> list[str]:
    """The rules in the line of the page that continues like this."""
    pattern = rf"^user watchroom (on >PASSWORD resetchannels {rest})$"
    (line,) = re.findall(pattern, (ROOT / RIGHTS).read_text(), re.MULTILINE)
    filled: str = line.replace("PASSWORD", password).replace("{force}", f"{{{force}}}")
    return filled.split()


@pytest.fixture
def plain(shared_redis: RedisServer) -> Iterator[Any]:
    """A client that may do everything; untyped, for ACL."""
    with shared_redis.client() as client:
        client.flushall()
        yield client
        client.execute_command("ACL", "DELUSER", "wr")


@pytest.fixture
def url(shared_redis: RedisServer) -> str:
    """The URL with the user of these tests."""
    return shared_redis.url.replace("://", "://wr:x@")


def allow(plain: Any, *more: str) -> None:
    """Give the user the rights on the page, then these rules."""
    plain.execute_command("ACL", "SETUSER", "wr", "reset", *acl_rules(), *more)


def test_the_page_lists_the_commands_that_are_checked() -> None:
    """And no others: whoever copies its line has what is needed."""
    listed = {rule[1:] for rule in acl_rules() if rule.startswith("+")}
    assert listed == AT_CONNECTING | {name.lower() for name in NEEDED}


def test_with_the_line_on_the_page_no_right_is_missing_and_the_check_writes_nothing(plain: Any, url: str) -> None:
    """Commands are queued and never run."""
    allow(plain)
    plain.execute_command("ACL", "LOG", "RESET")
    assert missing_rights(url, KEYS) == []
    assert plain.keys("*") == []
    assert {entry["object"] for entry in plain.acl_log()} <= {"client|setinfo"}, "which is done without"


@pytest.mark.parametrize("name", [name for name in NEEDED if name != "MULTI"])
def test_each_missing_right_is_found_on_its_own(plain: Any, url: str, name: str) -> None:
    """Every command on the page, one after another."""
    allow(plain, f"-{name.lower()}")
    assert missing_rights(url, KEYS) == [name]


def test_without_multi_no_other_missing_right_can_be_found(plain: Any, url: str) -> None:
    """MULTI itself is still named."""
    allow(plain, "-multi", "-hset")
    assert missing_rights(url, KEYS) == ["MULTI"]


@pytest.mark.parametrize("name", ["RPUSH", "ZADD", "EVALSHA"])
async def test_a_worker_does_not_start_without_a_right(plain: Any, url: str, name: str) -> None:
    """RPUSH is first needed when a closed month changes, perhaps weeks later."""
    allow(plain, f"-{name.lower()}", "-hdel")
    store = Store(url, "force", DEFINITIONS)
    with pytest.raises(StoreRefuses) as refused:
        await store.open()
    await store.close()
    assert plain.keys("*") == []
    said = str(refused.value)
    assert len(said.splitlines()) == 1
    named = re.search(r"does not let user 'wr' run ([A-Z, ]+); check its rights, see deploy/redis/rights\.md$", said)
    assert named
    assert set(named[1].split(", ")) == {name, "HDEL"}


@pytest.mark.parametrize("name", sorted({"SET", "HINCRBY", "PEXPIRE", "ZADD", "RPUSH", "HSET", "ZREM", "SADD", "HGET"}))
async def test_a_right_withdrawn_while_a_worker_runs_leaves_no_half_written_step(
    plain: Any, url: str, name: str
) -> None:
    """Redis does not undo a script. Half a step, retried each second, would count its events each time."""
    allow(plain)
    store = Store(url, "force", DEFINITIONS)
    await store.open()
    await store.step(full(None, 10), again=False)
    before = content(plain, KEYS)
    allow(plain, f"-{name.lower()}")
    with pytest.raises(StoreRefuses, match=rf"does not let user 'wr' run {name}; check its rights"):
        await store.step(full(10, 20), again=False)
    await store.close()
    assert content(plain, KEYS) == before
    allow(plain)
    store = Store(url, "force", DEFINITIONS)
    await store.step(full(10, 20), again=False)
    assert await store.next_offset(TOPIC, 0) == 20
    await store.close()


def test_a_rebuild_without_a_right_clears_nothing(plain: Any, url: str) -> None:
    """It would stop between clearing and counting again."""
    allow(plain, "-unlink", "-zadd")
    plain.set(f"{KEYS.prefix}month:2021-11", "x")
    with pytest.raises(StoreRefuses, match="run UNLINK, ZADD"):
        clear(url, "force")
    assert plain.keys("*") == [f"{KEYS.prefix}month:2021-11".encode()]


async def test_a_user_without_the_right_to_hello_is_served(plain: Any, url: str) -> None:
    """Redis does not check rights for HELLO itself."""
    allow(plain, "-hello")
    assert missing_rights(url, KEYS, OF_WORKERS) == []
    store, reader = Store(url, "force", DEFINITIONS), Reader(url, "force")
    await store.open()
    assert reader.process().run_id.startswith("connection ")
    await store.close()
    reader.close()


async def test_a_redis_without_hello_gives_one_line_without_the_password(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Some hosts disable it by renaming. Redis's answer then repeats what redis-py sent with it: the password."""
    server = RedisServer(tmp_path_factory.mktemp("renamed"), "--rename-command", "HELLO", "")
    server.start()
    try:
        url = server.url.replace("://", "://wr:hunter2@")
        reader, store = Reader(url, "force"), Store(url, "force", DEFINITIONS)
        said = r"does not know the command HELLO; check its version .*rights\.md$"
        with pytest.raises(StoreRefuses, match=said) as read:
            reader.meta()
        with pytest.raises(StoreRefuses, match=said) as written:
            await store.open()
        assert "hunter2" not in f"{read.value} {written.value}"
        assert "hunter2" in str(read.value.__cause__)
        reader.close()
        await store.close()
    finally:
        server.kill()
