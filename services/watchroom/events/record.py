"""What travels between Kafka and the fold: a raw record, and an event that was admitted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

Headers = tuple[tuple[str, bytes | None], ...]
"""A record's headers in their order; Kafka allows one name several times, and null values."""


class Record(NamedTuple):
    """One Kafka record as fetched; nothing about it is trusted yet."""

    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    not_before_ms: int = 0  # its place in time among several partitions, where `timestamp_ms` goes back; see `merging`


class Event(NamedTuple):
    """One parsed event. Times are milliseconds since the Unix epoch, UTC."""

    type: str
    id: str
    source: str
    subject: str
    time_ms: int
    recorded_ms: int | None
    data: Mapping[str, Any]
    ignored: tuple[str, ...] = ()  # optional fields of a wrong form, which count as absent


class Arrived(NamedTuple):
    """An admitted event, with the arrival that judges it.

    `arrival_ms` decides lateness and whether an older state is still known; `closing_ms` decides
    whether a month was closed before it. They differ only for a replayed dead letter.
    """

    event: Event
    arrival_ms: int
    closing_ms: int
    offset: int
