"""Crime recording: a crime's latest class at the moment it was recorded, its latest outcome, and its victim's care.

The latest flags, victim and time of report count. Validated, transferred and the victim's contract are the earliest of
their events, allocated and victim informed the latest. A suspect is linked if the last of its linked and unlinked
events is a link. A cancelled crime is excluded from everything.
"""

from __future__ import annotations

from operator import attrgetter
from typing import Final, NamedTuple

from watchroom.events.record import Event
from watchroom.events.slug import slug
from watchroom.events.times import to_ms
from watchroom.streams import offences, working_days
from watchroom.streams.crime_events import CLASS_FIELDS, MODELS
from watchroom.streams.offences import Offence
from watchroom.streams.stamps import Facts, Stamp, last, said_in, with_last
from watchroom.streams.stream import Board, ListedField, Stream, Term, truth
from watchroom.streams.working_days import working_ms

# ---------------------------------------------------------------------------------------------- state

# time, event id, offence code, Home Office group, police.uk category ("" where not stated)
Class = tuple[int, str, str, str, str]
Suspect = tuple[str, int, str, str]  # token, time, event id, "linked" or "unlinked"
FACTS: Final = Facts(
    earliest={
        "crime.recorded": "recorded_ms",
        "crime.validated": "validated_ms",
        "crime.contract_completed": "contract_completed_ms",
        "crime.gateway_transferred": "transferred_ms",
    },
    latest={"crime.allocated": "allocated_ms", "crime.victim_informed": "victim_informed_ms"},
    said_last={"area": "area", "victim_gender": "victim_gender", "victim_token": "victim"},
)
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
    suspects: tuple[Suspect, ...] = ()  # the latest statement on each, sorted by token


def fold(state: Crime | None, event: Event, arrival_ms: int) -> Crime:
    """The state after one more event; the same whatever the order, and however often."""
    state = state or Crime(arrival_ms, event.time_ms)
    changed = FACTS.changed(state, event, arrival_ms)
    at, kind, data = event.time_ms, event.type, event.data
    if reported_at := data.get("reported_at"):
        changed["reported"] = last(state.reported, (at, event.id, to_ms(reported_at)))
    if (flags := data.get("flags")) is not None:
        changed["flags"] = last(state.flags, (at, event.id, tuple(sorted({slug(flag) for flag in flags}))))
    if kind in ("crime.recorded", "crime.reclassified"):
        stated = tuple(data.get(word) or "" for word in CLASS_FIELDS)
        if any(stated):
            changed["offence"] = last(state.offence, (at, event.id, *stated))
    elif kind == "crime.outcome_assigned":
        changed["outcome"] = last(state.outcome, (at, event.id, outcome_code(data["outcome"])))
    elif kind == "crime.cancelled":
        changed["cancelled"] = True
    elif linked := SUSPECT_EVENTS.get(kind):
        changed["suspects"] = with_last(state.suspects, (data["suspect_token"], at, event.id, linked))
    return state._replace(**changed)


OUTCOMES: Final = (
    "1", "1A", "2", "2A", "3", "3A", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16", "17",
    "18", "19", "20", "21", "22",
)  # fmt: skip
OTHER: Final = "other"


def outcome_code(text: str) -> str:
    """An outcome's code as the catalogue writes it: feeds also say `1a`, ` 1A` or `01`."""
    return text.strip().upper().lstrip("0")


def is_orphan(crime: Crime) -> bool:
    """`crime.recorded` has not arrived yet."""
    return crime.recorded_ms is None


def is_out(crime: Crime) -> bool:
    """A cancelled crime never counts again."""
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


def _outcome(text: str) -> str:
    return text if text in OUTCOMES else OTHER


def _flags(crime: Crime) -> tuple[str, ...]:
    return crime.flags[2] if crime.flags else ()


def _has_victim(crime: Crime) -> bool:
    return crime.victim is not None


def _suspects(crime: Crime) -> tuple[str, ...]:
    return tuple(suspect[0] for suspect in crime.suspects if suspect[3] == "linked")


def _is_informed(crime: Crime) -> bool:
    allocated, informed = crime.allocated_ms, crime.victim_informed_ms
    return allocated is not None and informed is not None and informed >= allocated


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
        "recorded": Term("the earliest crime.recorded", attrgetter("recorded_ms")),
        "outcome_assigned": Term("the latest crime.outcome_assigned", _outcome_assigned),
        "reported": Term("the latest reported_at", _reported),
        "validated": Term("the earliest crime.validated", attrgetter("validated_ms")),
        "allocated": Term("the latest crime.allocated", attrgetter("allocated_ms")),
        "victim_informed": Term("the latest crime.victim_informed", attrgetter("victim_informed_ms")),
        "contract_completed": Term("the earliest crime.contract_completed", attrgetter("contract_completed_ms")),
        "transferred": Term("the earliest crime.gateway_transferred", attrgetter("transferred_ms")),
        "validated_working": Term(
            "validated, on a clock that runs only on working days; use it only for an interval in `part`",
            lambda crime: working_ms(crime.validated_ms),
        ),
        "transferred_working": Term(
            "transferred, on a clock that runs only on working days; use it only for an interval in `part`",
            lambda crime: working_ms(crime.transferred_ms),
        ),
    },
    values={
        "group": Term(
            "Home Office offence group of the latest class: as stated, otherwise looked up from its code", _group
        ),
        "category": Term(
            "police.uk category of the latest class: as stated, otherwise looked up from its code", _category
        ),
        "subgroup": Term("Home Office offence subgroup of the latest class's code", _subgroup),
        "codes": Term(
            "offence codes of the latest class; a condition must list all of them", _codes, can_be=offences.CODES
        ),
        "unknown_code": Term("the code of the latest class, if it is not in the table of codes", _unknown_code),
        "outcome": Term(
            "code of the latest outcome, or other", said_in("outcome", _outcome), can_be=(*OUTCOMES, OTHER)
        ),
        "area": Term("the latest area", said_in("area")),
        "flags": Term("the latest list of flags; a condition must list at least one of them", _flags),
        "victim_gender": Term("the latest stated gender of the victim", said_in("victim_gender", slug)),
        "victim": Term("the latest token of the victim", said_in("victim")),
        "has_victim": truth("true if a token of the victim is known", _has_victim),
        "suspects": Term("tokens of the suspects who are currently linked", _suspects),
        "victim_is_informed": truth("true if the victim was informed at or after the latest allocation", _is_informed),
        "transfer_is_timed": truth(
            "true if the validation is known and not later than the transfer, both in years whose bank holidays are"
            " known",
            _is_transfer_timed,
        ),
    },
    states={"untransferred": Term("validated and not yet transferred", _is_untransferred)},
    listed_fields={
        "offence_code": ListedField(
            _is_known_code,
            "not stated if they give no group or category",
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
