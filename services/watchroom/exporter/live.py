"""Whether a stream is live, for a command that reads Redis once: the rules of `freshness` over one reading."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from watchroom.exporter.freshness import (
    NEVER,
    by_rule_ms,
    held_up,
    last_seen_of,
    partitions_added,
    silence,
    staleness,
    waited_for,
)
from watchroom.settings import Settings, SourceRule
from watchroom.store.read import Reader, SourceState


class Silent(NamedTuple):
    """A source that is waited for and silent."""

    source: str
    last_ms: int | None  # None: never


class Liveness(NamedTuple):
    """Why a stream is not live; all fields are empty while it is. The reasons are those that the boards show."""

    partitions: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    silent: tuple[Silent, ...] = ()  # the same as `sources`, for messages

    @property
    def reasons(self) -> list[str]:
        """Every reason."""
        return [*self.partitions, *self.sources]


def liveness(reader: Reader, settings: Settings, stream: str, now_ms: int) -> Liveness:
    """What the boards would say about a stream at `now_ms`.

    Raises:
        StoreUnavailable: Redis did not answer.
    """
    topic = settings.topic(stream)
    fresh_ms = {number: state.fresh_ms for (of, number), state in reader.partitions().items() if of == topic}
    last_seen = last_seen_of(topic, reader.sources())
    rules = settings.sources.get(stream, {})
    limit_ms, silent_ms = round(settings.fresh_s * 1000), round(settings.silent_s * 1000)
    meta = reader.meta()
    added = partitions_added(topic, reader.partition_counts().get(topic), meta.partitions.get(topic) if meta else None)
    stale = [f"{topic}: {why}" for why in staleness(fresh_ms, len(fresh_ms), now_ms, limit_ms)]
    held = held_up(topic, reader.open_transactions(), now_ms, settings.kafka_tools) if stale else ()
    return Liveness(
        (*added, *held, *stale),
        tuple(silence(rules, last_seen, now_ms, silent_ms)),
        tuple(_silent(rules, last_seen, now_ms, silent_ms)),
    )


def _silent(
    rules: Mapping[str, SourceRule], last_seen: Mapping[str, SourceState], now_ms: int, silent_ms: int
) -> Iterator[Silent]:
    if not rules and not last_seen:
        yield Silent("the feed", None)
    for source, why in waited_for(rules, last_seen, now_ms, silent_ms).items():
        if why:
            yield Silent(source, by_rule_ms(last_seen.get(source, NEVER), rules.get(source, SourceRule())))
