"""May a stream's measures be published at this moment? Pure: `now` and everything else is passed in.

A frozen number that looks live is a wrong number, so a stream is withheld unless all of this holds:
every partition is *fresh* (a worker applied everything that Kafka showed it within the last seconds),
every source that is waited for is *alive* (it sent something recently), and what the exporter itself
read is recent. Ages are those of the scrape, not of the reading.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from watchroom.events.times import to_text
from watchroom.settings import SourceRule
from watchroom.store.freshness import Age, age_of
from watchroom.store.open_transactions import SEEN_WITHIN_MS, OpenTransaction
from watchroom.store.partition_counts import PartitionCounts
from watchroom.store.read import SourceState
from watchroom.wording import duration, exact_duration

NEVER: Final = SourceState(None, None)


def latest_ms(last_seen: SourceState) -> int | None:
    """When a source last sent an event or a heartbeat; None: never."""
    return max((at for at in last_seen if at is not None), default=None)


def by_rule_ms(last_seen: SourceState, rule: SourceRule) -> int | None:
    """The time that a rule checks: for a feed without heartbeats, only events count."""
    return latest_ms(last_seen) if rule.heartbeats else last_seen.event_ms


def last_seen_of(topic: str, sources: Mapping[tuple[str, str], SourceState]) -> dict[str, SourceState]:
    """When each source last sent to a topic; `sources` are those of all topics, by (topic, source)."""
    return {source: state for (of, source), state in sources.items() if of == topic}


def staleness(fresh_ms: Mapping[int, int | None], count: int | None, now_ms: int, limit_ms: int) -> Iterator[str]:
    """Why the partitions of a topic are not all fresh; empty if they are.

    Args:
        fresh_ms: The time up to which each stored partition has been applied.
        count: Partitions that the topic has; None if no worker has reported it yet.
        now_ms: The moment of the scrape.
        limit_ms: The oldest that is still fresh.
    """
    if not count:
        yield "no worker has ever applied it"
        return
    for partition in range(count):
        fault = _age_fault(fresh_ms.get(partition), now_ms, limit_ms)
        if fault:
            yield f"partition {partition} {fault}"


def partitions_added(topic: str, known: PartitionCounts | None, begun_with: int | None) -> Iterator[str]:
    """Why the figures of a topic are incomplete, regardless of the partitions that are read; empty if they are not.

    Args:
        topic: Its name.
        known: What is known about its partition counts.
        begun_with: How many it had when its figures were started.
    """
    if known is None or begun_with is None:
        return
    if known.latest > begun_with:
        yield (
            f"{topic} has had {known.latest} partitions since {to_text(known.counts[-1].from_ms)}, but the figures were"
            f" computed from {begun_with}: stop the workers and run `watchroom rebuild`"
        )
    elif known.is_rebuilding:
        yield f"{topic}: a rebuild that merges its partitions is running or was interrupted; run `watchroom rebuild`"


def held_up(topic: str, found: Mapping[tuple[str, int], OpenTransaction], now_ms: int, tools: str) -> Iterator[str]:
    """Which open transactions prevent a topic from being read to its end.

    Args:
        topic: Their topic.
        found: Those of all topics.
        now_ms: The present.
        tools: `Settings.kafka_tools`.
    """
    for (of, partition), one in sorted(found.items()):
        if of == topic and now_ms - one.seen_ms <= SEEN_WITHIN_MS:
            yield one.said(topic, partition, tools)


def silence(
    rules: Mapping[str, SourceRule], last_seen: Mapping[str, SourceState], now_ms: int, silent_ms: int
) -> Iterator[str]:
    """Which sources of a stream are waited for and silent; empty if all are alive.

    A stream that declared no source and never received from any is not alive either.
    """
    if not rules and not last_seen:
        yield "no source has ever sent anything"
    for source, fault in waited_for(rules, last_seen, now_ms, silent_ms).items():
        if fault:
            yield f"source {source} {fault}"


def waited_for(
    rules: Mapping[str, SourceRule], last_seen: Mapping[str, SourceState], now_ms: int, silent_ms: int
) -> dict[str, str | None]:
    """Every source that a stream waits for, and why it counts as silent; None: it is alive.

    Declared sources are waited for as their rule says, undeclared ones are not. With none declared,
    every source that ever sent something is waited for.
    """
    faults = {}
    for source, rule in sorted((rules or dict.fromkeys(last_seen, SourceRule())).items()):
        limit_ms = silent_ms if rule.heartbeats else None if rule.silence_s is None else round(rule.silence_s * 1000)
        if limit_ms is not None:
            faults[source] = _age_fault(by_rule_ms(last_seen.get(source, NEVER), rule), now_ms, limit_ms)
    return faults


def reading(read_at_ms: int | None, now_ms: int, limit_ms: int) -> Iterator[str]:
    """Why the exporter's own copy of Redis cannot be trusted; empty if it can."""
    fault = _age_fault(read_at_ms, now_ms, limit_ms)
    if fault:
        yield f"the exporter's last complete read of Redis {fault}"


def _age_fault(at_ms: int | None, now_ms: int, limit_ms: int) -> str | None:
    age_s = (now_ms - (at_ms or 0)) / 1000
    return {
        Age.UNKNOWN: "has never been seen",
        Age.OLD: f"is {duration(age_s, tenths=True)} old (limit {exact_duration(limit_ms / 1000)})",
        Age.IN_FUTURE: f"is {duration(-age_s, tenths=True)} in the future (check the clocks)",
        Age.FRESH: None,
    }[age_of(at_ms, now_ms, limit_ms)]
