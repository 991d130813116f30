"""Digital contact: messages and visits to the control room that are not telephone calls.

Received and first replied to: the earliest; closed: the latest. Channel and class are those of the latest event that
names one.
"""

from __future__ import annotations

from operator import attrgetter
from typing import Final, Literal, NamedTuple, NotRequired

from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from watchroom.events.envelope import STRICT, Envelope, Prose, RequiredText
from watchroom.events.record import Event
from watchroom.streams.contact_class import OUTGOING, HasClass, slug_said
from watchroom.streams.stamps import Stamp, earliest_ms, last, latest_ms, said
from watchroom.streams.stream import Board, Stream, Word

# --------------------------------------------------------------------------------------------- events


class ReceivedData(HasClass):
    """How a contact came in, and of which class it is."""

    __pydantic_config__ = STRICT  # type: ignore[misc]  # pydantic's way to configure a TypedDict

    channel: RequiredText
    """`single_online_home`, `live_chat`, `facebook`, `twitter`, `email`, `front_counter`, `partner_agency`; any
    other is counted as `other`.
    """


class ContactData(TypedDict):
    """What may be said of a contact later."""

    __pydantic_config__ = STRICT  # type: ignore[misc]  # pydantic's way to configure a TypedDict

    reason: NotRequired[Prose]
    """Why, in the words of the producer. No figure depends on it."""


class ContactReceived(Envelope):
    """A contact came in; an outgoing one was begun by the force."""

    type: Literal["contact.received"]
    data: ReceivedData


class ContactFirstReply(Envelope):
    """A person replied for the first time (not an automatic message)."""

    type: Literal["contact.first_reply"]
    data: NotRequired[ContactData | None]


class ContactClosed(Envelope):
    """Nothing more is to be done about a contact."""

    type: Literal["contact.closed"]
    data: NotRequired[ContactData | None]


MODELS: Final = (ContactReceived, ContactFirstReply, ContactClosed)

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


def fold(state: Contact | None, event: Event, arrival_ms: int) -> Contact:
    """The state after one more event; the same whatever the order, and however often."""
    if state is None:
        state = Contact(arrival_ms, event.time_ms)
    at, kind, data = event.time_ms, event.type, event.data
    changed: dict[str, object] = {
        "last_arrival_ms": latest_ms(state.last_arrival_ms, arrival_ms),
        "first_ms": earliest_ms(state.first_ms, at),
    }
    if kind == "contact.received":
        changed["received_ms"] = earliest_ms(state.received_ms, at)
        changed["channel"] = last(state.channel, (at, event.id, data["channel"]))
        if text := data.get("class"):  # a text may be empty: then it names none
            changed["contact_class"] = last(state.contact_class, (at, event.id, text))
    elif kind == "contact.first_reply":
        changed["first_reply_ms"] = earliest_ms(state.first_reply_ms, at)
    elif kind == "contact.closed":
        changed["closed_ms"] = latest_ms(state.closed_ms, at)
    return state._replace(**changed)  # type: ignore[arg-type]  # each value has its field's type


def is_orphan(contact: Contact) -> bool:
    """`contact.received` has not come yet."""
    return contact.received_ms is None


def is_out(_: Contact) -> bool:
    """Nothing takes a contact out of the figures."""
    return False


# ---------------------------------------------------------------------------------------------- words


def _channel(contact: Contact) -> str | None:
    return said(contact.channel)


def _class(contact: Contact) -> str | None:
    return slug_said(contact.contact_class)


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
    is_out=is_out,
    moments={
        "received": Word("the earliest contact.received", attrgetter("received_ms")),
        "first_reply": Word("the earliest contact.first_reply: a person replied", attrgetter("first_reply_ms")),
        "closed": Word("the latest contact.closed", attrgetter("closed_ms")),
    },
    values={
        "channel": Word("the latest channel", _channel),
        "contact_class": Word("the latest class", _class, field="class"),
        "outgoing": Word("true if the latest class is outgoing", _is_outgoing, can_be=(True, False)),
    },
    states={"waiting": Word("received, and neither replied to nor closed", _is_waiting)},
    lateness_days=7,
    keeping_days=100,
    board=Board(
        "contacts",
        "Contacts",
        "Who waits for a first reply now, how long replies take, and volumes by channel and class, telephone included.",
        "24h",
        now_first=True,
    ),
)
