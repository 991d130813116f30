"""Digital contact: messages and visits to the control room that are not telephone calls.

Received and first reply are the earliest of their events, closed is the latest. Channel and class are those of the
latest event that has one.
"""

from __future__ import annotations

from operator import attrgetter
from typing import Final, NamedTuple

from watchroom.events.envelope import Data, ReasonData, RequiredText, event
from watchroom.events.record import Event
from watchroom.streams.contact_class import OUTGOING, HasClass, slug_or_none
from watchroom.streams.stamps import Facts, Stamp, said_in
from watchroom.streams.stream import Board, Stream, Term, truth

# --------------------------------------------------------------------------------------------- events


class ReceivedData(HasClass, Data):
    """How a contact came in, and its class."""

    channel: RequiredText
    """`single_online_home`, `live_chat`, `facebook`, `twitter`, `email`, `front_counter`, `partner_agency`; any
    other value is counted as `other`.
    """


MODELS: Final = (
    event(
        "contact.received",
        ReceivedData,
        "A contact came in, or the force started an outgoing contact.",
        needs_data=True,
    ),
    event("contact.first_reply", ReasonData, "A person replied for the first time (not an automatic message)."),
    event("contact.closed", ReasonData, "A contact needs no further action."),
)

# ---------------------------------------------------------------------------------------------- state


class Contact(NamedTuple):
    """What is known about one contact; times in ms since the epoch."""

    last_arrival_ms: int
    first_ms: int
    received_ms: int | None = None
    channel: Stamp | None = None
    contact_class: Stamp | None = None
    first_reply_ms: int | None = None
    closed_ms: int | None = None


FACTS: Final = Facts(
    earliest={"contact.received": "received_ms", "contact.first_reply": "first_reply_ms"},
    latest={"contact.closed": "closed_ms"},
    said_last={"channel": "channel", "class": "contact_class"},
)


def fold(state: Contact | None, event: Event, arrival_ms: int) -> Contact:
    """The state after one more event; the same whatever the order, and however often."""
    state = state or Contact(arrival_ms, event.time_ms)
    return state._replace(**FACTS.changed(state, event, arrival_ms))


def is_orphan(contact: Contact) -> bool:
    """`contact.received` has not arrived yet."""
    return contact.received_ms is None


# ---------------------------------------------------------------------------------------------- words


_class = said_in("contact_class", slug_or_none)


def _is_outgoing(contact: Contact) -> bool:
    return _class(contact) == OUTGOING


def _is_waiting(contact: Contact) -> bool:
    return contact.first_reply_ms is None and contact.closed_ms is None


STREAM: Final = Stream(
    name="contacts",
    entity="contact",
    models=MODELS,
    state=Contact,
    fold=fold,
    is_orphan=is_orphan,
    moments={
        "received": Term("the earliest contact.received", attrgetter("received_ms")),
        "first_reply": Term("the earliest contact.first_reply: a person replied", attrgetter("first_reply_ms")),
        "closed": Term("the latest contact.closed", attrgetter("closed_ms")),
    },
    values={
        "channel": Term("the latest channel", said_in("channel")),
        "contact_class": Term("the latest class", _class, field="class"),
        "outgoing": truth("true if the latest class is outgoing", _is_outgoing),
    },
    states={"waiting": Term("received, and neither replied to nor closed", _is_waiting)},
    lateness_days=7,
    keeping_days=100,
    board=Board(
        "contacts",
        "Contacts",
        "Who is waiting for a first reply, how long replies take, and volumes by channel and class, including calls.",
        "24h",
        now_first=True,
    ),
)
