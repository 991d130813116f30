"""Every number of the simulated force, with where it comes from.

"published" is the Public Performance Meeting of 27 January 2022 (Staffordshire Police; 12 months
to November 2021). "assumption" says that no source was found; such numbers are round, or were
fitted so that a published level comes out (`tests/simulator/test_levels.py` measures them).

Times are in seconds. A spread is the sigma of a lognormal distribution.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class Delivery:
    """How often delivery goes wrong, as shares of the events of a stream. All are assumptions."""

    duplicates: float  # sent again with the same bytes
    out_of_order: float  # overtaken by later events
    late: float  # much delayed, within what the stream allows
    late_s: tuple[float, float]
    lateness_s: float  # the stream's bound (docs/architecture.md#two-times)
    too_late: float = 0.0  # beyond the bound: a dead letter
    out_of_order_s: tuple[float, float] = (1.0, 30.0)
    repeat_s: tuple[float, float] = (0.0, 20.0)

    @property
    def troubled(self) -> float:
        """Share of events whose first delivery is not the usual one."""
        return self.out_of_order + self.late + self.too_late


@dataclass(frozen=True, slots=True)
class Shift:
    """Call handlers at work, net of breaks, digital contact and other tasks."""

    emergency: int  # kept free for 999
    shared: int  # answer 101, and 999 first


@dataclass(frozen=True, slots=True)
class Line:
    """One telephone line's callers and what answering them takes."""

    per_day: float
    before_queue_s: tuple[float, float]  # presented to queued, uniform
    hung_up_before_queue: float  # share that never joins the queue (menu, message)
    hasty: float  # share of callers with little patience
    hasty_s: float  # their mean patience
    patience_s: float  # mean patience of the others
    longest_s: float  # nobody waits longer
    ring_s: float  # median from a handler being free to the voice
    ring_spread: float
    talk_s: float  # mean
    wrap_up_s: float  # mean time until the handler is free again
    incident: float  # share of answered calls that open an incident
    lost: float  # share of calls not answered on a normal day; what counts as normal demand for incidents
    classes: Mapping[str, float]  # of calls
    rung_back: float  # share of callers whose patience ends who accept a call-back instead


@dataclass(frozen=True, slots=True)
class Callers:
    """Who rings, and from which numbers. Assumptions but for landline and mobile."""

    types: Mapping[str, float] = field(
        # published: 13 % landline, 87 % mobile of those with a number
        default_factory=lambda: {"landline": 0.13 * 0.94, "mobile": 0.87 * 0.94, "withheld": 0.06}
    )
    numbers: int = 250_000
    hospitals: int = 5  # published: the top five callers are linked to hospitals
    from_hospitals: float = 0.01  # of calls
    callback_s: tuple[float, float] = (300, 5_400)  # accepted to made, uniform


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel of digital contact."""

    per_day: float
    reply_s: float  # median, received to first reply


@dataclass(frozen=True, slots=True)
class Contacts:
    """Digital contact. The report gives no numbers: all are assumptions but for the sum of all channels."""

    # published: contacts fairly stable while 101 fell by 79,185 a year, so that 217 a day came in otherwise
    channels: Mapping[str, Channel] = field(
        default_factory=lambda: {
            "single_online_home": Channel(95, 4 * 3600),
            "live_chat": Channel(30, 60),
            "facebook": Channel(30, 1.5 * 3600),
            "twitter": Channel(12, 1.5 * 3600),
            "email": Channel(35, 6 * 3600),
            "front_counter": Channel(15, 240),
            "partner_agency": Channel(20, 20 * 60),
        }
    )
    reply_spread: float = 0.6
    handle_s: float = 1_800  # median, first reply to closed
    unanswered: float = 0.1  # closed without a reply
    classes: Mapping[str, float] = field(
        default_factory=lambda: {"non_emergency": 0.68, "general_enquiry": 0.26, "emergency": 0.01, "outgoing": 0.05}
    )


@dataclass(frozen=True, slots=True)
class Grade:
    """What becomes of incidents of one grade."""

    share: float  # of incidents, at first grading
    resourced: float  # share that gets a unit
    attend_s: float  # median, created to first on scene, at normal demand
    attend_spread: float
    waits_s: float  # median until closed when nobody is sent
    extra_units: float  # mean number of further units


@dataclass(frozen=True, slots=True)
class Incidents:
    """Command and control."""

    others_per_day: float  # from officers, partners, digital contact
    grades: Mapping[str, Grade]
    regraded: float
    diverted: float
    linked: float
    cancelled: float
    reopened: float
    arrival_missing: float  # on scene never entered
    areas: Mapping[str, float]
    categories: Mapping[str, float]
    asb_types: Mapping[str, float]
    recategorised: float  # before the closing
    closed_otherwise: float  # share whose closing category is drawn anew
    self_initiated: float  # of those that no call led to
    addresses: int  # where anti-social behaviour can happen
    address_spread: float  # 1: everywhere alike; the higher, the more at few addresses


@dataclass(frozen=True, slots=True)
class Crimes:
    """Crime recording."""

    per_incident: float  # crimes recorded from an incident
    others_per_day: float
    reclassified: float
    cancelled: float
    outcome_changed: float
    outcome_days: float  # median
    outcome_spread: float
    resolved: float  # share of outcomes
    reported_before_days: float = 0.12  # median from report to record, of crimes that no incident led to; assumption
    validated_days: float = 0.8  # median from record to validation; assumption
    transferred_days: float = 8.0  # median from validation to the victims' gateway, published: 10 days on average
    allocated_days: float = 0.5  # median from record to allocation; assumption
    reallocated: float = 0.1  # assumption
    informed: float = 0.8  # share of allocations whose victim is informed; assumption
    contracts: float = 0.768  # contracts by crimes with a victim: 30,508 by 39,734, published
    with_victim: float = 0.46  # share of crimes other than violence, which always has one; assumption
    with_suspect: float = 0.25  # share of crimes; assumption


@dataclass(frozen=True, slots=True)
class Force:
    """A whole force."""

    lines: Mapping[str, Line]
    shifts: tuple[Shift, Shift, Shift]  # 23-07, 07-15, 15-23 local
    incidents: Incidents
    crimes: Crimes
    callers: Callers = field(default_factory=Callers)
    contacts: Contacts = field(default_factory=Contacts)
    delivery: Mapping[str, Delivery] = field(
        default_factory=lambda: {
            # A switch is on the network all the time; a late answer would show a caller who no longer waits.
            "calls": Delivery(0.005, 0.01, 0.0005, (60, 600), lateness_s=86_400),
            "contacts": Delivery(0.005, 0.01, 0.001, (60, 1_800), lateness_s=7 * 86_400),
            # Terminals in cars lose coverage and send what they kept.
            "incidents": Delivery(0.005, 0.01, 0.005, (60, 7_200), lateness_s=7 * 86_400),
            # Some records come through a nightly transfer.
            "crimes": Delivery(0.005, 0.01, 0.01, (3_600, 172_800), lateness_s=30 * 86_400),
        }
    )
    transferred: float = 0.04  # of answered calls; assumption
    queue_event_missing: float = 0.002  # answered without call.queued; assumption


# Of 528 small areas (LSOAs) of the county, of about the same population each: Office for National Statistics.
_DISTRICTS = {
    "newcastle_under_lyme": 80,
    "stafford": 80,
    "lichfield": 58,
    "tamworth": 51,
    "east_staffordshire": 72,
    "south_staffordshire": 68,
    "cannock_chase": 60,
    "staffordshire_moorlands": 59,
}
_AREAS = {
    "stoke": 0.37,  # published: 37 % of domestic abuse crime in Stoke
    **{name: round(0.59 * lsoas / 528, 4) for name, lsoas in _DISTRICTS.items()},  # assumption: by population
    "county_unknown": 0.015,  # this and the others: assumptions
    "out_of_force": 0.005,
    "": 0.02,
}

PUBLISHED = Force(
    lines={
        "999": Line(
            per_day=529,  # published: +7 % (12,630) implies 193,059 a year
            before_queue_s=(1.5, 4.5),
            hung_up_before_queue=0.0,
            hasty=0.01,
            hasty_s=20,
            patience_s=1_500,
            longest_s=900,
            ring_s=4.0,
            ring_spread=0.45,
            talk_s=240,
            wrap_up_s=85,
            incident=0.55,
            lost=0.02,
            classes={"emergency": 0.8, "non_emergency": 0.2},
            rung_back=0.0,
        ),
        "101": Line(
            per_day=687,  # published: -24 % (79,185) implies 250,752 a year
            before_queue_s=(15, 40),  # a recorded message
            hung_up_before_queue=0.03,
            hasty=0.09,
            hasty_s=35,
            patience_s=2_600,
            longest_s=3_300,
            ring_s=5.0,
            ring_spread=0.5,
            talk_s=329,
            wrap_up_s=90,
            incident=0.36,
            lost=0.32,
            classes={"emergency": 0.02, "non_emergency": 0.73, "general_enquiry": 0.25},
            rung_back=0.03,
        ),
    },
    shifts=(Shift(3, 1), Shift(3, 4), Shift(3, 4)),
    incidents=Incidents(
        others_per_day=120,
        grades={
            "1": Grade(0.17, 0.95, 14.4 * 60, 0.75, 25 * 60, 1.2),
            "2": Grade(0.27, 0.78, 68 * 60, 1.05, 3 * 3600, 0.4),
            "3": Grade(0.30, 0.48, 14.6 * 3600, 1.18, 16 * 3600, 0.1),
            "4": Grade(0.20, 0.0, 0, 0, 90 * 60, 0.0),  # resolved without sending anybody
            "": Grade(0.06, 0.0, 0, 0, 40 * 60, 0.0),  # never graded
        },
        regraded=0.053,  # dispatch records, San Francisco, April 2020: 219 of 4,117
        diverted=0.06,
        linked=0.04,
        cancelled=0.03,
        reopened=0.015,
        arrival_missing=0.05,
        areas=_AREAS,
        # Published: 14,060 to 14,612 addresses with anti-social behaviour in 12 months, 74 % of them with one
        # incident, 19 % with 2 or 3. These three shares of a year come near that; the rest are assumptions.
        categories={"asb": 0.11, "crime": 0.3, "public_safety": 0.42, "transport": 0.09, "administration": 0.08},
        addresses=50_000,
        address_spread=3.0,
        asb_types={"nuisance": 0.6, "neighbour_dispute": 0.2, "personal": 0.12, "environmental": 0.08},
        recategorised=0.03,
        closed_otherwise=0.12,
        self_initiated=0.3,
    ),
    crimes=Crimes(
        per_incident=0.28,
        others_per_day=93,  # with the above 230 a day: Home Office, Staffordshire 2017/18, 83,768
        reclassified=0.04,
        cancelled=0.02,
        outcome_changed=0.03,
        outcome_days=14,
        outcome_spread=1.2,
        resolved=0.162,  # published: 16.2 % of outcomes
    ),
)

_GOOD_GRADES = {
    "1": replace(PUBLISHED.incidents.grades["1"], attend_s=7.2 * 60, attend_spread=0.42),
    "2": replace(PUBLISHED.incidents.grades["2"], attend_s=26 * 60, attend_spread=0.5),
    "3": replace(PUBLISHED.incidents.grades["3"], attend_s=7.5 * 3600, attend_spread=0.75),
}

# The same demand, met: more handlers, faster arrivals.
GOOD = replace(
    PUBLISHED,
    shifts=(Shift(4, 4), Shift(5, 10), Shift(5, 10)),
    incidents=replace(PUBLISHED.incidents, grades={**PUBLISHED.incidents.grades, **_GOOD_GRADES}),
    crimes=replace(PUBLISHED.crimes, transferred_days=0.5),
)
