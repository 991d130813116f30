"""Crime recording: crimes, some from incidents, with classes, corrections, the care of their victims and outcomes.

Classes and outcome codes with their weights are in `levels.toml`. The shares of outcomes (resolved, 16, unable to
progress, rest) are published.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from math import log

from watchroom.events.times import to_text
from watchroom.rolling.buckets import DAY_MS
from watchroom.simulator.demand import OFFICE
from watchroom.simulator.envelope import token
from watchroom.simulator.levels import GIVEN
from watchroom.simulator.world import Choice, World, chance
from watchroom.streams.offences import offence

CLASSES: Mapping[str, int] = GIVEN["offences"]
_CLASS = Choice(CLASSES)
_VIOLENT = frozenset(code for code in CLASSES if (known := offence(code)) and known.group.startswith("violence"))

# Shares of crimes with a flag, fitted so that a year has the published 18,245 crimes of domestic abuse, 701 of knives
# and 78 of firearms. How domestic abuse is divided, online and keyless are assumptions.
DOMESTIC_ABUSE_IN_VIOLENCE, DOMESTIC_ABUSE_ELSE = 0.48, 0.065
KNIFE_OFFENCES, KNIFE = frozenset({"8N", "34B", "19C", "20A", "3B", "5D"}), 0.046
FIREARM, ONLINE, KEYLESS = 0.001, 0.05, 0.4
FEMALE_IN_VIOLENCE, FEMALE_ELSE = 0.56, 0.5  # fitted: 17,497 of violence against the person; else an assumption
PEOPLE = {"victim": 60_000, "suspect": 20_000}  # number of people: 64 % of a year's suspects occur once (published)

_OUTCOME = {name: Choice(codes) for name, codes in GIVEN["outcomes"].items()}
VICTIM_DOES_NOT_SUPPORT = 0.271  # published: outcome 16, 27.1 %
UNABLE_SHARE = 0.530  # published: 53.0 %


class CrimeBook:
    """Makes the `crime.*` events of each crime when it is recorded."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._levels = world.force.crimes
        self._area = Choice(world.force.incidents.areas)
        self._random = chance(world.seed, "crimes")
        self._care = chance(world.seed, "care of victims")
        self._put = partial(world.outbox.put, "crimes")
        self._count = 0
        self.per_incident = world.force.crimes.per_incident

    def start(self, at_ms: float) -> None:
        """Begin with crimes that no incident led to."""
        self._world.at_arrivals(at_ms, "crimes", OFFICE, self._levels.others_per_day, self._reported)

    def _reported(self, at_ms: float) -> None:
        area = self._area.draw(self._random)
        self._record(at_ms, area, at_ms - self._care_days(self._levels.reported_before_days, 1.2))

    def from_incident(self, incident: str, area: str, created_ms: float) -> None:
        """Record a crime found at an incident, some hours later."""
        self._record(created_ms + self._days(0.15, 0.9), area, created_ms, f',"incident_id":"{incident}"')

    def _record(self, at_ms: float, area: str, reported_ms: float, link: str = "") -> None:
        """Make a whole crime that is recorded at `at_ms`."""
        draw, levels = self._random, self._levels
        self._count += 1
        subject = f"k-{self._world.tag}-{self._count}"
        area_text = f',"area":"{area}"' if area else ""
        code = _CLASS.draw(draw)
        reported = f',"reported_at":"{to_text(int(reported_ms))}"'
        victim = self._victim(code)
        data = f'"offence_code":"{code}"{area_text}{link}{reported}{victim}{self._flags(code)}'
        self._put("crime.recorded", subject, at_ms, data)
        if draw.random() < levels.reclassified:
            self._put(
                "crime.reclassified", subject, at_ms + self._days(4, 0.9), f'"offence_code":"{_CLASS.draw(draw)}"'
            )
        if draw.random() < levels.cancelled:
            self._put("crime.cancelled", subject, at_ms + self._days(7, 0.8), '"reason":"no_crime"')
            return
        outcome_ms = at_ms + self._days(levels.outcome_days, levels.outcome_spread)
        self._put("crime.outcome_assigned", subject, outcome_ms, f'"outcome":"{self._outcome()}"')
        if draw.random() < levels.outcome_changed:
            changed_ms = outcome_ms + self._days(10, 0.8)
            self._put("crime.outcome_assigned", subject, changed_ms, f'"outcome":"{self._outcome()}"')
        self._look_after(subject, at_ms, bool(victim))

    def _flags(self, code: str) -> str:
        draw = self._care.random
        abuse = DOMESTIC_ABUSE_IN_VIOLENCE if code in _VIOLENT else DOMESTIC_ABUSE_ELSE
        shares = {
            "domestic_abuse": abuse,
            "knife": KNIFE if code in KNIFE_OFFENCES else 0.0,
            "firearm": FIREARM,
            "online": ONLINE,
            "keyless": KEYLESS if code == "48" else 0.0,
        }
        flags = ",".join(f'"{flag}"' for flag, share in shares.items() if draw() < share)
        return f',"flags":[{flags}]' if flags else ""

    def _victim(self, code: str) -> str:
        draw = self._care.random
        is_violent = code in _VIOLENT
        if not is_violent and draw() >= self._levels.with_victim:
            return ""
        female = FEMALE_IN_VIOLENCE if is_violent else FEMALE_ELSE
        gender = "female" if draw() < female else "male"
        return f',"victim_gender":"{gender}","victim_token":"{self._person("victim")}"'

    def _look_after(self, subject: str, recorded_ms: float, has_victim: bool) -> None:
        """Officer, victim, suspect, all after the record; only crimes with a victim are validated for the gateway."""
        draw, levels = self._care.random, self._levels
        allocated_ms = recorded_ms + self._care_days(levels.allocated_days, 0.8)
        self._put("crime.allocated", subject, allocated_ms)
        if draw() < levels.reallocated:
            allocated_ms += self._care_days(6, 0.8)
            self._put("crime.allocated", subject, allocated_ms)
        if has_victim:
            if draw() < levels.informed:
                self._put("crime.victim_informed", subject, allocated_ms + self._care_days(0.2, 0.8))
            if draw() < levels.contracts:
                self._put("crime.contract_completed", subject, allocated_ms + self._care_days(1, 0.8))
            validated_ms = recorded_ms + self._care_days(levels.validated_days, 0.6)
            self._put("crime.validated", subject, validated_ms)
            self._put(
                "crime.gateway_transferred", subject, validated_ms + self._care_days(levels.transferred_days, 0.67)
            )
        if draw() < levels.with_suspect:
            suspect = f'"suspect_token":"{self._person("suspect")}"'
            linked_ms = recorded_ms + self._care_days(1, 1.2)
            self._put("crime.suspect_linked", subject, linked_ms, suspect)
            if draw() < 0.05:
                self._put("crime.suspect_unlinked", subject, linked_ms + self._care_days(5, 0.8), suspect)

    def _person(self, role: str) -> str:
        return token(f"{role}{self._care.randrange(PEOPLE[role])}".encode().ljust(16))

    def _care_days(self, median: float, spread: float) -> float:
        return self._care.lognormvariate(log(median), spread) * DAY_MS

    def _outcome(self) -> str:
        drawn = self._random.random() - VICTIM_DOES_NOT_SUPPORT
        if drawn < 0:
            return "16"
        resolved = drawn < UNABLE_SHARE + self._levels.resolved
        return _OUTCOME["unable" if drawn < UNABLE_SHARE else "resolved" if resolved else "rest"].draw(self._random)

    def _days(self, median: float, spread: float) -> float:
        """Milliseconds around this number of days."""
        return self._random.lognormvariate(log(median), spread) * DAY_MS
