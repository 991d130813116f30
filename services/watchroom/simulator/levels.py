"""The levels of the simulated force. The numbers and their sources are in `levels.toml`.

Times are in seconds. A spread is the sigma of a lognormal distribution.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

from pydantic import TypeAdapter


@dataclass(frozen=True, slots=True)
class Delivery:
    """How often delivery goes wrong, as shares of the events of a stream."""

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
    """One telephone line's callers, and the time that answering them takes."""

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
    """Who calls, and from which numbers."""

    types: Mapping[str, float]
    numbers: int
    hospitals: int
    from_hospitals: float  # of calls
    callback_s: tuple[float, float]  # accepted to made, uniform


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel of digital contact."""

    per_day: float
    reply_s: float  # median, received to first reply


@dataclass(frozen=True, slots=True)
class Contacts:
    """Digital contact."""

    channels: Mapping[str, Channel]
    reply_spread: float
    handle_s: float  # median, first reply to closed
    unanswered: float  # closed without a reply
    classes: Mapping[str, float]


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
    closed_otherwise: float  # share whose closing category is drawn again
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
    reported_before_days: float  # median from report to record, of crimes that no incident led to
    validated_days: float  # median from record to validation
    transferred_days: float  # median from validation to the victims' gateway
    allocated_days: float  # median from record to allocation
    reallocated: float
    informed: float  # share of allocations whose victim is informed
    contracts: float  # contracts by crimes with a victim
    with_victim: float  # share of crimes other than violence, which always has one
    with_suspect: float  # share of crimes


@dataclass(frozen=True, slots=True)
class Force:
    """A whole force."""

    lines: Mapping[str, Line]
    shifts: tuple[Shift, Shift, Shift]
    incidents: Incidents
    crimes: Crimes
    callers: Callers
    contacts: Contacts
    delivery: Mapping[str, Delivery]
    transferred: float  # of answered calls
    queue_event_missing: float  # answered without call.queued


def _with(table: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A table with other values for some of its keys, however deep."""
    changed = {key: _with(table[key], value) if isinstance(value, dict) else value for key, value in changes.items()}
    return {**table, **changed}


GIVEN = tomllib.loads(resources.files("watchroom.simulator").joinpath("levels.toml").read_text("utf-8"))
"""Everything in `levels.toml`."""
_FORCE = TypeAdapter(Force)
PUBLISHED = _FORCE.validate_python(GIVEN["published"])
GOOD = _FORCE.validate_python(_with(GIVEN["published"], GIVEN["good"]))
