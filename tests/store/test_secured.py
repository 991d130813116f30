"""Redis behind TLS and with restricted users: what works, and the message when Redis refuses us."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.request import urlopen

import pytest

from tests.flow.commands import watchroom
from tests.flow.servers import RedisServer
from tests.flow.servers.certificates import Authority, Certificate
from tests.parts import PartMissing, missing
from tests.store.steps import DEFINITIONS
from tests.store.test_keys import everything
from tests.store.test_rights import acl_rules
from watchroom.demo.processes import Process
from watchroom.demo.server import LOOPBACK, free_port
from watchroom.errors import ConfigurationInvalid, StoreRefuses, StoreUnavailable
from watchroom.redis_url import RedisServer as Server
from watchroom.settings import read_settings
from watchroom.store.baselines import put_baseline
from watchroom.store.clear import clear
from watchroom.store.read import Reader
from watchroom.store.refusals import RIGHTS
from watchroom.store.write import Store

pytestmark = pytest.mark.real
PASSWORD = "cr-3/t?#@"
ENCODED = "cr-3%2Ft%3F%23%40"


class Secured(NamedTuple):
    """One Redis with a plain port, and one with TLS where clients need a certificate."""

    server: RedisServer
    tls_port: int
    expired_port: int  # where the certificate has expired
    authority: Authority
    stranger: Authority
    ours: Certificate
    strangers: Certificate

    def tls(self, **changed: Any) -> Server:
        """The correct settings."""
        files = {"ca": str(self.authority.ca), "cert": str(self.ours.cert), "key": str(self.ours.key)}
        return Server(**{"url": f"rediss://{LOOPBACK}:{self.tls_port}/0", **files, **changed})

    def as_user(self, user: str, password: str = ENCODED) -> str:
        """The plain port with a user's login."""
        return f"redis://{user}:{password}@{LOOPBACK}:{self.server.port}/0"


def _server(folder: Path, authority: Authority, broker: Certificate, port: int) -> RedisServer:
    files = (
        "--tls-cert-file",
        str(broker.cert),
        "--tls-key-file",
        str(broker.key),
        "--tls-ca-cert-file",
        str(authority.ca),
    )
    return RedisServer(folder, "--tls-port", str(port), *files, "--tls-auth-clients", "yes")


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    """The started server."""
    folder, port, expired_port = tmp_path_factory.mktemp("secured-redis"), free_port(), free_port()
    try:
        authority, stranger = Authority(folder / "ca"), Authority(folder / "other", "stranger")
        server = _server(folder / "redis", authority, authority.sign("redis"), port)
        expired = _server(folder / "expired", authority, authority.sign("expired", valid=False), expired_port)
    except PartMissing as error:
        missing(str(error))
    try:
        server.start()
        expired.start()
        yield Secured(
            server, port, expired_port, authority, stranger, authority.sign("ours"), stranger.sign("strangers")
        )
    finally:
        server.kill()
        expired.kill()


@pytest.fixture
def plain(secured: Secured) -> Iterator[Any]:
    """A client that may do everything; untyped, for ACL."""
    with secured.server.client() as client:
        yield client


async def use(server: Server | str, force: str) -> None:
    """A worker's start, an import, every read of the exporter's start, and a clearing."""
    store = Store(server, force, DEFINITIONS)
    try:
        await store.open()
    finally:
        await store.close()
    put_baseline(server, force, "2018/19", {("2018-12", "call_volume|line=999|count"): 1})
    reader = Reader(server, force)
    try:
        assert reader.process().run_id
        assert reader.generation()
        assert reader.changed_since(0) == (0, [])
        assert reader.months() == []
        assert not any(state.next_offset for state in reader.partitions().values())
    finally:
        reader.close()
    clear(server, force)


async def test_everything_works_over_tls_with_our_certificate(secured: Secured, force: str) -> None:
    """For workers, the exporter and the commands alike: one function makes all clients."""
    await use(secured.tls(), force)


REFUSALS: dict[str, tuple[dict[str, Any], str, str]] = {
    "another authority": ({"ca": "STRANGER"}, "has a certificate that we do not trust", "WATCHROOM_REDIS_CA"),
    "no authority": ({"ca": ""}, "has a certificate that we do not trust", "WATCHROOM_REDIS_CA"),
    "another host's name": ({"url": "rediss://localhost:TLS/0"}, "has a certificate for another name", "write the"),
    "an expired certificate": (
        {"url": "rediss://127.0.0.1:EXPIRED/0"}, "has a certificate that is not currently valid",
        "this machine's clock",
    ),
    "no certificate of ours": ({"cert": "", "key": ""}, "closed the connection after the", "WATCHROOM_REDIS_CERT"),
    "a stranger's certificate": (
        {"cert": "STRANGER", "key": "STRANGER"}, "closed the connection after the", "WATCHROOM_REDIS_CERT",
    ),
    "plaintext against TLS": ({"url": "redis://127.0.0.1:TLS/0"}, "uses TLS on this port", "rediss://"),
    "TLS against plaintext": ({"url": "rediss://127.0.0.1:PLAIN/0"}, "does not use TLS on this port", "redis://"),
    "an unknown user": ({"url": "redis://wr:hunter2@127.0.0.1:PLAIN/0"}, "rejects the login of user 'wr'", "password"),
    "a database that it does not have": (
        {"url": "redis://127.0.0.1:PLAIN/99"}, "has no database 99", "the number at the end of WATCHROOM_REDIS_URL",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSALS)
async def test_a_refusal_by_the_server_is_one_sentence_that_names_the_setting(
    secured: Secured, force: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For the worker's asynchronous client and the other one; without a password."""
    changed, answer, look_at = REFUSALS[name]
    files = {"ca": secured.stranger.ca, "cert": secured.strangers.cert, "key": secured.strangers.key}
    given = {key: str(files[key]) if value == "STRANGER" else value for key, value in changed.items()}
    if "url" in given:
        ports = {"TLS": secured.tls_port, "PLAIN": secured.server.port, "EXPIRED": secured.expired_port}
        for word, port in ports.items():
            given["url"] = given["url"].replace(word, str(port))
    server = secured.tls(**given)
    monkeypatch.setattr("watchroom.store.write.ANSWER_WITHIN_S", 1.0)  # a server without TLS waits for more
    reader, store = Reader(server, force, timeout_s=1.0), Store(server, force, DEFINITIONS)
    try:
        with pytest.raises(StoreRefuses) as read:
            reader.meta()
        with pytest.raises(StoreRefuses) as written:
            await store.open()
    finally:
        reader.close()
        await store.close()
    for said in str(read.value), str(written.value):
        assert re.match(rf"Redis at rediss?://[a-z0-9.]+:\d+/\d+ {re.escape(answer)}", said), said
        assert look_at in said
        assert len(said.splitlines()) == 1
        assert "hunter2" not in said


def test_a_server_that_does_not_answer_is_not_reported_as_a_refusal(force: str) -> None:
    """It may be starting: workers retry soon."""
    reader = Reader(f"redis://{LOOPBACK}:{free_port()}/0", force)
    with pytest.raises(StoreUnavailable, match="Redis did not answer") as silent:
        reader.meta()
    assert not isinstance(silent.value, StoreRefuses)


def acl_line(force: str) -> list[str]:
    """The rules on the page."""
    return acl_rules(PASSWORD, force)


@pytest.fixture
async def user(plain: Any) -> AsyncIterator[str]:
    """A user's name; the user is deleted afterwards."""
    yield "wr"
    plain.execute_command("ACL", "DELUSER", "wr")


@pytest.mark.parametrize("rules", ["of the page", "+@all -@dangerous"])
async def test_a_user_with_the_rights_on_the_page_or_with_the_usual_hardening_is_enough(
    secured: Secured, plain: Any, user: str, rules: str
) -> None:
    """Every key of a worker is written, read and cleared as this user."""
    given = acl_line("force") if rules == "of the page" else f"on >{PASSWORD} ~{{force}}:* {rules}".split()
    plain.execute_command("ACL", "SETUSER", user, "reset", *given)
    plain.execute_command("ACL", "LOG", "RESET")
    url = secured.as_user(user)
    await use(url, "force")
    await everything(url)
    assert plain.exists("{force}:meta")
    clear(url, "force")
    refused = {entry["object"] for entry in plain.acl_log()}
    assert refused <= {"info", "client|setinfo"}, refused  # used where they are allowed, otherwise not needed
    plain.flushall()


async def test_a_missing_right_is_one_line_that_names_the_command(
    secured: Secured, plain: Any, user: str, force: str
) -> None:
    """Whether one of our commands needs it, or a script."""
    every = acl_line(force)
    url = secured.as_user(user)
    for right, call in (("hgetall", "read"), ("hsetnx", "script"), ("evalsha", "script")):
        plain.execute_command("ACL", "SETUSER", user, "reset", *every, f"-{right}")
        reader, store = Reader(url, force), Store(url, force, DEFINITIONS)
        with pytest.raises(StoreRefuses) as refused:
            await store.open() if call == "script" else reader.meta()
        reader.close()
        await store.close()
        said = str(refused.value)
        assert f"does not let user 'wr' run {right.upper()}; check its rights, see {RIGHTS}" in said
        assert len(said.splitlines()) == 1


async def test_a_refusal_of_keys_of_another_force_mentions_keys(secured: Secured, plain: Any, user: str) -> None:
    """WATCHROOM_FORCE or the rights are wrong; the message says keys, not a command."""
    plain.execute_command("ACL", "SETUSER", user, "reset", *acl_line("north"))
    reader = Reader(secured.as_user(user), "south")
    with pytest.raises(StoreRefuses, match=r"does not let user 'wr' access its keys"):
        reader.meta()
    reader.close()


def test_the_exporter_serves_over_tls_without_the_right_to_info(
    secured: Secured, plain: Any, user: str, tmp_path: Path
) -> None:
    """It used to run INFO, take the refusal for a silent server, and never show anything."""
    plain.execute_command("ACL", "SETUSER", user, "reset", *acl_line("force"))
    server = secured.tls()
    url = server.url.replace("://", f"://{user}:{ENCODED}@")
    settings = read_settings(
        redis_url=url, redis_ca=server.ca, redis_cert=server.cert, redis_key=server.key, exporter_port=free_port()
    )
    exporter = Process("exporter", settings, tmp_path / "exporter.log")
    with exporter, urlopen(f"http://{LOOPBACK}:{settings.exporter_port}/metrics", timeout=10) as answer:
        assert "\nwatchroom_redis_up 1" in answer.read().decode()
    assert "Traceback" not in exporter.tail(200)


def test_a_refused_command_prints_one_line_and_exits_with_1(secured: Secured, plain: Any, user: str) -> None:
    """With the password from the environment, because an option may not hold it."""
    plain.execute_command("ACL", "SETUSER", user, "reset", *acl_line("force"), "-hgetall")
    done = watchroom("months", environment={"WATCHROOM_REDIS_URL": secured.as_user(user), "WATCHROOM_FORCE": "force"})
    assert (done.code, len(done.lines)) == (1, 1), done
    assert "run HGETALL" in done.said
    assert "check that" not in done.said
    assert ENCODED not in done.said


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ({"redis_url": "redis://h", "redis_ca": "ca.pem"}, "WATCHROOM_REDIS_CA"),
        ({"redis_url": "rediss://h", "redis_cert": "our.pem"}, "WATCHROOM_REDIS_KEY"),
    ],
)
def test_certificate_files_that_would_not_be_used_are_refused(given: dict[str, Any], where: str) -> None:
    """Otherwise somebody would believe that the connection is secure."""
    with pytest.raises(ConfigurationInvalid) as refused:
        read_settings(**given)
    assert [fault.where for fault in refused.value.faults] == [where]


def test_a_file_that_cannot_be_used_is_named_in_the_message(secured: Secured) -> None:
    """Before anything connects; exit code 2."""
    with pytest.raises(ConfigurationInvalid, match=r"WATCHROOM_REDIS_CA: found '/nowhere.pem'"):
        Reader(secured.tls(ca="/nowhere.pem"), "force")
