"""What a stream says of itself: its events, the state of its entities, the terms that entries may use, its limits.

One module a stream fills in a `Stream`; the registry in `watchroom.streams` lists them. Everything else
(settings, admission, fold, catalogue, boards, documents) reads these attributes and compares no stream's name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, Final, NamedTuple

import msgpack

from watchroom.events.record import Event

# What is known about one entity: a NamedTuple whose first two fields are last_arrival_ms and first_ms.
State = Any
# All times lie between 1970 and 2200, which is less: nothing is so late, and nothing is forgotten.
NO_BOUND_DAYS: Final = 90_000
FOR_EVER_DAYS: Final = 100_000
RETENTION_DAYS: Final = 400  # in Kafka, at least: so a rebuild makes 12 months again


def retention_ms(keeping_days: float) -> int | None:
    """How long Kafka must keep a stream's records, so that a rebuild finds what it needs; None: for ever.

    The months, and the last event of every entity that is still known.

    Args:
        keeping_days: An entity is known so long after its last event.
    """
    return None if keeping_days >= FOR_EVER_DAYS else round(max(RETENTION_DAYS, keeping_days) * 86_400_000)


class Term(NamedTuple):
    """A term that a catalogue entry may use: what it means, and how it is read from an entity's state.

    A moment is read as milliseconds since the epoch or None, a value as a text or a truth, a state as a truth.
    """

    meaning: str
    read: Callable[[State], object]
    can_be: tuple[str | bool, ...] = ()  # of a value that is ours, not the feed's: all that it can be
    field: str = ""  # of a value that is a field of `data` under another name: that field


def truth(meaning: str, read: Callable[[State], bool]) -> Term:
    """A value that is true or false."""
    return Term(meaning, read, can_be=(True, False))


class ListedField(NamedTuple):
    """A field of `data` that is no label, and of which only listed texts say something."""

    is_listed: Callable[[str], bool]
    otherwise: str  # what an event with another text counts as, for a message
    write: str  # what to do about other texts


class Board(NamedTuple):
    """The board on which a stream's measures stand unless their entry names another. Streams may share one."""

    name: str  # the dashboard's uid is watchroom-<name>
    title: str
    about: str
    since: str  # how far its trends go back, as Grafana writes it
    now_first: bool = False  # whether what is open now stands before what happened


@dataclass(frozen=True)
class Stream:
    """Everything about one stream of events.

    `fold(state, event, arrival_ms)` gives the state after one more event, the same in any order and however
    often; state is None for an entity that is not known. An orphan is an entity without its first event; an
    entity that `is_out` counts nowhere.
    """

    name: str  # in settings, labels and the topic: <prefix>.<name>
    entity: str  # one of what it is about, in words
    models: tuple[object, ...]  # of its events, pydantic `TypedDict`s: the type of each is in its field `type`
    state: type[NamedTuple]
    fold: Callable[[State | None, Event, int], State]
    is_orphan: Callable[[State], bool]
    moments: Mapping[str, Term]
    values: Mapping[str, Term]
    states: Mapping[str, Term]
    lateness_days: float  # default: a later event is a dead letter
    keeping_days: float  # default: an entity is known so long after its last event
    board: Board
    is_out: Callable[[State], bool] = lambda _: False
    closing_days: float | None = None  # a month closes so long after its end; None: as its lateness bound is set
    # Of entities that name their labels themselves: the value of a label. An entry writes `by = { area = "area" }`.
    label: Callable[[State, str], object] | None = None
    # Sets that an entity is in, whatever the catalogue says, by name -> since (ms): kept as those of open measures.
    lists: Callable[[State], Mapping[str, int]] | None = None
    listed_fields: Mapping[str, ListedField] = field(default_factory=dict)
    is_waited_for: bool = True  # whether its figures are withheld while it is not up to date
    by_default: bool = False  # whether a force feeds it unless its settings say otherwise
    is_quick: bool = False  # whether its times are a matter of seconds: boards write them in seconds
    # Raised whenever the same events would give other states, facts or contributions: part of the stream's
    # fingerprint. What a kind adds has a version of its own, `Kind.version`.
    fold_version: int = 1
    # Tables that its words look things up in, by name: a short hash of each, part of the stream's fingerprint.
    reference: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def vocabulary(self) -> Mapping[str, Term]:
        """Every term of the stream."""
        return {**self.moments, **self.values, **self.states}

    def reader(self, term: str) -> Callable[[State], object]:
        """What reads a term, or a label that entities name themselves, from a state.

        Raises:
            KeyError: There is neither.
        """
        if term not in self.vocabulary and self.label is not None:
            return partial(self._read_label, term)
        return self.vocabulary[term].read

    def _read_label(self, name: str, state: State) -> object:
        return None if self.label is None else self.label(state, name)

    def pack(self, state: State) -> bytes:
        """A state as stored: a msgpack array of its fields."""
        packed: bytes = msgpack.packb(state)
        return packed

    def unpack(self, stored: bytes) -> State:
        """A state from what is stored."""
        return self.state(*msgpack.unpackb(stored, use_list=False))
