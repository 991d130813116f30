"""Crime recording: a crime's latest class at the moment it was recorded, and its latest outcome.

A cancelled crime is out of everything.
"""

from __future__ import annotations

from operator import attrgetter
from typing import Annotated, Final, Literal, NamedTuple, NotRequired

from pydantic import AfterValidator, Field
from pydantic.config import JsonDict
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from watchroom.events.envelope import STRICT, Envelope, Prose, RequiredText, Text
from watchroom.events.record import Event
from watchroom.streams.stamps import Stamp, earliest_ms, last, latest_ms, said
from watchroom.streams.stream import Board, Stream, Word

# --------------------------------------------------------------------------------------------- events


class CrimeClass(TypedDict):
    """How a crime is classed."""

    __pydantic_config__ = STRICT  # type: ignore[misc]  # pydantic's way to configure a TypedDict

    offence_code: NotRequired[Text]
    """Home Office offence code. Nothing is counted by it yet: state the group and the category as well."""
    group: NotRequired[Text]
    """Home Office offence group, by name."""
    category: NotRequired[Text]
    """police.uk category."""
    area: NotRequired[Text]
    """One of the force's areas; any other is counted as `other`."""
    reason: NotRequired[Prose]


class CancelledData(TypedDict):
    """Why a crime was cancelled."""

    __pydantic_config__ = STRICT  # type: ignore[misc]  # pydantic's way to configure a TypedDict

    reason: NotRequired[Prose]


class OutcomeData(TypedDict):
    """The outcome of a crime."""

    __pydantic_config__ = STRICT  # type: ignore[misc]  # pydantic's way to configure a TypedDict

    outcome: RequiredText
    """Home Office outcome code as text: `1`, `1A`, ... `22`."""


CLASS_WORDS: Final = ("offence_code", "group", "category")


def names_a_class(data: CrimeClass) -> CrimeClass:
    """A new class must say at least one of its three words."""
    if not any(data.get(word) for word in CLASS_WORDS):
        raise ValueError("names no class; write at least one of offence_code, group and category")
    return data


def _says(word: str) -> JsonDict:
    """JSON Schema for: this word is there and not empty."""
    return {"required": [word], "properties": {word: {"type": "string", "minLength": 1}}}


class CrimeRecorded(Envelope):
    """A crime was recorded."""

    type: Literal["crime.recorded"]
    data: NotRequired[CrimeClass | None]


class CrimeReclassified(Envelope):
    """A crime was given another class."""

    type: Literal["crime.reclassified"]
    data: Annotated[
        CrimeClass,
        AfterValidator(names_a_class),
        Field(json_schema_extra={"anyOf": [_says(word) for word in CLASS_WORDS]}),
    ]


class CrimeCancelled(Envelope):
    """A recorded crime turned out to be none."""

    type: Literal["crime.cancelled"]
    data: NotRequired[CancelledData | None]


class CrimeOutcomeAssigned(Envelope):
    """A crime was given an outcome, for the first time or again."""

    type: Literal["crime.outcome_assigned"]
    data: OutcomeData


MODELS: Final = (CrimeRecorded, CrimeReclassified, CrimeCancelled, CrimeOutcomeAssigned)

# ---------------------------------------------------------------------------------------------- state

# time, event id, offence code, Home Office group, police.uk category ("" where not stated)
Offence = tuple[int, str, str, str, str]


class Crime(NamedTuple):
    """What is known about one crime; times in ms since the epoch."""

    last_arrival_ms: int
    first_ms: int
    recorded_ms: int | None = None
    offence: Offence | None = None
    area: Stamp | None = None
    outcome: Stamp | None = None
    cancelled: bool = False


def fold(state: Crime | None, event: Event, arrival_ms: int) -> Crime:
    """The state after one more event; the same whatever the order, and however often."""
    if state is None:
        state = Crime(arrival_ms, event.time_ms)
    at, kind, data = event.time_ms, event.type, event.data
    changed: dict[str, object] = {
        "last_arrival_ms": latest_ms(state.last_arrival_ms, arrival_ms),
        "first_ms": earliest_ms(state.first_ms, at),
    }
    if area := data.get("area"):
        changed["area"] = last(state.area, (at, event.id, area))
    if kind in ("crime.recorded", "crime.reclassified"):
        stated = tuple(data.get(key) or "" for key in ("offence_code", "group", "category"))
        if any(stated):
            changed["offence"] = last(state.offence, (at, event.id, *stated))
    if kind == "crime.recorded":
        changed["recorded_ms"] = earliest_ms(state.recorded_ms, at)
    elif kind == "crime.outcome_assigned":
        changed["outcome"] = last(state.outcome, (at, event.id, outcome_code(data["outcome"])))
    elif kind == "crime.cancelled":
        changed["cancelled"] = True
    return state._replace(**changed)  # type: ignore[arg-type]  # each value has its field's type


def outcome_code(text: str) -> str:
    """An outcome's code as the catalogue writes it: feeds also say `1a`, ` 1A` or `01`."""
    return text.strip().upper().lstrip("0")


def is_orphan(crime: Crime) -> bool:
    """`crime.recorded` has not come yet."""
    return crime.recorded_ms is None


def is_out(crime: Crime) -> bool:
    """A cancelled record never counts again."""
    return crime.cancelled


# ---------------------------------------------------------------------------------------------- words


def _outcome_assigned(crime: Crime) -> int | None:
    return None if crime.outcome is None else crime.outcome[0]


def _group(crime: Crime) -> str | None:
    return (crime.offence[3] or None) if crime.offence else None


def _category(crime: Crime) -> str | None:
    return (crime.offence[4] or None) if crime.offence else None


def _outcome(crime: Crime) -> str | None:
    return said(crime.outcome)


def _area(crime: Crime) -> str | None:
    return said(crime.area)


STREAM: Final = Stream(
    name="crimes",
    entity="crime",
    models=MODELS,
    state=Crime,
    fold=fold,
    is_orphan=is_orphan,
    is_out=is_out,
    moments={
        "recorded": Word("the earliest crime.recorded", attrgetter("recorded_ms")),
        "outcome_assigned": Word("the latest crime.outcome_assigned", _outcome_assigned),
    },
    values={
        "group": Word("Home Office offence group of the latest class", _group),
        "category": Word("police.uk category of the latest class", _category),
        "outcome": Word("code of the latest outcome, 1 to 22 with letters", _outcome),
        "area": Word("the latest area", _area),
    },
    states={},
    lateness_days=30,
    keeping_days=761,
    board=Board("crime", "Crime", "Crimes recorded by group, category and area, and their outcomes.", "7d"),
    by_default=True,
)
