"""Telephony: calls, from being presented to their end.

Presented, queued, answered and abandoned are the earliest of their events, ended is the latest. Line and caller's token
are those of the earliest event that has one, every other field is the latest. A call that was both answered and
abandoned counts as answered. A transfer changes nothing yet.

A caller who accepts a call-back leaves the queue at that moment. Nothing at or after that moment ends the wait: the
answer to a call-back is not part of the time to answer.
"""

from __future__ import annotations

from operator import attrgetter
from typing import Final, NamedTuple, NotRequired

from watchroom.events.envelope import Data, LooseText, Prose, Text, event
from watchroom.events.record import Event
from watchroom.events.slug import slug
from watchroom.events.tokens import Token
from watchroom.streams.contact_class import OUTGOING, HasClass, slug_or_none
from watchroom.streams.stamps import Facts, Stamp, said_in
from watchroom.streams.stream import Board, ListedField, Stream, Term, truth

# --------------------------------------------------------------------------------------------- events


class CallData(HasClass, Data):
    """Details of a call."""

    line: NotRequired[Text]
    """`999` or `101`; any other value is counted as `other`."""
    queue: NotRequired[Text]
    """The name of the queue in the feed. No figure depends on it."""
    direction: NotRequired[Text]
    """`inbound` or `outbound`. Only the measure of calls by class includes outbound calls; their first
    event is `call.presented`. Any other text counts as inbound.
    """
    cli_type: NotRequired[LooseText]
    """The type of the calling number: `landline`, `mobile`, `withheld`; any other value is counted as `other`."""
    caller_token: NotRequired[Token]
    """A token for the calling number, never the number itself."""
    caller_org: NotRequired[LooseText]
    """The organisation that the number belongs to: `hospital`, `care_home`, `school`, `partner`; any other
    value is counted as `other`.
    """
    agent_token: NotRequired[Text]
    """A token for the agent, never a name."""
    reason: NotRequired[Prose]
    """The reason, in the producer's own words. No figure depends on it."""


MODELS: Final = (
    event("call.presented", CallData, "The national operator handed over a call to the force."),
    event("call.queued", CallData, "A call joined the control room's own queue."),
    event("call.answered", CallData, "A person answered (not a menu, not a recording)."),
    event("call.abandoned", CallData, "The caller left before anybody answered."),
    event("call.transferred", CallData, "A call was passed to another queue or person."),
    event("call.ended", CallData, "A call ended."),
    event("call.callback_offered", CallData, "A caller in the queue was offered a call-back."),
    event("call.callback_accepted", CallData, "The caller took the offer and left the queue."),
    event("call.callback_made", CallData, "The caller was called back."),
)

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


SHORT_ABANDON_MS: Final = 5_000  # a caller who hangs up sooner did not wait for an answer

DIRECTIONS: Final = ("inbound", "outbound")

FACTS: Final = Facts(
    earliest={
        "call.presented": "presented_ms",
        "call.queued": "queued_ms",
        "call.answered": "answered_ms",
        "call.abandoned": "abandoned_ms",
        "call.callback_accepted": "callback_accepted_ms",
        "call.callback_made": "callback_made_ms",
    },
    latest={"call.ended": "ended_ms"},
    said_first={"line": "line", "caller_token": "caller"},
    said_last={"class": "call_class", "direction": "direction", "cli_type": "cli_type", "caller_org": "caller_org"},
)


def fold(state: Call | None, event: Event, arrival_ms: int) -> Call:
    """The state after one more event; the same whatever the order, and however often."""
    state = state or Call(arrival_ms, event.time_ms)
    return state._replace(**FACTS.changed(state, event, arrival_ms))


def is_orphan(call: Call) -> bool:
    """Neither `call.presented` nor `call.queued` has arrived yet."""
    return call.presented_ms is None and call.queued_ms is None


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
    """When and how a queued call left the queue; None if it never queued or has not left."""
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


_direction = said_in("direction", slug_or_none)
_class_stated = said_in("call_class", slug_or_none)


def _is_outbound(call: Call) -> bool:
    return _direction(call) == "outbound"


def _is_direction(text: str) -> bool:
    return slug(text) in DIRECTIONS


def _class(call: Call) -> str | None:
    return _class_stated(call) or (OUTGOING if _is_outbound(call) else None)


def _is_outgoing(call: Call) -> bool:
    return _class_stated(call) == OUTGOING or _is_outbound(call)


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
    moments={
        "offered": Term("when it was presented, or queued if only that is known", _offered),
        "presented": Term(
            "the earliest call.presented: handed over by the national operator", attrgetter("presented_ms")
        ),
        "queued": Term("the earliest call.queued: joined the control room's own queue", attrgetter("queued_ms")),
        "answered": Term("the earliest call.answered: a person took it", attrgetter("answered_ms")),
        "answered_without_callback": Term(
            "the earliest call.answered, unless a call-back had been accepted by then", _answered_without_callback
        ),
        "abandoned": Term(
            "the earliest call.abandoned of a call that nobody answered, unless a call-back had been accepted by then",
            _abandoned,
        ),
        "left_queue": Term(
            "the answer, the abandonment or the accepted call-back that ended the wait of a queued call", _left_queue
        ),
        "callback_accepted": Term("the earliest call.callback_accepted", attrgetter("callback_accepted_ms")),
        "ended": Term("the latest call.ended", attrgetter("ended_ms")),
    },
    values={
        "line": Term("the line of the earliest event that names one", said_in("line")),
        "left_by": Term(
            "answered, abandoned or callback: how a queued call left the queue",
            _left_by,
            can_be=("answered", "abandoned", "callback"),
        ),
        "short_abandon": truth("true if the call was abandoned after less than 5 s in the queue", _is_short_abandon),
        "call_class": Term("the latest class; `outgoing` for an outbound call without a class", _class, field="class"),
        "outgoing": truth("true if the latest class is outgoing or the latest direction is outbound", _is_outgoing),
        "cli_type": Term("the latest type of the calling number", said_in("cli_type", slug_or_none)),
        "caller": Term("the caller's token, from the earliest event that has one", said_in("caller")),
        "caller_org": Term(
            "the latest organisation that the calling number belongs to", said_in("caller_org", slug_or_none)
        ),
    },
    states={
        "waiting": Term("queued, and not yet answered, abandoned, ended or waiting for a call-back", _is_waiting),
        "in_progress": Term("answered and not ended", _is_in_progress),
        "callback_due": Term(
            "a call-back was accepted and has not been made yet, whether or not the call has ended", _is_callback_due
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
        "Volumes compared with the same local hour of the last 6 weeks, answer times on both clocks, and abandonment.",
        "24h",
    ),
    by_default=True,
    is_quick=True,
    fold_version=2,
)
