"""The rights in `deploy/kafka/rights.md` are enough for a whole flow; and the messages when rights are missing."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.protocol.admin import CreateAclsRequest

from tests.flow.pages import until_page_says
from tests.flow.rebuilt_force import RebuiltForce
from tests.kafka.conftest import OTHER, OTHER_PASSWORD, Secured
from tests.kafka.test_secured import as_user_of_the_page, force, whole_flow
from tests.parts import ROOT
from watchroom.demo.server import free_port
from watchroom.doctor.kafka_facts import kafka_facts
from watchroom.errors import ConfigurationInvalid
from watchroom.kafka.produce import Outgoing, produce
from watchroom.kafka.topics import ensure_topics
from watchroom.settings import read_settings

__all__ = ["force"]
pytestmark = [pytest.mark.real, pytest.mark.timeout(240)]
# Kafka's numbers, AclOperation.java, ResourceType.java and PatternType.java.
OPERATIONS = {"Read": 3, "Write": 4, "Create": 5, "Describe": 8, "DescribeConfigs": 10}
RESOURCES = {"topic": 2, "group": 3}
PATTERNS = {"literal": 3, "prefixed": 4}
ALLOW = 3


def rules(user: str, name: str) -> list[tuple[int, str, int, int]]:
    """Resource, name, pattern and operation of the page's lines for a user, with another prefix and group."""
    text = (ROOT / "deploy" / "kafka" / "rights.md").read_text()
    found = []
    for line in re.findall(rf"^kafka-acls.sh --add --allow-principal User:{user} (.*)$", text, re.MULTILINE):
        ((resource, of),) = re.findall(r"--(topic|group) (\S+)", line)
        (pattern,) = re.findall(r"--resource-pattern-type (\S+)", line)
        for operation in re.findall(r"--operation (\S+)", line):
            of_test = of.replace("watchroom", name)
            found.append((RESOURCES[resource], of_test, PATTERNS[pattern], OPERATIONS[operation]))
    assert found
    return found


async def allow(secured: Secured, given: list[tuple[int, str, int, int]]) -> None:
    """Allow the other user this."""
    admin: Any = AIOKafkaAdminClient(bootstrap_servers=secured.server.address)
    await admin.start()
    try:
        for resource, name, pattern, operation in given:
            request = CreateAclsRequest(resource, name, pattern, f"User:{OTHER}", "*", operation, ALLOW)
            answer = await admin._send_request(request)
            assert [code for code, _ in answer.creation_responses] == [0], answer
    finally:
        await admin.close()


def as_other(secured: Secured) -> dict[str, Any]:
    """Settings of that user."""
    return secured.scram(kafka_user=OTHER, kafka_password=OTHER_PASSWORD)


async def test_the_rights_on_the_page_are_enough_for_everything(secured: Secured, force: RebuiltForce) -> None:
    """Topics created and read, letters written, read and replayed, a group joined, and a rebuild."""
    await allow(secured, rules("watchroom", force.settings.force))
    await whole_flow(force, as_other(secured))
    own = {name: getattr(force.settings, name) for name in ("topic_prefix", "group", "streams")}
    seen = await kafka_facts(read_settings(**as_other(secured), **own))
    assert (seen.failures, seen.unread) == ({}, {})
    assert seen.settings.keys() == (seen.topics or {}).keys() != set()


async def test_a_producer_needs_only_the_right_to_write_to_its_topic(secured: Secured, force: RebuiltForce) -> None:
    """A feed must not be able to read what others send."""
    await ensure_topics(force.settings)
    await allow(secured, rules("telephony", force.settings.force))
    settings = read_settings(**{**as_other(secured), "topic_prefix": force.settings.force})
    ends = await asyncio.to_thread(produce, settings, [Outgoing(settings.topic("calls"), b"1", b"{}")])
    assert list(ends.values()) == [1]


async def test_settings_that_a_broker_does_not_show_refuse_nothing(secured: Secured, force: RebuiltForce) -> None:
    """Without DescribeConfigs a harmful setting cannot be seen, and a worker starts nevertheless."""
    settings = force.settings
    await ensure_topics(settings)
    harmful = ConfigResource(ConfigResourceType.TOPIC, settings.topic("calls"), {"cleanup.policy": "compact"})
    admin = AIOKafkaAdminClient(bootstrap_servers=secured.server.address)
    await admin.start()
    await admin.alter_configs([harmful])
    await admin.close()
    with pytest.raises(ConfigurationInvalid, match=r"cleanup\.policy: found compact"):
        await ensure_topics(settings)
    told = [each for each in rules("watchroom", settings.force) if each[-1] != OPERATIONS["DescribeConfigs"]]
    await allow(secured, told)
    own = {"topic_prefix": settings.force, "partitions": settings.partitions}
    assert (await ensure_topics(read_settings(**as_other(secured), **own))).differing == []


async def test_without_rights_a_worker_waits_and_says_what_to_grant(secured: Secured, force: RebuiltForce) -> None:
    """First the right to create its topics, then to see them; once both are granted, it continues by itself."""
    given = {**as_other(secured), "redis_url": as_user_of_the_page(force), "health_port": free_port()}
    settings = read_settings(**{**force.settings.model_dump(exclude={"token_key"}), **given, "streams": ("calls",)})
    prefix, topic, port = f"{settings.topic_prefix}.", settings.topic("calls"), settings.health_port
    create = (RESOURCES["topic"], prefix, PATTERNS["prefixed"], OPERATIONS["Create"])
    worker = RebuiltForce(settings, force.client, force.folder).worker(health_port=port)
    starting = asyncio.create_task(asyncio.to_thread(worker.start))
    try:
        await until_page_says(f"does not let this user create topic {topic}, ", 20, "/readyz", port)
        await allow(secured, [create])
        await until_page_says(f"not let this user see topic {topic}", 20, "/readyz", port)
        await allow(secured, rules("watchroom", settings.force))
        await starting
        assert OTHER_PASSWORD not in (force.folder / "worker.log").read_text()
    finally:
        worker.stop()
