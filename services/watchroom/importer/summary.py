"""The result of a replay: its numbers, and the lines that a person reads. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field

from watchroom.events.messages import shown
from watchroom.importer.local_time import rfc3339
from watchroom.importer.tally import Tally
from watchroom.kafka.produce import Ends
from watchroom.settings import Settings
from watchroom.streams import STREAMS
from watchroom.wording import counted, duration

MOST_OTHERS = 10  # texts that are named


@dataclass(slots=True)
class Sent:
    """Counts and times of the events that were sent."""

    events: int = 0
    held_back: int = 0  # arrived after --as-of
    first_held_ms: int | None = None  # the earliest arrival among those
    last_arrival_ms: int | None = None
    months: set[str] = field(default_factory=set)  # of their times, in the reporting zone


@dataclass(frozen=True, slots=True)
class Outcome:
    """A finished replay; `settings` point to the Kafka and Redis that it ran on."""

    settings: Settings
    source: str
    tally: Tally
    sent: Sent
    ends: Ends  # next offset of each partition after our events, from the broker's acknowledgements
    dead_letters: Mapping[tuple[str, str], int]  # (topic, reason) -> how many of this replay
    now_ms: int  # for open measures
    streams: tuple[str, ...]  # fed by the mapping
    months: Collection[str]  # that it moved, or that its events lie in
    took_s: float
    check: Callable[[], None]  # raises when the worker or a server of ours has ended by itself
    kept: str = ""  # where the events were until the last row was read, and how large


def lines(outcome: Outcome) -> Iterator[str]:
    """The outcome for a person, one fact per line."""
    tally, sent = outcome.tally, outcome.sent
    yield from row_lines(tally)
    rate = f" ({sent.events / outcome.took_s:,.0f} per second)" if outcome.took_s > 0 else ""
    yield f"events: {sent.events:,} sent and applied in {duration(outcome.took_s, tenths=True)}{rate}"
    if outcome.kept:
        yield f"  kept on disk until the last row was read: {outcome.kept}"
    if sent.held_back:
        yield f"  {sent.held_back:,} arrived after --as-of and were not sent"
        if not sent.events and sent.first_held_ms is not None:
            yield f"  nothing had arrived by --as-of; the first arrival is {rfc3339(sent.first_held_ms)}"
    for (topic, reason), count in sorted(outcome.dead_letters.items()):
        yield f"  {count:,} from {topic} went to the dead-letter topic: {reason}"
    if sent.last_arrival_ms is not None:
        yield f"last arrival {rfc3339(sent.last_arrival_ms)}; open measures as of {rfc3339(outcome.now_ms)}"


def others(tally: Tally) -> Iterator[str]:
    """Texts that no label lists, and what to do if most rows have one."""
    rows: Counter[str] = Counter()
    for number, ((name, text), count) in enumerate(tally.others.most_common()):
        rows[name] += count
        if number < MOST_OTHERS:
            yield f"  {name}: {shown(text)} counts as `other` in {count:,} rows"
    if len(tally.others) > MOST_OTHERS:
        yield f"  {len(tally.others) - MOST_OTHERS:,} further values count as `other`"
    for name, count in rows.items():
        if count * 2 > tally.used:
            where = f"a map in the mapping, or under {name} in labels.toml"
            if name == "area":
                where = "WATCHROOM_AREAS, or under [force] in the mapping"
            yield f"  {name} is `other` in {count:,} of {tally.used:,} rows: list its values in {where}"


def misread(tally: Tally) -> Iterator[str]:
    """Fields whose values are ignored, or count as another value."""
    for name, events, texts in _by_field(tally.ignored):
        yield f"  {name} has the wrong format in {events} and is ignored there: {texts}; see docs/reference/events.md"
    listed = {name: of for stream in STREAMS.values() for name, of in stream.listed_fields.items()}
    for name, events, texts in _by_field(tally.unlisted):
        one = listed[name]
        yield f"  {name} has an unlisted value in {events}, counted as {one.otherwise}: {texts}; {one.write}"


def _by_field(found: Counter[tuple[str, str]]) -> Iterator[tuple[str, str, str]]:
    """Each field with the number of its events and its commonest texts: `7 events`, `'Y' 5, 'yes' 2`."""
    for name in dict.fromkeys(name for name, _ in found):
        texts = Counter({text: count for (of, text), count in found.items() if of == name})
        commonest = [f"{shown(text)} {count:,}" for text, count in texts.most_common(MOST_OTHERS)]
        further = len(texts) - len(commonest)
        more = f" and {counted(further, 'further value')}" if further else ""
        yield name, counted(texts.total(), "event"), f"{', '.join(commonest)}{more}"


def missing_times(tally: Tally) -> str:
    """Rows without a time, and how many of them have the next one: `told 253 (252 with en_route), clear 797`."""
    found = []
    for column, count in tally.missing.items():
        passed_over = [f" ({n:,} with {after})" for (before, after), n in tally.passed_over.items() if before == column]
        found.append(f"{column} {count:,}{''.join(passed_over)}")
    return ", ".join(found)


def row_lines(tally: Tally) -> Iterator[str]:
    """What became of the rows."""
    yield (
        f"rows: {tally.rows:,} read, {tally.used:,} used, {tally.skipped.total():,} skipped, "
        f"{tally.refused:,} refused; {tally.entities:,} entities"
    )
    if tally.swallowed_lines:
        yield f"  lines inside unclosed quotes, whose rows are lost: {tally.swallowed_lines:,}"
    if tally.unclosed_files:
        yield f"  files that end inside a quoted cell: {tally.unclosed_files:,}; check that they are complete"
    for reason, count in tally.skipped.most_common():
        yield f"  skipped {count:,}: {reason}"
    if tally.repeated:
        yield f"  events that are in more than one row, counted once: {tally.repeated:,}"
    if tally.repeating_rows:
        yield f"  rows that share their key with an earlier row but differ from it: {tally.repeating_rows:,}"
    if missing := missing_times(tally):
        yield f"  missing times: {missing}"
    if tally.by_order:
        yield f"  rows with times in the repeated hour, read so that the times stay in order: {tally.by_order:,}"
    yield from others(tally)
    yield from misread(tally)
