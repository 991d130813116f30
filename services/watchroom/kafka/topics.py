"""Creates the topics that we own, with the settings that the figures need; see `topic_settings`.

We never change the partition count of a topic. If somebody else does, see deploy/kafka/partitions.md.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    IncompatibleBrokerVersion,
    TopicAlreadyExistsError,
    TopicAuthorizationFailedError,
    UnsupportedVersionError,
    for_code,
)

from watchroom.errors import BrokerRefuses, BrokerUnavailable, ConfigurationInvalid, Fault, WorkFailed
from watchroom.kafka import clients
from watchroom.kafka.topic_metadata import log_ids
from watchroom.kafka.topic_settings import (
    BY_BROKER,
    TIMESTAMP_TYPE,
    Difference,
    differences,
    topic_settings,
)
from watchroom.settings import Settings
from watchroom.timing import now_ms

NOT_ALLOWED = (TopicAuthorizationFailedError, ClusterAuthorizationFailedError)
RIGHTS = "deploy/kafka/rights.md"
_REQUEST_TIMEOUT_MS = 10_000
_SHOWN_WITHIN_S = 15.0


@dataclass(frozen=True, slots=True)
class Topics:
    """What the broker says about our topics."""

    partitions: dict[str, int]  # partition count by topic
    log_ids: dict[str, str]  # by topic; empty if the broker has none
    queried_ms: int = 0  # when it was asked for the partitions, milliseconds since the epoch
    differing: Sequence[str] = ()  # a sentence about each setting of a topic that does harm


def owned_topics(settings: Settings) -> list[str]:
    """All topics of this deployment, dead letters last; none for a stream that is not fed."""
    return [*settings.topics.values(), settings.dead_letter_topic]


async def ensure_topics(settings: Settings) -> Topics:
    """Create what is missing, and wait until the broker's metadata shows every topic.

    Safe to call from several workers at once: the second one finds the topics.

    Raises:
        BrokerRefuses: A broker does not let us in, or our user lacks a right, which the message names.
        BrokerUnavailable: No broker answered, or not in time; calling again is safe.
        WorkFailed: The broker refused to create a topic; the message says why.
        ConfigurationInvalid: A topic that somebody else created is compacted, or the topic of dead letters does not
            take the largest letter.
    """
    async with clients.open_admin(settings, _REQUEST_TIMEOUT_MS) as admin:
        have = await partition_counts(admin)
        missing = [topic for topic in owned_topics(settings) if topic not in have]
        created = await _create(admin, settings, missing) if missing else frozenset()
        queried_ms = now_ms()
        counts = await _wait_shown(admin, settings, owned_topics(settings))
        ids = await log_ids(admin._client, counts)  # noqa: SLF001 - no public way to ask for ids
        found = await _differences(admin, settings, [topic for topic in counts if topic not in created])
    _refuse(settings, found)
    differing = [each.sentence(settings) for each in found]
    return Topics(partitions=counts, log_ids=ids, queried_ms=queried_ms, differing=differing)


async def partition_counts(admin: AIOKafkaAdminClient) -> dict[str, int]:
    """Of all topics: a request for one that does not exist may create it. Raises KafkaError."""
    described = await admin.describe_topics()
    return {item["topic"]: len(item["partitions"]) for item in described if not item["error_code"]}


async def _create(admin: AIOKafkaAdminClient, settings: Settings, topics: list[str]) -> frozenset[str]:
    """Create topics; returns those that no one else created in the meantime."""
    wanted = [
        NewTopic(topic, settings.partitions, settings.replication, topic_configs=topic_settings(settings, topic))
        for topic in topics
    ]
    answer = await admin.create_topics(wanted, timeout_ms=_REQUEST_TIMEOUT_MS)
    if refused := sorted(topic for topic, code, *_ in answer.topic_errors if issubclass(for_code(code), NOT_ALLOWED)):
        raise BrokerRefuses(
            f"Kafka at {settings.kafka} does not let this user create topic {', '.join(refused)}: grant it CREATE, or"
            f" DESCRIBE if somebody else has created the topic, see {RIGHTS}"
        )
    created = set()
    for topic, code, *message in answer.topic_errors:
        error = for_code(code)
        if not code:
            created.add(topic)
        if not code or error is TopicAlreadyExistsError:
            continue
        detail = next((text for text in message if text), error.__name__)
        if error.retriable:
            raise BrokerUnavailable(f"Kafka at {settings.kafka} cannot create {topic} yet: {detail}")
        raise WorkFailed(
            f"Kafka at {settings.kafka} refused to create topic {topic}: {detail}; "
            "check WATCHROOM_REPLICATION against the number of brokers"
        )
    return frozenset(created)


async def _wait_shown(admin: AIOKafkaAdminClient, settings: Settings, topics: list[str]) -> dict[str, int]:
    async with asyncio.timeout(_SHOWN_WITHIN_S):
        while True:
            counts = await partition_counts(admin)
            missing = [topic for topic in topics if not counts.get(topic)]
            if not missing:
                return {topic: counts[topic] for topic in topics}
            await _refuse_hidden(admin, settings, missing)
            await asyncio.sleep(0.05)


async def _refuse_hidden(admin: AIOKafkaAdminClient, settings: Settings, topics: list[str]) -> None:
    """Raise BrokerRefuses if one of these topics exists, but our user may not see it.

    A list of all topics silently leaves it out; only a request for its name is answered with the refusal.
    """
    described = await admin.describe_topics(topics)
    hidden = [item["topic"] for item in described if issubclass(for_code(item["error_code"]), NOT_ALLOWED)]
    if hidden:
        raise BrokerRefuses(
            f"Kafka at {settings.kafka} does not let this user see topic {', '.join(sorted(hidden))}: grant it DESCRIBE"
            f" and READ, see {RIGHTS}"
        )


async def found_settings(admin: AIOKafkaAdminClient, topics: Iterable[str]) -> dict[str, dict[str, str]]:
    """Settings in force, by topic; a topic is left out if the broker does not show them, or not to our user."""
    asked = [ConfigResource(ConfigResourceType.TOPIC, topic) for topic in topics]
    if not asked:
        return {}
    try:
        answers = await admin.describe_configs(asked)
    except (IncompatibleBrokerVersion, UnsupportedVersionError):  # other broker products
        return {}
    return {
        topic: {name: value for name, value, *_ in entries if value is not None}
        for answer in answers
        for code, _, _, topic, entries in answer.resources
        if not code
    }


async def stamped_by_broker(settings: Settings, topics: Iterable[str]) -> set[str]:
    """Those topics whose records get their timestamp from the broker; a topic whose settings are unknown is left out.

    Raises:
        BrokerUnavailable: Kafka did not answer.
    """
    async with clients.open_admin(settings, _REQUEST_TIMEOUT_MS) as admin:
        found = await found_settings(admin, topics)
    return {topic for topic, each in found.items() if each.get(TIMESTAMP_TYPE) == BY_BROKER}


async def _differences(admin: AIOKafkaAdminClient, settings: Settings, topics: Sequence[str]) -> list[Difference]:
    """Settings that do harm, of topics that somebody else created or changed."""
    found = await found_settings(admin, topics)
    copies = {  # the lowest number, if partitions differ
        item["topic"]: min((len(partition["replicas"]) for partition in item["partitions"]), default=0)
        for item in await admin.describe_topics()
    }
    return [
        each
        for topic, values in found.items()
        if topic in copies
        for each in differences(settings, topic, values, copies[topic])
    ]


def _refuse(settings: Settings, found: Iterable[Difference]) -> None:
    """Raise ConfigurationInvalid for settings with which no worker starts."""
    faults = [
        Fault(
            f"Kafka topic {each.topic}",
            each.name,
            each.found,
            f"{each.wanted}. {each.why} To change it: {each.command(settings)}",
        )
        for each in found
        if each.refused
    ]
    if faults:
        raise ConfigurationInvalid(faults)
