"""Records judged one by one: what is to be folded, what becomes a dead letter, which sources were heard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Container, Sequence
from dataclasses import dataclass, field

import structlog

from watchroom.admission.admit import Admission
from watchroom.admission.models import HEARTBEAT
from watchroom.admission.raw_identifiers import raw_identifier, source_of
from watchroom.errors import EventRefused
from watchroom.events import headers, reasons
from watchroom.events.record import Arrived, Record
from watchroom.store import keys

OTHER = "other"
"""Stands for sources that are not counted by their name."""

log = structlog.get_logger("watchroom.intake")


@dataclass(frozen=True, slots=True)
class Refused:
    """A record that cannot be used, and why."""

    record: Record
    why: EventRefused


SendRefused = Callable[[str, int, Sequence[Refused]], Awaitable[None]]
"""Sends dead letters of (topic, partition) and returns when they are acknowledged."""


@dataclass(slots=True)
class Admitted:
    """A chunk of records, judged."""

    by_subject: dict[str, list[Arrived]] = field(default_factory=dict)  # each entity's events, in order
    refused: list[Refused] = field(default_factory=list)
    heard: dict[str, int] = field(default_factory=dict)  # "<source>|event" or "|heartbeat" -> Kafka time, ms
    ignored_fields: Counter[str] = field(default_factory=Counter)  # name -> in how many admitted records
    raw_identifiers: Counter[str] = field(default_factory=Counter)  # source, or `other` -> how many refused records


class Judge:
    """Judges the records of one partition.

    Args:
        topic, partition: Whose records.
        admission: The rules.
        sources: The stream's declared sources, by whose names raw identifiers are counted. None: by all names.
    """

    def __init__(self, topic: str, partition: int, admission: Admission, sources: Collection[str] = ()) -> None:
        self._topic = topic
        self._partition = partition
        self._admission = admission
        self._sources = frozenset(sources)

    def admit(self, records: Sequence[Record], known: Container[str]) -> Admitted:
        """Each record's event, or why it is refused.

        Args:
            records: In the order of the log.
            known: Entities whose state is at hand; the partition of the others is checked.
        """
        admitted = Admitted()
        by_subject, admit = admitted.by_subject, self._admission.admit
        events_at_ms: dict[str, int] = {}  # by source
        heartbeats_at_ms: dict[str, int] = {}
        for record in records:
            try:
                arrived = admit(record)
                event = arrived.event
                if event.type == HEARTBEAT:
                    heard_at_ms = heartbeats_at_ms
                else:
                    heard_at_ms = events_at_ms
                    of_entity = by_subject.get(event.subject)
                    if of_entity is None:
                        if event.subject not in known:
                            self._admission.check_partition(event, record)
                        of_entity = by_subject[event.subject] = []
                    of_entity.append(arrived)
            except Exception as why:  # noqa: BLE001  # of any kind: it would end the worker, and every worker after it
                self._refuse(admitted, record, why)
                continue
            if event.ignored:
                admitted.ignored_fields.update(event.ignored)
            if record.headers and headers.ARRIVED in dict(record.headers):
                continue  # a letter sent again says nothing about its source being alive now
            if record.timestamp_ms > heard_at_ms.get(event.source, 0):
                heard_at_ms[event.source] = record.timestamp_ms
        for what, heard_at_ms in ((keys.EVENT, events_at_ms), (keys.HEARTBEAT, heartbeats_at_ms)):
            admitted.heard |= {f"{source}|{what}": at_ms for source, at_ms in heard_at_ms.items()}
        return admitted

    def _refuse(self, admitted: Admitted, record: Record, why: Exception) -> None:
        """Note a refused record; one that may name a person as such, whatever else is wrong with it."""
        if (raw := raw_identifier(record.value, record.headers)) is not None:
            source = source_of(record.value, record.headers)
            if source is None or (self._sources and source not in self._sources):
                source = OTHER
            admitted.raw_identifiers[source] += 1
            why = raw
        refused = why if isinstance(why, EventRefused) else self._unreadable(record, why)
        admitted.refused.append(Refused(record, refused))

    def _unreadable(self, record: Record, error: Exception) -> EventRefused:
        """A fault of ours that this record has brought to light."""
        place = {"topic": self._topic, "partition": self._partition, "offset": record.offset}
        log.error("a record cannot be judged and becomes a dead letter", **place, exc_info=error)
        return EventRefused(
            reasons.UNREADABLE,
            f"judging it failed with {type(error).__name__}: a fault of Watchroom. Report it with the worker's log,"
            " and send this letter again after the fix",
        )
