"""The workers: are they in their group, does each partition have one, and do they keep up?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from watchroom.doctor.facts import Group, Log, Partition
from watchroom.doctor.finding import Finding, finding, listed
from watchroom.settings import Settings
from watchroom.store.freshness import Age, age_of
from watchroom.store.read import PartitionState
from watchroom.wording import duration


def of_group(settings: Settings, topics: Mapping[str, Sequence[Partition]], group: Group) -> Iterator[Finding]:
    """A group without members, or partitions that are assigned to none of them."""
    subject = f"consumer group {settings.group}"
    if not group.members:
        yield finding("group-members.empty", subject)
        return
    if not group.assigned:
        return  # it is rebalancing, or the broker does not say; `of_lag` finds what matters
    for topic in settings.topics.values():
        lacking = [n for n in range(len(topics.get(topic, ()))) if n not in group.assigned.get(topic, ())]
        if lacking:
            yield finding("group-members.unassigned", subject, partitions=listed(lacking), topic=topic)


def of_lag(
    settings: Settings,
    logs: Mapping[tuple[str, int], Log],
    partitions: Mapping[tuple[str, int], PartitionState],
    now_ms: int,
) -> Iterator[Finding]:
    """Partitions that were not applied up to their end recently."""
    for topic in settings.topics.values():
        behind = [
            f"partition {number} ({_behind(logs.get((of, number)), state, now_ms)})"
            for (of, number), state in sorted(partitions.items())
            if of == topic and not _is_fresh(state, now_ms, settings.fresh_s)
        ]
        if behind:
            yield finding("lag", f"topic {topic}", behind=listed(behind))


def of_lost(partitions: Mapping[tuple[str, int], PartitionState]) -> Iterator[Finding]:
    """Records that Kafka deleted before they were applied."""
    for (topic, number), state in sorted(partitions.items()):
        if state.lost:
            yield finding("records-lost", f"topic {topic} partition {number}", lost=state.lost)


def _is_fresh(state: PartitionState, now_ms: int, fresh_s: float) -> bool:
    return age_of(state.fresh_ms, now_ms, fresh_s * 1000) is Age.FRESH


def _behind(log: Log | None, state: PartitionState, now_ms: int) -> str:
    if log is None:
        return _since(state.fresh_ms, now_ms)
    return f"{max(0, log.end - (state.next_offset or 0)):,} record(s) behind, {_since(state.fresh_ms, now_ms)}"


def _since(fresh_ms: int | None, now_ms: int) -> str:
    if fresh_ms is None:
        return "never up to date"
    age_s = (now_ms - fresh_ms) / 1000
    if age_s < 0:
        return f"last up to date {duration(-age_s)} in the future: compare its worker's clock with this machine's"
    return f"last up to date {duration(age_s)} ago"
