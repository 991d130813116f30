"""How far a topic is applied, and whether that is recent: one definition for worker, page, reports and doctor."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from typing import Final

from watchroom.store.read import PartitionState

CLOCK_SLACK_MS: Final = 5_000  # another clock may be ahead of ours by this much; beyond it, an age means nothing


class Age(Enum):
    """How old a moment is."""

    UNKNOWN = auto()  # there is no moment
    FRESH = auto()
    OLD = auto()
    IN_FUTURE = auto()  # one of the clocks is wrong


def age_of(at_ms: int | None, now_ms: int, limit_ms: float) -> Age:
    """Compare the age of a moment with the oldest one that is still fresh."""
    if at_ms is None:
        return Age.UNKNOWN
    if now_ms - at_ms > limit_ms:
        return Age.OLD
    return Age.IN_FUTURE if at_ms - now_ms > CLOCK_SLACK_MS else Age.FRESH


def applied_until_ms(states: Mapping[tuple[str, int], PartitionState], *topics: str) -> int | None:
    """The moment until which every partition of these topics is applied; None if one never was, or none is stored."""
    moments = [state.fresh_ms for (topic, _), state in states.items() if topic in topics]
    known = [at_ms for at_ms in moments if at_ms is not None]
    return min(known) if known and len(known) == len(moments) else None
