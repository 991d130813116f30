"""What defines a stream: its events, the state of its entities, the terms that entries may use, its limits.

Each stream is one module with one `Stream`; the registry in `watchroom.streams` lists them. Everything else (settings,
admission, fold, catalogue, boards, documents) reads these attributes and never compares a stream's name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, NamedTuple

import msgpack

from watchroom.events.record import Event

# What is known about one entity: a NamedTuple whose first two fields are last_arrival_ms and first_ms.
State = Any
# Longer than from 1970 to 2200, the range of all times: nothing is late, and nothing is forgotten.
NO_BOUND_DAYS: Final = 90_000
FOR_EVER_DAYS: Final = 100_000
RETENTION_DAYS: Final = 400  # in Kafka, at least, so that a rebuild can compute 12 months


def retention_ms(keeping_days: float) -> int | None:
    """How long Kafka must keep a stream's records for a rebuild; None: for ever.

    A rebuild needs 12 months, and the last event of every entity that is still known.

    Args:
        keeping_days: How long an entity is known after its last event.
    """
    return None if keeping_days >= FOR_EVER_DAYS else round(max(RETENTION_DAYS, keeping_days) * 86_400_000)


class Term(NamedTuple):
    """A term that a catalogue entry may use: its meaning, and how to read it from an entity's state.

    A moment is in milliseconds since the epoch or None, a value is a text or a boolean, a state is a boolean.
    """

    meaning: str
    read: Callable[[State], object]
    can_be: tuple[str | bool, ...] = ()  # for a value that is ours, not the feed's: everything that it can be
    field: str = ""  # for a value that is a field of `data` under another name: that field


def truth(meaning: str, read: Callable[[State], bool]) -> Term:
    """A value that is true or false."""
    return Term(meaning, read, can_be=(True, False))


class ListedField(NamedTuple):
    """A field of `data` that is not a label, and for which only listed texts have a meaning."""

    is_listed: Callable[[str], bool]
    otherwise: str  # what an event with another text counts as, for a message
    write: str  # what to do about other texts


class Board(NamedTuple):
    """The board of a stream's measures, unless their entry names another. Streams may share one."""

    name: str  # the dashboard's uid is watchroom-<name>
    title: str
    about: str
    since: str  # how far its trends go back, as Grafana writes it
    now_first: bool = False  # whether what is open now comes before what happened


@dataclass(frozen=True)
class Stream:
    """Everything about one stream of events.

    `fold(state, event, arrival_ms)` returns the state after one more event, whatever the order and however often events
    arrive; state is None for an unknown entity. An orphan is an entity without its first event; an entity that `is_out`
    counts nowhere.
    """

    name: str  # in settings, labels and the topic: <prefix>.<name>
    entity: str  # what one entity is called
    models: tuple[object, ...]  # of its events: pydantic `TypedDict`s with the type in the field `type`
    state: type[NamedTuple]
    fold: Callable[[State | None, Event, int], State]
    is_orphan: Callable[[State], bool]
    moments: Mapping[str, Term]
    values: Mapping[str, Term]
    states: Mapping[str, Term]
    lateness_days: float  # default: a later event is a dead letter
    keeping_days: float  # default: how long an entity is known after its last event
    board: Board
    is_out: Callable[[State], bool] = lambda _: False
    closing_days: float | None = None  # how long after its end a month closes; None: its lateness bound
    # For entities that name their labels themselves: the value of a label. An entry writes `by = { area = "area" }`.
    label: Callable[[State, str], object] | None = None
    # Sets that an entity is in, whatever the catalogue: name -> since (ms). They are kept like those of open measures.
    lists: Callable[[State], Mapping[str, int]] | None = None
    listed_fields: Mapping[str, ListedField] = field(default_factory=dict)
    is_waited_for: bool = True  # whether its figures are withheld while it is not fresh
    by_default: bool = False  # whether a force feeds it by default
    is_quick: bool = False  # whether boards show its times in seconds
    # Raise it if the same events would give other states, facts or contributions: it is part of the stream's
    # fingerprint. What a kind contributes has its own version, `Kind.version`.
    fold_version: int = 1
    # Tables that its terms are looked up in, by name: a short hash of each, part of the stream's fingerprint.
    reference: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def vocabulary(self) -> Mapping[str, Term]:
        """Every term of the stream."""
        return {**self.moments, **self.values, **self.states}

    def reader(self, term: str) -> Callable[[State], object]:
        """Return the function that reads a term, or a label that entities name themselves, from a state.

        Raises:
            KeyError: There is no such term or label.
        """
        if term not in self.vocabulary and self.label is not None:
            label = self.label
            return lambda state: label(state, term)
        return self.vocabulary[term].read

    def pack(self, state: State) -> bytes:
        """Pack a state for the store: a msgpack array of its fields."""
        packed: bytes = msgpack.packb(state)
        return packed

    def unpack(self, stored: bytes) -> State:
        """Unpack a stored state."""
        return self.state(*msgpack.unpackb(stored, use_list=False))
