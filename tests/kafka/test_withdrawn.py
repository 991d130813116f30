"""Rights and passwords are withdrawn from a running worker: it waits, reports it, and retries rarely."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.conn import AIOKafkaConnection, create_conn
from aiokafka.protocol.admin import CreateAclsRequest, DeleteAclsRequest

from tests.flow.pages import page, until_page_says
from tests.flow.rebuilt_force import RebuiltForce
from tests.kafka.conftest import OTHER, Secured
from tests.kafka.test_rights import RESOURCES, allow, as_other, rules
from tests.kafka.test_secured import as_user_of_the_page, force, records
from watchroom.demo.server import free_port
from watchroom.errors import BrokerRefuses, EventRefused
from watchroom.events.record import Record
from watchroom.intake.admission import Refused
from watchroom.intake.dead_letters import DeadLetters
from watchroom.intake.health import Status
from watchroom.kafka import login
from watchroom.kafka.clients import consumer as make_consumer
from watchroom.kafka.produce import Outgoing, produce
from watchroom.kafka.topics import ensure_topics
from watchroom.settings import Settings, read_settings

__all__ = ["force"]
pytestmark = [pytest.mark.real, pytest.mark.timeout(240)]
READ, WRITE, DENY, LITERAL = 3, 4, 2, 3
REFUSED = Refused(Record(0, 1, b"1", b"{}", ()), EventRefused("bad_json", "no event"))


async def deny(secured: Secured, resource: str, name: str, operation: int = READ, *, again: bool = False) -> None:
    """Withdraw a right from the other user; `again`: give it back."""
    admin: Any = AIOKafkaAdminClient(bootstrap_servers=secured.server.address)
    await admin.start()
    given = RESOURCES[resource], name, LITERAL, f"User:{OTHER}", "*", operation, DENY
    try:
        await admin._send_request(DeleteAclsRequest(*given) if again else CreateAclsRequest(*given))
    finally:
        await admin.close()


async def test_withdrawn_rights_that_are_given_back_need_no_restart(secured: Secured, force: RebuiltForce) -> None:
    """For a topic and for the group: the process stays, its page names what to grant, and then it continues."""
    await allow(secured, rules("watchroom", force.settings.force))
    given = {**as_other(secured), "redis_url": as_user_of_the_page(force), "health_port": free_port()}
    settings = read_settings(**{**force.settings.model_dump(exclude={"token_key"}), **given, "streams": ("calls",)})
    inside = RebuiltForce(settings, force.client, force.folder)
    topic, port = settings.topic("calls"), settings.health_port
    await ensure_topics(settings)
    with inside.worker(health_port=port) as worker:
        await deny(secured, "topic", topic)
        await until_page_says(f"Kafka does not let this user read topic {topic}: grant it READ", 15, "/readyz", port)
        await deny(secured, "topic", topic, again=True)
        await asyncio.to_thread(produce, settings, records(settings, 5))
        await until_page_says("ok\n", 30, "/readyz", port)
        await force.until_applied(worker)
        assert retries(page(port, "/metrics")) <= 6  # at 0, 2, 6, 14, 30 and 46 s, if this machine is busy
        await deny(secured, "group", settings.group)
        await until_page_says(f"Kafka does not let this user use group {settings.group}", 20, "/readyz", port)
        await deny(secured, "group", settings.group, again=True)
        await asyncio.to_thread(produce, settings, records(settings, 5))
        await until_page_says("ok\n", 40, "/readyz", port)
        await force.until_applied(worker)


def retries(metrics: str) -> float:
    """How often Kafka was asked again."""
    (line,) = (line for line in metrics.splitlines() if line.startswith("watchroom_worker_kafka_retries_total"))
    return float(line.split()[1])


@asynccontextmanager
async def running(settings: Settings, password: str) -> AsyncIterator[Any]:
    """A consumer that logged in with the right password; now it has no connection, and the password of the settings."""
    consumer: Any = make_consumer(settings)
    client = consumer._client
    client._sasl_plain_password = password
    await consumer.start()
    try:
        consumer.assign([TopicPartition("withdrawn", 0)])
        client._sasl_plain_password = settings.kafka_password.get_secret_value()
        for connection in list(client._conns.values()):
            connection.close()
        yield consumer
    finally:
        await consumer.stop()


@pytest.fixture
def tries(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """When this process connected to Kafka."""
    found: list[float] = []

    async def counted(*arguments: Any, **more: Any) -> AIOKafkaConnection:
        found.append(time.monotonic())
        return await create_conn(*arguments, **more)

    monkeypatch.setattr(login, "create_conn", counted)
    return found


async def test_a_changed_password_is_tried_only_a_few_times_a_minute(secured: Secured, tries: list[float]) -> None:
    """At the client's own pace it would be hundreds of attempts; the message is the same as at a worker's start."""
    settings = read_settings(**secured.scram(kafka_password="changed"))
    assert login.refused_now(settings) is None
    async with running(settings, secured.scram()["kafka_password"]) as consumer:
        tries.clear()
        until_s = time.monotonic() + 4
        while time.monotonic() < until_s:
            await consumer.getmany(timeout_ms=500)
        assert len(tries) == 2  # at once and after 2 s; then after 4, 8, 16, 16 s, so six in a minute
        said = login.refused_now(settings) or ""
        assert "rejects the SCRAM-SHA-512 login of user 'wr'" in said
        assert "WATCHROOM_KAFKA_PASSWORD" in said
        consumer._client._sasl_plain_password = secured.scram()["kafka_password"]
        async with asyncio.timeout(20):
            while login.refused_now(settings) is not None:
                await consumer.getmany(timeout_ms=200)


async def test_waiting_letters_log_in_no_more_often_than_one_client(secured: Secured, tries: list[float]) -> None:
    """From four partitions, each of which retries; only a person could unlock a locked user."""
    letters = DeadLetters(read_settings(**secured.scram(kafka_password="changed")), Status())
    until_s = time.monotonic() + 4

    async def insist(partition: int) -> None:
        while time.monotonic() < until_s:
            with pytest.raises(BrokerRefuses, match="WATCHROOM_KAFKA_PASSWORD"):
                await letters.send("north.calls", partition, [REFUSED])
            await asyncio.sleep(0.05)

    await asyncio.gather(*map(insist, range(4)))
    assert len(tries) == 2  # at once and after 2 s


async def test_a_worker_that_may_not_write_letters_reports_it_and_blames_nothing_else(
    secured: Secured, force: RebuiltForce
) -> None:
    """It is not Redis that stops the partition, and a restart would not help."""
    await allow(secured, rules("watchroom", force.settings.force))
    given = {**as_other(secured), "redis_url": as_user_of_the_page(force), "health_port": free_port()}
    settings = read_settings(**{**force.settings.model_dump(exclude={"token_key"}), **given, "streams": ("calls",)})
    inside = RebuiltForce(settings, force.client, force.folder)
    letters, port = settings.dead_letter_topic, settings.health_port
    await ensure_topics(settings)
    await deny(secured, "topic", letters, WRITE)
    wanted = f"Kafka does not let this user write to topic {letters}: grant it WRITE"
    with inside.worker(health_port=port) as worker:
        await asyncio.to_thread(produce, settings, [Outgoing(settings.topic("calls"), b"1", b"{}")])
        await until_page_says(wanted, 20, "/readyz", port)
        until_s = time.monotonic() + 4
        while time.monotonic() < until_s:
            said = page(port, "/readyz")
            assert wanted in said
            assert page(port, "/livez") == "ok\n"
            await asyncio.sleep(0.2)
        assert retries(page(port, "/metrics")) <= 4
        await deny(secured, "topic", letters, WRITE, again=True)
        await until_page_says("ok\n", 30, "/readyz", port)
        await force.until_applied(worker)
