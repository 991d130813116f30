"""What a replay did, in numbers and in words. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field

from watchroom.replay.convert import Tally
from watchroom.replay.local_time import rfc3339
from watchroom.replay.produce import Ends
from watchroom.settings import Settings


@dataclass(slots=True)
class Sent:
    """What the events that were sent say about themselves."""

    events: int = 0
    held_back: int = 0  # arrived after --as-of
    first_held_ms: int | None = None  # the earliest arrival among those
    last_arrival_ms: int | None = None
    months: set[str] = field(default_factory=set)  # of their times, in the reporting zone
    streams: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A finished replay; `settings` lead to the Kafka and Redis it ran on."""

    settings: Settings
    source: str
    zone: str  # the mapping's
    tally: Tally
    sent: Sent
    ends: Ends  # next offset of each partition after our events, from the broker's acknowledgements
    dead_letters: Mapping[tuple[str, str], int]  # (topic, reason) -> how many of this replay
    now_ms: int  # for open measures
    streams: tuple[str, ...]  # fed by the mapping
    months: Collection[str]  # that it moved, or that its events lie in
    took_s: float
    check: Callable[[], None]  # raises when the worker or a server of ours has ended by itself


def lines(outcome: Outcome) -> Iterator[str]:
    """The outcome for a person, one fact a line."""
    tally, sent = outcome.tally, outcome.sent
    yield (
        f"rows: {tally.rows:,} read, {tally.used:,} used, {tally.skipped.total():,} skipped, "
        f"{tally.refused:,} refused; {tally.entities:,} entities"
    )
    for reason, count in tally.skipped.most_common():
        yield f"  skipped {count:,}: {reason}"
    if tally.repeated:
        yield f"  {tally.repeated:,} events were in more than one row and counted once"
    rate = f" ({sent.events / outcome.took_s:,.0f} a second)" if outcome.took_s > 0 else ""
    yield f"events: {sent.events:,} sent and applied in {outcome.took_s:.1f} s{rate}"
    if sent.held_back:
        yield f"  {sent.held_back:,} had not arrived by --as-of and were held back"
        if not sent.events and sent.first_held_ms is not None:
            yield f"  nothing had arrived by --as-of yet: the first arrival is {rfc3339(sent.first_held_ms)}"
    for (topic, reason), count in sorted(outcome.dead_letters.items()):
        yield f"  {count:,} went to the dead letters of {topic}: {reason}"
    if sent.last_arrival_ms is not None:
        yield f"last arrival {rfc3339(sent.last_arrival_ms)}; open measures as of {rfc3339(outcome.now_ms)}"
