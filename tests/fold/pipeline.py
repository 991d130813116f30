"""The pure pipeline, from events to content: what Redis would hold, without Redis.

Events go batch by batch through the real `Folder` and `spread`; states make the round trip through
their stored form between batches.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from tests.oracle.facts import Sent, series
from tests.oracle.recompute import Content, Entry, without_zeros
from watchroom.catalogue.load import load_catalogue
from watchroom.catalogue.model import Catalogue
from watchroom.events.record import Arrived, Event
from watchroom.fold.batch import Folded, Folder, Known, Restatement
from watchroom.fold.contributions import Contributor
from watchroom.rolling.buckets import spread
from watchroom.rolling.calendar import Calendar
from watchroom.settings import Settings
from watchroom.store.step import token_hashes
from watchroom.streams import STREAMS

SETTINGS = Settings(force="test")
CALENDAR = Calendar(SETTINGS.zone)


@cache
def catalogue() -> Catalogue:
    """The shipped catalogue."""
    return load_catalogue(Path(__file__).parents[2] / "schemas" / "measures", SETTINGS.areas)


def arrived(sent: Sent) -> Arrived:
    """An event of the oracle as intake would pass it to the fold."""
    event = Event(sent.type, sent.id, sent.source, sent.subject, sent.time_ms, None, sent.data)
    return Arrived(event, sent.arrival_ms, sent.closing_ms, sent.offset)


def run(batches: Sequence[Sequence[Sent]], now_ms: int, *, round_trip: bool = True) -> Content:
    """The content after these batches; a batch is split again by topic and partition, as intake gets it."""
    return applied(batches, now_ms, round_trip=round_trip).content()


def applied(batches: Sequence[Sequence[Sent]], now_ms: int, *, round_trip: bool = True) -> Worker:
    """A worker that has applied these batches."""
    worker = Worker(now_ms, round_trip=round_trip)
    for batch in batches:
        parts: dict[tuple[str, str, int], list[Sent]] = defaultdict(list)
        for sent in batch:
            parts[sent.stream, sent.topic, sent.partition].append(sent)
        for (stream, topic, partition), part in parts.items():
            worker.step(stream, topic, partition, part)
    return worker


class Worker:
    """Everything that was written, and the restatement log."""

    def __init__(self, now_ms: int, *, round_trip: bool) -> None:
        self._now_ms = now_ms
        self._round_trip = round_trip
        self._folders: dict[tuple[str, int], Folder] = {}
        self._known: dict[tuple[str, int], dict[str, Known]] = defaultdict(dict)
        self._buckets: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        self._open: dict[str, dict[str, int]] = defaultdict(dict)
        self.log: list[Restatement] = []
        self._tokens: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))

    def step(self, stream: str, topic: str, partition: int, part: Sequence[Sent]) -> None:
        """Fold events of one partition, and write the result."""
        place = topic, partition
        if place not in self._folders:
            self._folders[place] = folder(stream, topic, partition)
        of_partition = self._folders[place]
        folded = of_partition.fold([arrived(sent) for sent in part], self._known[place])
        self._known[place] |= folded.entities
        if self._round_trip:
            kind = of_partition.stream
            stored = {subject: kind.pack(known.state) for subject, known in folded.entities.items()}
            self._known[place] |= {subject: of_partition.known(kind.unpack(raw)) for subject, raw in stored.items()}
        self._write(folded)

    def _write(self, folded: Folded) -> None:
        for bucket in spread(folded.increments, self._now_ms, CALENDAR):
            for field, delta in bucket.deltas.items():
                self._buckets[bucket.name][field] += delta
        for changed in token_hashes(folded.tokens, CALENDAR):
            for token, delta in changed.deltas.items():
                self._tokens[changed.name][token] += delta
        for name, subject in folded.left:
            self._open[name].pop(subject, None)
        for name, subject, since_ms in folded.open_now():
            self._open[name][subject] = since_ms
        self.log += folded.restatements

    def content(self) -> Content:
        """All of it, in the form that the oracle uses."""
        log = [
            Entry(
                entry.topic, entry.partition, entry.offset, entry.arrival_ms, entry.event_type, entry.month,
                series(entry.measure, entry.by), entry.field, entry.delta,
            )
            for entry in self.log
        ]  # fmt: skip
        opened = {name: members for name, members in self._open.items() if members}
        return Content(without_zeros(self._buckets), opened, sorted(log), {}, without_zeros(self._tokens))


def folder(stream: str, topic: str, partition: int) -> Folder:
    """A partition's folder, under the shipped catalogue and the default settings."""
    kind = STREAMS[stream]
    return Folder(
        kind,
        Contributor(kind, topic, catalogue().of_stream(stream)),
        keeping_ms=SETTINGS.keeping_days.ms(stream),
        closes_after_ms=SETTINGS.closes_after_ms(stream),
        calendar=CALENDAR,
        topic=topic,
        partition=partition,
    )
