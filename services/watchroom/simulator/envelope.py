"""Simulated events as CloudEvents 1.0 JSON bytes.

The JSON is built by hand, because the simulator must make tens of thousands a second. Every part is a constant,
a number or a plain slug, so nothing needs escaping (a test parses them all).
"""

from __future__ import annotations

from base64 import b32encode
from typing import NamedTuple

from watchroom.events.times import to_text

KEY_ID = "sim"  # of tokens: people and addresses that do not exist need no secret key

# The source of each stream. Declare them as `history`: a simulated event's arrival is its `recordedtime`.
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


def envelope(
    stream: str, kind: str, event_id: str, subject: str, *, time_ms: int, arrival_ms: int, data: str = ""
) -> bytes:
    """One event; `data` is the inside of a JSON object, "" for no data."""
    tail = f',"data":{{{data}}}}}' if data else "}"
    return (
        f'{{"specversion":"1.0","id":"{event_id}","source":"{SOURCES[stream]}","type":"{kind}",'
        f'"time":"{to_text(time_ms)}","subject":"{subject}","recordedtime":"{to_text(arrival_ms)}"{tail}'
    ).encode()


def token(bits: bytes, key_id: str = KEY_ID) -> str:
    """The first 128 bits as a token, in the form of a real one."""
    return f"{key_id}.{b32encode(bits[:16]).decode().rstrip('=')}"
