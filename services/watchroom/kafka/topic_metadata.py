"""The id of a topic's log and its partition count. A topic that is deleted and created again gets another id.

aiokafka's own metadata requests are of versions without ids, so version 10 is declared here (Kafka's protocol,
`MetadataRequest.json` and `MetadataResponse.json`). A broker that does not know version 10 has no ids: it is asked in
a version that aiokafka knows, and only offsets can tell one log from another.
"""

from __future__ import annotations

import asyncio
import random
import uuid
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from io import BytesIO
from types import MappingProxyType
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import IncompatibleBrokerVersion, KafkaConnectionError, NodeNotReadyError, RequestTimedOutError
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.metadata import MetadataRequest
from aiokafka.protocol.types import Boolean, CompactArray, CompactString, Int16, Int32, Schema, TaggedFields

from watchroom.timing import now_ms

NO_ID = uuid.UUID(int=0)
BROKER_WAIT_S = 10.0


class TopicSeen(NamedTuple):
    """One topic in a metadata answer."""

    log_id: str | None  # None where the broker has no ids
    partitions: int


class LogsSeen(NamedTuple):
    """What the broker says about the topics that a consumer subscribes to."""

    ids: Mapping[str, str]  # of each topic's log, where the broker has ids
    without_partitions: Sequence[str] = ()  # topics that do not exist
    partitions: Mapping[str, int] = MappingProxyType({})  # partition count by existing topic
    queried_ms: int = 0  # when the request was sent, milliseconds since the epoch


class _Uuid:
    """Kafka's uuid: 16 bytes, all zero for none."""

    @classmethod
    def encode(cls, value: uuid.UUID) -> bytes:
        return value.bytes

    @classmethod
    def decode(cls, data: BytesIO) -> uuid.UUID:
        return uuid.UUID(bytes=data.read(16))

    @classmethod
    def repr(cls, value: uuid.UUID) -> str:
        return str(value)


_TEXT = CompactString("utf-8")


class _MetadataResponse(Response):  # type: ignore[misc]  # aiokafka is untyped here
    API_KEY = 3
    API_VERSION = 10
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(("node_id", Int32), ("host", _TEXT), ("port", Int32), ("rack", _TEXT), ("tags", TaggedFields)),
        ),
        ("cluster_id", _TEXT),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("name", _TEXT),
                ("topic_id", _Uuid),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)),
                        ("isr", CompactArray(Int32)),
                        ("offline", CompactArray(Int32)),
                        ("tags", TaggedFields),
                    ),
                ),
                ("operations", Int32),
                ("tags", TaggedFields),
            ),
        ),
        ("cluster_operations", Int32),
        ("tags", TaggedFields),
    )


class _MetadataRequestV10(RequestStruct):  # type: ignore[misc]  # aiokafka is untyped here
    API_KEY = 3
    API_VERSION = 10
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = _MetadataResponse
    SCHEMA = Schema(
        ("topics", CompactArray(("topic_id", _Uuid), ("name", _TEXT), ("tags", TaggedFields))),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_operations", Boolean),
        ("include_topic_operations", Boolean),
        ("tags", TaggedFields),
    )


class _MetadataRequest(Request[_MetadataRequestV10]):  # type: ignore[misc]  # aiokafka is untyped here
    API_KEY = 3

    def __init__(self, topics: Iterable[str]) -> None:
        self._topics = topics

    def build(self, request_struct_class: Any) -> Any:  # noqa: ANN401 - aiokafka is untyped here
        return request_struct_class([(NO_ID, topic, {}) for topic in self._topics], False, False, False, {})


async def _first_answer(client: AIOKafkaClient, brokers: Sequence[int], request: Any) -> Any:  # noqa: ANN401 - aiokafka is untyped here
    """The first answer of any broker; all of them know the metadata."""
    for node_id in brokers[:-1]:
        with suppress(NodeNotReadyError, KafkaConnectionError, RequestTimedOutError):
            return await client.send(node_id, request)
    return await client.send(brokers[-1], request)


async def topics_seen(client: AIOKafkaClient, topics: Iterable[str]) -> dict[str, TopicSeen]:
    """Log id and partition count of each existing topic.

    Raises:
        KafkaError: No broker answered.
    """
    topics = list(topics)
    brokers = [broker.nodeId for broker in client.cluster.brokers()]
    if not brokers:
        raise NodeNotReadyError("no broker is known yet")
    random.shuffle(brokers)
    try:
        answer = await _first_answer(client, brokers, _MetadataRequest(topics))
    except (IncompatibleBrokerVersion, NotImplementedError):
        answer = await _first_answer(client, brokers, MetadataRequest(topics))
        return {topic[1]: TopicSeen(None, len(topic[-1])) for topic in answer.topics if not topic[0]}
    return {
        topic[1]: TopicSeen(None if topic[2] == NO_ID else str(topic[2]), len(topic[4]))
        for topic in answer.topics
        if not topic[0]
    }


async def log_ids(client: AIOKafkaClient, topics: Iterable[str]) -> dict[str, str]:
    """The id of each topic's log; a topic without one is left out. Raises as `topics_seen`."""
    return _ids(await topics_seen(client, topics))


async def look_at_logs(consumer: AIOKafkaConsumer) -> LogsSeen:
    """The logs that the subscribed topics have now, and their partition counts.

    Raises:
        KafkaError, OSError, TimeoutError: No broker answered.
    """
    topics = sorted(consumer.subscription())
    queried_ms = now_ms()
    async with asyncio.timeout(BROKER_WAIT_S):
        seen = await topics_seen(consumer._client, topics)  # noqa: SLF001 - no public way to ask for ids
    missing = [topic for topic in topics if not consumer.partitions_for_topic(topic)]
    return LogsSeen(_ids(seen), missing, {topic: each.partitions for topic, each in seen.items()}, queried_ms)


def _ids(seen: Mapping[str, TopicSeen]) -> dict[str, str]:
    return {topic: each.log_id for topic, each in seen.items() if each.log_id is not None}
