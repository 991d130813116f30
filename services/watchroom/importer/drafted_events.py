"""Events from the drafts that rows give, each once, and each as intake would admit it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from watchroom.admission.parse import parse
from watchroom.errors import EventRefused
from watchroom.importer.event_fields import TRUTH_FIELDS
from watchroom.importer.field_sources import ValueUnusable, pick
from watchroom.importer.listed import unlisted
from watchroom.importer.mapped import Mapped, id_of
from watchroom.importer.mapping_model import EventConfig, MappingConfig
from watchroom.importer.row_reader import Draft, Drafts
from watchroom.importer.tally import Tally

TRUTHS = {"true": True, "false": False}  # any other text stays a text, and admission ignores it


class DraftedEvents:
    """Makes events, and counts them.

    Args:
        mapping: The checked mapping.
        tally: Gets the counts.
    """

    def __init__(self, mapping: MappingConfig, tally: Tally) -> None:
        self._mapping, self._tally = mapping, tally
        self._known_subjects: set[int] = set()  # hashes: only their number matters
        self._known_ids: set[int] = set()

    def of_row(self, subject: str, drafts: Drafts) -> Iterator[Mapped]:
        """The events that one row makes by itself."""
        for event, draft in zip(self._mapping.event, drafts, strict=True):
            if event.per == "row" and draft is not None and draft.time is not None:
                data = {name: str(candidate.value) for name, candidate in draft.data.items()}
                arrival = draft.arrival or draft.time
                times_ms = (int(draft.time.value), int(arrival.value))
                yield _mapped(subject, draft.extra_key, str(draft.type.value), times_ms, data)

    def of_group(self, subject: str, group: Sequence[Drafts]) -> Iterator[Mapped]:
        """The events that all rows of an entity make, together or each by itself.

        Raises:
            ValueUnusable: The rows contradict each other, or none has the time of an event.
        """
        for number, event in enumerate(self._mapping.event):
            drafts = [draft for row in group if (draft := row[number]) is not None]
            if event.per == "entity" and drafts:
                yield from _of_entity(subject, event, drafts)
        for row in group:
            yield from self.of_row(subject, row)

    def checked(self, subject: str, events: Sequence[Mapped], entities: int = 1) -> list[Mapped]:
        """Each event once; `entities`: how many have such events.

        Raises:
            ValueUnusable: Two events have one id, or intake would refuse one.
        """
        by_id: dict[str, Mapped] = {}
        for event in events:
            if by_id.setdefault(event.id, event) != event:
                what = f"two different events with the id {event.id}"
                raise ValueUnusable(f"{what}; name a column in event.key that tells them apart")
        ignored: list[tuple[str, str]] = []
        for event in by_id.values():
            try:
                admitted = parse(event.value(self._mapping.source))
            except EventRefused as error:
                raise ValueUnusable(f"{event.type} of {subject}: {error.detail}") from error
            ignored += [(name, str(event.data[name])) for name in admitted.ignored]
        for found in ignored:
            self._tally.ignored[found] += entities
        for found in (found for event in by_id.values() for found in unlisted(event.type, event.data)):
            self._tally.unlisted[found] += entities
        self._tally.repeated += len(events) - len(by_id)
        return list(by_id.values())

    def count(self, subject: str, events: Sequence[Mapped]) -> None:
        """Count the events of an entity."""
        self._known_subjects.add(hash(subject))
        before = len(self._known_ids)
        self._known_ids.update(hash(event.id) for event in events)
        self._tally.entities = len(self._known_subjects)
        self._tally.events += len(events)
        self._tally.repeated += len(events) - (len(self._known_ids) - before)


def _of_entity(subject: str, event: EventConfig, drafts: Sequence[Draft]) -> Iterator[Mapped]:
    """The one event that all rows of an entity make together, or none."""
    time = pick([draft.time for draft in drafts if draft.time], event.time, "time")
    if time is None:
        if event.optional:
            return
        raise ValueUnusable(f"{drafts[0].type.value} has no time in any row of {subject}")
    types = {str(draft.type.value) for draft in drafts}
    if len(types) > 1:
        raise ValueUnusable(f"type: the rows of one entity have different values ({', '.join(sorted(types))})")
    arrival = None
    if event.arrival:
        arrival = pick([draft.arrival for draft in drafts if draft.arrival], event.arrival, "arrival")
    data = {}
    for name, source in event.data.items():
        value = pick([draft.data[name] for draft in drafts if name in draft.data], source, f"data.{name}")
        if value is not None:
            data[name] = str(value)
    yield _mapped(subject, (), types.pop(), (int(time), int(time if arrival is None else arrival)), data)


def _mapped(
    subject: str, extra_key: tuple[str, ...], kind: str, times_ms: tuple[int, int], data: dict[str, str]
) -> Mapped:
    time_ms, arrival_ms = times_ms
    truths = TRUTH_FIELDS[kind]
    typed = {name: TRUTHS.get(text.lower(), text) if name in truths else text for name, text in data.items()}
    return Mapped(kind, id_of(subject, extra_key, kind, time_ms), subject, time_ms, arrival_ms, typed)
