"""Decides which of a stream's records count, and by which clocks. Pure: it uses no time but the record's.

Whether an event is late or future depends on its time and its arrival only, never on the wall clock or on other events.
So a replay, a rebuild and a restart decide as the live worker did.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NoReturn

from watchroom.admission.binary_mode import parse_record
from watchroom.admission.models import HEARTBEAT, STREAM_OF
from watchroom.admission.parse import parse
from watchroom.errors import EventRefused
from watchroom.events import reasons
from watchroom.events.headers import ARRIVED, LATEST
from watchroom.events.messages import shown
from watchroom.events.partitioner import CountInUse, partition_of
from watchroom.events.record import Arrived, Event, Headers, Record
from watchroom.events.times import EARLIEST_MS, LATEST_MS, to_text, unit_since_1970
from watchroom.wording import duration, exact_duration

_new = tuple.__new__


class Admission:
    """Admits or refuses the records of one partition of a stream's topic."""

    __slots__ = (
        "_checks",
        "_counts",
        "_future_ms",
        "_history",
        "_keeping_ms",
        "_lateness_ms",
        "_partition",
        "_partition_count",
        "_stream",
        "_types",
    )

    def __init__(
        self,
        stream: str,
        partition: int,
        partition_count: int,
        *,
        history_sources: Collection[str],
        lateness_ms: int,
        future_ms: int,
        keeping_ms: int,
        checks: Mapping[str, Callable[[Event], None]] | None = None,
        counts: Sequence[CountInUse] = (),
    ) -> None:
        """Set the rules.

        Args:
            stream: The stream of the topic.
            partition: The partition of the records, from 0.
            partition_count: How many partitions the topic has.
            history_sources: Sources whose `recordedtime`, if given, is the arrival.
            lateness_ms: An event is late if arrival - time exceeds this.
            future_ms: An event is future if time - arrival exceeds this.
            keeping_ms: A dead letter has expired if it is sent again later than this after its first arrival.
            checks: Further checks by event type; each raises EventRefused. Those of other streams are ignored.
            counts: Earlier partition counts of the topic and when producers used them. An old record may be in any
                partition that a count in use at its time gives its key.
        """
        self._stream = stream
        self._counts = tuple(counts)
        self._partition = partition
        self._partition_count = partition_count
        self._history = frozenset(history_sources)
        self._lateness_ms = lateness_ms
        self._future_ms = future_ms
        self._keeping_ms = keeping_ms
        self._checks = {name: check for name, check in (checks or {}).items() if STREAM_OF.get(name) == stream}
        self._types = frozenset(name for name, of in STREAM_OF.items() if of == stream)

    def admit(self, record: Record) -> Arrived:
        """Return the event of a record, with the arrival by which it was admitted.

        Makes all checks but that of the partition, which is made by `check_partition` unless the topic has had several
        counts.

        Raises:
            EventRefused: With the first reason that applies, in the order of `reasons`. Before a refused record is
                kept, `raw_identifiers` must still check whether it names a person.
        """
        offset, timestamp_ms, key, value, headers, _ = record
        event = parse_record(headers, value) if headers else None if value is None else parse(value)
        if event is None:
            raise EventRefused(
                reasons.BAD_JSON, "the record has no value (a tombstone); events are never deleted, so write an event"
            )
        kind, _, source, subject, time_ms, recorded_ms, _, _ = event
        if kind not in self._types and kind != HEARTBEAT:
            self._refuse_topic(kind)
        if self._checks and kind in self._checks:
            self._checks[kind](event)
        if key is None or key != subject.encode() or (kind == HEARTBEAT and subject != source):
            _refuse_key(event, key)
        first_ms = _first_arrival_ms(headers, timestamp_ms) if headers else None
        if recorded_ms is not None and source in self._history:
            arrival_ms = closing_ms = recorded_ms
            _refuse_impossible(timestamp_ms)
        else:
            closing_ms = timestamp_ms
            arrival_ms = timestamp_ms if first_ms is None else first_ms
        age_ms = arrival_ms - time_ms
        if age_ms > self._lateness_ms or -age_ms > self._future_ms:
            self._refuse_time(time_ms, arrival_ms)
        latest_ms = self._future_ms + (timestamp_ms if first_ms is None else first_ms)
        if (
            time_ms > latest_ms or arrival_ms > latest_ms
        ):  # possible only for a history source, which states its own arrival
            self._refuse_ahead(headers, max(time_ms, arrival_ms), latest_ms)
        if first_ms is not None and timestamp_ms - first_ms > self._keeping_ms:
            self._refuse_expired(first_ms, timestamp_ms)
        if self._counts and kind != HEARTBEAT:  # a known entity may have been first seen in another partition
            self.check_partition(event, record)
        return _new(Arrived, (event, arrival_ms, closing_ms, offset))

    def check_partition(self, event: Event, record: Record) -> None:
        """Refuse an event in another partition than the one that Kafka's default partitioner gives its key.

        This takes microseconds, so call it only for an entity that is not known yet: a known one was first seen here.
        With several counts that is not certain, and `admit` calls it for every event.

        Args:
            event: The event.
            record: Its record, whose time decides which count applies if the topic has had several.

        Raises:
            EventRefused: wrong_partition.
        """
        key = event.subject.encode()
        at_ms = max(record.timestamp_ms, record.not_before_ms)
        in_use = [each.partitions for each in self._counts if each.from_ms <= at_ms < each.until_ms]
        count = in_use[-1] if in_use else self._partition_count
        if all(partition_of(key, each) != self._partition for each in in_use or (count,)):
            belongs = partition_of(key, count)
            raise EventRefused(
                reasons.WRONG_PARTITION,
                f"key {shown(event.subject)} is in partition {self._partition} but belongs in {belongs} of"
                f" {count}; set partitioner=murmur2_random in the producer (librdkafka's default differs from Kafka's)",
            )

    def _refuse_topic(self, kind: str) -> NoReturn:
        raise EventRefused(
            reasons.WRONG_TOPIC,
            f"{kind} is in the {self._stream} topic; write it to the {STREAM_OF[kind]} topic",
        )

    def _refuse_time(self, time_ms: int, arrival_ms: int) -> NoReturn:
        times = f"time {to_text(time_ms)}, arrival {to_text(arrival_ms)}"
        if arrival_ms > time_ms:
            raise EventRefused(
                reasons.LATE,
                f"{times}: {_beyond(arrival_ms - time_ms, self._lateness_ms)} late; the limit for"
                f" {self._stream} is {exact_duration(self._lateness_ms / 1000)}. Send history from a source declared"
                f" `history`, with recordedtime{_other_unit(arrival_ms)}",
            )
        raise EventRefused(
            reasons.FUTURE,
            f"{times}: {_beyond(time_ms - arrival_ms, self._future_ms)} ahead; at most"
            f" {exact_duration(self._future_ms / 1000)} is allowed. Check the sender's clock and the offset of its"
            f" times{_other_unit(arrival_ms)}",
        )

    def _refuse_ahead(self, headers: Headers, ms: int, latest_ms: int) -> None:
        """Refuse an event that lay in the future when its record was written, unless its replay permitted that.

        The record's own clock decides, never ours, so that a rebuild decides the same.
        """
        permitted_ms = _permitted_ms(headers)
        if ms <= permitted_ms:
            return
        recorded_ms = latest_ms - self._future_ms
        also = f" or later than {to_text(permitted_ms)} (header {LATEST})" if permitted_ms else ""
        raise EventRefused(
            reasons.FUTURE,
            f"time or recordedtime is {to_text(ms)}, but its Kafka record has the timestamp {to_text(recorded_ms)}; no"
            f" event may be more than {exact_duration(self._future_ms / 1000)} later than its record{also}, even from"
            " a history source. Check the year, or replay with `[time] latest` if days are"
            f" invented{_other_unit(recorded_ms)}",
        )

    def _refuse_expired(self, first_ms: int, timestamp_ms: int) -> NoReturn:
        """Refuse a letter that might count twice, because its entity is no longer stored.

        The record alone decides, so that a rebuild decides the same: while Watchroom is stopped, states live longer.
        """
        raise EventRefused(
            reasons.EXPIRED,
            f"first arrived at {to_text(first_ms)} and was sent again"
            f" {_beyond(timestamp_ms - first_ms, self._keeping_ms)} later; the state of {self._stream} is kept for"
            f" {exact_duration(self._keeping_ms / 1000)}, so it might be counted twice. Send dead letters again within"
            " that time",
        )


def _first_arrival_ms(headers: Headers, timestamp_ms: int) -> int | None:
    """The first `watchroom-arrived` (a letter replayed twice keeps its oldest); None if the record is not a letter."""
    for name, value in headers:
        if name == ARRIVED:
            if not value or len(value) > 15 or not value.isdigit():
                raise EventRefused(
                    reasons.BAD_ENVELOPE,
                    f"header {ARRIVED} is {value and value[:40]!r}; write milliseconds since 1970 in ASCII digits",
                )
            _refuse_impossible(timestamp_ms)
            first_ms = int(value)
            if first_ms > timestamp_ms:
                raise EventRefused(
                    reasons.BAD_ENVELOPE,
                    f"header {ARRIVED} says {to_text(first_ms)}, which is after this record"
                    f" ({to_text(timestamp_ms)}); only `watchroom dead-letters replay` writes it",
                )
            return first_ms
    return None


def _permitted_ms(headers: Headers) -> int:
    """The latest time that a replay permits for events; 0 if it gives none, or one that cannot be read."""
    text = next((value or b"" for name, value in headers if name == LATEST), b"")
    return int(text) if text.isdigit() and len(text) <= 15 else 0


def _other_unit(timestamp_ms: int) -> str:
    """For a message: what an impossible timestamp of a record looks like."""
    if EARLIEST_MS <= timestamp_ms < LATEST_MS:
        return ""
    unit = unit_since_1970(timestamp_ms)
    looks = f"looks like {unit} since 1970 and must be milliseconds" if unit else "is impossible"
    return f". The Kafka record's timestamp {looks}: set message.timestamp.type=LogAppendTime on the topic"


def _refuse_impossible(timestamp_ms: int) -> None:
    """Refuse a record whose timestamp is impossible today.

    Redis keeps when a source was last seen: a timestamp near 2^63 would not be a whole number there, and one in the
    year 3000 would hide every later one.
    """
    if timestamp_ms >= LATEST_MS:
        raise EventRefused(
            reasons.BAD_TIME,
            f"the Kafka record has the timestamp {to_text(timestamp_ms)}{_other_unit(timestamp_ms)}",
        )


def _refuse_key(event: Event, key: bytes | None) -> NoReturn:
    found = "is missing" if key is None else f"is {shown(key.decode('utf-8', 'backslashreplace'))}"
    if event.type == HEARTBEAT:
        raise EventRefused(
            reasons.WRONG_KEY,
            f"the key {found} and the subject is {shown(event.subject)}; a heartbeat's key and subject must both match"
            f" its source: write {shown(event.source)} in both",
        )
    raise EventRefused(
        reasons.WRONG_KEY, f"the key {found}; write the subject {shown(event.subject)} in UTF-8, and nothing else"
    )


def _beyond(ms: int, limit_ms: int) -> str:
    """A length of time beyond a limit; if it reads like the limit, with the excess: `24 h and 0.001 s`."""
    said, limit_s = duration(ms / 1000), limit_ms / 1000
    if said != duration(limit_s):
        return said
    return f"{exact_duration(limit_s)} and {exact_duration((ms - limit_ms) / 1000)}"
