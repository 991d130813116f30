"""Crime recording: a crime's latest class at the moment it was recorded, its latest outcome, and its victim's care.

The latest flags, victim and moment of report count. Validated, transferred and the victim's contract are the
earliest, allocated and the victim informed the latest. A suspect is linked if the last of its linked and unlinked
events says so. A cancelled crime is out of everything.
"""

from __future__ import annotations

from operator import attrgetter
from typing import Annotated, Final, Literal, NamedTuple, NotRequired

from pydantic import AfterValidator, Field
from pydantic.config import JsonDict
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from watchroom.events.envelope import STRICT, Envelope, LooseText, LooseTexts, LooseTime, Prose, RequiredText, Text
from watchroom.events.record import Event
from watchroom.events.slug import slug
from watchroom.events.times import to_ms
from watchroom.events.tokens import RequiredToken, Token
from watchroom.streams import offences, working_days
from watchroom.streams.offences import Offence
from watchroom.streams.stamps import Stamp, earliest_ms, last, latest_ms, said
from watchroom.streams.stream import Board, ListedField, Stream, Word
from watchroom.streams.working_days import working_ms

# --------------------------------------------------------------------------------------------- events


class CrimeData(TypedDict):
    """What several crime events may say."""

    __pydantic_config__ = STRICT  # type: ignore[misc]  # pydantic's way to configure a TypedDict

    area: NotRequired[Text]
    """One of the force's areas; any other is counted as `other`."""
    reported_at: NotRequired[LooseTime]
    """When the crime was reported to the police: RFC 3339 with an offset."""
    incident_id: NotRequired[LooseText]
    """Subject of the incident that the crime was found at."""
    flags: NotRequired[LooseTexts]
    """Any of `domestic_abuse`, `knife`, `firearm`, `online`, `keyless`. The latest list counts; `[]` clears it."""
    victim_gender: NotRequired[LooseText]
    """`female`, `male` or `other`."""
    victim_token: NotRequired[Token]
    """The victim, as `watchroom token --kind person` writes one."""
    reason: NotRequired[Prose]
    """Why, in the words of the producer. No figure depends on it."""


class CrimeClass(CrimeData):
    """How a crime is classed."""

    offence_code: NotRequired[Text]
    """Home Office offence code; group, subgroup and category are looked up in `schemas/reference`."""
    group: NotRequired[Text]
    """Home Office offence group, by name; wins over that of the code."""
    category: NotRequired[Text]
    """police.uk category; wins over that of the code."""


class ReasonData(TypedDict):
    """Why."""

    __pydantic_config__ = STRICT  # type: ignore[misc]  # pydantic's way to configure a TypedDict

    reason: NotRequired[Prose]
    """Why, in the words of the producer. No figure depends on it."""


class OutcomeData(TypedDict):
    """The outcome of a crime."""

    __pydantic_config__ = STRICT  # type: ignore[misc]  # pydantic's way to configure a TypedDict

    outcome: RequiredText
    """Home Office outcome code as text: `1`, `1A`, ... `22`; any other is counted as `other`."""


class SuspectData(TypedDict):
    """Which suspect."""

    __pydantic_config__ = STRICT  # type: ignore[misc]  # pydantic's way to configure a TypedDict

    suspect_token: RequiredToken
    """The suspect, as `watchroom token --kind person` writes one."""
    reason: NotRequired[Prose]
    """Why, in the words of the producer. No figure depends on it."""


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
    data: NotRequired[ReasonData | None]


class CrimeOutcomeAssigned(Envelope):
    """A crime was given an outcome, for the first time or again."""

    type: Literal["crime.outcome_assigned"]
    data: OutcomeData


class CrimeValidated(Envelope):
    """A crime record was validated."""

    type: Literal["crime.validated"]
    data: NotRequired[CrimeData | None]


class CrimeAllocated(Envelope):
    """A crime was given to an officer, for the first time or again."""

    type: Literal["crime.allocated"]
    data: NotRequired[CrimeData | None]


class CrimeVictimInformed(Envelope):
    """The victim was told who deals with the crime."""

    type: Literal["crime.victim_informed"]
    data: NotRequired[ReasonData | None]


class CrimeContractCompleted(Envelope):
    """The victim contract of a crime was completed."""

    type: Literal["crime.contract_completed"]
    data: NotRequired[ReasonData | None]


class CrimeGatewayTransferred(Envelope):
    """The victim's details were passed to the victims' gateway."""

    type: Literal["crime.gateway_transferred"]
    data: NotRequired[ReasonData | None]


class CrimeSuspectLinked(Envelope):
    """A suspect was linked to a crime."""

    type: Literal["crime.suspect_linked"]
    data: SuspectData


class CrimeSuspectUnlinked(Envelope):
    """A suspect is linked to a crime no longer."""

    type: Literal["crime.suspect_unlinked"]
    data: SuspectData


MODELS: Final = (
    CrimeRecorded, CrimeReclassified, CrimeCancelled, CrimeOutcomeAssigned, CrimeValidated, CrimeAllocated,
    CrimeVictimInformed, CrimeContractCompleted, CrimeGatewayTransferred, CrimeSuspectLinked, CrimeSuspectUnlinked,
)  # fmt: skip

# ---------------------------------------------------------------------------------------------- state

# time, event id, offence code, Home Office group, police.uk category ("" where not stated)
Class = tuple[int, str, str, str, str]
Suspect = tuple[str, int, str, str]  # token, time, event id, "linked" or "unlinked"
EARLIEST: Final = {
    "crime.recorded": "recorded_ms",
    "crime.validated": "validated_ms",
    "crime.contract_completed": "contract_completed_ms",
    "crime.gateway_transferred": "transferred_ms",
}
LATEST: Final = {"crime.allocated": "allocated_ms", "crime.victim_informed": "victim_informed_ms"}
SUSPECT_EVENTS: Final = {"crime.suspect_linked": "linked", "crime.suspect_unlinked": "unlinked"}


class Crime(NamedTuple):
    """What is known about one crime; times in ms since the epoch."""

    last_arrival_ms: int
    first_ms: int
    recorded_ms: int | None = None
    offence: Class | None = None
    area: Stamp | None = None
    outcome: Stamp | None = None
    cancelled: bool = False
    reported: tuple[int, str, int] | None = None
    flags: tuple[int, str, tuple[str, ...]] | None = None
    victim_gender: Stamp | None = None
    victim: Stamp | None = None
    validated_ms: int | None = None
    allocated_ms: int | None = None
    victim_informed_ms: int | None = None
    contract_completed_ms: int | None = None
    transferred_ms: int | None = None
    suspects: tuple[Suspect, ...] = ()  # the last word on each, sorted by token


def fold(state: Crime | None, event: Event, arrival_ms: int) -> Crime:
    """The state after one more event; the same whatever the order, and however often."""
    if state is None:
        state = Crime(arrival_ms, event.time_ms)
    at, kind, data = event.time_ms, event.type, event.data
    changed: dict[str, object] = {
        "last_arrival_ms": latest_ms(state.last_arrival_ms, arrival_ms),
        "first_ms": earliest_ms(state.first_ms, at),
    }
    if data:
        changed |= _said_of_any(state, event)
    if kind in ("crime.recorded", "crime.reclassified"):
        stated = tuple(data.get(key) or "" for key in ("offence_code", "group", "category"))
        if any(stated):
            changed["offence"] = last(state.offence, (at, event.id, *stated))
    if moment := EARLIEST.get(kind):
        changed[moment] = earliest_ms(getattr(state, moment), at)
    elif moment := LATEST.get(kind):
        changed[moment] = latest_ms(getattr(state, moment), at)
    elif kind == "crime.outcome_assigned":
        changed["outcome"] = last(state.outcome, (at, event.id, outcome_code(data["outcome"])))
    elif kind == "crime.cancelled":
        changed["cancelled"] = True
    elif kind in SUSPECT_EVENTS:
        changed["suspects"] = _with_suspect(state.suspects, (data["suspect_token"], at, event.id, SUSPECT_EVENTS[kind]))
    return state._replace(**changed)  # type: ignore[arg-type]  # each value has its field's type


def _said_of_any(state: Crime, event: Event) -> dict[str, object]:
    """What any event may say of a crime; the latest that says it counts."""
    said_now: dict[str, object] = {}
    at, of, data = event.time_ms, event.id, event.data
    for name, key in (("area", "area"), ("victim_gender", "victim_gender"), ("victim", "victim_token")):
        if text := data.get(key):
            said_now[name] = last(getattr(state, name), (at, of, text))
    if reported_at := data.get("reported_at"):
        said_now["reported"] = last(state.reported, (at, of, to_ms(reported_at)))
    flags = data.get("flags")
    if flags is not None:
        said_now["flags"] = last(state.flags, (at, of, tuple(sorted({slug(flag) for flag in flags}))))
    return said_now


def _with_suspect(suspects: tuple[Suspect, ...], told: Suspect) -> tuple[Suspect, ...]:
    by_token = {suspect[0]: suspect for suspect in suspects}
    by_token[told[0]] = last(by_token.get(told[0]), told)
    return tuple(sorted(by_token.values()))


OUTCOMES: Final = (
    "1", "1A", "2", "2A", "3", "3A", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16", "17",
    "18", "19", "20", "21", "22",
)  # fmt: skip
OTHER: Final = "other"


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


def _reported(crime: Crime) -> int | None:
    return None if crime.reported is None else crime.reported[2]


def _by_code(crime: Crime) -> Offence | None:
    return offences.offence(crime.offence[2]) if crime.offence and crime.offence[2] else None


def _group(crime: Crime) -> str | None:
    if crime.offence and (stated := crime.offence[3]):
        return slug(stated)
    return known.group if (known := _by_code(crime)) else None


def _category(crime: Crime) -> str | None:
    if crime.offence and (stated := crime.offence[4]):
        return slug(stated)
    return known.category if (known := _by_code(crime)) else None


def _subgroup(crime: Crime) -> str | None:
    return known.subgroup if (known := _by_code(crime)) else None


def _codes(crime: Crime) -> frozenset[str]:
    return known.codes if (known := _by_code(crime)) else frozenset()


def _is_known_code(text: str) -> bool:
    return offences.unknown_code(text) is None


def _unknown_code(crime: Crime) -> str | None:
    return offences.unknown_code(crime.offence[2]) if crime.offence and crime.offence[2] else None


def _outcome(crime: Crime) -> str | None:
    code = said(crime.outcome)
    return code if code is None or code in OUTCOMES else OTHER


def _area(crime: Crime) -> str | None:
    return said(crime.area)


def _flags(crime: Crime) -> tuple[str, ...]:
    return crime.flags[2] if crime.flags else ()


def _victim_gender(crime: Crime) -> str | None:
    return slug(crime.victim_gender[2]) if crime.victim_gender else None


def _victim(crime: Crime) -> str | None:
    return said(crime.victim)


def _has_victim(crime: Crime) -> bool:
    return crime.victim is not None


def _suspects(crime: Crime) -> tuple[str, ...]:
    return tuple(suspect[0] for suspect in crime.suspects if suspect[3] == "linked")


def _is_informed(crime: Crime) -> bool:
    allocated, informed = crime.allocated_ms, crime.victim_informed_ms
    return allocated is not None and informed is not None and informed >= allocated


def _validated_working(crime: Crime) -> int | None:
    return working_ms(crime.validated_ms)


def _transferred_working(crime: Crime) -> int | None:
    return working_ms(crime.transferred_ms)


def _is_transfer_timed(crime: Crime) -> bool:
    validated, transferred = crime.validated_ms, crime.transferred_ms
    if validated is None or transferred is None or transferred < validated:
        return False
    return working_ms(validated) is not None and working_ms(transferred) is not None


def _is_untransferred(crime: Crime) -> bool:
    return crime.validated_ms is not None and crime.transferred_ms is None


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
        "reported": Word("the latest reported_at", _reported),
        "validated": Word("the earliest crime.validated", attrgetter("validated_ms")),
        "allocated": Word("the latest crime.allocated", attrgetter("allocated_ms")),
        "victim_informed": Word("the latest crime.victim_informed", attrgetter("victim_informed_ms")),
        "contract_completed": Word("the earliest crime.contract_completed", attrgetter("contract_completed_ms")),
        "transferred": Word("the earliest crime.gateway_transferred", attrgetter("transferred_ms")),
        "validated_working": Word(
            "validated, on a clock of working days; for an interval within a part only", _validated_working
        ),
        "transferred_working": Word(
            "transferred, on a clock of working days; for an interval within a part only", _transferred_working
        ),
    },
    values={
        "group": Word("Home Office offence group of the latest class: as stated, else that of its code", _group),
        "category": Word("police.uk category of the latest class: as stated, else that of its code", _category),
        "subgroup": Word("Home Office offence subgroup of the latest class's code", _subgroup),
        "codes": Word("offence codes of the latest class; all of them must be listed", _codes, can_be=offences.CODES),
        "unknown_code": Word("the latest class's code, if the table of codes does not have it", _unknown_code),
        "outcome": Word("code of the latest outcome, or other", _outcome, can_be=(*OUTCOMES, OTHER)),
        "area": Word("the latest area", _area),
        "flags": Word("the latest list of flags; one of them must be listed", _flags),
        "victim_gender": Word("the victim's gender, the latest stated", _victim_gender),
        "victim": Word("token of the victim, the latest stated", _victim),
        "has_victim": Word("true where a victim's token is known", _has_victim, can_be=(True, False)),
        "suspects": Word("tokens of the suspects linked now", _suspects),
        "victim_is_informed": Word(
            "true if the victim was informed at or after the latest allocation", _is_informed, can_be=(True, False)
        ),
        "transfer_is_timed": Word(
            "true if validated is known and not after transferred, both in years whose bank holidays are known",
            _is_transfer_timed,
            can_be=(True, False),
        ),
    },
    states={"untransferred": Word("validated and not transferred", _is_untransferred)},
    listed_fields={
        "offence_code": ListedField(
            _is_known_code,
            "not stated where they name no group or category",
            "compare them with schemas/reference/offence_codes.csv",
        ),
    },
    lateness_days=30,
    keeping_days=761,
    board=Board("crime", "Crime", "Crimes recorded by group, category and area, and their outcomes.", "7d"),
    by_default=True,
    fold_version=2,
    reference={
        "offence codes": offences.FINGERPRINT,
        "bank holidays of England": working_days.FINGERPRINT,
    },
)
