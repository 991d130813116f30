"""An incident: grades, area, units and how it ended.

Created, first assigned and first on scene are the earliest; the area is the latest; all grades are
kept, because attendance is judged under the grade at the first arrival. A unit is assigned if the
last of its assigned and unassigned events says so. The last of closed, cancelled and reopened decides
whether the incident is open. A linked child is out for good.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from watchroom.events.record import Event
from watchroom.fold.stamps import Stamp, earliest_ms, last, latest_ms, with_member

Unit = tuple[str, int, str, str]  # unit, time, event id, "assigned" or "unassigned"
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


def fold(state: Incident | None, event: Event, arrival_ms: int) -> Incident:
    """The state after one more event; the same whatever the order, and however often."""
    if state is None:
        state = Incident(arrival_ms, event.time_ms)
    at, kind, data = event.time_ms, event.type, event.data
    changed: dict[str, object] = {
        "last_arrival_ms": latest_ms(state.last_arrival_ms, arrival_ms),
        "first_ms": earliest_ms(state.first_ms, at),
    }
    if area := data.get("area"):
        changed["area"] = last(state.area, (at, event.id, area))
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


def _with_unit(units: tuple[Unit, ...], said: Unit) -> tuple[Unit, ...]:
    by_unit = {unit[0]: unit for unit in units}
    by_unit[said[0]] = last(by_unit.get(said[0]), said)
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


def facts(incident: Incident) -> Mapping[str, object]:
    """Every word of the stream's vocabulary for this incident."""
    attended = incident.first_on_scene_ms is not None
    is_open = incident.disposition is None or incident.disposition[2] == "reopened"
    return {
        "created": incident.created_ms,
        "first_assigned": incident.first_assigned_ms,
        "first_on_scene": incident.first_on_scene_ms,
        "grade": incident.grades[-1][2] if incident.grades else None,
        "grade_at_attendance": grade_at_attendance(incident),
        "area": None if incident.area is None else incident.area[2],
        "resourced": attended or incident.first_assigned_ms is not None,
        "arrived": attended,
        "unresourced": is_open and not attended and all(unit[3] != "assigned" for unit in incident.units),
        "unattended": is_open and not attended,
    }
