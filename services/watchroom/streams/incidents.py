"""Command and control: incidents, their grades, area, units and how they ended.

Created, first assigned and first on scene are the earliest of their events; area, address, small area, category and
type of anti-social behaviour are the latest. All grades are kept, because attendance is measured under the first, the
last and the grade at the first arrival. A unit is assigned if the last of its assigned and unassigned events is an
assignment. The last of closed, cancelled and reopened decides whether the incident is open. A linked child is excluded
for good.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from operator import attrgetter
from typing import Any, Final, NamedTuple, NotRequired

from watchroom.events.envelope import Data, LooseText, LooseTruth, Prose, RequiredText, Text, event
from watchroom.events.record import Event
from watchroom.events.slug import slug
from watchroom.events.tokens import Token
from watchroom.streams.stamps import Facts, Stamp, last, said_in, with_last, with_member
from watchroom.streams.stream import Board, Stream, Term, truth

# --------------------------------------------------------------------------------------------- events


class IncidentData(Data):
    """Fields that any incident event may have."""

    area: NotRequired[Text]
    """One of the force's areas; any other value is counted as `other`."""
    address_token: NotRequired[Token]
    """A token for the address, never the address itself."""
    lsoa: NotRequired[LooseText]
    """Code of the lower layer super output area, for example `E01014257`; any other text is counted as `other`."""
    self_initiated: NotRequired[LooseTruth]
    """Whether an officer came across the incident and nobody reported it; defaults to false."""
    reason: NotRequired[Prose]
    """The reason, in the producer's own words. No figure depends on it."""


class CategoryData(IncidentData):
    """The kind of incident. The opening and closing categories may differ: the latest counts."""

    category: NotRequired[LooseText]
    """`asb`, `crime`, `public_safety`, `transport`, `administration`; any other value is counted as `other`."""
    asb_type: NotRequired[LooseText]
    """`personal`, `nuisance`, `environmental`, `neighbour_dispute`; any other type of anti-social behaviour is counted
    as `other`.
    """


class CreatedData(CategoryData):
    """What is known when an incident is created."""

    grade: NotRequired[Text]
    """`1`, `2` or `3` as text; any other value is counted as `other`."""
    call_id: NotRequired[Text]
    """The call that the incident came from."""


class GradedData(IncidentData):
    """The grade that an incident was given."""

    grade: RequiredText
    """`1`, `2` or `3` as text; any other value is counted as `other`."""


class ResourceData(IncidentData):
    """The resource."""

    unit: RequiredText
    """The unit's call sign or token."""


class LinkedData(IncidentData):
    """The incident of which this incident is a duplicate."""

    parent: RequiredText
    """Subject of the original incident, never of the duplicate itself. The duplicate is removed from all measures."""


def _not_its_own_parent(event: Mapping[str, Any]) -> Mapping[str, Any]:
    if event["data"]["parent"] == event["subject"]:
        raise ValueError("data.parent is the incident itself; write the subject of the other incident")
    return event


MODELS: Final = (
    event("incident.created", CreatedData, "An incident was opened."),
    event(
        "incident.graded", GradedData, "An incident was given a grade, for the first time or again.", needs_data=True
    ),
    event("incident.resource_assigned", ResourceData, "A resource was sent.", needs_data=True),
    event(
        "incident.resource_unassigned",
        ResourceData,
        "A resource was unassigned, for example because it was diverted.",
        needs_data=True,
    ),
    event("incident.resource_on_scene", ResourceData, "A resource arrived.", needs_data=True),
    event("incident.cancelled", IncidentData, "An incident turned out not to need a resource."),
    event(
        "incident.linked",
        LinkedData,
        "An incident turned out to be a duplicate of another one.",
        needs_data=True,
        check=_not_its_own_parent,
    ),
    event("incident.closed", CategoryData, "An incident was closed."),
    event("incident.reopened", IncidentData, "A closed or cancelled incident is open again."),
    event("incident.reclassified", CategoryData, "An incident turned out to be of a different kind.", needs_data=True),
)

# ---------------------------------------------------------------------------------------------- state

Unit = tuple[str, int, str, str]  # unit, time, event id, "assigned" or "unassigned"
_LSOA: Final = re.compile(r"[EW]01[0-9]{6}")  # codes of the Office for National Statistics for England and Wales
OTHER_LSOA: Final = "other"
FACTS: Final = Facts(
    earliest={
        "incident.created": "created_ms",
        "incident.resource_assigned": "first_assigned_ms",
        "incident.resource_on_scene": "first_on_scene_ms",
    },
    said_last={name: name for name in ("area", "category", "asb_type", "address_token")},
)
UNIT_EVENTS: Final = {"incident.resource_assigned": "assigned", "incident.resource_unassigned": "unassigned"}
DISPOSITIONS = {"incident.closed": "closed", "incident.cancelled": "cancelled", "incident.reopened": "reopened"}


class Incident(NamedTuple):
    """What is known about one incident; times in ms since the epoch."""

    last_arrival_ms: int
    first_ms: int
    created_ms: int | None = None
    grades: tuple[Stamp, ...] = ()  # sorted by time, then event id
    area: Stamp | None = None
    units: tuple[Unit, ...] = ()  # the latest statement on each unit, sorted by unit
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
    state = state or Incident(arrival_ms, event.time_ms)
    changed = FACTS.changed(state, event, arrival_ms)
    at, kind, data = event.time_ms, event.type, event.data
    if lsoa := data.get("lsoa"):
        changed["lsoa"] = last(state.lsoa, (at, event.id, _lsoa_code(lsoa)))
    if (self_initiated := data.get("self_initiated")) is not None:
        changed["self_initiated"] = last(state.self_initiated, (at, event.id, self_initiated))
    if kind in ("incident.created", "incident.graded") and (grade := data.get("grade")):
        changed["grades"] = with_member(state.grades, (at, event.id, grade))
    if assigned := UNIT_EVENTS.get(kind):
        changed["units"] = with_last(state.units, (data["unit"], at, event.id, assigned))
    elif disposition := DISPOSITIONS.get(kind):
        changed["disposition"] = last(state.disposition, (at, event.id, disposition))
    elif kind == "incident.linked":
        changed["linked"] = True
    return state._replace(**changed)


def _lsoa_code(text: str) -> str:
    """The code, or `other`. Lists show the code, so no other text may get there: it might be a telephone number."""
    code = text.strip().upper()
    return code if _LSOA.fullmatch(code) else OTHER_LSOA


def is_orphan(incident: Incident) -> bool:
    """`incident.created` has not arrived yet."""
    return incident.created_ms is None


def is_out(incident: Incident) -> bool:
    """A linked child: its parent counts instead."""
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
        "created": Term("the earliest incident.created", attrgetter("created_ms")),
        "first_assigned": Term("the earliest incident.resource_assigned", attrgetter("first_assigned_ms")),
        "first_on_scene": Term("the earliest incident.resource_on_scene", attrgetter("first_on_scene_ms")),
    },
    values={
        "grade": Term("the latest grade", _grade),
        "first_grade": Term("the earliest grade", _first_grade),
        "grade_at_attendance": Term(
            "the last grade at or before the first arrival, otherwise the first after it", grade_at_attendance
        ),
        "area": Term("the latest area", said_in("area")),
        "incident_category": Term("the latest category", said_in("category", slug), field="category"),
        "asb_type": Term("the latest type of anti-social behaviour", said_in("asb_type", slug)),
        "address": Term("the latest address token", said_in("address_token")),
        "lsoa": Term("the latest small area (LSOA)", said_in("lsoa")),
        "self_initiated": truth(
            "true if an officer came across it, by the latest event that states this", _is_self_initiated
        ),
        "resourced": truth("true once any resource has been assigned or on scene", _is_resourced),
        "arrived": truth("true once any resource has been on scene", _is_attended),
    },
    states={
        "unresourced": Term(
            "no resource is assigned now; the incident is not attended, closed or cancelled", _is_unresourced
        ),
        "unattended": Term("no resource has been on scene; the incident is not closed or cancelled", _is_unattended),
    },
    lateness_days=7,
    keeping_days=100,
    board=Board(
        "response",
        "Response",
        "Incidents that are waiting now, and how many were assigned and attended in time, by grade and area, over "
        "periods from one hour to 12 months.",
        "6h",
        now_first=True,
    ),
    by_default=True,
    fold_version=2,
)
