"""Telephony: calls, from being presented to their end.

Presented, queued, answered, abandoned: the earliest; ended: the latest; the line is that of the
earliest event that names one. A call both answered and abandoned counts as answered. A transfer
changes nothing yet.
"""

from __future__ import annotations

from operator import attrgetter
from typing import Final, Literal, NamedTuple, NotRequired

from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from watchroom.events.envelope import STRICT, Envelope, LooseText, Prose, Text
from watchroom.events.record import Event
from watchroom.events.tokens import Token
from watchroom.streams.stamps import Stamp, earliest_ms, first, latest_ms, said
from watchroom.streams.stream import Board, Stream, Word

# --------------------------------------------------------------------------------------------- events


class CallData(TypedDict):
    """What is said about a call."""

    __pydantic_config__ = STRICT  # type: ignore[misc]  # pydantic's way to configure a TypedDict

    line: NotRequired[Text]
    """`999`, `101`; any other is counted as `other`."""
    queue: NotRequired[Text]
    direction: NotRequired[Text]
    cli_type: NotRequired[LooseText]
    """How the calling number was given: `landline`, `mobile`, `withheld`; any other is counted as `other`."""
    caller_token: NotRequired[Token]
    """A token for the calling number, never the number."""
    agent_token: NotRequired[Text]
    """A token for the agent, never a name."""
    reason: NotRequired[Prose]


class CallPresented(Envelope):
    """The national operator handed a call over to the force."""

    type: Literal["call.presented"]
    data: NotRequired[CallData | None]


class CallQueued(Envelope):
    """A call joined the control room's own queue."""

    type: Literal["call.queued"]
    data: NotRequired[CallData | None]


class CallAnswered(Envelope):
    """A person answered (not a menu, not a recording)."""

    type: Literal["call.answered"]
    data: NotRequired[CallData | None]


class CallAbandoned(Envelope):
    """The caller left before anybody answered."""

    type: Literal["call.abandoned"]
    data: NotRequired[CallData | None]


class CallTransferred(Envelope):
    """A call was passed to another queue or person."""

    type: Literal["call.transferred"]
    data: NotRequired[CallData | None]


class CallEnded(Envelope):
    """A call is over."""

    type: Literal["call.ended"]
    data: NotRequired[CallData | None]


MODELS: Final = (CallPresented, CallQueued, CallAnswered, CallAbandoned, CallTransferred, CallEnded)

# ---------------------------------------------------------------------------------------------- state


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


# ---------------------------------------------------------------------------------------------- words


def _offered(call: Call) -> int | None:
    return call.queued_ms if call.presented_ms is None else call.presented_ms


def _abandoned(call: Call) -> int | None:
    return call.abandoned_ms if call.answered_ms is None else None


def _left_by(call: Call) -> str | None:
    if call.queued_ms is None:
        return None
    if call.answered_ms is not None:
        return "answered"
    return None if call.abandoned_ms is None else "abandoned"


def _left_queue(call: Call) -> int | None:
    if call.queued_ms is None:
        return None
    return call.abandoned_ms if call.answered_ms is None else call.answered_ms


def _line(call: Call) -> str | None:
    return said(call.line)


def _is_waiting(call: Call) -> bool:
    return call.answered_ms is None and call.abandoned_ms is None and call.ended_ms is None


def _is_in_progress(call: Call) -> bool:
    return call.ended_ms is None


STREAM: Final = Stream(
    name="calls",
    entity="call",
    models=MODELS,
    state=Call,
    fold=fold,
    is_orphan=is_orphan,
    is_out=is_out,
    moments={
        "offered": Word("presented, or queued if that is all that is known", _offered),
        "presented": Word(
            "the earliest call.presented: handed over by the national operator", attrgetter("presented_ms")
        ),
        "queued": Word("the earliest call.queued: joined the control room's own queue", attrgetter("queued_ms")),
        "answered": Word("the earliest call.answered: a person took it", attrgetter("answered_ms")),
        "abandoned": Word("the earliest call.abandoned of a call that nobody answered", _abandoned),
        "left_queue": Word("answered or abandoned, whichever ended a queued call's wait", _left_queue),
        "ended": Word("the latest call.ended", attrgetter("ended_ms")),
    },
    values={
        "line": Word("the line of the earliest event that names one", _line),
        "left_by": Word(
            "answered or abandoned: how a queued call left the queue", _left_by, can_be=("answered", "abandoned")
        ),
    },
    states={
        "waiting": Word("queued, and not yet answered, abandoned or ended", _is_waiting),
        "in_progress": Word("answered and not ended", _is_in_progress),
    },
    lateness_days=1,
    keeping_days=3,
    board=Board(
        "demand",
        "Demand",
        "Volumes against the same local hour of the last 6 weeks, answer times on both clocks, abandonment.",
        "24h",
    ),
    by_default=True,
    is_quick=True,
)
