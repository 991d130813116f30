"""Crime recording: crimes, some from incidents, with classes, corrections, the care of their victims and outcomes.

Classes and their weights: Home Office recorded crime, Staffordshire 2017/18 (Open Government Licence
v3.0), the 30 most frequent codes and the most frequent of each further group; counts as published.
Outcome codes: the published shares (resolved, 16, unable to progress, rest); inside each an assumption,
except outcome 22, 5.3 % of the resolved (published, November 2021).
"""

from __future__ import annotations

from base64 import b32encode
from itertools import accumulate
from math import log

from watchroom.events.times import to_text
from watchroom.rolling.buckets import DAY_MS
from watchroom.simulator.demand import OFFICE
from watchroom.simulator.world import World, chance
from watchroom.streams.offences import offence

CLASSES = {
    "8N": 10349, "105A": 9578, "46": 7521, "49": 5862, "8R": 4469, "58C": 4390, "28E": 3431, "45": 3320, "9A": 2758,
    "58A": 2693, "8L": 2422, "58D": 2314, "30C": 1728, "49A": 1710, "48": 1522, "44": 1209, "58B": 1084, "92E": 1039,
    "66": 1032, "40": 982, "34B": 725, "126": 720, "19C": 717, "28F": 680, "20A": 679, "3B": 616, "9B": 581,
    "5D": 576, "86": 466, "92D": 456, "59": 455, "39": 387, "10D": 338,
}  # fmt: skip
_CODES, _CLASS_WEIGHTS = tuple(CLASSES), tuple(accumulate(CLASSES.values()))
_VIOLENT = frozenset(code for code in CLASSES if (known := offence(code)) and known.group.startswith("violence"))

# Shares of crimes with a flag, fitted so that a year has the published 18,245 crimes of domestic abuse, 701 of knives
# and 78 of firearms. How domestic abuse is divided, online and keyless are assumptions.
DOMESTIC_ABUSE_IN_VIOLENCE, DOMESTIC_ABUSE_ELSE = 0.48, 0.065
KNIFE_OFFENCES, KNIFE = frozenset({"8N", "34B", "19C", "20A", "3B", "5D"}), 0.046
FIREARM, ONLINE, KEYLESS = 0.001, 0.05, 0.4
FEMALE_IN_VIOLENCE, FEMALE_ELSE = 0.56, 0.5  # fitted: 17,497 of violence against the person; else an assumption
PEOPLE = {"victim": 60_000, "suspect": 20_000}  # drawn from so many: 64 % of a year's suspects occur once (published)
TOKEN_KEY = "sim"  # noqa: S105  # the name of a key that does not exist: nobody is behind these tokens

RESOLVED = {"1": 0.46, "1A": 0.04, "2": 0.01, "3": 0.08, "6": 0.01, "7": 0.03, "8": 0.317, "22": 0.053}
UNABLE = {"18": 0.53, "15": 0.27, "14": 0.12, "10": 0.04, "9": 0.01, "21": 0.03}
REST = {"5": 0.03, "11": 0.1, "12": 0.05, "13": 0.02, "17": 0.2, "20": 0.6}
VICTIM_DOES_NOT_SUPPORT = 0.271  # published: outcome 16, 27.1 %
UNABLE_SHARE = 0.530  # published: 53.0 %


class CrimeBook:
    """Makes the `crime.*` events of each crime when it is recorded."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._levels = world.force.crimes
        self._areas = tuple(world.force.incidents.areas)
        self._area_weights = tuple(accumulate(world.force.incidents.areas.values()))
        self._random = chance(world.seed, "crimes")
        self._care = chance(world.seed, "care of victims")
        self._arrivals = chance(world.seed, "arrivals of crimes")
        self._count = 0
        self.per_incident = world.force.crimes.per_incident

    def start(self, at_ms: float) -> None:
        """Begin with crimes that no incident led to."""
        self._expect(at_ms)

    def _expect(self, at_ms: float) -> None:
        due_ms = self._world.demand.next_ms(self._arrivals, at_ms, OFFICE, self._levels.others_per_day)
        self._world.schedule(due_ms, self._reported)

    def _reported(self, at_ms: float) -> None:
        self._expect(at_ms)
        area = self._random.choices(self._areas, cum_weights=self._area_weights)[0]
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
        code = self._code()
        reported = f',"reported_at":"{to_text(int(reported_ms))}"'
        victim = self._victim(code)
        self._put(
            "recorded", subject, at_ms, f'"offence_code":"{code}"{area_text}{link}{reported}{victim}{self._flags(code)}'
        )
        if draw.random() < levels.reclassified:
            self._put("reclassified", subject, at_ms + self._days(4, 0.9), f'"offence_code":"{self._code()}"')
        if draw.random() < levels.cancelled:
            self._put("cancelled", subject, at_ms + self._days(7, 0.8), '"reason":"no_crime"')
            return
        outcome_ms = at_ms + self._days(levels.outcome_days, levels.outcome_spread)
        self._put("outcome_assigned", subject, outcome_ms, f'"outcome":"{self._outcome()}"')
        if draw.random() < levels.outcome_changed:
            changed_ms = outcome_ms + self._days(10, 0.8)
            self._put("outcome_assigned", subject, changed_ms, f'"outcome":"{self._outcome()}"')
        self._look_after(subject, at_ms, bool(victim))

    def _code(self) -> str:
        return self._random.choices(_CODES, cum_weights=_CLASS_WEIGHTS)[0]

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
        """Officer, victim and suspect, all after the record; only what has a victim is validated for the gateway."""
        draw, levels = self._care.random, self._levels
        allocated_ms = recorded_ms + self._care_days(levels.allocated_days, 0.8)
        self._put("allocated", subject, allocated_ms)
        if draw() < levels.reallocated:
            allocated_ms += self._care_days(6, 0.8)
            self._put("allocated", subject, allocated_ms)
        if has_victim:
            if draw() < levels.informed:
                self._put("victim_informed", subject, allocated_ms + self._care_days(0.2, 0.8))
            if draw() < levels.contracts:
                self._put("contract_completed", subject, allocated_ms + self._care_days(1, 0.8))
            validated_ms = recorded_ms + self._care_days(levels.validated_days, 0.6)
            self._put("validated", subject, validated_ms)
            self._put("gateway_transferred", subject, validated_ms + self._care_days(levels.transferred_days, 0.67))
        if draw() < levels.with_suspect:
            suspect = f'"suspect_token":"{self._person("suspect")}"'
            linked_ms = recorded_ms + self._care_days(1, 1.2)
            self._put("suspect_linked", subject, linked_ms, suspect)
            if draw() < 0.05:
                self._put("suspect_unlinked", subject, linked_ms + self._care_days(5, 0.8), suspect)

    def _person(self, role: str) -> str:
        number = self._care.randrange(PEOPLE[role])
        return f"{TOKEN_KEY}.{b32encode(f'{role}{number}'.encode().ljust(16)).decode().rstrip('=')}"

    def _care_days(self, median: float, spread: float) -> float:
        return self._care.lognormvariate(log(median), spread) * DAY_MS

    def _outcome(self) -> str:
        drawn = self._random.random() - VICTIM_DOES_NOT_SUPPORT
        if drawn < 0:
            return "16"
        resolved = drawn < UNABLE_SHARE + self._levels.resolved
        codes = UNABLE if drawn < UNABLE_SHARE else RESOLVED if resolved else REST
        return self._random.choices(tuple(codes), tuple(codes.values()))[0]

    def _days(self, median: float, spread: float) -> float:
        """Milliseconds around so many days."""
        return self._random.lognormvariate(log(median), spread) * DAY_MS

    def _put(self, kind: str, subject: str, at_ms: float, data: str = "") -> None:
        self._world.outbox.put("crimes", f"crime.{kind}", subject, int(at_ms), "{" + data + "}" if data else "")
