"""Command and control: incidents, their grades, area, units and how they ended.

Created, first assigned and first on scene are the earliest; area, address, small area, category and type of
anti-social behaviour are the latest; all grades are kept, because attendance is judged under the first, the last and
the grade at the first arrival. A unit is assigned if the last of its assigned and unassigned events says so. The last
of closed, cancelled and reopened decides whether the incident is open. A linked child is out for good.
"""

from __future__ import annotations

import re
from operator import attrgetter
from typing import Annotated, Final, Literal, NamedTuple, NotRequired

from pydantic import AfterValidator
from typing_extensions import TypedDict  # pydantic needs this one before Python 3.12

from watchroom.events.envelope import STRICT, Envelope, LooseText, LooseTruth, Prose, RequiredText, Text
from watchroom.events.record import Event
from watchroom.events.slug import slug
from watchroom.events.tokens import Token
from watchroom.streams.stamps import Stamp, earliest_ms, last, latest_ms, said, with_member
from watchroom.streams.stream import Board, Stream, Word

# --------------------------------------------------------------------------------------------- events


class IncidentData(TypedDict):
    """What any incident event may say."""

    __pydantic_config__ = STRICT  # type: ignore[misc]  # pydantic's way to configure a TypedDict

    area: NotRequired[Text]
    """One of the force's areas; any other is counted as `other`."""
    address_token: NotRequired[Token]
    """Stands for the address; never the address itself."""
    lsoa: NotRequired[LooseText]
    """Lower layer super output area: its code, for example `E01014257`; any other text is counted as `other`."""
    self_initiated: NotRequired[LooseTruth]
    """Whether an officer came upon it and nobody rang for it; absent: false."""
    reason: NotRequired[Prose]
    """Why, in the words of the producer. No figure depends on it."""


class CategoryData(IncidentData):
    """What kind of incident it is. Opening and closing category may differ: the latest counts."""

    category: NotRequired[LooseText]
    """`asb`, `crime`, `public_safety`, `transport`, `administration`; any other is counted as `other`."""
    asb_type: NotRequired[LooseText]
    """Of anti-social behaviour: `personal`, `nuisance`, `environmental`, `neighbour_dispute`; else `other`."""


class CreatedData(CategoryData):
    """What is known when an incident is created."""

    grade: NotRequired[Text]
    """`1`, `2`, `3` as text; any other is counted as `other`."""
    call_id: NotRequired[Text]
    """The call it came from."""


class GradedData(IncidentData):
    """A grade that was given, first or later."""

    grade: RequiredText
    """`1`, `2`, `3` as text; any other is counted as `other`."""


class ResourceData(IncidentData):
    """Which resource."""

    unit: RequiredText
    """The unit's call sign or token."""


class LinkedData(IncidentData):
    """Which incident this one is a duplicate of."""

    parent: RequiredText
    """Subject of the incident that goes on; this one leaves all measures. Never the incident itself."""


class IncidentCreated(Envelope):
    """An incident was opened."""

    type: Literal["incident.created"]
    data: NotRequired[CreatedData | None]


class IncidentGraded(Envelope):
    """An incident was given a grade, for the first time or again."""

    type: Literal["incident.graded"]
    data: GradedData


class IncidentReclassified(Envelope):
    """An incident turned out to be of another kind."""

    type: Literal["incident.reclassified"]
    data: CategoryData


class IncidentResourceAssigned(Envelope):
    """A resource was sent."""

    type: Literal["incident.resource_assigned"]
    data: ResourceData


class IncidentResourceUnassigned(Envelope):
    """A resource was taken off again, for example diverted."""

    type: Literal["incident.resource_unassigned"]
    data: ResourceData


class IncidentResourceOnScene(Envelope):
    """A resource arrived."""

    type: Literal["incident.resource_on_scene"]
    data: ResourceData


class IncidentCancelled(Envelope):
    """An incident needs nobody after all."""

    type: Literal["incident.cancelled"]
    data: NotRequired[IncidentData | None]


class IncidentLinked(Envelope):
    """An incident turned out to be a duplicate of another one."""

    type: Literal["incident.linked"]
    data: LinkedData


class IncidentClosed(Envelope):
    """An incident was closed."""

    type: Literal["incident.closed"]
    data: NotRequired[CategoryData | None]


class IncidentReopened(Envelope):
    """A closed or cancelled incident is open again."""

    type: Literal["incident.reopened"]
    data: NotRequired[IncidentData | None]


def _not_its_own_parent(event: IncidentLinked) -> IncidentLinked:
    if event["data"]["parent"] == event["subject"]:
        raise ValueError("data.parent is the incident itself; write the subject of the other incident")
    return event


LinkedApart = Annotated[IncidentLinked, AfterValidator(_not_its_own_parent)]

MODELS: Final = (
    IncidentCreated, IncidentGraded, IncidentResourceAssigned, IncidentResourceUnassigned,
    IncidentResourceOnScene, IncidentCancelled, LinkedApart, IncidentClosed, IncidentReopened, IncidentReclassified,
)  # fmt: skip

# ---------------------------------------------------------------------------------------------- state

Unit = tuple[str, int, str, str]  # unit, time, event id, "assigned" or "unassigned"
_LSOA: Final = re.compile(r"[EW]01[0-9]{6}")  # codes of the Office for National Statistics for England and Wales
OTHER_LSOA: Final = "other"
SAID_LAST = ("area", "category", "asb_type", "address_token", "lsoa")  # texts of which the latest counts
DISPOSITIONS = {"incident.closed": "closed", "incident.cancelled": "cancelled", "incident.reopened": "reopened"}


class Incident(NamedTuple):
    """What is known about one incident; times in ms since the epoch."""

    last_arrival_ms: int
    first_ms: int
    created_ms: int | None = None
    grades: tuple[Stamp, ...] = ()  # sorted by time, then event id
    area: Stamp | None = None
    units: tuple[Unit, ...] = ()  # the last word on each unit, sorted by unit
    first_assigned_ms: int | None = None
    first_on_scene_ms: int | None = None
    disposition: Stamp | None = None
    linked: bool = False
    category: Stamp | None = None
    asb_type: Stamp | None = None
    address_token: Stamp | None = None
    lsoa: Stamp | None = None
    self_initiated: tuple[int, str, bool] | None = None


def fold(state: Incident | None, event: Event, arrival_ms: int) -> Incident:
    """The state after one more event; the same whatever the order, and however often."""
    if state is None:
        state = Incident(arrival_ms, event.time_ms)
    at, kind, data = event.time_ms, event.type, event.data
    changed: dict[str, object] = {
        "last_arrival_ms": latest_ms(state.last_arrival_ms, arrival_ms),
        "first_ms": earliest_ms(state.first_ms, at),
    }
    changed |= _said_last(state, event)
    if kind in ("incident.created", "incident.graded") and (grade := data.get("grade")):
        changed["grades"] = with_member(state.grades, (at, event.id, grade))
    if kind == "incident.created":
        changed["created_ms"] = earliest_ms(state.created_ms, at)
    elif kind == "incident.resource_assigned":
        changed["first_assigned_ms"] = earliest_ms(state.first_assigned_ms, at)
        changed["units"] = _with_unit(state.units, (data["unit"], at, event.id, "assigned"))
    elif kind == "incident.resource_unassigned":
        changed["units"] = _with_unit(state.units, (data["unit"], at, event.id, "unassigned"))
    elif kind == "incident.resource_on_scene":
        changed["first_on_scene_ms"] = earliest_ms(state.first_on_scene_ms, at)
    elif kind in DISPOSITIONS:
        changed["disposition"] = last(state.disposition, (at, event.id, DISPOSITIONS[kind]))
    elif kind == "incident.linked":
        changed["linked"] = True
    return state._replace(**changed)  # type: ignore[arg-type]  # each value has its field's type


def _said_last(state: Incident, event: Event) -> dict[str, object]:
    """What any event may say, and the latest is believed."""
    texts = [(name, text) for name in SAID_LAST if (text := event.data.get(name))]
    texts = [(name, _lsoa_code(text) if name == "lsoa" else text) for name, text in texts]
    changed: dict[str, object] = {
        name: last(getattr(state, name), (event.time_ms, event.id, text)) for name, text in texts
    }
    if (self_initiated := event.data.get("self_initiated")) is not None:
        changed["self_initiated"] = last(state.self_initiated, (event.time_ms, event.id, self_initiated))
    return changed


def _lsoa_code(text: str) -> str:
    """The code, or `other`. Lists show it as it is, so no other text gets there: it might be a telephone number."""
    code = text.strip().upper()
    return code if _LSOA.fullmatch(code) else OTHER_LSOA


def _with_unit(units: tuple[Unit, ...], told: Unit) -> tuple[Unit, ...]:
    by_unit = {unit[0]: unit for unit in units}
    by_unit[told[0]] = last(by_unit.get(told[0]), told)
    return tuple(sorted(by_unit.values()))


def is_orphan(incident: Incident) -> bool:
    """`incident.created` has not come yet."""
    return incident.created_ms is None


def is_out(incident: Incident) -> bool:
    """A linked child: its parent's clock is the one that counts."""
    return incident.linked


def grade_at_attendance(incident: Incident) -> str | None:
    """The last grade at or before the first arrival, else the first after it."""
    if not incident.grades or incident.first_on_scene_ms is None:
        return None
    before = [stamp for stamp in incident.grades if stamp[0] <= incident.first_on_scene_ms]
    return before[-1][2] if before else incident.grades[0][2]


# ---------------------------------------------------------------------------------------------- words


def _grade(incident: Incident) -> str | None:
    return incident.grades[-1][2] if incident.grades else None


def _first_grade(incident: Incident) -> str | None:
    return incident.grades[0][2] if incident.grades else None


def _area(incident: Incident) -> str | None:
    return said(incident.area)


def _category(incident: Incident) -> str | None:
    return _looked_up(incident.category)


def _asb_type(incident: Incident) -> str | None:
    return _looked_up(incident.asb_type)


def _looked_up(stamp: Stamp | None) -> str | None:
    """A text as lists have it: a condition must find what the label of the same word counts."""
    return None if stamp is None else slug(stamp[2])


def _address(incident: Incident) -> str | None:
    return said(incident.address_token)


def _lsoa(incident: Incident) -> str | None:
    return said(incident.lsoa)


def _is_self_initiated(incident: Incident) -> bool:
    return incident.self_initiated is not None and incident.self_initiated[2]


def _is_attended(incident: Incident) -> bool:
    return incident.first_on_scene_ms is not None


def _is_resourced(incident: Incident) -> bool:
    return incident.first_on_scene_ms is not None or incident.first_assigned_ms is not None


def _is_unattended(incident: Incident) -> bool:
    is_open = incident.disposition is None or incident.disposition[2] == "reopened"
    return is_open and incident.first_on_scene_ms is None


def _is_unresourced(incident: Incident) -> bool:
    return _is_unattended(incident) and all(unit[3] != "assigned" for unit in incident.units)


STREAM: Final = Stream(
    name="incidents",
    entity="incident",
    models=MODELS,
    state=Incident,
    fold=fold,
    is_orphan=is_orphan,
    is_out=is_out,
    moments={
        "created": Word("the earliest incident.created", attrgetter("created_ms")),
        "first_assigned": Word("the earliest incident.resource_assigned", attrgetter("first_assigned_ms")),
        "first_on_scene": Word("the earliest incident.resource_on_scene", attrgetter("first_on_scene_ms")),
    },
    values={
        "grade": Word("the latest grade", _grade),
        "first_grade": Word("the earliest grade", _first_grade),
        "grade_at_attendance": Word(
            "the last grade at or before the first arrival, else the first after it", grade_at_attendance
        ),
        "area": Word("the latest area", _area),
        "incident_category": Word("the latest category", _category, field="category"),
        "asb_type": Word("the latest type of anti-social behaviour", _asb_type),
        "address": Word("the latest address token", _address),
        "lsoa": Word("the latest small area (LSOA)", _lsoa),
        "self_initiated": Word(
            "true if the latest that says so says that an officer came upon it",
            _is_self_initiated,
            can_be=(True, False),
        ),
        "resourced": Word("true once any resource was assigned or on scene", _is_resourced, can_be=(True, False)),
        "arrived": Word("true once any resource was on scene", _is_attended, can_be=(True, False)),
    },
    states={
        "unresourced": Word("nobody assigned now, not attended, not closed or cancelled", _is_unresourced),
        "unattended": Word("no resource has been on scene, not closed or cancelled", _is_unattended),
    },
    lateness_days=7,
    keeping_days=100,
    board=Board(
        "response",
        "Response",
        "Who waits now, and how many were assigned and attended in time: by grade and area, from one hour to 12 "
        "months.",
        "6h",
        now_first=True,
    ),
    by_default=True,
    fold_version=2,
)
