"""What one entity contributes to every measure, by plain definitions over ALL its events (docs/architecture.md#fold).

No state is folded: each fact is looked up afresh in the list of events. Measures, moments, labels
and targets are written out here and not read from the catalogue, so that a wrong entry shows too.

Readings where no page says it
- A crime's class is one thing: code, group and category of the latest event that names any of the
  three. A reclassification by category alone leaves the group `not_stated`.
- A linked incident and a cancelled crime are out of everything, orphans included.
- A call's wait is over once an end is known, whatever the times say (`waiting`, `in progress`).
- A negative interval and a missing start are counted where the duration would have been, at its end.
- `call_abandonment` and `call_abandoned_within_60s` count calls whose queueing is known; a negative
  wait is abandoned, but not within 60 s.
- An answer or abandon at the very moment of an accepted call-back comes after it. A call that is answered after its
  call-back was accepted is in progress, since somebody talks to the caller.
- An outgoing call without call.presented and call.queued is an orphan like any other.
- Both answer clocks have the 999 target and the three national bins (domain 2a; the catalogue's table
  names them for the queue's clock only).
- What an incident's event says of its category, address or finder counts at the event's time, as an area does.
- Two events of one time are ordered by `id`.
- A victim counts as informed at the very moment of the latest allocation too: the two may be one key press.
- Subgroup and codes come from the latest class's code alone, whatever group or category that class states.
- A figure is held at noon (UTC) of the 15th of the month in which its period ends, so in that month in every zone.
- A figure may be of a group of areas: `county` is then a value of its own, and `county_unknown` another.
- A number of a figure has no more decimals than are kept, and its as-at is not in the future: such are not admitted.
- A figure without a denominator has no field of one; a number of 0 has a field that says that it was given.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from functools import cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from tests.oracle.scales import DAY_MS, bin_of
from tests.parts import ROOT

LINES = ("999", "101")
CLASSES = ("emergency", "non_emergency", "general_enquiry", "outgoing")
CHANNELS = (
    "single_online_home", "live_chat", "facebook", "twitter", "email", "front_counter", "partner_agency",
)  # fmt: skip
CLI_TYPES = ("landline", "mobile", "withheld")
CALLERS = {"landline": "landline_callers", "mobile": "mobile_callers"}
ORGANISATIONS = ("hospital", "care_home", "school", "partner")
GRADES = ("1", "2", "3")
AREAS = (
    "stoke", "newcastle_under_lyme", "stafford", "lichfield", "tamworth", "east_staffordshire", "south_staffordshire",
    "cannock_chase", "staffordshire_moorlands", "county_unknown", "out_of_force",
)  # fmt: skip
INCIDENT_CATEGORIES = ("asb", "crime", "public_safety", "transport", "administration")
ASB_TYPES = ("personal", "nuisance", "environmental", "neighbour_dispute")
OTHER_SPELLINGS = {
    "county": "county_unknown", "stoke_on_trent": "stoke", "stoke_on_trent_ua": "stoke",
    "city_of_stoke_on_trent": "stoke",
}  # fmt: skip
GROUPS = (
    "criminal_damage_and_arson", "drug_offences", "miscellaneous_crimes", "possession_of_weapons_offences",
    "public_order_offences", "robbery", "sexual_offences", "theft_offences", "violence_against_the_person",
)  # fmt: skip
CATEGORIES = (
    "anti_social_behaviour", "bicycle_theft", "burglary", "criminal_damage_and_arson", "drugs", "other_crime",
    "other_theft", "possession_of_weapons", "public_order", "robbery", "shoplifting", "theft_from_the_person",
    "vehicle_crime", "violence_and_sexual_offences",
)  # fmt: skip
SUBGROUPS = (
    "arson", "bicycle_theft", "criminal_damage", "domestic_burglary", "homicide", "miscellaneous_crimes",
    "non_domestic_burglary", "other_sexual_offences", "other_theft_offences", "possession_of_drugs",
    "possession_of_weapons_offences", "public_order_offences", "rape_offences", "robbery_of_business_property",
    "robbery_of_personal_property", "shoplifting", "stalking_and_harassment", "theft_from_a_vehicle",
    "theft_from_the_person", "theft_of_a_motor_vehicle", "trafficking_of_drugs", "vehicle_interference",
    "violence_with_injury", "violence_without_injury",
)  # fmt: skip
ACQUISITIVE = {
    "28A", "28B", "28C", "28D", "28E", "28F", "28G", "28H", "29", "29A", "30A", "30B", "30C", "30D", "31", "31A",
    "34A", "34B", "45", "48", "37.2", "39",
}  # fmt: skip
HOMICIDE = {"1", "4.1", "4.2", "4.10"}
WITH_A_KNIFE = {
    *HOMICIDE, "2", "3B", "5D", "8N", "8P", "8S", "19C", "19D", "19E", "19F", "19G", "19H", "17A", "17B", "20A", "20B",
    "34A", "34B",
}  # fmt: skip
FLAGS = ("domestic_abuse", "knife", "firearm", "online", "keyless")
UNABLE = {"9", "10", "14", "15", "18", "21"}
RESOLVED = {"1", "1A", "2", "2A", "3", "3A", "4", "6", "7", "8", "22"}
COUNTED_AS_RESOLVED = RESOLVED  # by crime_resolved only: a test changes that entry and no other
ANSWER_EDGES = frozenset({10_000, 60_000})  # below 10 s; 10 to below 60 s; 60 s and more
ATTENDANCE_LIMITS_MS = {"1": 15 * 60_000, "2": 60 * 60_000, "3": 24 * 3_600_000}
# The figures in histories: the number of decimals that are stored.
FIGURES = {
    "crimes_prosecuted": 1, "complaints_retained": 0, "speed_enforcements_change": 0,
    "road_fatalities_by_road_user": 0, "gun_crime_published": 0,
}  # fmt: skip
PERCENT = {"crimes_prosecuted", "complaints_retained"}  # a rate of these without a denominator is at most 100
HELD_MS = {  # noon of the 15th of the month in which a period ends
    "2021-10-31": 1_634_299_200_000, "2021-09": 1_631_707_200_000, "2021-Q3": 1_631_707_200_000,
    "2020": 1_608_033_600_000, "2020-10/2021-09": 1_631_707_200_000, "2021-08/2021-10": 1_634_299_200_000,
    "2022": 1_671_105_600_000,
}  # fmt: skip
NOTED_MS = {"2021-07": 1_625_097_600_000, "2021-09-30": 1_632_960_000_000}  # first day, 00:00 UTC
ATTENDANCE_EDGES = frozenset(limit + 1 for limit in ATTENDANCE_LIMITS_MS.values())


@dataclass(frozen=True)
class Sent:
    """One event as stored in its partition. `closing_ms` differs from arrival only for replayed letters."""

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
    ignored: tuple[str, ...] = ()  # optional fields of an invalid form, which are not in `data`

    @property
    def closing_ms(self) -> int:
        """The time that decides whether a month had closed before this event."""
        return self.arrival_ms if self.replayed_ms is None else self.replayed_ms


@dataclass
class Added:
    """What an entity contributes: amounts by (moment, series, field), open series with start, tokens by moment."""

    cells: Counter[tuple[int, str, str]] = field(default_factory=Counter)
    open: dict[str, int] = field(default_factory=dict)
    tokens: Counter[tuple[int, str, str]] = field(default_factory=Counter)  # moment, measure, token -> 1

    def count(self, at_ms: int, measure: str, by: Mapping[str, str], what: str, amount: int = 1) -> None:
        """Add one to something."""
        self.cells[at_ms, series(measure, by), what] += amount

    def share(self, at_ms: int, measure: str, by: Mapping[str, str], part: bool) -> None:
        """Add one to the whole, perhaps to the part."""
        self.count(at_ms, measure, by, "whole")
        if part:
            self.count(at_ms, measure, by, "part")

    def token(self, at_ms: int, measure: str, *tokens: object) -> None:
        """Add each token once, as the field of its measure's hashes."""
        for token in {str(token) for token in tokens if token is not None}:
            self.tokens[at_ms, measure, token] = 1

    def duration(
        self,
        measure: str,
        by: Mapping[str, str],
        interval: tuple[int | None, int],
        *,
        misses_from_ms: int = 0,
        edges: frozenset[int] = frozenset(),
    ) -> None:
        """Add one interval at its end; from `misses_from_ms` on it misses its target (0: no target)."""
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
    """A listed value is itself, an absent one has its name, and any other is `other`."""
    if value is None:
        return absent
    words = str(value).lower().replace("-", " ").split()
    return "_".join(words) if "_".join(words) in listed else "other"


def area_of(placed: Sequence[Sent]) -> str:
    """The area given by the last of these events that has one, in any spelling."""
    if not placed:
        return "unknown"
    words = "_".join(str(placed[-1].data["area"]).lower().replace("-", " ").split())
    return label(OTHER_SPELLINGS.get(words, words), AREAS)


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
    """What the entity with exactly these events (any order, any repeats, at least one) contributes to all measures."""
    return {"calls": _call, "contacts": _contact, "incidents": _incident, "crimes": _crime, "returns": _return}[
        events[0].stream
    ](events)


def _orphan(events: Sequence[Sent]) -> Added:
    added = Added()
    added.count(min(event.time_ms for event in events), "orphans", {"topic": events[0].topic}, "count")
    return added


def _latest(events: Sequence[Sent], key: str) -> Any:
    named = _naming(events, key)
    return named[-1].data[key] if named else None


def _call(events: Sequence[Sent]) -> Added:
    presented = _first_ms(events, "call.presented")
    queued = _first_ms(events, "call.queued")
    offered = presented if presented is not None else queued
    if offered is None:
        return _orphan(events)
    outbound = label(_latest(events, "direction"), ("outbound",)) == "outbound"
    said_class = _latest(events, "class")
    class_ = "outgoing" if said_class is None and outbound else label(said_class, CLASSES)
    added = Added()
    added.count(offered, "call_volume_by_class", {"class": class_}, "count")
    if outbound or class_ == "outgoing":
        return added
    named = _naming(events, "line")
    by = {"line": label(named[0].data["line"] if named else None, LINES)}
    added.count(offered, "call_volume", by, "count")
    cli_type = label(_latest(events, "cli_type"), CLI_TYPES)
    _by_number(added, offered, cli_type)
    _by_caller(added, offered, cli_type, events)
    answered, abandoned, accepted, made = (
        _first_ms(events, f"call.{what}") for what in ("answered", "abandoned", "callback_accepted", "callback_made")
    )
    ended = bool(_of(events, "call.ended"))
    if answered is not None and not ended:
        added.open[series("calls_in_progress", by)] = answered
    if accepted is not None and made is None:
        added.open[series("callbacks_due", by)] = accepted
    if queued is not None and (answered, abandoned, accepted) == (None, None, None) and not ended:
        added.open[series("calls_waiting", by)] = queued
    if accepted is not None:  # what comes later changes nothing
        answered = answered if answered is not None and answered < accepted else None
        abandoned = abandoned if abandoned is not None and abandoned < accepted else None
    _left(added, by, (presented, queued), (answered, abandoned))
    return added


def _by_number(added: Added, offered: int, cli_type: str) -> None:
    added.count(offered, "call_volume_by_cli_type", {"cli_type": cli_type}, "count")
    if cli_type in ("landline", "mobile"):
        added.share(offered, "call_landline_share", {}, part=cli_type == "landline")
        added.share(offered, "call_mobile_share", {}, part=cli_type == "mobile")


def _by_caller(added: Added, offered: int, cli_type: str, events: Sequence[Sent]) -> None:
    named = _naming(events, "caller_token")
    if named:
        token = named[0].data["caller_token"]
        if cli_type in CALLERS:
            added.token(offered, CALLERS[cli_type], token)
        organisation = label(_latest(events, "caller_org"), ORGANISATIONS)
        added.token(offered, "top_callers", f"{token}|{organisation}")


def _left(
    added: Added, by: Mapping[str, str], starts: tuple[int | None, int | None], ends: tuple[int | None, int | None]
) -> None:
    """What ended the wait: an answer, or an abandon without one. `starts`: presented and queued."""
    (presented, queued), (answered, abandoned) = starts, ends
    if answered is not None:
        misses = 10_000 if by["line"] == "999" else 0  # below 10 s
        for measure, start in (("call_answer_time", queued), ("call_answer_time_presented", presented)):
            added.duration(measure, by, (start, answered), misses_from_ms=misses, edges=ANSWER_EDGES)
    left = answered if answered is not None else abandoned
    if queued is None or left is None:
        return
    gave_up = answered is None
    short = gave_up and 0 <= left - queued < 5_000
    added.share(left, "call_abandonment", by, part=gave_up)
    added.share(left, "call_abandonment_less_short", by, part=gave_up and not short)
    if not short:
        added.share(left, "call_abandonment_without_short", by, part=gave_up)
    if gave_up:
        added.share(left, "call_abandoned_within_60s", by, part=0 <= left - queued <= 60_000)


def _contact(events: Sequence[Sent]) -> Added:
    received = _first_ms(events, "contact.received")
    if received is None:
        return _orphan(events)
    class_ = label(_latest(events, "class"), CLASSES)
    added = Added()
    added.count(received, "contact_volume_by_class", {"class": class_}, "count")
    if class_ == "outgoing":
        return added
    by = {"channel": label(_latest(events, "channel"), CHANNELS)}
    added.count(received, "contact_volume", by, "count")
    replied = _first_ms(events, "contact.first_reply")
    if replied is not None:
        added.duration("contact_reply_time", by, (received, replied))
    elif not _of(events, "contact.closed"):
        added.open[series("contacts_waiting", by)] = received
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
    area = area_of(placed)
    latest = {"grade": label(graded[-1].data["grade"] if graded else None, GRADES, "ungraded"), "area": area}
    earliest = {"grade": label(graded[0].data["grade"] if graded else None, GRADES, "ungraded"), "area": area}
    classed = _of(events, "incident.created", "incident.closed", "incident.reclassified")
    category = label(_latest(classed, "category"), INCIDENT_CATEGORIES)
    own = _naming(events, "self_initiated")
    added = Added()
    added.count(created, "incident_volume", latest, "count")
    added.count(created, "incident_volume_by_category", {"incident_category": category, "area": area}, "count")
    if category == "asb":
        _asb(added, events, created, {"asb_type": label(_latest(classed, "asb_type"), ASB_TYPES), "area": area})
    is_resourced = assigned is not None or on_scene is not None
    added.share(created, "incident_resourced", latest, part=is_resourced)
    added.share(created, "incident_resourced_first_grade", earliest, part=is_resourced)
    if own and own[-1].data["self_initiated"]:  # nobody rang for it: no time to attend or assign, nobody waits
        added.count(created, "incidents_self_initiated", latest, "count")
        return added
    if assigned is not None:
        added.duration("incident_assignment_time", latest, (created, assigned))
        added.share(assigned, "incident_arrival_missing", latest, part=on_scene is None)
    if on_scene is not None:
        grades = (_grade_at(graded, on_scene), earliest["grade"], latest["grade"])
        _attended(added, (created, on_scene), grades, area)
    turns = _of(events, "incident.closed", "incident.cancelled", "incident.reopened")
    if on_scene is None and (not turns or turns[-1].type == "incident.reopened"):
        added.open[series("incidents_unattended", latest)] = created
        if not _assigned_now(events):
            added.open[series("incidents_unresourced", latest)] = created
    return added


def _asb(added: Added, events: Sequence[Sent], created: int, by: dict[str, str]) -> None:
    added.count(created, "incidents_asb", by, "count")
    added.token(created, "asb_addresses", _latest(events, "address_token"))
    place = _latest(events, "lsoa")
    added.token(created, "asb_places", place if place in (None, "E01014309", "E01014310") else "other")


def _attended(added: Added, times: tuple[int, int], grades: tuple[str, str, str], area: str) -> None:
    """Grades: at attendance, the first one, and the last one."""
    measures = (
        "incident_attendance_time",
        "incident_attendance_time_first_grade",
        "incident_attendance_time_last_grade",
    )
    for measure, grade in zip(measures, grades, strict=True):
        misses = ATTENDANCE_LIMITS_MS.get(grade, -1) + 1  # within 15 min, 60 min, 24 h
        by = {"grade": grade, "area": area}
        added.duration(measure, by, times, misses_from_ms=misses, edges=ATTENDANCE_EDGES)


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


class Known(NamedTuple):
    """What the table of offence codes says about one code."""

    group: str
    subgroup: str
    category: str
    codes: frozenset[str]


def code_of(text: str) -> str:
    """A code as these lists write it: `004/01` and ` 4.1 ` are 4.1."""
    numbers = re.split(r"[/.]", text.strip().upper())
    return ".".join(number.lstrip("0") for number in numbers)


@cache
def table() -> dict[str, Known]:
    """The table of offence codes; a row of several codes is in it as a whole and under each of them."""
    known = {}
    with (ROOT / "schemas" / "reference" / "offence_codes.csv").open(newline="") as rows:
        for row in csv.DictReader(rows):
            names = (row["Offence_Group"], row["Offence_Subgroup"], row["Police.uk_Cat"])
            parts = [code_of(part) for part in row["Offence_Code"].split("/")]
            known[code_of(row["Offence_Code"])] = Known(*names, frozenset(parts))
            known |= {part: Known(*names, frozenset([part])) for part in parts}
    return known


@cache
def _bank_holidays() -> frozenset[str]:
    with (ROOT / "schemas" / "reference" / "bank_holidays_england.csv").open(newline="") as rows:
        return frozenset(row["date"] for row in csv.DictReader(rows))


def working_ms(begin_ms: int, end_ms: int, enough_ms: int) -> int:
    """How much of an interval is on working days in London; stops counting beyond `enough_ms`."""
    zone, total = ZoneInfo("Europe/London"), 0
    day = datetime.fromtimestamp(begin_ms / 1000, UTC).astimezone(zone).date()
    while (starts_ms := _midnight_ms(day, zone)) < end_ms and total <= enough_ms:
        day += timedelta(days=1)
        if (day - timedelta(days=1)).weekday() < 5 and (day - timedelta(days=1)).isoformat() not in _bank_holidays():
            total += max(0, min(end_ms, _midnight_ms(day, zone)) - max(begin_ms, starts_ms))
    return total


def _midnight_ms(day: date, zone: ZoneInfo) -> int:
    return round(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp() * 1000)


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
    known = table().get(code_of(latest["offence_code"])) if latest.get("offence_code") else None
    area = {"area": area_of(_naming(events, "area"))}
    added = Added()
    group = label(latest.get("group") or (known and known.group), GROUPS, "not_stated")
    added.count(recorded, "crime_recorded", {"group": group, **area}, "count")
    category = label(latest.get("category") or (known and known.category), CATEGORIES)
    added.count(recorded, "crime_recorded_by_category", {"category": category, **area}, "count")
    subgroup = label(known and known.subgroup, SUBGROUPS, "not_stated")
    added.count(recorded, "crime_recorded_by_subgroup", {"subgroup": subgroup}, "count")
    codes = known.codes if known else frozenset(["none"])
    for measure, by in (*_by_code(codes, subgroup), *_by_flag(events, codes, group, area)):
        added.count(recorded, measure, by, "count")
    if latest.get("offence_code") and known is None:
        written = code_of(latest["offence_code"]).replace(".", "/")
        is_code = re.fullmatch(r"[0-9]{1,4}[A-Z]{0,2}(/[0-9]{1,4}[A-Z]{0,2}){0,8}", written)
        added.token(recorded, "crime_unknown_codes", written if is_code else "not_a_code")
    added.token(recorded, "repeat_suspects", *_suspects_linked(events))
    _victim(added, events, recorded)
    _outcome(added, _of(events, "crime.outcome_assigned"), area)
    return added


def _suspects_linked(events: Sequence[Sent]) -> list[object]:
    links = _of(events, "crime.suspect_linked", "crime.suspect_unlinked")
    last_of_suspect = {event.data["suspect_token"]: event.type for event in links}
    return [token for token, kind in last_of_suspect.items() if kind == "crime.suspect_linked"]


def _by_code(codes: frozenset[str], subgroup: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Counts of crimes whose codes are all listed, with their labels."""
    if codes <= ACQUISITIVE:
        yield "crime_acquisitive", {"acquisitive_part": subgroup}
    if codes <= {"34A", "34B"}:
        yield "crime_robbery", {}
    if codes <= HOMICIDE:
        yield "crime_homicide", {}


def _by_flag(
    events: Sequence[Sent], codes: frozenset[str], group: str, area: dict[str, str]
) -> Iterator[tuple[str, dict[str, str]]]:
    """Counts of crimes by the latest list of flags and the latest gender of the victim."""
    flags = {flag.lower().replace("-", "_").replace(" ", "_") for flag in _latest(events, "flags") or ()}
    if codes <= {"48", "37.2"} and "keyless" in flags:
        yield "crime_keyless_vehicle_theft", {}
    if codes <= WITH_A_KNIFE and "knife" in flags:
        yield "crime_knife", area
    if "firearm" in flags:
        yield "crime_firearm", area
    if "domestic_abuse" in flags:
        yield "crime_domestic_abuse", area
    if "online" in flags:
        yield "crime_online", {}
    gender = label(_latest(events, "victim_gender"), ("female", "male", "other"))
    if group == "violence_against_the_person" and gender == "female":
        yield "crime_violence_female_victim", area


def _victim(added: Added, events: Sequence[Sent], recorded: int) -> None:
    """The report of a crime, and the steps for its victim."""
    said = _latest(events, "reported_at")
    reported = None if said is None else round(datetime.fromisoformat(said).timestamp() * 1000)
    one_day = frozenset({DAY_MS + 1})
    added.duration("crime_recording_time", {}, (reported, recorded), misses_from_ms=DAY_MS + 1, edges=one_day)
    if _naming(events, "victim_token"):
        added.count(recorded, "crime_with_victim", {}, "count")
    if (contract := _first_ms(events, "crime.contract_completed")) is not None:
        added.count(contract, "crime_contracts_completed", {}, "count")
    validated = _first_ms(events, "crime.validated")
    transferred = _first_ms(events, "crime.gateway_transferred")
    if transferred is not None:
        interval, misses = (validated, transferred), 2 * DAY_MS + 1
        added.duration("crime_gateway_transfer_time", {}, interval, misses_from_ms=misses, edges=frozenset({misses}))
        if validated is not None and validated <= transferred:
            within = working_ms(validated, transferred, 2 * DAY_MS) <= 2 * DAY_MS
            added.share(transferred, "crime_gateway_transfer_working", {}, part=within)
    elif validated is not None:
        added.open[series("crime_gateway_untransferred", {})] = validated
    allocated, informed = _of(events, "crime.allocated"), _of(events, "crime.victim_informed")
    if allocated:
        moment = allocated[-1].time_ms
        told = bool(informed) and informed[-1].time_ms >= moment
        added.share(moment, "crime_victim_informed", {}, part=told)


def _outcome(added: Added, outcomes: Sequence[Sent], area: dict[str, str]) -> None:
    """The four parts of outcomes, and diversions."""
    if not outcomes:
        return
    code, moment = outcomes[-1].data["outcome"], outcomes[-1].time_ms
    added.share(moment, "crime_resolved", area, part=code in COUNTED_AS_RESOLVED)
    added.share(moment, "crime_victim_does_not_support", {}, part=code == "16")
    added.share(moment, "crime_unable_to_progress", {}, part=code in UNABLE)
    added.share(moment, "crime_other_outcome", {}, part=code not in RESOLVED | UNABLE | {"16"})
    if code in RESOLVED:
        added.share(moment, "crime_resolved_by_diversion", {}, part=code == "22")


def _return(events: Sequence[Sent]) -> Added:
    added = Added()
    if notes := _of(events, "return.note"):
        added.open["notes|"] = NOTED_MS[notes[-1].data["from"]]
        return added
    version = max(events, key=lambda event: (as_at_ms(event.data["as_at"]), event.time_ms, event.id))
    if version.type == "return.withdrawn":
        return added
    measure, labels, period = version.subject.split("|")
    by = dict(pair.split("=") for pair in labels.split(",") if pair) | {"period": period}
    added.open["figures|"] = as_at_ms(version.data["as_at"])
    added.count(HELD_MS[period], measure, by, "as_at_ms", as_at_ms(version.data["as_at"]))
    for what in ("numerator", "denominator"):
        number = version.data.get(what)
        if number is not None:
            kept = Fraction(str(number)) * 10 ** FIGURES[measure]
            added.count(HELD_MS[period], measure, by, what, kept.numerator)
            added.count(HELD_MS[period], measure, by, f"has_{what}")
    return added


def as_at_ms(text: str) -> int:
    """The moment of an as-at; for a day, its first moment in UTC."""
    moment = datetime.fromisoformat(text if "T" in text else f"{text}T00:00:00+00:00")
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
