"""The topics we own: created by ourselves, with the settings that the figures rest on.

LogAppendTime makes a record's timestamp the broker's, so arrival is no producer's opinion;
400 days of retention let a rebuild make 12 months again, and what is never forgotten is kept for ever. We never change
the partition count of a topic; if somebody else does, see deploy/kafka/partitions.md.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, for_code

from watchroom.errors import BrokerUnavailable, ConfigurationInvalid, Fault, WorkFailed
from watchroom.intake.log_ids import log_ids
from watchroom.kafka import clients
from watchroom.settings import Settings
from watchroom.streams import STREAMS
from watchroom.streams.stream import FOR_EVER_DAYS

RETENTION_DAYS = 400
NO_LIMIT = "-1"
EVENTS_MOST_BYTES = 1024 * 1024
DEAD_LETTERS_MOST_BYTES = 2 * 1024 * 1024
LETTER_MOST_BYTES = 1024 * 1024 + 128 * 1024  # the largest dead letter: value, key and headers are cut to fit

_MOST_BYTES = "max.message.bytes"
_EXISTS = "TopicAlreadyExistsError"
_REQUEST_TIMEOUT_MS = 10_000
_SHOWN_WITHIN_S = 15.0


@dataclass(frozen=True, slots=True)
class Topics:
    """What the broker says about our topics."""

    partitions: dict[str, int]  # partition count by topic
    created: frozenset[str]  # made by this call
    log_ids: dict[str, str]  # by topic; empty where the broker has none
    differing: Sequence[str] = ()  # a sentence on each setting of a topic that is not what we would have made it


def owned_topics(settings: Settings) -> list[str]:
    """All topics of this deployment, dead letters last; a stream that is not fed has none."""
    return [*settings.topics.values(), settings.dead_letter_topic]


def topic_settings(settings: Settings, topic: str) -> dict[str, str]:
    """Broker-side settings of one of our topics."""
    dead = topic == settings.dead_letter_topic
    return {
        "message.timestamp.type": "LogAppendTime",
        "retention.ms": NO_LIMIT if topic in _kept_for_ever(settings) else str(RETENTION_DAYS * 86_400_000),
        "compression.type": "zstd",
        _MOST_BYTES: str(DEAD_LETTERS_MOST_BYTES if dead else EVENTS_MOST_BYTES),
    }


def _kept_for_ever(settings: Settings) -> set[str]:
    """Topics of streams whose entities are never forgotten: a rebuild must find all that they were made from."""
    return {settings.topic(name) for name, stream in STREAMS.items() if stream.keeping_days == FOR_EVER_DAYS}


async def ensure_topics(settings: Settings) -> Topics:
    """Create what is missing, and wait until the broker's metadata shows every topic.

    Safe to call from several workers at once: the one that comes second finds the topic there.

    Raises:
        BrokerUnavailable: No broker answered, or not in time; calling again is safe.
        WorkFailed: The broker refused to create a topic; the message says why.
        ConfigurationInvalid: The dead letters' topic does not take the largest letter.
    """
    admin = clients.admin(settings, _REQUEST_TIMEOUT_MS)
    try:
        await clients.start(admin, settings)
        have = await _partition_counts(admin)
        missing = [topic for topic in owned_topics(settings) if topic not in have]
        if missing:
            await _create(admin, settings, missing)
        counts = await _wait_shown(admin, owned_topics(settings))
        ids = await log_ids(admin._client, counts)  # noqa: SLF001 - no public way to ask for ids
        differing = await _differing(admin, settings, [topic for topic in counts if topic not in missing])
    except (KafkaError, OSError, TimeoutError) as error:
        raise BrokerUnavailable(f"Kafka at {settings.kafka} did not answer ({type(error).__name__})") from error
    finally:
        await admin.close()
    return Topics(partitions=counts, created=frozenset(missing), log_ids=ids, differing=differing)


async def _partition_counts(admin: AIOKafkaAdminClient) -> dict[str, int]:
    described = await admin.describe_topics()
    return {item["topic"]: len(item["partitions"]) for item in described if not item["error_code"]}


async def _create(admin: AIOKafkaAdminClient, settings: Settings, topics: list[str]) -> None:
    wanted = [
        NewTopic(topic, settings.partitions, settings.replication, topic_configs=topic_settings(settings, topic))
        for topic in topics
    ]
    answer = await admin.create_topics(wanted, timeout_ms=_REQUEST_TIMEOUT_MS)
    for topic, code, *message in answer.topic_errors:
        error = for_code(code)
        if not code or error.__name__ == _EXISTS:
            continue
        detail = next((text for text in message if text), error.__name__)
        if getattr(error, "retriable", False):
            raise BrokerUnavailable(f"Kafka at {settings.kafka} cannot create {topic} yet: {detail}")
        raise WorkFailed(
            f"Kafka at {settings.kafka} refused to create topic {topic}: {detail}; "
            "check WATCHROOM_REPLICATION against the number of brokers, and this user's rights"
        )


async def _wait_shown(admin: AIOKafkaAdminClient, topics: list[str]) -> dict[str, int]:
    async with asyncio.timeout(_SHOWN_WITHIN_S):
        while True:
            counts = await _partition_counts(admin)
            if all(counts.get(topic) for topic in topics):
                return {topic: counts[topic] for topic in topics}
            await asyncio.sleep(0.05)


async def _differing(admin: AIOKafkaAdminClient, settings: Settings, topics: list[str]) -> list[str]:
    """Where topics that others made, or changed, would make the figures rest on something else."""
    if not topics:
        return []
    answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic) for topic in topics])
    said = []
    for _, _, _, topic, entries in (resource for answer in answers for resource in answer.resources):
        found = {name: value for name, value, *_ in entries}
        most_bytes = found.get(_MOST_BYTES, "-1")
        if topic == settings.dead_letter_topic and 0 <= int(most_bytes) < LETTER_MOST_BYTES:
            raise too_small_for_letters(topic, most_bytes)
        for name, ours in topic_settings(settings, topic).items():
            if name in found and not _as_good(name, found[name], ours):
                said.append(f"topic {topic}: {name} is {found[name]}, Watchroom would set {ours}")
    return said


def too_small_for_letters(topic: str, found: str) -> ConfigurationInvalid:
    """What to change so that the dead letters' topic takes them; waiting would help nobody."""
    return ConfigurationInvalid([Fault(f"Kafka topic {topic}", _MOST_BYTES, found, str(DEAD_LETTERS_MOST_BYTES))])


def _as_good(name: str, found: str, ours: str) -> bool:
    if name == "compression.type":
        return True  # costs space, changes nothing
    if name in ("retention.ms", _MOST_BYTES):
        return found == NO_LIMIT or (ours != NO_LIMIT and int(found) >= int(ours))
    return found == ours
