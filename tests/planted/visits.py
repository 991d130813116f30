"""A made-up stream, planted by tests: visits at a station's front counter, from arriving to leaving.

Arrived and seen are the earliest, left is the latest; the area is that of the earliest event that names one.
"""

from __future__ import annotations

from operator import attrgetter
from typing import Final, Literal, NamedTuple, NotRequired

from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from watchroom.events.envelope import STRICT, Envelope, RequiredText, Text
from watchroom.events.record import Event
from watchroom.streams.stamps import Stamp, earliest_ms, first, latest_ms
from watchroom.streams.stream import Board, Stream, Word


class VisitData(TypedDict):
    """What is said about a visit."""

    __pydantic_config__ = STRICT  # type: ignore[misc]  # pydantic's way to configure a TypedDict

    area: NotRequired[Text]
    """The station's area; any that is not listed is counted as `other`."""


class SeenData(VisitData):
    """Who saw the visitor."""

    counter: RequiredText
    """The counter's number as text."""


class VisitArrived(Envelope):
    """Somebody took a number at the front counter."""

    type: Literal["visit.arrived"]
    data: NotRequired[VisitData | None]


class VisitSeen(Envelope):
    """A visitor was called to a counter."""

    type: Literal["visit.seen"]
    data: SeenData


class VisitLeft(Envelope):
    """A visitor left, served or not."""

    type: Literal["visit.left"]
    data: NotRequired[VisitData | None]


class Visit(NamedTuple):
    """What is known about one visit; times in ms since the epoch."""

    last_arrival_ms: int
    first_ms: int
    area: Stamp | None = None
    arrived_ms: int | None = None
    seen_ms: int | None = None
    left_ms: int | None = None


def fold(state: Visit | None, event: Event, arrival_ms: int) -> Visit:
    """The state after one more event; the same whatever the order, and however often."""
    if state is None:
        state = Visit(arrival_ms, event.time_ms)
    at, kind = event.time_ms, event.type
    area = event.data.get("area")
    return Visit(
        latest_ms(state.last_arrival_ms, arrival_ms),
        earliest_ms(state.first_ms, at),
        first(state.area, (at, event.id, area)) if area else state.area,
        earliest_ms(state.arrived_ms, at) if kind == "visit.arrived" else state.arrived_ms,
        earliest_ms(state.seen_ms, at) if kind == "visit.seen" else state.seen_ms,
        latest_ms(state.left_ms, at) if kind == "visit.left" else state.left_ms,
    )


def is_orphan(visit: Visit) -> bool:
    """`visit.arrived` has not come yet."""
    return visit.arrived_ms is None


def is_out(_: Visit) -> bool:
    """Nothing takes a visit out of the figures."""
    return False


def _area(visit: Visit) -> str | None:
    return None if visit.area is None else visit.area[2]


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
    models=(VisitArrived, VisitSeen, VisitLeft),
    state=Visit,
    fold=fold,
    is_orphan=is_orphan,
    is_out=is_out,
    moments={
        "arrived": Word("the earliest visit.arrived", attrgetter("arrived_ms")),
        "seen": Word("the earliest visit.seen", attrgetter("seen_ms")),
        "wait_over": Word("seen, or left by who was never seen", _over),
    },
    values={
        "area": Word("the area of the earliest event that names one", _area),
        "ended_as": Word("seen or gave_up: how a wait ended", _ended_as, can_be=("seen", "gave_up")),
    },
    states={"waiting": Word("arrived, neither seen nor left", _is_waiting)},
    lateness_days=2,
    keeping_days=10,
    board=Board("counter", "Front counter", "Who waits at the front counter, and for how long.", "24h", now_first=True),
)
