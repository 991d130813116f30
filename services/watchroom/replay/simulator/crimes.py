"""Crime recording: crimes, some from incidents, with classes, corrections and outcomes.

Classes and their weights: Home Office recorded crime, Staffordshire 2017/18 (Open Government Licence
v3.0), the 30 most frequent codes and the most frequent of each further group; counts as published.
Outcome codes: the published shares (resolved, 16, unable to progress, rest); inside each an assumption,
except outcome 22, 5.3 % of the resolved (published, November 2021).
"""

from __future__ import annotations

from itertools import accumulate
from math import log

from watchroom.replay.simulator.demand import OFFICE
from watchroom.replay.simulator.world import World, chance

DAY_MS = 86_400_000

_VIOLENCE, _BOTH = "Violence against the person", "Violence and sexual offences"
_THEFT, _DAMAGE = "Theft offences", "Criminal damage and arson"
CLASSES: tuple[tuple[str, str, str, int], ...] = (
    ("8N", _VIOLENCE, _BOTH, 10349),
    ("105A", _VIOLENCE, _BOTH, 9578),
    ("46", _THEFT, "Shoplifting", 7521),
    ("49", _THEFT, "Other theft", 5862),
    ("8R", _VIOLENCE, _BOTH, 4469),
    ("58C", _DAMAGE, _DAMAGE, 4390),
    ("28E", _THEFT, "Burglary", 3431),
    ("45", _THEFT, "Vehicle crime", 3320),
    ("9A", "Public order offences", "Public order", 2758),
    ("58A", _DAMAGE, _DAMAGE, 2693),
    ("8L", _VIOLENCE, _BOTH, 2422),
    ("58D", _DAMAGE, _DAMAGE, 2314),
    ("30C", _THEFT, "Burglary", 1728),
    ("49A", _THEFT, "Other theft", 1710),
    ("48", _THEFT, "Vehicle crime", 1522),
    ("44", _THEFT, "Bicycle theft", 1209),
    ("58B", _DAMAGE, _DAMAGE, 1084),
    ("92E", "Drug offences", "Drugs", 1039),
    ("66", "Public order offences", "Public order", 1032),
    ("40", _THEFT, "Other theft", 982),
    ("34B", "Robbery", "Robbery", 725),
    ("126", _THEFT, "Vehicle crime", 720),
    ("19C", "Sexual offences", _BOTH, 717),
    ("28F", _THEFT, "Burglary", 680),
    ("20A", "Sexual offences", _BOTH, 679),
    ("3B", _VIOLENCE, _BOTH, 616),
    ("9B", "Public order offences", "Public order", 581),
    ("5D", _VIOLENCE, _BOTH, 576),
    ("86", "Miscellaneous crimes", "Other crime", 466),
    ("92D", "Drug offences", "Drugs", 456),
    ("59", "Miscellaneous crimes", "Other crime", 455),
    ("39", _THEFT, "Theft from the person", 387),
    ("10D", "Possession of weapons offences", "Possession of weapons", 338),
)
_CLASS_WEIGHTS = tuple(accumulate(weight for *_, weight in CLASSES))
_CLASS_JSON = tuple(f'"offence_code":"{code}","group":"{group}","category":"{cat}"' for code, group, cat, _ in CLASSES)

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
        self._record(at_ms, area, "")

    def from_incident(self, incident: str, area: str, created_ms: float) -> None:
        """Record a crime found at an incident, some hours later."""
        self._record(created_ms + self._days(0.15, 0.9), area, f',"incident_id":"{incident}"')

    def _record(self, at_ms: float, area: str, link: str) -> None:
        """Make a whole crime that is recorded at `at_ms`."""
        draw, levels = self._random, self._levels
        self._count += 1
        subject = f"k-{self._world.tag}-{self._count}"
        place = f',"area":"{area}"' if area else ""
        self._put("recorded", subject, at_ms, self._class() + place + link)
        if draw.random() < levels.reclassified:
            self._put("reclassified", subject, at_ms + self._days(4, 0.9), self._class())
        if draw.random() < levels.cancelled:
            self._put("cancelled", subject, at_ms + self._days(7, 0.8), '"reason":"no_crime"')
            return
        outcome_ms = at_ms + self._days(levels.outcome_days, levels.outcome_spread)
        self._put("outcome_assigned", subject, outcome_ms, f'"outcome":"{self._outcome()}"')
        if draw.random() < levels.outcome_changed:
            changed_ms = outcome_ms + self._days(10, 0.8)
            self._put("outcome_assigned", subject, changed_ms, f'"outcome":"{self._outcome()}"')

    def _class(self) -> str:
        return self._random.choices(_CLASS_JSON, cum_weights=_CLASS_WEIGHTS)[0]

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

    def _put(self, kind: str, subject: str, at_ms: float, data: str) -> None:
        self._world.outbox.put("crimes", f"crime.{kind}", subject, int(at_ms), "{" + data + "}")
