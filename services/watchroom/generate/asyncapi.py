"""The AsyncAPI 3.0 document: topics, their messages, keys and headers, derived from the models."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from watchroom.admission.models import HEARTBEAT, MODELS, OF_STREAM, STREAM_OF, type_of
from watchroom.events import headers, reasons
from watchroom.events.envelope import NAME_PATTERN
from watchroom.generate.event_schemas import schema
from watchroom.generate.yaml_text import yaml_text
from watchroom.kafka.topic_settings import DEAD_LETTERS_MOST_BYTES, EVENTS_MOST_BYTES
from watchroom.streams import STREAMS
from watchroom.streams.stream import retention_ms

PREFIX: Final = "watchroom"
"""Default of WATCHROOM_TOPIC_PREFIX."""
DEAD_LETTERS: Final = "dead-letters"
_BINDING: Final = "0.5.0"


def text(root: Path) -> str:  # noqa: ARG001  # every output is given the root
    """The file."""
    return "# Derived from services/watchroom/streams by `make generate`; do not edit.\n" + yaml_text(document())


def document() -> dict[str, Any]:
    """The document as plain values."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Watchroom events",
            "version": "1.0.0",
            "description": "What telephony, command-and-control and crime-recording systems publish, and what"
            " happens to events that cannot be used. Topic names begin with the setting WATCHROOM_TOPIC_PREFIX; its"
            " default is shown here. Payloads are shown in structured mode; binary mode is accepted too (README.md).",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/cloudevents+json",
        "channels": {**{stream: _channel(stream) for stream in OF_STREAM}, DEAD_LETTERS: _dead_letter_channel()},
        "operations": {
            **{f"receive-{stream}": _operation("receive", stream) for stream in OF_STREAM},
            "send-dead-letters": _operation("send", DEAD_LETTERS),
        },
        "components": {
            "messages": {**{name: _message(name) for name in MODELS}, "dead-letter": _dead_letter()},
            "messageTraits": {"event": _event_trait()},
        },
    }


def _channel(stream: str) -> dict[str, Any]:
    names = [*(type_of(model) for model in OF_STREAM[stream]), HEARTBEAT]
    return {
        "address": f"{PREFIX}.{stream}",
        "title": f"Events of the stream {stream}",
        "description": "Watchroom creates the topic with LogAppendTime, so that a record's timestamp is its arrival"
        " time.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
        "bindings": {"kafka": _topic(EVENTS_MOST_BYTES, STREAMS[stream].keeping_days)},
    }


def _dead_letter_channel() -> dict[str, Any]:
    return {
        "address": f"{PREFIX}.{DEAD_LETTERS}",
        "title": "Events that could not be used",
        "description": "The original bytes (cut at 1 MiB), with the reason in the headers. After a crash, a"
        " letter may appear twice: topic, partition and offset identify it.",
        "messages": {"dead-letter": {"$ref": "#/components/messages/dead-letter"}},
        "bindings": {"kafka": _topic(DEAD_LETTERS_MOST_BYTES, 0)},
    }


def _topic(most_bytes: int, keeping_days: float) -> dict[str, Any]:
    kept_ms = retention_ms(keeping_days)
    return {
        "topicConfiguration": {
            "cleanup.policy": ["delete"],
            "retention.ms": -1 if kept_ms is None else kept_ms,
            "max.message.bytes": most_bytes,
        },
        "bindingVersion": _BINDING,
    }


def _operation(action: str, channel: str) -> dict[str, Any]:
    return {"action": action, "channel": {"$ref": f"#/channels/{channel}"}}


def _message(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "title": name,
        "summary": schema(name)["description"],
        "description": f"Stream: {STREAM_OF.get(name, 'each stream the source feeds')}. Example: examples/{name}.json.",
        "traits": [{"$ref": "#/components/messageTraits/event"}],
        "payload": {
            "schemaFormat": "application/schema+json;version=draft-2020-12",
            "schema": {"$ref": f"./{name}.json"},
        },
    }


def _event_trait() -> dict[str, Any]:
    """What all events share apart from their payload: headers, and the key that keeps an entity together."""
    return {
        "contentType": "application/cloudevents+json",
        "headers": _headers(headers.EVENT, required=()),
        "bindings": {
            "kafka": {
                "key": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 256,
                    "pattern": NAME_PATTERN,
                    "description": "The event's subject in UTF-8. The partition is the one that Kafka's default"
                    " partitioner chooses (murmur2; in librdkafka: partitioner=murmur2_random).",
                },
                "bindingVersion": _BINDING,
            }
        },
    }


def _dead_letter() -> dict[str, Any]:
    not_always = (headers.LENGTH, headers.SHA256, headers.HEADERS_LENGTH, headers.LATEST)
    return {
        "name": "dead-letter",
        "title": "Dead letter",
        "summary": "A refused record, as it arrived.",
        "contentType": "application/octet-stream",
        "headers": _headers(
            headers.DEAD_LETTER, required=[name for name in headers.DEAD_LETTER if name not in not_always]
        ),
        "payload": {"description": "The refused record's value: any bytes, or none."},
    }


def _headers(meanings: dict[str, str], required: list[str] | tuple[str, ...]) -> dict[str, Any]:
    whole = {headers.ARRIVED, headers.LATEST, headers.PARTITION, headers.OFFSET, headers.LENGTH, headers.HEADERS_LENGTH}
    properties: dict[str, Any] = {}
    for name, meaning in meanings.items():
        properties[name] = {"type": "string", "description": meaning}
        if name in whole:
            properties[name]["pattern"] = "^[0-9]{1,19}$"
        if name == headers.REASON:
            properties[name]["enum"] = list(reasons.REASONS)
    found: dict[str, Any] = {"type": "object", "properties": properties}
    return {**found, "required": list(required)} if required else found
