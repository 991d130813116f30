"""Which log is it, and how many partitions has it? A topic that is deleted and created again gets another id.

aiokafka asks for metadata in a version that has no ids yet, so the request of version 10 is written
down here (Kafka's protocol, `MetadataRequest.json` and `MetadataResponse.json`). A broker that does
not know version 10 has no ids; then only offsets tell one log from another, and the partitions are asked for in a
version that aiokafka knows.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterable, Sequence
from contextlib import suppress
from io import BytesIO
from typing import Any, NamedTuple

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import IncompatibleBrokerVersion, KafkaConnectionError, NodeNotReadyError, RequestTimedOutError
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.metadata import MetadataRequest
from aiokafka.protocol.types import Boolean, CompactArray, CompactString, Int16, Int32, Schema, TaggedFields

NO_ID = uuid.UUID(int=0)


class TopicSeen(NamedTuple):
    """What one metadata answer says of a topic."""

    log_id: str | None  # None where the broker has no ids
    partitions: int


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
    """What the first broker says that answers; any of them knows."""
    for node_id in brokers[:-1]:
        with suppress(NodeNotReadyError, KafkaConnectionError, RequestTimedOutError):
            return await client.send(node_id, request)
    return await client.send(brokers[-1], request)


async def topics_seen(client: AIOKafkaClient, topics: Iterable[str]) -> dict[str, TopicSeen]:
    """Log and partition count of each topic; one that is not there is left out.

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
    seen = await topics_seen(client, topics)
    return {topic: each.log_id for topic, each in seen.items() if each.log_id is not None}
