"""A call: what is known about it, and how an event adds to that.

Presented, queued, answered, abandoned: the earliest; ended: the latest; the line is that of the
earliest event that names one. A call both answered and abandoned counts as answered. A transfer
changes nothing yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from watchroom.events.record import Event
from watchroom.fold.stamps import Stamp, earliest_ms, first, latest_ms


class Call(NamedTuple):
    """What is known about one call; times in ms since the epoch."""

    last_arrival_ms: int
    first_ms: int
    line: Stamp | None = None
    presented_ms: int | None = None
    queued_ms: int | None = None
    answered_ms: int | None = None
    abandoned_ms: int | None = None
    ended_ms: int | None = None


def fold(state: Call | None, event: Event, arrival_ms: int) -> Call:
    """The state after one more event; the same whatever the order, and however often."""
    if state is None:
        state = Call(arrival_ms, event.time_ms)
    line = event.data.get("line")  # a text may be empty: then it names none
    known = first(state.line, (event.time_ms, event.id, line)) if line else state.line
    presented, queued, answered, abandoned, ended = state[3:]
    kind, at = event.type, event.time_ms
    if kind == "call.presented":
        presented = earliest_ms(presented, at)
    elif kind == "call.queued":
        queued = earliest_ms(queued, at)
    elif kind == "call.answered":
        answered = earliest_ms(answered, at)
    elif kind == "call.abandoned":
        abandoned = earliest_ms(abandoned, at)
    elif kind == "call.ended":
        ended = latest_ms(ended, at)
    return Call(
        latest_ms(state.last_arrival_ms, arrival_ms),
        earliest_ms(state.first_ms, at),
        known,
        presented,
        queued,
        answered,
        abandoned,
        ended,
    )


def is_orphan(call: Call) -> bool:
    """Neither presented nor queued has come yet."""
    return call.presented_ms is None and call.queued_ms is None


def is_out(_: Call) -> bool:
    """Nothing takes a call out of the figures."""
    return False


def facts(call: Call) -> Mapping[str, object]:
    """Every word of the stream's vocabulary for this call."""
    _, _, line, presented, queued, answered, abandoned, ended = call
    left_by = None
    if answered is not None:
        abandoned = None
    if queued is not None:
        left_by = "answered" if answered is not None else "abandoned" if abandoned is not None else None
    return {
        "offered": queued if presented is None else presented,
        "presented": presented,
        "queued": queued,
        "answered": answered,
        "abandoned": abandoned,
        "left_queue": None if left_by is None else abandoned if answered is None else answered,
        "ended": ended,
        "line": None if line is None else line[2],
        "left_by": left_by,
        "waiting": answered is None and abandoned is None and ended is None,
        "in_progress": ended is None,
    }
