"""How far a topic is applied, and whether that is recent: one definition for worker, page, reports and doctor."""

from __future__ import annotations

from collections.abc import Container, Mapping
from enum import Enum, auto
from typing import Final

from watchroom.store.read import PartitionState

CLOCK_SLACK_MS: Final = 5_000  # another clock may be ahead of ours by this much; beyond it, an age means nothing

RUNNING_WITHIN_MS: Final = 30_000  # a partition that was fresh this recently may still have a worker


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


def applied_until(partitions: Mapping[tuple[str, int], PartitionState], topics: Container[str]) -> int | None:
    """The earliest moment, ms since the epoch, up to which the partitions of these topics are applied.

    Args:
        partitions: Of all topics.
        topics: Those that are asked for.

    Returns:
        None if there is no such partition, or if one of them has never been applied.
    """
    moments = [state.fresh_ms for (topic, _), state in partitions.items() if topic in topics]
    known = [at_ms for at_ms in moments if at_ms is not None]
    return min(known) if known and len(known) == len(moments) else None
