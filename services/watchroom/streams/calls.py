"""Telephony: calls, from being presented to their end.

Presented, queued, answered, abandoned: the earliest; ended: the latest; line and caller's token are those of the
earliest event that names one, every other field is the latest. A call both answered and abandoned counts as answered.
A transfer changes nothing yet.

A caller who accepts a call-back leaves the queue at that moment. What happens at that moment or later no longer ends
the wait: the answer of a call that is rung back is not an answer in time to answer.
"""

from __future__ import annotations

from operator import attrgetter
from typing import Final, Literal, NamedTuple, NotRequired

from watchroom.events.envelope import STRICT, Envelope, LooseText, Prose, Text
from watchroom.events.record import Event
from watchroom.events.slug import slug
from watchroom.events.tokens import Token
from watchroom.streams.contact_class import OUTGOING, HasClass, slug_said
from watchroom.streams.stamps import Stamp, earliest_ms, first, last, latest_ms, said
from watchroom.streams.stream import Board, ListedField, Stream, Word

# --------------------------------------------------------------------------------------------- events


class CallData(HasClass):
    """What is said about a call."""

    __pydantic_config__ = STRICT  # type: ignore[misc]  # pydantic's way to configure a TypedDict

    line: NotRequired[Text]
    """`999`, `101`; any other is counted as `other`."""
    queue: NotRequired[Text]
    """The queue, as the feed names it. No figure depends on it."""
    direction: NotRequired[Text]
    """`inbound` or `outbound`. An outbound call is in no measure but that of classes; it starts with
    `call.presented` too. Any other text counts as inbound.
    """
    cli_type: NotRequired[LooseText]
    """How the calling number was given: `landline`, `mobile`, `withheld`; any other is counted as `other`."""
    caller_token: NotRequired[Token]
    """A token for the calling number, never the number."""
    caller_org: NotRequired[LooseText]
    """Whose number it is: `hospital`, `care_home`, `school`, `partner`; any other is counted as `other`."""
    agent_token: NotRequired[Text]
    """A token for the agent, never a name."""
    reason: NotRequired[Prose]
    """Why, in the words of the producer. No figure depends on it."""


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


class CallCallbackOffered(Envelope):
    """A caller in the queue was offered to be rung back."""

    type: Literal["call.callback_offered"]
    data: NotRequired[CallData | None]


class CallCallbackAccepted(Envelope):
    """The caller took the offer and left the queue."""

    type: Literal["call.callback_accepted"]
    data: NotRequired[CallData | None]


class CallCallbackMade(Envelope):
    """The caller was rung back."""

    type: Literal["call.callback_made"]
    data: NotRequired[CallData | None]


MODELS: Final = (
    CallPresented, CallQueued, CallAnswered, CallAbandoned, CallTransferred, CallEnded, CallCallbackOffered,
    CallCallbackAccepted, CallCallbackMade,
)  # fmt: skip

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
    call_class: Stamp | None = None
    direction: Stamp | None = None
    cli_type: Stamp | None = None
    caller: Stamp | None = None
    caller_org: Stamp | None = None
    callback_accepted_ms: int | None = None
    callback_made_ms: int | None = None


SHORT_ABANDON_MS: Final = 5_000  # who hangs up sooner did not wait for an answer

DIRECTIONS: Final = ("inbound", "outbound")

LATEST: Final = {"class": "call_class", "direction": "direction", "cli_type": "cli_type", "caller_org": "caller_org"}
"""Field of an event -> that of the state; the latest event that names one counts."""
EARLIEST: Final = {
    "call.presented": "presented_ms",
    "call.queued": "queued_ms",
    "call.answered": "answered_ms",
    "call.abandoned": "abandoned_ms",
    "call.callback_accepted": "callback_accepted_ms",
    "call.callback_made": "callback_made_ms",
}
"""Type of an event -> the moment of the state; the earliest counts."""


def fold(state: Call | None, event: Event, arrival_ms: int) -> Call:
    """The state after one more event; the same whatever the order, and however often."""
    if state is None:
        state = Call(arrival_ms, event.time_ms)
    at, kind, data = event.time_ms, event.type, event.data
    changed: dict[str, object] = {
        "last_arrival_ms": latest_ms(state.last_arrival_ms, arrival_ms),
        "first_ms": earliest_ms(state.first_ms, at),
    }
    if line := data.get("line"):  # a text may be empty: then it names none
        changed["line"] = first(state.line, (at, event.id, line))
    if token := data.get("caller_token"):
        changed["caller"] = first(state.caller, (at, event.id, token))
    for name, held in LATEST.items():
        if text := data.get(name):
            changed[held] = last(getattr(state, held), (at, event.id, text))
    if moment := EARLIEST.get(kind):
        changed[moment] = earliest_ms(getattr(state, moment), at)
    elif kind == "call.ended":
        changed["ended_ms"] = latest_ms(state.ended_ms, at)
    return state._replace(**changed)  # type: ignore[arg-type]  # each value has its field's type


def is_orphan(call: Call) -> bool:
    """Neither presented nor queued has come yet."""
    return call.presented_ms is None and call.queued_ms is None


def is_out(_: Call) -> bool:
    """Nothing takes a call out of the figures."""
    return False


# ---------------------------------------------------------------------------------------------- words


def _offered(call: Call) -> int | None:
    return call.queued_ms if call.presented_ms is None else call.presented_ms


def _before_callback(call: Call, at_ms: int | None) -> int | None:
    """A moment, unless a call-back had been accepted by then."""
    accepted_ms = call.callback_accepted_ms
    return None if at_ms is None or (accepted_ms is not None and at_ms >= accepted_ms) else at_ms


def _answered_without_callback(call: Call) -> int | None:
    return _before_callback(call, call.answered_ms)


def _abandoned(call: Call) -> int | None:
    return None if _answered_without_callback(call) is not None else _before_callback(call, call.abandoned_ms)


def _left(call: Call) -> tuple[int, str] | None:
    """When and how a queued call left the queue; None: it never queued, or has not left."""
    if call.queued_ms is None:
        return None
    if (at_ms := _answered_without_callback(call)) is not None:
        return at_ms, "answered"
    if (at_ms := _before_callback(call, call.abandoned_ms)) is not None:
        return at_ms, "abandoned"
    return None if call.callback_accepted_ms is None else (call.callback_accepted_ms, "callback")


def _left_by(call: Call) -> str | None:
    left = _left(call)
    return None if left is None else left[1]


def _left_queue(call: Call) -> int | None:
    left = _left(call)
    return None if left is None else left[0]


def _is_short_abandon(call: Call) -> bool:
    left = _left(call)
    if left is None or left[1] != "abandoned" or call.queued_ms is None:
        return False
    return 0 <= left[0] - call.queued_ms < SHORT_ABANDON_MS


def _line(call: Call) -> str | None:
    return said(call.line)


def _is_outbound(call: Call) -> bool:
    return slug_said(call.direction) == "outbound"


def _is_direction(text: str) -> bool:
    return slug(text) in DIRECTIONS


def _class(call: Call) -> str | None:
    return slug_said(call.call_class) or (OUTGOING if _is_outbound(call) else None)


def _is_outgoing(call: Call) -> bool:
    return slug_said(call.call_class) == OUTGOING or _is_outbound(call)


def _cli_type(call: Call) -> str | None:
    return slug_said(call.cli_type)


def _caller(call: Call) -> str | None:
    return said(call.caller)


def _caller_org(call: Call) -> str | None:
    return slug_said(call.caller_org)


def _is_waiting(call: Call) -> bool:
    ends = (call.answered_ms, call.abandoned_ms, call.callback_accepted_ms, call.ended_ms)
    return ends == (None, None, None, None)


def _is_in_progress(call: Call) -> bool:
    return call.ended_ms is None


def _is_callback_due(call: Call) -> bool:
    return call.callback_accepted_ms is not None and call.callback_made_ms is None


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
        "answered_without_callback": Word(
            "the earliest call.answered, unless a call-back had been accepted by then", _answered_without_callback
        ),
        "abandoned": Word(
            "the earliest call.abandoned of a call that nobody answered, unless a call-back had been accepted by then",
            _abandoned,
        ),
        "left_queue": Word(
            "answered, abandoned or a call-back accepted, whichever ended a queued call's wait", _left_queue
        ),
        "callback_accepted": Word("the earliest call.callback_accepted", attrgetter("callback_accepted_ms")),
        "ended": Word("the latest call.ended", attrgetter("ended_ms")),
    },
    values={
        "line": Word("the line of the earliest event that names one", _line),
        "left_by": Word(
            "answered, abandoned or callback: how a queued call left the queue",
            _left_by,
            can_be=("answered", "abandoned", "callback"),
        ),
        "short_abandon": Word(
            "true if the call was abandoned after less than 5 s in the queue", _is_short_abandon, can_be=(True, False)
        ),
        "call_class": Word("the latest class; outgoing for an outbound call without one", _class, field="class"),
        "outgoing": Word(
            "true if the latest class is outgoing or the latest direction outbound", _is_outgoing, can_be=(True, False)
        ),
        "cli_type": Word("the latest type of the calling number", _cli_type),
        "caller": Word("the caller's token, of the earliest event that has one", _caller),
        "caller_org": Word("the latest organisation that the calling number belongs to", _caller_org),
    },
    states={
        "waiting": Word("queued, and not yet answered, abandoned, ended or to be rung back", _is_waiting),
        "in_progress": Word("answered and not ended", _is_in_progress),
        "callback_due": Word(
            "a call-back was accepted and not made; the end of the call changes nothing", _is_callback_due
        ),
    },
    listed_fields={
        "direction": ListedField(_is_direction, "inbound", "map them to inbound or outbound"),
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
    fold_version=2,
)
