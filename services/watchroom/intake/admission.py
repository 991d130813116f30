"""Admits the records of a partition one by one: which are folded, which become dead letters, and which sources sent."""

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
    """A chunk of records after admission."""

    by_subject: dict[str, list[Arrived]] = field(default_factory=dict)  # each entity's events, in order
    refused: list[Refused] = field(default_factory=list)
    last_seen: dict[str, int] = field(default_factory=dict)  # "<source>|event" or "|heartbeat" -> Kafka time, ms
    ignored_fields: Counter[str] = field(default_factory=Counter)  # name -> in how many admitted records
    raw_identifiers: Counter[str] = field(default_factory=Counter)  # source, or `other` -> how many refused records


class BatchAdmission:
    """Admits the records of one partition.

    Args:
        topic, partition: Whose records.
        admission: The rules.
        sources: The stream's declared sources. Raw identifiers are counted by these names; if empty, by all names.
    """

    def __init__(self, topic: str, partition: int, admission: Admission, sources: Collection[str] = ()) -> None:
        self._topic = topic
        self._partition = partition
        self._admission = admission
        self._sources = frozenset(sources)

    def admit(self, records: Sequence[Record], known: Container[str]) -> Admitted:
        """Returns each record's event, or why it is refused.

        Args:
            records: In the order of the log.
            known: Entities whose state is in memory; for the others the partition is checked.
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
                    seen_at_ms = heartbeats_at_ms
                else:
                    seen_at_ms = events_at_ms
                    of_entity = by_subject.get(event.subject)
                    if of_entity is None:
                        if event.subject not in known:
                            self._admission.check_partition(event, record)
                        of_entity = by_subject[event.subject] = []
                    of_entity.append(arrived)
            except Exception as why:  # noqa: BLE001  # any error would end this worker, and every worker after it
                self._refuse(admitted, record, why)
                continue
            if event.ignored:
                admitted.ignored_fields.update(event.ignored)
            if record.headers and headers.ARRIVED in dict(record.headers):
                continue  # a replayed letter does not show that its source is alive now
            if record.timestamp_ms > seen_at_ms.get(event.source, 0):
                seen_at_ms[event.source] = record.timestamp_ms
        for what, seen_at_ms in ((keys.EVENT, events_at_ms), (keys.HEARTBEAT, heartbeats_at_ms)):
            admitted.last_seen |= {f"{source}|{what}": at_ms for source, at_ms in seen_at_ms.items()}
        return admitted

    def _refuse(self, admitted: Admitted, record: Record, why: Exception) -> None:
        """Note a refused record. A raw identifier comes before every other reason: it may name a person."""
        if (raw := raw_identifier(record.value, record.headers)) is not None:
            source = source_of(record.value, record.headers)
            if source is None or (self._sources and source not in self._sources):
                source = OTHER
            admitted.raw_identifiers[source] += 1
            why = raw
        refused = why if isinstance(why, EventRefused) else self._unreadable(record, why)
        admitted.refused.append(Refused(record, refused))

    def _unreadable(self, record: Record, error: Exception) -> EventRefused:
        """Refuses a record on which our own code fails."""
        where = {"topic": self._topic, "partition": self._partition, "offset": record.offset}
        log.error("checking a record failed, so it becomes a dead letter", **where, exc_info=error)
        return EventRefused(
            reasons.UNREADABLE,
            f"checking it failed with {type(error).__name__}: a bug in Watchroom. Report it with the worker's log,"
            " and replay this dead letter after the fix",
        )
