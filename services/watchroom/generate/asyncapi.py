"""The AsyncAPI 3.0 document: topics, their messages, keys and headers, derived from the models."""

from __future__ import annotations

from typing import Final

from watchroom.admission.models import HEARTBEAT, MODELS, OF_STREAM, STREAM_OF, type_of
from watchroom.events import headers, reasons
from watchroom.events.envelope import NAME_PATTERN
from watchroom.generate.event_schemas import schema
from watchroom.generate.pages import page
from watchroom.kafka.topic_settings import DEAD_LETTERS_MOST_BYTES, EVENTS_MOST_BYTES
from watchroom.streams import STREAMS
from watchroom.streams.stream import retention_ms

_WHOLE_NUMBERS: Final = (
    headers.ARRIVED, headers.LATEST, headers.PARTITION, headers.OFFSET, headers.LENGTH, headers.HEADERS_LENGTH,
)  # fmt: skip
_NOT_ALWAYS: Final = (headers.LENGTH, headers.SHA256, headers.HEADERS_LENGTH, headers.LATEST)


def text() -> str:
    """The file."""
    return page(
        "asyncapi.yaml",
        streams={name: _stream(name) for name in OF_STREAM},
        dead_letters=_topic(DEAD_LETTERS_MOST_BYTES, 0),
        messages={name: _message(name) for name in MODELS},
        headers=headers,
        whole_numbers=_WHOLE_NUMBERS,
        always=[name for name in headers.DEAD_LETTER if name not in _NOT_ALWAYS],
        reasons=reasons.REASONS,
        key_pattern=NAME_PATTERN,
    )


def _stream(name: str) -> dict[str, object]:
    types = [*map(type_of, OF_STREAM[name]), HEARTBEAT]
    return {"types": types, **_topic(EVENTS_MOST_BYTES, STREAMS[name].keeping_days)}


def _topic(most_bytes: int, keeping_days: float) -> dict[str, int]:
    kept_ms = retention_ms(keeping_days)
    return {"most_bytes": most_bytes, "retention_ms": -1 if kept_ms is None else kept_ms}


def _message(name: str) -> dict[str, str]:
    return {
        "summary": schema(name)["description"],
        "stream": STREAM_OF.get(name, "each stream that the source feeds"),
    }
