"""What one entity adds to every measure, by plain definitions over ALL its events (design 2.3, 3).

No state is folded: each fact is looked up afresh in the list of events. Measures, moments, labels
and targets are written out here and not read from the catalogue, so that a wrong entry shows too.

Readings where the design is silent
- A crime's class is one thing: code, group and category of the latest event that names any of the
  three. A reclassification by category alone leaves the group `not_stated`.
- A linked incident and a cancelled crime are out of everything, orphans included.
- A call's wait is over once an end is known, whatever the times say (`waiting`, `in progress`).
- A negative interval and a missing start are counted where the duration would have been, at its end.
- `call_abandonment` and `call_abandoned_within_60s` count calls whose queueing is known; a negative
  wait is abandoned, but not within 60 s.
- Both answer clocks have the 999 target and the three national bins (domain 2a; the design's table
  names them for the queue's clock only).
- Two events of one time are ordered by `id`.
- A figure is held at noon (UTC) of the 15th of the month in which its period ends, so in that month in every zone.
- A figure without a denominator has no field of one; a number of 0 has a field that says that it was given.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

from tests.oracle.scales import bin_of

LINES = ("999", "101")
GRADES = ("1", "2", "3")
AREAS = ("stoke", "county")
GROUPS = (
    "criminal_damage_and_arson", "drug_offences", "miscellaneous_crimes", "possession_of_weapons_offences",
    "public_order_offences", "robbery", "sexual_offences", "theft_offences", "violence_against_the_person",
)  # fmt: skip
CATEGORIES = (
    "anti_social_behaviour", "bicycle_theft", "burglary", "criminal_damage_and_arson", "drugs", "other_crime",
    "other_theft", "possession_of_weapons", "public_order", "robbery", "shoplifting", "theft_from_the_person",
    "vehicle_crime", "violence_and_sexual_offences",
)  # fmt: skip
RESOLVED = {"1", "1A", "2", "2A", "3", "3A", "4", "6", "7", "8", "22"}
ANSWER_EDGES = frozenset({10_000, 60_000})  # below 10 s; 10 to below 60 s; 60 s and more
ATTENDANCE_LIMITS_MS = {"1": 15 * 60_000, "2": 60 * 60_000, "3": 24 * 3_600_000}
# Figures of which histories are made: the decimals that are kept.
FIGURES = {
    "crimes_prosecuted": 1, "complaints_retained": 0, "speed_enforcements_change": 0,
    "road_fatalities_by_road_user": 0, "gun_crime_published": 0,
}  # fmt: skip
HELD_MS = {  # noon of the 15th of the month in which a period ends
    "2021-10-31": 1_634_299_200_000, "2021-09": 1_631_707_200_000, "2021-Q3": 1_631_707_200_000,
    "2020": 1_608_033_600_000, "2020-10/2021-09": 1_631_707_200_000, "2021-08/2021-10": 1_634_299_200_000,
    "2022": 1_671_105_600_000,
}  # fmt: skip
NOTED_MS = {"2021-07": 1_625_097_600_000, "2021-09-30": 1_632_960_000_000}  # first day, 00:00 UTC
ATTENDANCE_EDGES = frozenset(limit + 1 for limit in ATTENDANCE_LIMITS_MS.values())


@dataclass(frozen=True)
class Sent:
    """One event as it lies in its partition. `closing_ms` differs from arrival for replayed letters only."""

    stream: str
    type: str
    id: str
    subject: str
    time_ms: int
    arrival_ms: int
    data: Mapping[str, Any] = field(default_factory=dict, hash=False)
    source: str = "control-room"
    replayed_ms: int | None = None
    topic: str = ""
    partition: int = 0
    offset: int = 0

    @property
    def closing_ms(self) -> int:
        """Judges whether a month was closed before this event."""
        return self.arrival_ms if self.replayed_ms is None else self.replayed_ms


@dataclass
class Added:
    """What an entity adds: amounts by (moment, series, field), and open series with their start."""

    cells: Counter[tuple[int, str, str]] = field(default_factory=Counter)
    open: dict[str, int] = field(default_factory=dict)

    def count(self, at_ms: int, measure: str, by: Mapping[str, str], what: str, amount: int = 1) -> None:
        """One more of something."""
        self.cells[at_ms, series(measure, by), what] += amount

    def share(self, at_ms: int, measure: str, by: Mapping[str, str], part: bool) -> None:
        """One of the whole, perhaps of the part."""
        self.count(at_ms, measure, by, "whole")
        if part:
            self.count(at_ms, measure, by, "part")

    def duration(
        self,
        measure: str,
        by: Mapping[str, str],
        interval: tuple[int | None, int],
        *,
        misses_from_ms: int = 0,
        edges: frozenset[int] = frozenset(),
    ) -> None:
        """One interval placed at its end; from `misses_from_ms` on it misses its target (0: it has none)."""
        start, end = interval
        if start is None:
            self.count(end, measure, by, "missing_start")
        elif end < start:
            self.count(end, measure, by, "negative")
        else:
            self.count(end, measure, by, "observations")
            self.count(end, measure, by, "sum_ms", end - start)
            self.count(end, measure, by, f"bin:{bin_of(end - start, edges)}")
            if end - start < misses_from_ms:
                self.count(end, measure, by, "within")


def series(measure: str, by: Mapping[str, str]) -> str:
    """`measure|label=value,label=value`."""
    return measure + "|" + ",".join(f"{name}={value}" for name, value in by.items())


def label(value: object, listed: Sequence[str], absent: str = "unknown") -> str:
    """A listed value is itself, an absent one has its name, every other is `other`."""
    if value is None:
        return absent
    words = str(value).lower().replace("-", " ").split()
    return "_".join(words) if "_".join(words) in listed else "other"


def _order(event: Sent) -> tuple[int, str]:
    return event.time_ms, event.id


def _of(events: Iterable[Sent], *types: str) -> list[Sent]:
    return sorted((event for event in events if event.type in types), key=_order)


def _first_ms(events: Iterable[Sent], *types: str) -> int | None:
    found = _of(events, *types)
    return found[0].time_ms if found else None


def _naming(events: Iterable[Sent], key: str) -> list[Sent]:
    return sorted((event for event in events if event.data.get(key) is not None), key=_order)


def added_by(events: Sequence[Sent]) -> Added:
    """What the entity with exactly these events (any order, any repeats, not none) adds to all measures."""
    return {"calls": _call, "incidents": _incident, "crimes": _crime, "returns": _return}[events[0].stream](events)


def _orphan(events: Sequence[Sent]) -> Added:
    added = Added()
    added.count(min(event.time_ms for event in events), "orphans", {"topic": events[0].topic}, "count")
    return added


def _call(events: Sequence[Sent]) -> Added:
    presented = _first_ms(events, "call.presented")
    queued = _first_ms(events, "call.queued")
    answered = _first_ms(events, "call.answered")
    abandoned = _first_ms(events, "call.abandoned") if answered is None else None
    ended = bool(_of(events, "call.ended"))
    named = _naming(events, "line")
    by = {"line": label(named[0].data["line"] if named else None, LINES)}
    offered = presented if presented is not None else queued
    if offered is None:
        return _orphan(events)
    added = Added()
    added.count(offered, "call_volume", by, "count")
    if answered is not None:
        misses = 10_000 if by["line"] == "999" else 0  # below 10 s
        added.duration("call_answer_time", by, (queued, answered), misses_from_ms=misses, edges=ANSWER_EDGES)
        added.duration(
            "call_answer_time_presented", by, (presented, answered), misses_from_ms=misses, edges=ANSWER_EDGES
        )
        if not ended:
            added.open[series("calls_in_progress", by)] = answered
    left = answered if answered is not None else abandoned
    if queued is not None and left is not None:
        added.share(left, "call_abandonment", by, part=answered is None)
    if queued is not None and abandoned is not None:
        added.share(abandoned, "call_abandoned_within_60s", by, part=0 <= abandoned - queued <= 60_000)
    if queued is not None and left is None and not ended:
        added.open[series("calls_waiting", by)] = queued
    return added


def _incident(events: Sequence[Sent]) -> Added:
    if _of(events, "incident.linked"):
        return Added()
    created = _first_ms(events, "incident.created")
    if created is None:
        return _orphan(events)
    assigned = _first_ms(events, "incident.resource_assigned")
    on_scene = _first_ms(events, "incident.resource_on_scene")
    graded = _naming(_of(events, "incident.created", "incident.graded"), "grade")
    placed = _naming(events, "area")
    area = label(placed[-1].data["area"] if placed else None, AREAS)
    latest = {"grade": label(graded[-1].data["grade"] if graded else None, GRADES, "ungraded"), "area": area}
    added = Added()
    added.count(created, "incident_volume", latest, "count")
    added.share(created, "incident_resourced", latest, part=assigned is not None or on_scene is not None)
    if assigned is not None:
        added.duration("incident_assignment_time", latest, (created, assigned))
        added.share(assigned, "incident_arrival_missing", latest, part=on_scene is None)
    if on_scene is not None:
        grade = _grade_at(graded, on_scene)
        misses = ATTENDANCE_LIMITS_MS.get(grade, -1) + 1  # within 15 min, 60 min, 24 h
        by = {"grade": grade, "area": area}
        added.duration(
            "incident_attendance_time", by, (created, on_scene), misses_from_ms=misses, edges=ATTENDANCE_EDGES
        )
    turns = _of(events, "incident.closed", "incident.cancelled", "incident.reopened")
    if on_scene is None and (not turns or turns[-1].type == "incident.reopened"):
        added.open[series("incidents_unattended", latest)] = created
        if not _assigned_now(events):
            added.open[series("incidents_unresourced", latest)] = created
    return added


def _grade_at(graded: Sequence[Sent], moment: int) -> str:
    """Last grade at or before the moment, else the first after it, else ungraded."""
    before = [event for event in graded if event.time_ms <= moment]
    after = [event for event in graded if event.time_ms > moment]
    chosen = before[-1] if before else after[0] if after else None
    return label(chosen.data["grade"] if chosen else None, GRADES, "ungraded")


def _assigned_now(events: Sequence[Sent]) -> bool:
    moves = _of(events, "incident.resource_assigned", "incident.resource_unassigned")
    last_of_unit = {event.data["unit"]: event.type for event in moves}
    return "incident.resource_assigned" in last_of_unit.values()


def _crime(events: Sequence[Sent]) -> Added:
    if _of(events, "crime.cancelled"):
        return Added()
    recorded = _first_ms(events, "crime.recorded")
    if recorded is None:
        return _orphan(events)
    classed = [
        event.data
        for event in _of(events, "crime.recorded", "crime.reclassified")
        if any(event.data.get(key) is not None for key in ("offence_code", "group", "category"))
    ]
    latest = classed[-1] if classed else {}
    placed = _naming(events, "area")
    area = label(placed[-1].data["area"] if placed else None, AREAS)
    added = Added()
    group = label(latest.get("group"), GROUPS, "not_stated")
    added.count(recorded, "crime_recorded", {"group": group, "area": area}, "count")
    category = label(latest.get("category"), CATEGORIES)
    added.count(recorded, "crime_recorded_by_category", {"category": category, "area": area}, "count")
    outcomes = _of(events, "crime.outcome_assigned")
    if outcomes:
        last = outcomes[-1]
        added.share(last.time_ms, "crime_resolved", {"area": area}, part=last.data["outcome"] in RESOLVED)
    return added


def _return(events: Sequence[Sent]) -> Added:
    added = Added()
    if notes := _of(events, "return.note"):
        added.open["notes|"] = NOTED_MS[notes[-1].data["from"]]
        return added
    version = max(events, key=lambda event: (_as_at_ms(event), event.time_ms, event.id))
    if version.type == "return.withdrawn":
        return added
    measure, labels, period = version.subject.split("|")
    by = dict(pair.split("=") for pair in labels.split(",") if pair) | {"period": period}
    added.open["figures|"] = _as_at_ms(version)
    added.count(HELD_MS[period], measure, by, "as_at_ms", _as_at_ms(version))
    for what in ("numerator", "denominator"):
        number = version.data.get(what)
        if number is not None:
            kept = Fraction(str(number)) * 10 ** FIGURES[measure]
            halves = abs(kept) + Fraction(1, 2)  # half away from zero
            whole = halves.numerator // halves.denominator
            added.count(HELD_MS[period], measure, by, what, whole if kept > 0 else -whole)
            added.count(HELD_MS[period], measure, by, f"has_{what}")
    return added


def _as_at_ms(event: Sent) -> int:
    text = event.data["as_at"]
    moment = datetime.fromisoformat(text if "T" in text else f"{text}T00:00:00+00:00")
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
