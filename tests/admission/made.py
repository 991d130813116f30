"""Events and records for these tests: valid ones, with the changes that a test asks for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from watchroom.admission.admit import Admission
from watchroom.admission.parse import parse
from watchroom.errors import EventRefused
from watchroom.events.partitioner import CountInUse
from watchroom.events.record import Event, Record
from watchroom.events.times import to_ms

NOON = "2021-10-30T12:00:00Z"
NOON_MS = to_ms(NOON)
DAY_MS = 86_400_000
FUTURE_MS = 300_000
KEEPING_MS = 3 * DAY_MS
ABSENT = object()


def fields(**changed: Any) -> dict[str, Any]:
    """A valid `call.answered`; a field given as ABSENT is left out."""
    good = {
        "specversion": "1.0",
        "id": "acd-1",
        "source": "acd",
        "type": "call.answered",
        "time": NOON,
        "subject": "17",
        "data": {"line": "999"},
    }
    return {name: value for name, value in {**good, **changed}.items() if value is not ABSENT}


def value_of(**changed: Any) -> bytes:
    """The same as bytes."""
    return json.dumps(fields(**changed)).encode()


def record(*, key: bytes | None = b"17", arrival_ms: int = NOON_MS, headers: Any = (), **changed: Any) -> Record:
    """The same as a Kafka record that arrived at noon."""
    return Record(offset=5, timestamp_ms=arrival_ms, key=key, value=value_of(**changed), headers=headers)


def admission(
    stream: str = "calls",
    *,
    partition: int = 0,
    history: tuple[str, ...] = (),
    counts: Sequence[CountInUse] = (),
) -> Admission:
    """The rules of one partition of four: 24 h late, 5 min ahead, known for 3 days."""
    return Admission(
        stream,
        partition,
        4,
        history_sources=history,
        lateness_ms=DAY_MS,
        future_ms=FUTURE_MS,
        keeping_ms=KEEPING_MS,
        counts=counts,
    )


def refused(value: bytes) -> EventRefused:
    """Why `parse` refuses these bytes; AssertionError if it does not."""
    try:
        event = parse(value)
    except EventRefused as error:
        return error
    raise AssertionError(f"accepted: {event}")


def outcome(value: bytes) -> Event | EventRefused:
    """What `parse` returns or raises for these bytes; any other exception is a failure."""
    try:
        return parse(value)
    except EventRefused as error:
        return error


def refused_record(rules: Admission, given: Record) -> EventRefused:
    """Why these rules refuse a record; AssertionError if they do not."""
    try:
        arrived = rules.admit(given)
    except EventRefused as error:
        return error
    raise AssertionError(f"admitted: {arrived}")


def parsed(**changed: Any) -> Event:
    """The result of parsing a valid event with these changes."""
    return parse(value_of(**changed))
