"""What travels between Kafka and the fold: a raw record, and an event that was admitted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

Headers = tuple[tuple[str, bytes | None], ...]
"""A record's headers in their order; Kafka allows one name several times, and null values."""


class Record(NamedTuple):
    """One Kafka record as fetched, not checked yet."""

    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    not_before_ms: int = 0  # its time in the merged order of several partitions, where `timestamp_ms` goes back


class Event(NamedTuple):
    """One parsed event. Times are milliseconds since the Unix epoch, UTC."""

    type: str
    id: str
    source: str
    subject: str
    time_ms: int
    recorded_ms: int | None
    data: Mapping[str, Any]
    ignored: tuple[str, ...] = ()  # optional fields with an invalid form, which count as absent


class Arrived(NamedTuple):
    """An admitted event with its arrival.

    `arrival_ms` decides whether it is late and whether an older state is still known; `closing_ms` decides whether a
    month was closed before it. They differ only for a replayed dead letter.
    """

    event: Event
    arrival_ms: int
    closing_ms: int
    offset: int
