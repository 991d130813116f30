"""Facts that are the same whatever the order of events.

A *stamp* is `(time, event id, value)`. The earliest is the smallest and the latest the largest: ties in time are broken
by event id, and one id with two contents by the contents, so the order of arrival never matters.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, TypeVar

from watchroom.events.record import Event
from watchroom.streams.stream import State

Stamp = tuple[int, str, str]
Any_ = TypeVar("Any_", bound=tuple[object, ...])


def earliest_ms(known: int | None, at_ms: int) -> int:
    """The earlier of two moments."""
    return at_ms if known is None or at_ms < known else known


def latest_ms(known: int | None, at_ms: int) -> int:
    """The later of two moments."""
    return at_ms if known is None or at_ms > known else known


def first(known: Any_ | None, stamp: Any_) -> Any_:
    """The earlier of two stamps."""
    return stamp if known is None or stamp < known else known


def last(known: Any_ | None, stamp: Any_) -> Any_:
    """The later of two stamps."""
    return stamp if known is None or stamp > known else known


def said_in(name: str, form: Callable[[str], str | None] = str) -> Callable[[State], str | None]:
    """Reads the text of the stamp in one field of a state, in this form; None without one."""
    read = attrgetter(name)

    def text(state: State) -> str | None:
        stamp = read(state)
        return None if stamp is None else form(stamp[2])

    return text


def with_member(known: tuple[Stamp, ...], stamp: Stamp) -> tuple[Stamp, ...]:
    """Add a stamp to a set that is kept as a sorted tuple: a few comparisons and one copy."""
    at = bisect_left(known, stamp)
    return known if known[at : at + 1] == (stamp,) else (*known[:at], stamp, *known[at:])


def with_last(known: tuple[Any_, ...], said_now: Any_) -> tuple[Any_, ...]:
    """The latest statement about each unit, person and so on, which its first item names; sorted."""
    of_each = {each[0]: each for each in known}
    of_each[said_now[0]] = last(of_each.get(said_now[0]), said_now)
    return tuple(sorted(of_each.values()))


@dataclass(frozen=True, slots=True)
class Facts:
    """The fields of a state that follow from single events, whatever the order: moments and texts.

    A text may be empty; then it says nothing.
    """

    earliest: Mapping[str, str]  # type of an event -> the moment of the state that is its earliest time
    latest: Mapping[str, str] = field(default_factory=dict)
    said_first: Mapping[str, str] = field(default_factory=dict)  # field of `data` -> stamp of the earliest event
    said_last: Mapping[str, str] = field(default_factory=dict)

    def changed(self, state: State, event: Event, arrival_ms: int) -> dict[str, Any]:
        """What one more event makes of these fields of a state, and of the two that every state begins with."""
        at, kind, data = event.time_ms, event.type, event.data
        changed: dict[str, Any] = {
            "last_arrival_ms": latest_ms(state.last_arrival_ms, arrival_ms),
            "first_ms": earliest_ms(state.first_ms, at),
        }
        if data:
            for name, held in self.said_first.items():
                if text := data.get(name):
                    changed[held] = first(getattr(state, held), (at, event.id, text))
            for name, held in self.said_last.items():
                if text := data.get(name):
                    changed[held] = last(getattr(state, held), (at, event.id, text))
        if held_ms := self.earliest.get(kind):
            changed[held_ms] = earliest_ms(getattr(state, held_ms), at)
        elif held_ms := self.latest.get(kind):
            changed[held_ms] = latest_ms(getattr(state, held_ms), at)
        return changed
