"""What `watchroom doctor` reports about brokers that require a login."""

from __future__ import annotations

from typing import Any

import pytest

from tests.kafka.conftest import OTHER, OTHER_PASSWORD, PASSWORD, Secured
from watchroom.doctor.broker_checks import of_brokers
from watchroom.doctor.examine import of_kafka
from watchroom.doctor.facts import Redis
from watchroom.doctor.kafka_facts import kafka_facts
from watchroom.settings import read_settings

pytestmark = pytest.mark.real


@pytest.mark.parametrize(
    ("door", "changed", "says", "fix"),
    [
        ("SCRAM", {"kafka_password": "not-it"}, "login of user 'wr'", "WATCHROOM_KAFKA_PASSWORD"),
        ("EXPIRED", {}, "certificate that is not currently valid", "clock"),
        ("TLS", {"kafka_security": "plaintext"}, "uses TLS on this port", "WATCHROOM_KAFKA_SECURITY"),
    ],
)
async def test_the_reason_why_a_broker_rejects_us_is_a_finding(
    secured: Secured, door: str, changed: dict[str, Any], says: str, fix: str
) -> None:
    """The broker's own answer says what to change; without it people look for a network fault."""
    given = secured.scram(kafka=secured.address(door), **changed)
    if changed.get("kafka_security") == "plaintext":
        given = {"kafka": given["kafka"]}
    settings = read_settings(**given)
    seen = await kafka_facts(settings)
    (found,) = of_brokers(settings, seen.failures)
    assert found.subject == f"Kafka at {secured.address(door)}"
    assert says in found.what
    assert fix in found.fix
    assert PASSWORD not in str(found)
    assert "not-it" not in str(found)


async def test_what_our_user_may_not_read_is_reported_as_not_checked(secured: Secured) -> None:
    """A user without rights sees no topic and no group; that does not make them missing or right."""
    given = secured.scram(kafka_user=OTHER, kafka_password=OTHER_PASSWORD, group="of-nobody", topic_prefix="of-nobody")
    settings = read_settings(**given)
    found = {each.check: each for each in of_kafka(settings, await kafka_facts(settings), Redis())}
    assert found["group-members"].severity == "not checked"
    assert "GroupAuthorizationFailed" in found["group-members"].what
    assert "the Describe right" in found["topic-missing"].fix
