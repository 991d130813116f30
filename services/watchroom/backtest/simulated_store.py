"""What Redis would hold as a month goes by: events pass through the worker's own admission and fold, without a server.

Only the measures that the rules read are kept. A test puts the same events through a real Redis and compares every
figure with the exporter's page.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator

from watchroom.admission.admit import Admission
from watchroom.admission.models import HEARTBEAT
from watchroom.catalogue.model import Catalogue
from watchroom.errors import EventRefused
from watchroom.events.record import Arrived, Record
from watchroom.fold.batch import Folder, Known
from watchroom.fold.contributions import Contributor
from watchroom.rolling.buckets import KEEP_10S_MS, TEN_SECONDS_MS, spread
from watchroom.rolling.calendar import Calendar
from watchroom.settings import Settings
from watchroom.simulator import SOURCES, Simulated
from watchroom.streams import STREAMS


class OpenSet:
    """The open entities of one series, and since when each is open."""

    def __init__(self) -> None:
        self._since: dict[str, int] = {}
        self.sorted_ms: list[int] = []

    def put(self, subject: str, since_ms: int) -> None:
        """Set since when an entity is open."""
        if self._since.get(subject) != since_ms:
            self.take(subject)
            self._since[subject] = since_ms
            insort(self.sorted_ms, since_ms)

    def take(self, subject: str) -> None:
        """Remove an entity that is no longer open."""
        since_ms = self._since.pop(subject, None)
        if since_ms is not None:
            del self.sorted_ms[bisect_left(self.sorted_ms, since_ms)]


class SimulatedStore:
    """The buckets and open sets of one force, event by event."""

    def __init__(self, catalogue: Catalogue, measures: Collection[str], settings: Settings, calendar: Calendar) -> None:
        self._calendar = calendar
        self._streams: dict[str, _Stream] = {}
        for name in settings.streams:
            wanted = [measure for measure in catalogue.of_stream(name) if measure.id in measures]
            if wanted:
                topic = settings.topic(name)
                contributor = Contributor(STREAMS[name], topic, wanted)
                self._streams[name] = _Stream(name, contributor, settings, calendar)
        self.buckets: dict[str, dict[str, int]] = {}
        self.changed: set[str] = set()  # names of buckets; the reader clears it
        self.open: dict[str, OpenSet] = defaultdict(OpenSet)
        self.refused = 0
        self._forgotten_before_ms = 0

    def apply(self, deliveries: Iterable[Simulated], now_ms: int) -> None:
        """Fold what has arrived, one batch for each stream."""
        by_stream: dict[str, list[Simulated]] = defaultdict(list)
        for delivery in deliveries:
            by_stream[delivery.stream].append(delivery)
        for name, stream in self._streams.items():
            self._fold(stream, by_stream[name], now_ms)
        if now_ms - self._forgotten_before_ms > 2 * KEEP_10S_MS:
            self._forget(now_ms)

    def _fold(self, stream: _Stream, deliveries: list[Simulated], now_ms: int) -> None:
        folded = stream.folder.fold(self._admitted(stream, deliveries), stream.known)
        stream.known.update(folded.entities)
        for bucket in spread(folded.increments, now_ms, self._calendar):
            into = self.buckets.setdefault(bucket.name, {})
            for field, delta in bucket.deltas.items():
                into[field] = into.get(field, 0) + delta
            self.changed.add(bucket.name)
        for series, subject in folded.left:
            self.open[series].take(subject)
        for series, subject, since_ms in folded.open_now():
            self.open[series].put(subject, since_ms)

    def _admitted(self, stream: _Stream, deliveries: list[Simulated]) -> Iterator[Arrived]:
        for delivery in deliveries:
            record = Record(0, delivery.arrival_ms, delivery.subject.encode(), delivery.value)
            try:
                arrived = stream.admission.admit(record)
            except EventRefused:
                self.refused += 1
                continue
            if arrived.event.type != HEARTBEAT:
                yield arrived

    def _forget(self, now_ms: int) -> None:
        """Drop 10 s buckets that Redis would have dropped."""
        self._forgotten_before_ms = now_ms
        oldest_s = (now_ms - KEEP_10S_MS - TEN_SECONDS_MS) // 1000
        for name in [name for name in self.buckets if name.startswith("10s:") and int(name[4:]) < oldest_s]:
            del self.buckets[name]


class _Stream:
    """One stream as one partition."""

    def __init__(self, name: str, contributor: Contributor, settings: Settings, calendar: Calendar) -> None:
        lateness_ms, keeping_ms = settings.lateness_days.ms(name), settings.keeping_days.ms(name)
        self.known: dict[str, Known] = {}
        self.admission = Admission(
            name,
            0,
            1,
            # A stream that the simulator does not feed stays empty.
            history_sources=[source for stream, source in SOURCES.items() if stream == name],
            lateness_ms=lateness_ms,
            future_ms=round(settings.future_s * 1000),
            keeping_ms=keeping_ms,
        )
        self.folder = Folder(
            STREAMS[name],
            contributor,
            keeping_ms=keeping_ms,
            closes_after_ms=settings.closes_after_ms(name),
            calendar=calendar,
            topic=settings.topic(name),
            partition=0,
        )
