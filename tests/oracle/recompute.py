"""The complete content that Redis must hold, recomputed from scratch from all events.

Slow and plain on purpose: for every event the entity is worked out again from the list of its events.
An entity is (topic, subject). Two ways to read the input matter:

- *content*: buckets, open sets, orphans and integrity counts are a function of the set of events
  (docs/architecture.md#fold), given `now` and no gap between arrivals longer than the entity's keeping;
- *log*: restatements are a function of each partition's order (docs/architecture.md#months-and-restatements).

A gap longer than keeping starts the entity again, in partition order (docs/architecture.md#retention): what the
forgotten state added stays in the buckets, and its open members are taken as removed.

Reading: a month is closed for an event that arrived strictly after the month's end in London plus the
stream's bound (of returns: 30 days). Every field of the month's bucket is a cell, orphans and bins too.
"""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from tests.oracle.facts import Added, Sent, added_by
from tests.oracle.scales import DAY_MS, buckets_of, local_day, month_end_ms, month_of

NEVER_MS = 84_006 * DAY_MS  # from 1970 to 2200: no two times are further apart
LATENESS_MS = {
    "calls": DAY_MS,
    "contacts": 7 * DAY_MS,
    "incidents": 7 * DAY_MS,
    "crimes": 30 * DAY_MS,
    "returns": NEVER_MS,
}
CLOSING_MS = {**LATENESS_MS, "returns": 30 * DAY_MS}
KEEPING_MS = {
    "calls": 3 * DAY_MS,
    "contacts": 100 * DAY_MS,
    "incidents": 100 * DAY_MS,
    "crimes": 761 * DAY_MS,
    "returns": NEVER_MS,
}
FUTURE_MS = 5 * 60_000

Buckets = dict[str, dict[str, int]]


class Entry(NamedTuple):
    """One line of a month's restatement log: one event and one field."""

    topic: str
    partition: int
    offset: int
    arrival_ms: int
    type: str
    month: str
    series: str
    field: str
    delta: int


@dataclass(frozen=True)
class Content:
    """Everything that must be equal. A field with value 0 equals an absent one."""

    buckets: Buckets
    open: dict[str, dict[str, int]]
    restatements: list[Entry]  # sorted
    dead_letters: dict[tuple[str, str], int]
    tokens: Buckets = dataclasses.field(default_factory=dict)  # token hash -> token -> count
    ignored_fields: dict[tuple[str, str], int] = dataclasses.field(default_factory=dict)


def refusal(event: Sent) -> str | None:
    """`late` or `future`, or an `expired` letter; None: admitted.

    Time and arrival alone decide: docs/architecture.md#two-times.
    """
    if event.arrival_ms - event.time_ms > LATENESS_MS[event.stream]:
        return "late"
    if event.time_ms - event.arrival_ms > FUTURE_MS:
        return "future"
    if event.replayed_ms is not None and event.replayed_ms - event.arrival_ms > KEEPING_MS[event.stream]:
        return "expired"
    return None


def recompute(events: Iterable[Sent], now_ms: int, refused: Iterable[tuple[str, str]] = ()) -> Content:
    """The content after all events, given in each partition's order.

    `refused` are (topic, reason) of records that could not even be read as an event of this stream.
    """
    dead_letters, ignored = Counter(refused), Counter[tuple[str, str]]()
    lives: dict[tuple[str, str], list[list[Sent]]] = defaultdict(list)
    log: list[Entry] = []
    tokens: Buckets = defaultdict(Counter)
    for event in events:
        if event.type == "feed.heartbeat":
            continue
        if (reason := refusal(event)) is not None:
            dead_letters[event.topic, reason] += 1
            continue
        ignored.update((event.topic, name) for name in event.ignored)
        of_entity = lives[event.topic, event.subject]
        if not of_entity or event.arrival_ms - max(e.arrival_ms for e in of_entity[-1]) > KEEPING_MS[event.stream]:
            of_entity.append([])
        before = added_by(of_entity[-1]) if of_entity[-1] else Added()
        of_entity[-1].append(event)
        after = added_by(of_entity[-1])
        log += _restated(event, before, after)
        _count_tokens(tokens, event, before, after)
    total: Counter[tuple[int, str, str]] = Counter()
    open_sets: dict[str, dict[str, int]] = defaultdict(dict)
    for (_, subject), of_entity in lives.items():
        for known in of_entity:
            total.update(added_by(known).cells)
        for series, since_ms in added_by(of_entity[-1]).open.items():
            open_sets[series][subject] = since_ms
    return Content(
        _in_buckets(total, now_ms),
        dict(open_sets),
        sorted(log),
        dict(dead_letters),
        without_zeros(tokens),
        dict(ignored),
    )


def _restated(event: Sent, before: Added, after: Added) -> list[Entry]:
    """What this event changes in months that had closed when it arrived."""
    delta: Counter[tuple[str, str, str]] = Counter()
    for sign, added in ((-1, before), (1, after)):
        for (at_ms, series, field), amount in added.cells.items():
            delta[month_of(at_ms), series, field] += sign * amount
    return [
        Entry(event.topic, event.partition, event.offset, event.closing_ms, event.type, month, series, field, amount)
        for (month, series, field), amount in delta.items()
        if amount and event.closing_ms > month_end_ms(month) + CLOSING_MS[event.stream]
    ]


def restated(content: Content) -> dict[tuple[str, str], int]:
    """(month, series) -> number of events that changed it after the month had closed: each is one restatement."""
    changed = {(each.month, each.series, each.topic, each.partition, each.offset) for each in content.restatements}
    return dict(Counter((month, series) for month, series, *_ in changed))


def _count_tokens(tokens: Buckets, event: Sent, before: Added, after: Added) -> None:
    """Tokens by day and by month. A change to a month that had closed when the event arrived is prefixed with `+`."""
    for sign, added in ((-1, before), (1, after)):
        for at_ms, measure, token in added.tokens:
            month = month_of(at_ms)
            late = "+" if event.closing_ms > month_end_ms(month) + CLOSING_MS[event.stream] else ""
            for name, mark in ((f"{measure}:day:{local_day(at_ms)}", ""), (f"{measure}:month:{month}", late)):
                tokens[name][mark + token] = tokens[name].get(mark + token, 0) + sign


def whole(tokens: Buckets) -> Buckets:
    """Token hashes with changes after a month's closing added to those before."""
    added: Buckets = defaultdict(lambda: defaultdict(int))
    for name, counts in tokens.items():
        for token, number in counts.items():
            added[name][token.removeprefix("+")] += number
    return without_zeros(added)


def _in_buckets(total: Counter[tuple[int, str, str]], now_ms: int) -> Buckets:
    buckets: Buckets = defaultdict(lambda: defaultdict(int))
    for (at_ms, series, field), amount in total.items():
        for bucket, kept_until_ms in buckets_of(at_ms):
            if kept_until_ms is None or kept_until_ms > now_ms:
                buckets[bucket][f"{series}|{field}"] += amount
    return without_zeros(buckets)


def without_zeros(buckets: Buckets) -> Buckets:
    """Without fields of 0 and empty buckets, which equal absent ones."""
    kept = {name: {field: n for field, n in cells.items() if n} for name, cells in buckets.items()}
    return {name: cells for name, cells in kept.items() if cells}


def in_partition_order(events: Iterable[Sent], partitions: int = 1) -> list[Sent]:
    """The events with topic, partition and offset as if appended in turn (the oracle's own partitioning)."""
    ends: Counter[tuple[str, int]] = Counter()
    placed = []
    for event in events:
        partition = sum(event.subject.encode()) % partitions
        offset = ends[event.topic, partition]
        ends[event.topic, partition] += 1
        placed.append(Sent(**{**vars(event), "partition": partition, "offset": offset}))
    return placed


def differences(found: Content, expected: Content) -> list[str]:
    """The differences, part by part, for a message; empty if all is equal."""
    lines = []
    for part in ("buckets", "open", "tokens"):
        here, there = getattr(found, part), getattr(expected, part)
        for name in sorted({*here, *there}):
            for key in sorted({*here.get(name, {}), *there.get(name, {})}):
                have, want = here.get(name, {}).get(key), there.get(name, {}).get(key)
                if have != want:
                    lines.append(f"{part} {name} {key}: found {have}, expected {want}")
    log, wanted = Counter(found.restatements), Counter(expected.restatements)
    lines += [f"log: found too much {entry}" for entry in (log - wanted).elements()]
    lines += [f"log: not found {entry}" for entry in (wanted - log).elements()]
    if found.dead_letters != expected.dead_letters:
        lines.append(f"dead letters: found {found.dead_letters}, expected {expected.dead_letters}")
    if found.ignored_fields != expected.ignored_fields:
        lines.append(f"ignored fields: found {found.ignored_fields}, expected {expected.ignored_fields}")
    return lines
