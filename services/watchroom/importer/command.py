"""`watchroom replay`: a real extract through the whole pipeline.

The rows become events, the events go through Kafka, the worker and Redis as live ones do, and only what
Redis then holds is shown. This module does not print: it reports progress, yields the outcome while the
servers still run, and ends them afterwards.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from watchroom.catalogue.load import load_catalogue
from watchroom.demo.stack import Stack, running_stack
from watchroom.demo.waiting import wait_applied
from watchroom.errors import ConfigurationInvalid, Fault, RowRefused, StoreRefuses, StoreUnavailable, WorkFailed
from watchroom.importer.convert import Conversion
from watchroom.importer.keep_alive import heartbeats
from watchroom.importer.listed import labels_of
from watchroom.importer.local_time import LocalTimes, TimeUnreadable
from watchroom.importer.mapped import Mapped
from watchroom.importer.mapping import load_mapping, streams_of
from watchroom.importer.mapping_model import MappingConfig
from watchroom.importer.rows import check_files, read_rows
from watchroom.importer.spool import Spool, spool
from watchroom.importer.summary import Outcome, Sent
from watchroom.importer.tally import WITHOUT_EVENT, Tally
from watchroom.importer.time_limits import latest_header
from watchroom.importer.token_key import tokeniser
from watchroom.kafka.produce import Ends, Outgoing, produce
from watchroom.rolling.calendar import Calendar
from watchroom.settings import Settings, SourceRule
from watchroom.store.read import Reader
from watchroom.timing import now_ms

MOST_REPEATING = 100
"""Rows of a key that an earlier row has as well; also at most 1 % of the rows."""

Progress = Callable[[str, int, int | None], None]
"""Called with a phase ("start", "read", "send", "apply"), how much of it is done, and of how much (None: not known)."""


@dataclass(frozen=True, slots=True)
class Request:
    """What to replay, and onto what."""

    mapping: Path
    files: tuple[Path, ...]
    as_of: str | None = None  # local time in the mapping's zone: only what had arrived by then
    as_live: bool = False  # move the extract in time so that it ends now, and keep the source alive
    kafka: str | None = None
    redis_url: str | None = None


@contextmanager
def replay(
    settings: Settings,
    request: Request,
    *,
    refused: Callable[[RowRefused], None],
    progress: Progress = lambda _phase, _done, _total: None,
) -> Iterator[Outcome]:
    """Run a replay; the body runs while its Kafka and Redis still do.

    Args:
        settings: Of this process; the outcome's settings point to the servers used.
        request: What to replay.
        refused: Called with each row that cannot be used.
        progress: Called with how far it is.

    Raises:
        ConfigurationInvalid: The mapping, the catalogue, a file or an option cannot be used; every fault is listed.
        BrokerUnavailable, StoreUnavailable: A given server does not answer.
        WorkFailed: No row could be used, or the pipeline did not finish.
    """
    mapping = load_mapping(request.mapping)
    if request.kafka is None:  # what the mapping says of the force overrides the environment of the embedded stack
        settings = settings.model_copy(update=mapping.force.model_dump(exclude_none=True))
    # Otherwise its faults would end the worker, and only a log would name them.
    catalogue = load_catalogue(settings.schemas / "measures", settings.areas)
    kept = check_files(request.files, mapping)
    as_of_ms = _as_of_ms(request.as_of, mapping)
    tokens = tokeniser(settings, is_embedded=request.kafka is None) if mapping.token_columns() else None
    conversion = Conversion(mapping, refused, tokens=tokens, now_ms=now_ms(), labels=labels_of(catalogue))
    progress("read", 0, None)
    with spool() as events:
        events.fill(conversion.events(read_rows(request.files, mapping, kept)))
        _check_tally(conversion.tally, mapping)
        with _sent(settings, request, _Converted(mapping, events, conversion.tally, as_of_ms), progress) as outcome:
            yield outcome


class _Converted(NamedTuple):
    """The events of a request."""

    mapping: MappingConfig
    events: Spool
    tally: Tally
    as_of_ms: int | None


@contextmanager
def _sent(settings: Settings, request: Request, converted: _Converted, progress: Progress) -> Iterator[Outcome]:
    """Send what was read, and wait until it is applied."""
    mapping, events, tally, as_of_ms = converted
    ends_ms = events.last_arrival_ms if as_of_ms is None else as_of_ms
    shift_ms = now_ms() - ends_ms if request.as_live and ends_ms is not None else 0  # so that the extract ends now
    streams = streams_of(mapping)
    rule = SourceRule(heartbeats=request.as_live, history=True)
    sources = {stream: {mapping.source: rule} for stream in streams}
    progress("start", 0, None)
    with running_stack(
        settings, kafka=request.kafka, redis_url=request.redis_url, sources=sources, with_exporter=request.as_live
    ) as stack:
        before = _Before.of(stack.reader)
        began_s = time.monotonic()
        sent = Sent()
        arrived = _arrived(events, sent, as_of_ms, shift_ms)
        headers = () if request.as_live else latest_header(mapping.time, now_ms())
        records = _records(arrived, sent, mapping.source, stack.settings, headers)
        if request.as_live:
            records = chain(records, heartbeats(stack.settings, mapping.source, streams))
        known = events.events if as_of_ms is None else None
        ends = produce(stack.settings, records, lambda done: progress("send", done, known))
        _wait(stack, ends, sent.events, progress)
        open_at_ms = (as_of_ms + shift_ms) if as_of_ms is not None else sent.last_arrival_ms
        yield Outcome(
            settings=stack.settings,
            source=mapping.source,
            tally=tally,
            sent=sent,
            ends=ends,
            dead_letters=before.new_dead_letters(stack.reader),
            now_ms=now_ms() if open_at_ms is None else open_at_ms,
            streams=streams,
            months=sorted(sent.months | before.changed_months(stack.reader)),
            check=stack.check,
            took_s=time.monotonic() - began_s,
            kept=f"{events.size_bytes:,} bytes in {events.folder}",
        )


def _check_tally(tally: Tally, mapping: MappingConfig) -> None:
    """Raise WorkFailed, before anything is sent, if the rows as a whole make no sense."""
    if tally.skipped[WITHOUT_EVENT] and not tally.used:
        raise WorkFailed(
            f"none of {tally.rows:,} rows produced an event ({tally.refused:,} refused, {tally.skipped.total():,}"
            " skipped); check each `when` in the mapping and its time columns"
        )
    if tally.rows and not tally.used and not tally.skipped:
        raise WorkFailed(f"none of {tally.rows:,} rows could be used; see the first refusals above for the reasons")
    entity = mapping.entity
    if entity.rows == "together" or entity.repeated_keys == "merge":
        return
    if tally.repeating_rows > MOST_REPEATING or tally.repeating_rows * 100 > tally.rows:
        raise WorkFailed(
            f"{tally.repeating_rows:,} of {tally.rows:,} rows share their key ({', '.join(entity.key)}) with an earlier"
            ' row but differ from it; nothing was sent. Check the key column, or set rows = "together" or'
            ' repeated_keys = "merge" under [entity] if such rows describe one entity'
        )


@dataclass(frozen=True, slots=True)
class _Before:
    """The state of Redis before the first event, to tell what this replay changed."""

    seq: int
    dead_letters: dict[tuple[str, str], int]

    @classmethod
    def of(cls, reader: Reader) -> _Before:
        meta = reader.meta()
        return cls(meta.seq if meta else 0, reader.dead_letters())

    def new_dead_letters(self, reader: Reader) -> dict[tuple[str, str], int]:
        return dict(Counter(reader.dead_letters()) - Counter(self.dead_letters))  # only the counts that rose

    def changed_months(self, reader: Reader) -> set[str]:
        _, names = reader.changed_since(self.seq)
        if names is None:
            return set(reader.months())
        return {name.partition(":")[2] for name in names if name.startswith("month:")}


def _arrived(events: Iterable[Mapped], sent: Sent, as_of_ms: int | None, shift_ms: int) -> Iterator[Mapped]:
    """The events that had arrived at an instant, moved in time; the others are counted in `sent`."""
    for event in events:
        if as_of_ms is not None and event.arrival_ms > as_of_ms:
            sent.held_back += 1
            sent.first_held_ms = min(sent.first_held_ms or event.arrival_ms, event.arrival_ms)
        else:
            yield event.shifted(shift_ms)


def _records(
    events: Iterable[Mapped], sent: Sent, source: str, settings: Settings, headers: tuple[tuple[str, bytes], ...]
) -> Iterator[Outgoing]:
    """The events as records, all with the same headers; `sent` is filled on the way."""
    calendar = Calendar(settings.zone)
    for event in events:
        sent.events += 1
        sent.last_arrival_ms = max(sent.last_arrival_ms or event.arrival_ms, event.arrival_ms)
        sent.months.add(calendar.month_of(event.time_ms))
        yield Outgoing(settings.topic(event.stream), event.subject.encode(), event.value(source), headers)


def _wait(stack: Stack, ends: Ends, total: int, progress: Progress) -> None:
    try:
        wait_applied(stack.reader, ends, stack.check, lambda missing: progress("apply", max(0, total - missing), total))
    except StoreRefuses:
        raise  # says it all
    except StoreUnavailable as error:
        where = stack.settings.redis_shown
        raise StoreUnavailable(
            f"Redis at {where} stopped answering ({error}); check that it is running, and check --redis"
        ) from error


def _as_of_ms(text: str | None, mapping: MappingConfig) -> int | None:
    if text is None:
        return None
    try:
        any_day = mapping.time.model_copy(update={"earliest": None, "latest": None})
        return LocalTimes.of(any_day).ms(text, ("iso",))
    except TimeUnreadable as error:
        write = f"a local time in {mapping.time.zone}, for example 2020-04-11T15:20:00, or a time with an offset"
        raise ConfigurationInvalid([Fault("--as-of", "", str(error), write)]) from error
