"""Redis behind sentinels, with and without TLS: found, followed after a failover, and refused in one line."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.flow.commands import watchroom
from tests.flow.servers.certificates import Authority, Certificate
from tests.flow.servers.sentinel import SERVICE, Replicated, until
from tests.parts import PartMissing, missing
from tests.store.steps import DEFINITIONS, TOPIC, content, full
from tests.store.test_rights import acl_rules, sentinel_rules
from watchroom.demo.server import free_port
from watchroom.errors import StoreRefuses, StoreUnavailable
from watchroom.redis_url import RedisServer as Server
from watchroom.store.baselines import put_baseline
from watchroom.store.clear import clear
from watchroom.store.keys import Keys
from watchroom.store.read import Reader
from watchroom.store.write import Store

pytestmark = pytest.mark.real
KEYS = Keys("force")


@pytest.fixture
def replicated(tmp_path: Path) -> Iterator[Replicated]:
    """A primary, a replica and three sentinels for this test only."""
    yield from started(tmp_path)


def started(folder: Path, *arguments: Any, **more: Any) -> Iterator[Replicated]:
    """The servers, killed afterwards."""
    try:
        made = Replicated(folder, *arguments, **more)
    except PartMissing as error:
        missing(str(error))
    try:
        made.start()
        yield made
    finally:
        made.kill()


async def test_a_manual_failover_is_followed(replicated: Replicated) -> None:
    """The old primary stays up as a replica and would refuse every step; the exporter notices that it reads another.

    A primary that dies is tested with a whole worker, in tests/flow/test_fail_over.py.
    """
    store, reader = Store(replicated.url, "force", DEFINITIONS), Reader(replicated.url, "force")
    await store.open()
    await store.step(full(None, 10), again=False)
    first, connections = reader.process(), reader.connections
    with replicated.sentinels[0].client() as sentinel, replicated.second.client() as second:
        until("the replica has it", lambda: second.hget(KEYS.partition(TOPIC, 0), "next_offset") == b"10")
        sentinel.execute_command("SENTINEL", "FAILOVER", SERVICE)
        replicated.until_primary(replicated.second.port)
        errors: list[StoreUnavailable] = []
        give_up_s = time.monotonic() + 20
        while second.hget(KEYS.partition(TOPIC, 0), "next_offset") != b"20" and time.monotonic() < give_up_s:
            with suppress_and_keep(errors):
                await store.step(full(10, 20), again=True)
            await asyncio.sleep(0.05)
        assert second.hget(KEYS.partition(TOPIC, 0), "next_offset") == b"20", errors
    assert not [error for error in errors if isinstance(error, StoreRefuses)], "nobody need change a setting"

    def reads_another() -> bool:
        found = first
        with suppress_and_keep(errors):
            found = reader.process()
        return found.run_id != first.run_id

    until("the exporter reads from the new primary", reads_another)
    assert reader.connections > connections
    await store.close()
    reader.close()


@contextmanager
def suppress_and_keep(errors: list[StoreUnavailable]) -> Iterator[None]:
    """Record an unavailable Redis and continue."""
    try:
        yield
    except StoreUnavailable as error:
        errors.append(error)


class Secured(NamedTuple):
    """A service with TLS, users of Redis and users of the sentinels."""

    servers: Replicated
    authority: Authority
    stranger: Authority
    ours: Certificate

    def server(self, **changed: Any) -> Server:
        """The correct settings."""
        url = self.servers.tls_url.replace("://", "://watchroom:redis-pw@")
        files = {"ca": str(self.authority.ca), "cert": str(self.ours.cert), "key": str(self.ours.key)}
        of_sentinels = {"sentinel_user": "watchroom", "sentinel_password": "sentinel-pw"}
        return Server(**{"url": url, **files, **of_sentinels, **changed})


def settings_of(server: Server) -> dict[str, str]:
    """The same as settings, by name."""
    return {
        "redis_url": server.url,
        "redis_ca": server.ca,
        "redis_cert": server.cert,
        "redis_key": server.key,
        "redis_sentinel_user": server.sentinel_user,
        "redis_sentinel_password": server.sentinel_password,
    }


def secured_servers(folder: Path, sentinels: int, force: str = "force") -> Iterator[Secured]:
    """All servers with TLS for clients that have a certificate, and users with exactly the rights on the page."""
    try:
        authority, stranger = Authority(folder / "ca"), Authority(folder / "other", "stranger")
    except PartMissing as error:
        missing(str(error))
    server = authority.sign("redis")
    files = {"tls-cert-file": server.cert, "tls-key-file": server.key, "tls-ca-cert-file": authority.ca}
    options = [text for name, file in files.items() for text in (f"--{name}", str(file))]
    lines = [f"{name} {file}" for name, file in files.items()]
    for made in started(folder, sentinels, options, lines, tls=True):
        for redis in made.first, made.second:
            with redis.client() as client:
                ask: Any = client.execute_command
                ask("ACL", "SETUSER", "watchroom", "reset", *acl_rules("redis-pw", force))
        for sentinel in made.sentinels:
            with sentinel.client() as client:
                client.execute_command("ACL", "SETUSER", "watchroom", "reset", *sentinel_rules("sentinel-pw"))
        yield Secured(made, authority, stranger, authority.sign("ours"))


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """A service with one sentinel."""
    yield from secured_servers(tmp_path_factory.mktemp("secured-sentinel"), 1)


async def test_everything_works_over_tls_with_the_rights_on_the_page(secured: Secured) -> None:
    """Worker, import, exporter from the primary and from the replica, rebuild."""
    server = secured.server()
    with secured.servers.sentinels[0].client() as sentinel:
        sentinel.execute_command("ACL", "LOG", "RESET")
        store = Store(server, "force", DEFINITIONS)
        await store.open()
        await store.step(full(None, 10), again=False)
        await store.close()
        put_baseline(server, "force", "2018/19", {("2018-12", "call_volume|line=999|count"): 1})
        with secured.servers.first.client() as first, secured.servers.second.client() as second:
            until("the replica has it", lambda: content(second, KEYS) == content(first, KEYS))
        for read_from, is_replica in (("primary", False), ("replica", True)):
            reader = Reader(server._replace(read_from=read_from), "force")
            assert reader.process().is_replica is is_replica
            assert reader.partitions()[TOPIC, 0].next_offset == 10
            reader.close()
        assert clear(server, "force") > 0
        assert {entry["object"] for entry in sentinel.acl_log()} <= {"client|setinfo"}


REFUSALS: dict[str, tuple[dict[str, Any], str, str]] = {
    "a wrong password of Redis": (
        {"url": "rediss+sentinel://watchroom:hunter2@127.0.0.1:TLS/main/0"},
        "Redis at rediss://127.0.0.1:PRIMARY/0 (primary of 'main') rejects the login of user 'watchroom'",
        "user and password in WATCHROOM_REDIS_URL",
    ),
    "an unknown user of Redis": (
        {"url": "rediss+sentinel://nobody:hunter2@127.0.0.1:TLS/main/0"},
        "Redis at rediss://127.0.0.1:PRIMARY/0 (primary of 'main') rejects the login of user 'nobody'",
        "user and password in WATCHROOM_REDIS_URL",
    ),
    "a wrong password of the sentinel": (
        {"sentinel_password": "hunter2"},
        "The sentinel at 127.0.0.1:TLS rejects the login of user 'watchroom'",
        "WATCHROOM_REDIS_SENTINEL_PASSWORD",
    ),
    "an unknown service": (
        {"url": "rediss+sentinel://watchroom:redis-pw@127.0.0.1:TLS/other/0"},
        "The sentinel at 127.0.0.1:TLS has no service named 'other'",
        "WATCHROOM_REDIS_URL",
    ),
    "another authority": (
        {"ca": "STRANGER"},
        "The sentinel at 127.0.0.1:TLS has a certificate that we do not trust",
        "WATCHROOM_REDIS_CA",
    ),
    "another host's name": (
        {"url": "rediss+sentinel://watchroom:redis-pw@localhost:TLS/main/0"},
        "The sentinel at localhost:TLS has a certificate for another name",
        "write the host name that is in the certificate",
    ),
    "no certificate of ours": (
        {"cert": "", "key": ""},
        "The sentinel at 127.0.0.1:TLS closed the connection after the TLS handshake",
        "WATCHROOM_REDIS_CERT",
    ),
    "plaintext against TLS": (
        {"url": "redis+sentinel://watchroom:redis-pw@127.0.0.1:TLS/main/0", "ca": "", "cert": "", "key": ""},
        "The sentinel at 127.0.0.1:TLS uses TLS on this port",
        "rediss://",
    ),
    "TLS against plaintext": (
        {"url": "rediss+sentinel://watchroom:redis-pw@127.0.0.1:PLAIN/main/0"},
        "The sentinel at 127.0.0.1:PLAIN does not use TLS on this port",
        "redis://",
    ),
    "a Redis in the place of a sentinel": (
        {"url": "redis+sentinel://127.0.0.1:REDIS/main/0", "sentinel_user": "", "sentinel_password": "", "ca": "",
         "cert": "", "key": ""},
        "The sentinel at 127.0.0.1:REDIS is not a sentinel",
        "WATCHROOM_REDIS_URL",
    ),
    "a sentinel in the place of a Redis": (
        {"url": "redis://127.0.0.1:PLAIN/0", "ca": "", "cert": "", "key": ""},
        "Redis at redis://127.0.0.1:PLAIN/0 is a sentinel, which holds no data",
        "redis+sentinel://",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSALS)
async def test_a_refusal_by_a_sentinel_or_redis_is_one_line_that_names_the_setting(
    secured: Secured, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For worker and exporter; also where redis-py says only that no replica was found."""
    changed, answer, look_at = REFUSALS[name]
    numbers = {
        "TLS": secured.servers.sentinel_tls_ports[0],
        "PLAIN": secured.servers.sentinels[0].port,
        "PRIMARY": secured.servers.tls_ports[0],
        "REDIS": secured.servers.first.port,
    }

    def filled(text: str) -> str:
        text = re.sub(r":(TLS|PLAIN|PRIMARY|REDIS)\b", lambda found: f":{numbers[found[1]]}", text)
        return str(secured.stranger.ca) if text == "STRANGER" else text

    server = secured.server(**{field: filled(value) for field, value in changed.items()})
    for limit in ("write.ANSWER_WITHIN_S", "connection.SENTINEL_WITHIN_S", "refusals.LOOK_WITHIN_S"):
        monkeypatch.setattr(f"watchroom.store.{limit}", 0.5)  # a server without TLS waits for more
    said = []
    for read_from in ("primary", "replica") if "(primary of 'main')" in answer else ("primary",):
        reader = Reader(server._replace(read_from=read_from), "force", timeout_s=0.5)
        with pytest.raises(StoreRefuses) as read:
            reader.process()
        reader.close()
        said.append(str(read.value))
    store = Store(server, "force", DEFINITIONS)
    if name != "a sentinel in the place of a Redis":  # exit 2, see test_findings
        with pytest.raises(StoreRefuses) as written:
            await store.open()
        said.append(str(written.value))
    await store.close()
    for line in said:
        assert line.startswith(filled(answer)), line
        assert look_at in line
        assert len(line.splitlines()) == 1
        assert not re.search("hunter2|redis-pw|sentinel-pw", line)


def test_a_right_that_the_sentinels_do_not_grant_is_named(secured: Secured) -> None:
    """It is a right of the sentinels' user, not of Redis's."""
    with secured.servers.sentinels[0].client() as sentinel:
        sentinel.execute_command("ACL", "SETUSER", "little", "reset", "on", ">pw", "-@all", "+hello")
    reader = Reader(secured.server(sentinel_user="little", sentinel_password="pw"), "force")
    with pytest.raises(StoreRefuses, match=r"The sentinel at .* does not let user 'little' run SENTINEL\|MASTERS;"):
        reader.meta()
    reader.close()


def test_a_refused_command_behind_sentinels_prints_one_line(secured: Secured) -> None:
    """Settings come from the environment; exit code 1."""
    server = secured.server(sentinel_password="hunter2")
    given = {f"WATCHROOM_{name.upper()}": value for name, value in settings_of(server).items()}
    done = watchroom("months", environment=given)
    assert (done.code, len(done.lines)) == (1, 1), done
    assert "WATCHROOM_REDIS_SENTINEL_PASSWORD" in done.said
    assert "hunter2" not in done.said


def test_a_client_waits_for_sentinels_that_do_not_answer() -> None:
    """They may be starting; no setting needs to change."""
    reader = Reader(f"redis+sentinel://127.0.0.1:{free_port()},127.0.0.1:{free_port()}/main/0", "force")
    with pytest.raises(StoreUnavailable, match=r"no sentinel of redis\+sentinel://.*/main/0 answered") as silent:
        reader.meta()
    assert not isinstance(silent.value, StoreRefuses)
    reader.close()
