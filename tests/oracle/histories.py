"""Hypothesis generators of event histories, and of the orders in which they may be delivered.

*Any order* is meant as in docs/architecture.md#fold: arrival travels with the event as data, and no entity has a gap
between arrivals longer than its keeping in any order, so all arrivals of one lie within one keeping.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from tests.oracle.facts import (
    AREAS,
    ASB_TYPES,
    CATEGORIES,
    FIGURES,
    FLAGS,
    GROUPS,
    HELD_MS,
    INCIDENT_CATEGORIES,
    NOTED_MS,
    PERCENT,
    RESOLVED,
    Sent,
    as_at_ms,
)  # fmt: skip
from tests.oracle.recompute import FUTURE_MS, KEEPING_MS, LATENESS_MS
from tests.oracle.scales import DAY_MS, HOUR_MS, month_end_ms, time_text

TOPIC = "watchroom.{}"
TYPES = {
    "calls": (
        "call.presented", "call.queued", "call.answered", "call.abandoned", "call.callback_offered",
        "call.callback_accepted", "call.callback_made", "call.transferred", "call.ended",
    ),
    "contacts": ("contact.received", "contact.first_reply", "contact.closed"),
    "incidents": (
        "incident.created", "incident.graded", "incident.resource_assigned", "incident.resource_unassigned",
        "incident.resource_on_scene", "incident.cancelled", "incident.linked", "incident.closed", "incident.reopened",
        "incident.reclassified",
    ),
    "crimes": (
        "crime.recorded", "crime.reclassified", "crime.cancelled", "crime.validated", "crime.allocated",
        "crime.victim_informed", "crime.suspect_linked", "crime.suspect_unlinked", "crime.gateway_transferred",
        "crime.contract_completed", "crime.outcome_assigned",
    ),
    "returns": ("return.figure", "return.withdrawn", "return.note"),
}  # fmt: skip
FIRSTS = {
    "calls": ("call.presented", "call.queued"),
    "contacts": ("contact.received",),
    "incidents": ("incident.created",),
    "crimes": ("crime.recorded",),
    "returns": (),
}
USUAL = {
    "calls": (
        ("call.queued", "call.answered"),
        ("call.presented", "call.answered"),
        ("call.presented", "call.queued", "call.abandoned"),
        ("call.presented", "call.queued", "call.answered", "call.ended"),
        ("call.queued", "call.callback_offered", "call.callback_accepted", "call.ended"),
        ("call.queued", "call.abandoned", "call.callback_accepted", "call.callback_made"),
    ),
    "contacts": (
        ("contact.received", "contact.first_reply", "contact.closed"),
        ("contact.received", "contact.closed"),
        ("contact.received",),
    ),
    "incidents": (
        ("incident.created", "incident.resource_on_scene"),
        ("incident.created", "incident.graded", "incident.resource_on_scene"),
        ("incident.created", "incident.resource_assigned", "incident.resource_unassigned"),
        ("incident.created", "incident.closed", "incident.reopened"),
        ("incident.created", "incident.linked"),
        ("incident.created", "incident.reclassified", "incident.closed"),
        ("incident.created", "incident.graded", "incident.resource_on_scene", "incident.graded"),
    ),
    "crimes": (
        ("crime.recorded", "crime.outcome_assigned"),
        ("crime.recorded", "crime.reclassified"),
        ("crime.recorded", "crime.cancelled"),
        ("crime.recorded", "crime.validated", "crime.gateway_transferred"),
        ("crime.recorded", "crime.allocated", "crime.victim_informed", "crime.allocated"),
    ),
}
RARE = (
    "incident.linked",
    "crime.cancelled",
)  # they exclude the entity from everything, so most histories are without them

OCTOBER_2021_0130_BST = 1_635_640_200_000  # 31 October 2021 00:30 UTC, 01:30 London
OCTOBER_2021_0130_GMT = OCTOBER_2021_0130_BST + HOUR_MS  # the same clock hour, repeated
ANCHORS_MS = (
    month_end_ms("2021-09"), month_end_ms("2021-10"), month_end_ms("2021-03"), month_end_ms("2020-12"),
    month_end_ms("2021-10") - HOUR_MS, month_end_ms("2021-07") - 1, month_end_ms("2021-07") + HOUR_MS - 1,
    OCTOBER_2021_0130_BST, OCTOBER_2021_0130_GMT, 1_616_893_200_000,  # the last: 28 March 2021, clocks go forward
    1_634_553_296_789,
)  # fmt: skip
EDGES_MS = (
    0, 1, 2, 9_999, 10_000, 10_001, 59_999, 60_000, 60_001, 899_999, 900_000, 900_001, 3_600_000, 3_600_001,
    86_400_000, 86_400_001,
)  # fmt: skip
LIMITS_MS = {  # at a target, and one millisecond on either side
    "calls": (0, 4_999, 5_000, 9_999, 10_000, 10_000, 60_000, 60_001),
    "contacts": (0, 900_000, DAY_MS),
    "incidents": (0, 900_000, 900_001, 3_600_000, 3_600_001),
    "crimes": (-1, 0, DAY_MS, DAY_MS + 1, 2 * DAY_MS, 2 * DAY_MS + 1, 4 * DAY_MS),
}
FAR_MS = {
    "calls": (20 * HOUR_MS, 25 * HOUR_MS, 30 * HOUR_MS),
    "contacts": (6 * DAY_MS, 8 * DAY_MS, 40 * DAY_MS),
    "incidents": (6 * DAY_MS, 8 * DAY_MS, 15 * DAY_MS, 40 * DAY_MS),
    "crimes": (29 * DAY_MS, 31 * DAY_MS, 62 * DAY_MS, 365 * DAY_MS),
}
SPAN_MS = {"calls": 40 * HOUR_MS, "contacts": 60 * DAY_MS, "incidents": 60 * DAY_MS, "crimes": 400 * DAY_MS}

LINE = st.sampled_from((None, "999", "101", "999", "0300 123 2345"))
CLASS = st.sampled_from((*[None] * 6, "emergency", "Non-emergency", "general_enquiry", "social", "outgoing"))
CHANNEL = st.sampled_from(("single_online_home", "Live chat", "facebook", "email", "partner_agency", "letter"))
DIRECTION = st.sampled_from((*[None] * 9, "inbound", "Outbound"))
CLI_TYPE = st.sampled_from((None, None, "landline", "mobile", "Withheld", "satellite"))
ORGANISATION = st.sampled_from((None, "hospital", "Care home", "bank"))
CALLER = st.sampled_from((None, "k1." + "A" * 26, "k1." + "B" * 26))
GRADE = st.sampled_from(("1", "2", "3", "1", "2", "routine"))
AREA = st.sampled_from((None, *AREAS, "Stoke", "county", "Stoke-on-Trent UA", "Cannock Chase", *3 * ("Cheshire East",)))
GROUP = st.sampled_from((*[None] * 5, *GROUPS, "Violence against the person", "Drug offences", "Fraud offences"))
CATEGORY = st.sampled_from(
    (None, None, *CATEGORIES, "Violence and sexual offences", "Anti-social behaviour", "Parking")
)
INCIDENT_CATEGORY = st.sampled_from((None, *INCIDENT_CATEGORIES, "asb", "asb", "Public safety", "Lost property"))
ASB_TYPE = st.sampled_from((None, *ASB_TYPES, "Neighbour dispute", "Noise"))
LSOA = st.sampled_from((None, "E01014309", "E01014310", "Hanley | North"))
SELF_INITIATED = st.sampled_from((None, None, None, True, False))
CODE = st.sampled_from(
    (
        *[None] * 5, "8N", "34b", "105A", "1/4.1/4.10/4.2", "4/1", "004/10", "1", "48", "48", "037.2", "28E", "19C",
        "62A", "4.11", "ZZ9",
    )
)  # fmt: skip
NO_FLAGS: list[str] = []
FLAG_LISTS = st.one_of(
    st.none(),
    st.sampled_from((NO_FLAGS, ["keyless"])),
    st.lists(st.sampled_from((*FLAGS, "Domestic abuse", "drone")), min_size=1, max_size=3),
)
GENDER = st.sampled_from((None, "female", "Female", "male", "other", "not known"))
TOKENS = tuple(f"k1.{letter * 26}" for letter in "AB7")
TOKEN = st.sampled_from((None, *TOKENS))
CLASSED = ("crime.recorded", "crime.reclassified")
TELLING = (*CLASSED, "crime.validated", "crime.allocated")  # crime events that may carry more than their moment
OUTCOME = st.sampled_from((*sorted(RESOLVED), "18", "16", "16", "16", "14", "1A", "22", "5", "20", "99"))


def _known(**fields: object) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


@st.composite
def _data(draw: st.DrawFn, type_: str) -> dict[str, Any]:
    stream = type_.partition(".")[0]
    if stream == "call":
        numbers = {"cli_type": draw(CLI_TYPE), "caller_token": draw(CALLER), "caller_org": draw(ORGANISATION)}
        classed = {"class": draw(CLASS), "direction": draw(DIRECTION)}
        return _known(line=draw(LINE), queue="switchboard", **numbers, **classed)
    if stream == "contact":
        if type_ != "contact.received":
            return {"reason": "done"}
        return _known(channel=draw(CHANNEL), **{"class": draw(CLASS)})
    return draw(_incident_data(type_) if stream == "incident" else _crime_data(type_))


@st.composite
def _incident_data(draw: st.DrawFn, type_: str) -> dict[str, Any]:
    data = _known(area=draw(AREA), self_initiated=draw(SELF_INITIATED))
    if type_ in ("incident.created", "incident.closed", "incident.reclassified"):
        data |= _known(category=draw(INCIDENT_CATEGORY), asb_type=draw(ASB_TYPE))
        data |= _known(address_token=draw(TOKEN), lsoa=draw(LSOA))
    if type_ == "incident.created":
        data |= _known(grade=draw(st.one_of(st.none(), GRADE)))
    if type_ == "incident.graded":
        data["grade"] = draw(GRADE)
    if ".resource_" in type_:
        data["unit"] = draw(st.sampled_from(("ST1", "ST2")))
    if type_ == "incident.linked":
        data["parent"] = "P-1"
    return data


@st.composite
def _crime_data(draw: st.DrawFn, type_: str) -> dict[str, Any]:
    if type_ == "crime.outcome_assigned":
        return {"outcome": draw(OUTCOME)}
    if type_.startswith("crime.suspect_"):
        return {"suspect_token": draw(st.sampled_from(TOKENS))}
    if type_ not in TELLING:
        return {"reason": "no crime"}
    data = _known(
        area=draw(AREA), flags=draw(FLAG_LISTS), victim_gender=draw(GENDER), victim_token=draw(TOKEN)
    )  # fmt: skip
    if type_ in CLASSED:
        data |= _known(group=draw(GROUP), category=draw(CATEGORY), offence_code=draw(CODE))
    if type_ == "crime.reclassified" and not {"group", "category", "offence_code"} & set(data):
        data["offence_code"] = "8N"
    return data


@st.composite
def _report(draw: st.DrawFn, type_: str, at_ms: int) -> dict[str, Any]:
    """When a crime was reported, according to some of its events: about a day before, or after."""
    if type_ not in TELLING or not draw(st.booleans()):
        return {}
    ago_ms = draw(st.sampled_from((0, 60_000, DAY_MS, DAY_MS + 1, 3 * DAY_MS, -1)))
    return {"reported_at": time_text(at_ms - ago_ms)}


@st.composite
def _delay_ms(draw: st.DrawFn, stream: str) -> int:
    """Arrival after the event time, between almost in the future and almost late."""
    bound = LATENESS_MS[stream]
    return draw(st.one_of(st.sampled_from((0, 800, -FUTURE_MS, bound, bound - 1)), st.integers(-FUTURE_MS, bound)))


@st.composite
def _types(draw: st.DrawFn, stream: str) -> tuple[str, ...]:
    """Any types, some more than once; one history in ten misses its first event."""
    types = draw(st.lists(st.sampled_from([t for t in TYPES[stream] if t not in RARE]), max_size=9))
    if draw(st.integers(0, 9)):
        types += draw(st.sampled_from([(first,) for first in FIRSTS[stream]] + [FIRSTS[stream]]))
    else:
        types = [t for t in types if t not in FIRSTS[stream]]
    if not draw(st.integers(0, 11)):
        types += [t for t in RARE if t in TYPES[stream]]
    return tuple(types or ["call.ended" if stream == "calls" else TYPES[stream][-1]])


@st.composite
def entity(draw: st.DrawFn, stream: str, subject: str) -> list[Sent]:
    """All events of one call, contact, incident or crime, in no particular order; some are sent twice."""
    anchor = draw(st.sampled_from(ANCHORS_MS))
    types = draw(st.one_of(st.sampled_from(USUAL[stream]), _types(stream), _types(stream)))
    events = []
    at_ms = anchor
    usual = types in USUAL[stream] or draw(st.booleans())  # the usual sequence, or anything
    near = st.sampled_from(LIMITS_MS[stream])
    forward = st.one_of(near, near, st.sampled_from((*EDGES_MS, 3_000, *FAR_MS[stream])))
    anyhow = st.one_of(
        st.sampled_from((*EDGES_MS, *FAR_MS[stream], -1, -5_000, -HOUR_MS)), st.integers(-HOUR_MS, SPAN_MS[stream])
    )
    for number, type_ in enumerate(sorted(types, key=TYPES[stream].index) if usual else draw(st.permutations(types))):
        step = draw(forward if usual else anyhow)
        base = at_ms if usual else draw(st.sampled_from((anchor, at_ms)))
        at_ms = min(max(base + step, anchor - HOUR_MS), anchor + SPAN_MS[stream])
        event = Sent(
            stream=stream, type=type_, id=f"{draw(st.integers(0, 9))}-{number}", subject=subject, time_ms=at_ms,
            arrival_ms=at_ms + draw(_delay_ms(stream)), data=draw(_data(type_)) | draw(_report(type_, at_ms)),
            topic=TOPIC.format(stream),
        )  # fmt: skip
        events.append(event)
        if not draw(st.integers(0, 5)):
            again = event.time_ms + draw(_delay_ms(stream))
            events.append(Sent(**{**vars(event), "arrival_ms": again}))
    spread = max(e.arrival_ms for e in events) - min(e.arrival_ms for e in events)
    if spread > KEEPING_MS[stream]:
        raise ValueError(f"the generator broke its own rule: {spread} ms between arrivals")
    return events


NUMBERS = {0: (0, 1, 7, 779, 1450, 1e14), 1: (0, 1, 2.5, 28.3, 99.9, 1450, 1e13 + 0.5)}  # by decimals that are stored
AS_AT = (
    "1990-01-01", "2020-12-01", "2021-03-29T00:00:00.001+01:00",
    "2021-10-31", "2021-11-08", "2021-11-08T09:00:00+00:00", "2021-11-08T09:00:00.001+01:00", "2022-01-21",
    "2020-12-31T23:59:59+00:00",
)  # fmt: skip


@st.composite
def _return_data(draw: st.DrawFn, type_: str, at_ms: int, of: tuple[str, dict[str, str], str]) -> dict[str, Any]:
    measure, by, period = of
    if type_ == "return.note":
        about = draw(st.sampled_from((None, "", "call_volume")))
        said = {"text": draw(st.sampled_from(("one", "two"))), "from": draw(st.sampled_from(sorted(NOTED_MS)))}
        return said | _known(measure=about)
    not_ahead = [each for each in AS_AT if as_at_ms(each) <= at_ms + FUTURE_MS]
    as_at = draw(st.sampled_from((time_text(at_ms + FUTURE_MS), *not_ahead)))
    data: dict[str, Any] = {"measure": measure, "period": period, "as_at": as_at}
    if draw(st.booleans()) or by:
        data["by"] = by
    if type_ == "return.figure":
        numbers = NUMBERS[FIGURES[measure]]
        numerator = draw(st.sampled_from(numbers))
        without = () if measure in PERCENT and numerator > 100 else (None, None)
        denominator = draw(st.sampled_from((*without, *(each for each in numbers if each >= numerator))))
        sign = -1 if measure == "speed_enforcements_change" and draw(st.booleans()) else 1
        data["numerator"] = sign * numerator
        data |= {} if denominator is None else {"denominator": denominator}
        data |= draw(st.sampled_from(({}, {"note": "estimated"}, {"reported_by": "a team"})))
    return data


@st.composite
def returned(draw: st.DrawFn, name: str) -> list[Sent]:
    """All versions of one figure or note, in no particular order; `name` gives its events' ids."""
    measure, period = draw(st.sampled_from(sorted(FIGURES))), draw(st.sampled_from(sorted(HELD_MS)))
    by = {
        "road_fatalities_by_road_user": {"road_user": "pedestrian"},
        "gun_crime_published": {"area": draw(st.sampled_from(("stoke", "county", "county_unknown", "unknown")))},
    }.get(measure, {})
    is_note = not draw(st.integers(0, 4))
    labels = ",".join(f"{label}={value}" for label, value in by.items())
    subject = f"note|{name} of a period" if is_note else f"{measure}|{labels}|{period}"
    types = ("return.note",) if is_note else ("return.figure", "return.figure", "return.withdrawn")
    events = []
    for number in range(draw(st.integers(1, 5))):
        type_ = draw(st.sampled_from(types))
        at_ms = draw(st.sampled_from(ANCHORS_MS))
        delay_ms = draw(st.sampled_from((0, 800, -FUTURE_MS, DAY_MS, 40 * DAY_MS, 900 * DAY_MS)))
        events.append(
            Sent(
                stream="returns", type=type_, id=f"{draw(st.integers(0, 9))}-{number}-{name}", subject=subject,
                time_ms=at_ms, arrival_ms=at_ms + delay_ms, topic=TOPIC.format("returns"),
                data=draw(_return_data(type_, at_ms, (measure, by, period))),
            )
        )  # fmt: skip
    return events


@st.composite
def histories(draw: st.DrawFn, streams: Sequence[str] = tuple(TYPES), most: int = 4) -> list[Sent]:
    """Events of a few entities of some streams; a call and an incident may share their subject."""
    count = draw(st.integers(1, most))
    events = []
    for number in range(count):
        stream, name = draw(st.sampled_from(streams)), f"S-{number // 2}-{number}"
        events += draw(returned(name) if stream == "returns" else entity(stream, name))
    return events


@st.composite
def deliveries(draw: st.DrawFn, events: Sequence[Sent]) -> list[Sent]:
    """The same events in any order, some of them more than once."""
    again = draw(st.lists(st.sampled_from(list(events)), max_size=4))
    return draw(st.permutations([*events, *again]))


@st.composite
def batches(draw: st.DrawFn, events: Sequence[Any]) -> list[list[Any]]:
    """The same list split anywhere."""
    cuts = sorted(draw(st.sets(st.integers(1, max(1, len(events) - 1)), max_size=6)))
    ends = [*cuts, len(events)]
    return [list(events[start:end]) for start, end in zip([0, *cuts], ends, strict=True) if events[start:end]]


@st.composite
def moments(draw: st.DrawFn, events: Sequence[Sent]) -> int:
    """A `now` at or after the last arrival: at once, or when buckets of some level are no longer kept."""
    last = max(event.arrival_ms for event in events)
    return last + draw(st.sampled_from((0, HOUR_MS, 3 * HOUR_MS, 61 * DAY_MS, 200 * DAY_MS, 450 * DAY_MS)))
