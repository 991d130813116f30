"""One event of the published year as bytes. It arrives when it happens: nothing is late, doubled or lost."""

from __future__ import annotations

from base64 import b32encode
from functools import lru_cache
from hashlib import sha256
from typing import Final

from watchroom.simulator.envelope import Simulated, envelope

KEY_ID: Final = "year"  # of tokens that belong to nobody


def put(stream: str, kind: str, subject: str, at_ms: float, data: str = "") -> Simulated:
    """An event; `data` is the inside of a JSON object."""
    at = int(at_ms)
    body = f"{{{data}}}" if data else ""
    return Simulated(
        at, stream, subject, envelope(stream, kind, f"{subject}.{kind}", subject, time_ms=at, arrival_ms=at, data=body)
    )


@lru_cache(maxsize=200_000)
def token(who: str) -> str:
    """A token in the published form that belongs to nobody."""
    return f"{KEY_ID}.{b32encode(sha256(who.encode()).digest()[:16]).decode().rstrip('=')}"
