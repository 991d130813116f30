"""A made-up stream, planted by tests: visits at a station's front counter, from arriving to leaving.

Arrived and seen are the earliest, left is the latest; the area is that of the earliest event that names one.
"""

from __future__ import annotations

from operator import attrgetter
from typing import Final, NamedTuple, NotRequired

from watchroom.events.envelope import Data, RequiredText, Text, event
from watchroom.events.record import Event
from watchroom.streams.stamps import Facts, Stamp, said_in
from watchroom.streams.stream import Board, Stream, Term


class VisitData(Data):
    """What is said about a visit."""

    area: NotRequired[Text]
    """The station's area; any that is not listed is counted as `other`."""


class SeenData(VisitData):
    """Who saw the visitor."""

    counter: RequiredText
    """The counter's number as text."""


MODELS: Final = (
    event("visit.arrived", VisitData, "Somebody took a number at the front counter."),
    event("visit.seen", SeenData, "A visitor was called to a counter.", needs_data=True),
    event("visit.left", VisitData, "A visitor left, served or not."),
)


class Visit(NamedTuple):
    """What is known about one visit; times in ms since the epoch."""

    last_arrival_ms: int
    first_ms: int
    area: Stamp | None = None
    arrived_ms: int | None = None
    seen_ms: int | None = None
    left_ms: int | None = None


FACTS: Final = Facts(
    earliest={"visit.arrived": "arrived_ms", "visit.seen": "seen_ms"},
    latest={"visit.left": "left_ms"},
    said_first={"area": "area"},
)


def fold(state: Visit | None, event: Event, arrival_ms: int) -> Visit:
    """The state after one more event; the same whatever the order, and however often."""
    state = state or Visit(arrival_ms, event.time_ms)
    return state._replace(**FACTS.changed(state, event, arrival_ms))


def is_orphan(visit: Visit) -> bool:
    """`visit.arrived` has not come yet."""
    return visit.arrived_ms is None


def _over(visit: Visit) -> int | None:
    return visit.left_ms if visit.seen_ms is None else visit.seen_ms


def _ended_as(visit: Visit) -> str | None:
    if visit.seen_ms is not None:
        return "seen"
    return None if visit.left_ms is None else "gave_up"


def _is_waiting(visit: Visit) -> bool:
    return visit.seen_ms is None and visit.left_ms is None


STREAM: Final = Stream(
    name="visits",
    entity="visit",
    models=MODELS,
    state=Visit,
    fold=fold,
    is_orphan=is_orphan,
    moments={
        "arrived": Term("the earliest visit.arrived", attrgetter("arrived_ms")),
        "seen": Term("the earliest visit.seen", attrgetter("seen_ms")),
        "wait_over": Term("seen, or left by who was never seen", _over),
    },
    values={
        "area": Term("the area of the earliest event that names one", said_in("area")),
        "ended_as": Term("seen or gave_up: how a wait ended", _ended_as, can_be=("seen", "gave_up")),
    },
    states={"waiting": Term("arrived, neither seen nor left", _is_waiting)},
    lateness_days=2,
    keeping_days=10,
    board=Board("counter", "Front counter", "Who waits at the front counter, and for how long.", "24h", now_first=True),
)
