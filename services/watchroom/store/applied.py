"""Up to when a topic is applied: as of its slowest partition."""

from __future__ import annotations

from collections.abc import Container, Mapping

from watchroom.store.read import PartitionState


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
