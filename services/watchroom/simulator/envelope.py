"""Simulated events as CloudEvents 1.0 JSON bytes.

Texts are put together by hand because the simulator must make tens of thousands a second: every
part is a constant, a number or a plain slug, so nothing needs escaping (a test parses them all).
"""

from __future__ import annotations

from functools import lru_cache
from time import gmtime
from typing import NamedTuple

DAY_MS = 86_400_000

# Who sends each stream. Declare them as `history`: a simulated event's arrival is its `recordedtime`.
SOURCES = {
    "calls": "sim-telephony",
    "contacts": "sim-digital-contact",
    "incidents": "sim-command-control",
    "crimes": "sim-crime",
    "returns": "sim-returns",
}


class Simulated(NamedTuple):
    """One delivery of one event: send the bytes under key `subject` at `arrival_ms` (UTC)."""

    arrival_ms: int
    stream: str
    subject: str
    value: bytes


@lru_cache(maxsize=512)
def _day_text(day: int) -> str:
    moment = gmtime(day * 86_400)
    return f"{moment.tm_year:04d}-{moment.tm_mon:02d}-{moment.tm_mday:02d}T"


def time_text(at_ms: int) -> str:
    """RFC 3339 text in UTC of milliseconds since the epoch."""
    day, rest = divmod(at_ms, DAY_MS)
    second, ms = divmod(rest, 1000)
    minute, second = divmod(second, 60)
    return f"{_day_text(day)}{minute // 60:02d}:{minute % 60:02d}:{second:02d}.{ms:03d}Z"


def envelope(
    stream: str, kind: str, event_id: str, subject: str, *, time_ms: int, arrival_ms: int, data: str = ""
) -> bytes:
    """One event; `data` is the JSON text of an object, "" for none."""
    tail = f',"data":{data}}}' if data else "}"
    return (
        f'{{"specversion":"1.0","id":"{event_id}","source":"{SOURCES[stream]}","type":"{kind}",'
        f'"time":"{time_text(time_ms)}","subject":"{subject}","recordedtime":"{time_text(arrival_ms)}"{tail}'
    ).encode()
