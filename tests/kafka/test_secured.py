"""Kafka behind TLS, SCRAM and client certificates: a whole flow, and the messages when Kafka refuses us."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiokafka.conn import AIOKafkaConnection

from tests.conftest import new_name
from tests.flow.commands import watchroom
from tests.flow.rebuilt_force import RebuiltForce
from tests.flow.servers import RedisServer, Stack
from tests.intake.worker_process import WorkerProcess
from tests.kafka.conftest import PASSWORD, Secured
from tests.store.test_secured import ENCODED, acl_line
from watchroom.demo.command import SIMULATED_SOURCES
from watchroom.demo.processes import environment
from watchroom.errors import BrokerRefuses, ConfigurationInvalid
from watchroom.intake.worker import Worker
from watchroom.kafka import login
from watchroom.kafka.login import check_login
from watchroom.kafka.produce import Outgoing, produce
from watchroom.kafka.topics import ensure_topics
from watchroom.settings import Settings, read_settings

pytestmark = [pytest.mark.real, pytest.mark.timeout(240)]


@pytest.fixture
def force(secured: Secured, redis_server: RedisServer, tmp_path: Path) -> Iterator[RebuiltForce]:
    """A force; the test itself uses the plain listener."""
    stack = Stack("real", secured.server.address, redis_server.url, new_name())
    with redis_server.client() as client:
        yield RebuiltForce(stack.settings(streams=("calls",), session_timeout_s=2, touch_s=0.5), client, tmp_path)


def records(settings: Settings, count: int) -> list[Outgoing]:
    """One call each, and one record that is not an event."""
    at = (datetime.now(UTC) - timedelta(seconds=30)).isoformat()
    event = {"specversion": "1.0", "source": "acd", "type": "call.presented", "time": at, "data": {"line": "999"}}
    topic = settings.topic("calls")
    good = [
        Outgoing(topic, b"c%d" % n, json.dumps({**event, "id": f"c{n}-p", "subject": f"c{n}"}).encode())
        for n in range(count)
    ]
    return [*good, Outgoing(topic, b"bad", b"no event")]


def as_user_of_the_page(force: RebuiltForce) -> str:
    """The URL of a Redis user with the rights of `deploy/redis/rights.md`."""
    client: Any = force.client
    client.execute_command("ACL", "SETUSER", "wr", *acl_line(force.settings.force))
    return force.settings.redis_url.replace("://", f"://wr:{ENCODED}@")


@pytest.mark.parametrize("way", ["scram-512", "scram-256", "plain", "mutual"])
async def test_a_whole_flow_works_through_a_secured_listener(secured: Secured, force: RebuiltForce, way: str) -> None:
    """Topics, producing, a worker, dead letters and their replay, a rebuild; Redis with the rights on its page."""
    given = {
        "scram-512": secured.scram(),
        "scram-256": secured.scram("SCRAM-SHA-256"),
        "plain": secured.scram("PLAIN"),
        "mutual": secured.mutual(),
    }[way]
    await whole_flow(force, given)


async def whole_flow(force: RebuiltForce, given: dict[str, Any]) -> None:
    """Everything that talks to Kafka, for this force under these settings; checked through the plain listener."""
    given = {**given, "redis_url": as_user_of_the_page(force)}
    settings = read_settings(**{**force.settings.model_dump(exclude={"token_key"}), **given, "streams": ("calls",)})
    inside = RebuiltForce(settings, force.client, force.folder)
    await ensure_topics(settings)
    worker = inside.worker()
    with worker:
        await asyncio.to_thread(produce, settings, records(settings, 20))
        await force.until_applied(worker)
        listed = await asyncio.to_thread(inside.run, "dead-letters", "list", "--format", "json")
        assert [letter["reason"] for letter in json.loads(listed.out)] == ["bad_json"], listed
        replayed = await asyncio.to_thread(inside.run, "dead-letters", "replay")
        assert "1" in replayed.said, replayed
        await force.until_applied(worker)
    before = inside.dump()
    (month,) = (name for name in before if name.startswith("month:"))
    assert before[month]
    await force.until_nobody_is_in_the_group()
    force.half_a_minute_passes()
    rebuilt = await asyncio.to_thread(inside.run, "rebuild")
    assert rebuilt.code == 0, rebuilt
    assert "rebuilt from 22 records; 2 of them are dead letters" in rebuilt.said
    assert inside.dump()[month] == before[month]
    assert PASSWORD not in (force.folder / "worker.log").read_text() + rebuilt.said + replayed.said + listed.said


REFUSALS: dict[str, tuple[str, dict[str, Any], str, str]] = {
    "a wrong password": (
        "scram", {"kafka_password": "wrong-pass"},
        "rejects the SCRAM-SHA-512 login of user 'wr' (wrong user or password)", "WATCHROOM_KAFKA_PASSWORD",
    ),
    "an unknown user": (
        "scram", {"kafka_user": "nobody"}, "rejects the SCRAM-SHA-512 login of user 'nobody'", "WATCHROOM_KAFKA_USER",
    ),
    "a wrong password, PLAIN": (
        "scram", {"kafka_password": "wrong-pass", "kafka_mechanism": "PLAIN"}, "rejects the PLAIN login of user 'wr'",
        "WATCHROOM_KAFKA_USER",
    ),
    "a mechanism that it lacks": (
        "scram", {"kafka": "CLEAR", "kafka_security": "sasl_plaintext", "kafka_ca": "", "kafka_mechanism": "PLAIN"},
        "does not offer PLAIN", "WATCHROOM_KAFKA_MECHANISM",
    ),
    "another authority": (
        "scram", {"kafka_ca": "STRANGER"}, "has a certificate that we do not trust", "WATCHROOM_KAFKA_CA",
    ),
    "no authority": ("scram", {"kafka_ca": ""}, "has a certificate that we do not trust", "WATCHROOM_KAFKA_CA"),
    "an expired certificate": (
        "mutual", {"kafka": "EXPIRED"}, "has a certificate that is not currently valid", "the server's certificate",
    ),
    "another host's certificate": (
        "mutual", {"kafka": "ELSEWHERE"}, "has a certificate for another name", "WATCHROOM_KAFKA: write the host",
    ),
    "no certificate of ours": (
        "mutual", {"kafka_cert": "", "kafka_key": ""}, "closed the connection after the", "WATCHROOM_KAFKA_CERT",
    ),
    "a certificate of a stranger": (
        "mutual", {"kafka_cert": "STRANGER", "kafka_key": "STRANGER"}, "closed the connection after the TLS handshake",
        "WATCHROOM_KAFKA_CERT",
    ),
    "plaintext against TLS": ("plaintext", {"kafka": "TLS"}, "uses TLS on this port", "WATCHROOM_KAFKA_SECURITY"),
    "a password against TLS": (
        "scram", {"kafka_security": "sasl_plaintext", "kafka_ca": ""}, "uses TLS on this port",
        "WATCHROOM_KAFKA_SECURITY",
    ),
    "TLS against plaintext": (
        "mutual", {"kafka": "PLAINTEXT"}, "does not use TLS on this port", "WATCHROOM_KAFKA_SECURITY",
    ),
    "TLS with a password against a password in the clear": (
        "scram", {"kafka": "CLEAR"}, "does not use TLS on this port", "WATCHROOM_KAFKA_SECURITY",
    ),
    "a password that nobody asks for": (
        "scram", {"kafka": "PLAINTEXT", "kafka_security": "sasl_plaintext", "kafka_ca": ""},
        "does not accept a user and password on this port", "WATCHROOM_KAFKA_SECURITY",
    ),
    "no password where one is wanted": (
        "plaintext", {"kafka": "CLEAR"}, "closed the connection after our first request", "WATCHROOM_KAFKA_SECURITY",
    ),
    "no password where one is wanted, in TLS": (
        "mutual", {"kafka": "SCRAM"}, "closed the connection after the TLS handshake", "sasl_ssl",
    ),
}  # fmt: skip


def refused_settings(secured: Secured, name: str) -> tuple[Settings, str, str]:
    """Settings that the server refuses, the start of the message, and what to check."""
    base, changed, answer, look_at = REFUSALS[name]
    given = {"scram": secured.scram(), "mutual": secured.mutual(), "plaintext": {}}[base] | changed
    given["kafka"] = {"PLAINTEXT": secured.server.address}.get(given["kafka"]) or (
        secured.address(given["kafka"]) if given["kafka"] in secured.server.ports else given["kafka"]
    )
    files = {"kafka_ca": secured.stranger.ca, "kafka_cert": secured.strangers.cert, "kafka_key": secured.strangers.key}
    given |= {key: str(file) for key, file in files.items() if given.get(key) == "STRANGER"}
    return read_settings(**given), answer, look_at


@pytest.mark.parametrize("name", REFUSALS)
async def test_a_refusal_by_the_server_is_one_sentence_that_names_the_setting(secured: Secured, name: str) -> None:
    """Which server, what it answered, what to check; no password."""
    settings, answer, look_at = refused_settings(secured, name)
    with pytest.raises(BrokerRefuses) as refused:
        await check_login(settings)
    said = str(refused.value)
    assert said.startswith(f"Kafka at {settings.kafka} {answer}")
    assert look_at in said
    assert len(said.splitlines()) == 1
    assert PASSWORD not in said
    assert "wrong-pass" not in said


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("a wrong password", "dead-letters list"),
        ("another authority", "simulate --days 1"),
        ("plaintext against TLS", "rebuild"),
        ("TLS against plaintext", "dead-letters replay"),
    ],
)
def test_a_refused_command_exits_with_1_and_prints_one_line(
    secured: Secured, redis_server: RedisServer, name: str, command: str
) -> None:
    """Without lines from the client library, and without a traceback."""
    settings, answer, _ = refused_settings(secured, name)
    other = {"redis_url": redis_server.url, "force": new_name(), "sources": SIMULATED_SOURCES}
    variables = environment(settings.model_copy(update=other))
    done = watchroom(*command.split(), environment=variables)
    assert (done.code, len(done.lines)) == (1, 1), done
    assert f"Kafka at {settings.kafka} {answer}" in done.said


def test_one_broker_that_accepts_us_is_enough(secured: Secured) -> None:
    """The other one may be down or have an old certificate: the client tries them all too."""
    settings = read_settings(**secured.mutual())
    both = settings.model_copy(update={"kafka": f"{secured.address('EXPIRED')},{settings.kafka}"})
    asyncio.run(check_login(both))


async def test_a_refused_worker_waits_reports_it_and_retries_rarely(
    secured: Secured, redis_server: RedisServer, tmp_path: Path
) -> None:
    """A user with a hundred attempts a minute is locked out, and their log lines hide everything else."""
    given = secured.scram(kafka_password="wrong-pass")
    stack = Stack("real", given.pop("kafka"), redis_server.url, new_name())
    log = tmp_path / "worker.log"
    with WorkerProcess(stack, log, **given) as worker:
        async with asyncio.timeout(60):
            while "wrong user or password" not in worker.get("/health")[1]:  # noqa: ASYNC110 - a page of another process
                await asyncio.sleep(0.1)
        assert worker.get("/readyz")[0] == 503
        assert worker.get("/livez")[0] == 200
    assert "check WATCHROOM_KAFKA_USER and WATCHROOM_KAFKA_PASSWORD" in log.read_text()
    assert "wrong-pass" not in log.read_text()


async def test_the_number_of_attempts_in_a_minute_is_bounded(
    secured: Secured, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A minute of the worker's own waits, skipped: each attempt is one connection."""
    waited_s: list[float] = []
    connected: list[None] = []
    wait_for, connect = asyncio.wait_for, AIOKafkaConnection.connect
    settings = read_settings(**secured.scram(kafka_password="wrong-pass"), redis_url=redis_server.url)
    worker = Worker(settings)

    async def at_once(waiting: Any, timeout: float | None) -> Any:  # noqa: ASYNC109 - the signature of asyncio
        waited_s.append(timeout or 0)
        if sum(waited_s) >= 60:
            worker._stop.set()
        return await wait_for(waiting, 0)

    async def counted(self: AIOKafkaConnection) -> Any:
        connected.append(None)
        return await connect(self)

    monkeypatch.setattr("watchroom.intake.worker.asyncio.wait_for", at_once)
    monkeypatch.setattr(AIOKafkaConnection, "connect", counted)
    assert await worker._insist("kafka", lambda: ensure_topics(settings)) is None
    assert 60 <= sum(waited_s) < 60 + 16
    assert len(connected) <= 6


WRONG_FILES = {
    "a CA that is not there": ({"kafka_ca": "/nowhere/ca.pem"}, "WATCHROOM_KAFKA_CA"),
    "a CA that is none": ({"kafka_ca": __file__}, "WATCHROOM_KAFKA_CA"),
    "a key that is not there": ({"kafka_key": "/nowhere/our.key"}, "WATCHROOM_KAFKA_KEY"),
    "a certificate that is not there": ({"kafka_cert": "/nowhere/our.pem"}, "WATCHROOM_KAFKA_CERT"),
    "another certificate's key": ({"kafka_key": "STRANGER"}, "WATCHROOM_KAFKA_KEY"),
}


@pytest.mark.parametrize("name", WRONG_FILES)
async def test_a_file_that_cannot_be_used_is_named_in_the_message(secured: Secured, name: str) -> None:
    """Exit code 2: no server can help."""
    changed, where = WRONG_FILES[name]
    given = secured.mutual(**changed)
    if given["kafka_key"] == "STRANGER":
        given["kafka_key"] = str(secured.strangers.key)
    with pytest.raises(ConfigurationInvalid) as refused:
        await check_login(read_settings(**given))
    (fault,) = refused.value.faults
    assert fault.where == where
    assert "PEM" in fault.write


def test_a_broker_that_does_not_answer_is_left_to_the_client(monkeypatch: pytest.MonkeyPatch) -> None:
    """The login check has nothing to add to `did not answer`."""
    monkeypatch.setattr(login, "WITHIN_MS", 300)
    asyncio.run(check_login(read_settings(kafka="127.0.0.1:1")))
    assert os.environ.get("WATCHROOM_KAFKA") is None
