"""Command and control: an incident from its first note to its closing.

Units are not simulated one by one. Attendance times are drawn around medians by grade and stretched
by `Pressure`: the number of incidents opened in the last two hours, relative to the normal number. So
they grow with demand, as those of a force do, without a map of the county.
"""

from __future__ import annotations

from collections import deque
from functools import partial
from math import exp, log

from watchroom.rolling.buckets import DAY_MS
from watchroom.simulator.categories import Categories, Said
from watchroom.simulator.crimes import CrimeBook
from watchroom.simulator.demand import EMERGENCY
from watchroom.simulator.levels import Force, Grade
from watchroom.simulator.world import Choice, World, chance

MINUTE_MS = 60_000
UNITS = 240  # call signs; only names, a unit may be at two incidents
MEMORY_MS = 120 * MINUTE_MS
AT_ONCE_MS = 10_000
LONGEST_MS = 12 * DAY_MS  # to the scene; assumption: somebody checks the list before that


class Pressure:
    """Incidents opened recently, relative to the normal number for those hours: 1 is normal."""

    def __init__(self) -> None:
        self._at_ms = 0.0
        self._opened = 0.0
        self._normal = 0.0

    def opened(self, at_ms: float, normal_per_ms: float) -> float:
        """Note one more incident; returns the pressure, never below 0.8."""
        kept = exp(-max(0.0, at_ms - self._at_ms) / MEMORY_MS)
        self._opened = self._opened * kept + 1
        self._normal = self._normal * kept + normal_per_ms * MEMORY_MS * (1 - kept)
        self._at_ms = max(self._at_ms, at_ms)
        slack = 8.0  # one incident more or less means little when few are expected
        return max(0.8, (self._opened + slack) / (self._normal + slack))


class IncidentDesk:
    """Makes the `incident.*` events of each incident when it is opened."""

    def __init__(self, world: World, crimes: CrimeBook) -> None:
        self._world = world
        self._levels = world.force.incidents
        self._crimes = crimes
        self._random = chance(world.seed, "incidents")
        self._put = partial(world.outbox.put, "incidents")
        self._grade = Choice({name: grade.share for name, grade in self._levels.grades.items()})
        self._area = Choice(self._levels.areas)
        self._normal_per_ms = normal_per_day(world.force) / DAY_MS
        self._categories = Categories(world)
        self._pressure = Pressure()
        self._recent: deque[str] = deque(maxlen=6)
        self._count = 0

    def start(self, at_ms: float) -> None:
        """Begin with what officers and partners report."""
        self._world.at_arrivals(
            at_ms, "incidents", EMERGENCY, self._levels.others_per_day, partial(self.open, "other", "")
        )

    def open(self, origin: str, call: str, at_ms: float) -> None:
        """Make a whole incident that begins at `at_ms`."""
        draw = self._random
        self._count += 1
        subject = f"i-{self._world.tag}-{self._count}"
        area = self._area.draw(draw)
        normal = self._normal_per_ms * EMERGENCY[self._world.demand.hour_of_week(int(at_ms))]
        pressure = self._pressure.opened(at_ms, normal)
        said = self._categories.draw(origin)
        parts = [f'"origin":"{origin}"', f'"call_id":"{call}"' if call else "", f'"area":"{area}"' if area else ""]
        self._put("incident.created", subject, at_ms, ",".join(part for part in (*parts, said.opening) if part))
        if self._recent and draw.random() < self._levels.linked:
            self._link(subject, at_ms)
            return
        self._recent.append(subject)
        first, grade, graded_ms = self._grades(subject, at_ms)
        if draw.random() < self._levels.cancelled:
            self._put("incident.cancelled", subject, graded_ms + self._about(8), '"reason":"caller"')
            return
        levels = self._levels.grades[grade]
        if draw.random() < levels.resourced:
            closed_ms = self._attend(subject, at_ms, levels, pressure, at_once=said.is_self_initiated)
        else:
            closed_ms = graded_ms + 1000 * self._lognormal(levels.waits_s, 0.8)
        self._close(subject, at_ms, closed_ms, said)
        if first and draw.random() < self._crimes.per_incident:
            self._crimes.from_incident(subject, area, at_ms)

    def _grades(self, subject: str, at_ms: float) -> tuple[str, str, float]:
        """First grade, last grade, and the moment of the last grading."""
        draw = self._random
        first = last = self._grade.draw(draw)
        if not first:
            return "", "", at_ms
        graded_ms = at_ms + 1000 * self._lognormal(40 if first == "1" else 120, 0.6)
        self._put("incident.graded", subject, graded_ms, f'"grade":"{first}"')
        if draw.random() < self._levels.regraded:
            last = draw.choice({"1": "2", "2": "13", "3": "24", "4": "3"}[first])
            graded_ms += self._about(5)
            self._put("incident.graded", subject, graded_ms, f'"grade":"{last}"')
        return first, last, graded_ms

    def _attend(self, subject: str, at_ms: float, grade: Grade, pressure: float, *, at_once: bool) -> float:
        """Send units; returns when the incident is done. An officer who came across it is there at once."""
        draw = self._random
        takes_ms = min(1000 * self._lognormal(grade.attend_s, grade.attend_spread) * pressure, LONGEST_MS)
        takes_ms = min(takes_ms, AT_ONCE_MS) if at_once else takes_ms
        assigned_ms = at_ms + takes_ms * draw.uniform(0.25, 0.6)
        unit = self._unit()
        if draw.random() < self._levels.diverted:
            self._unit_event("assigned", subject, at_ms + (assigned_ms - at_ms) * 0.4, unit)
            self._unit_event("unassigned", subject, at_ms + (assigned_ms - at_ms) * 0.7, unit, "diverted")
            unit = self._unit()
        on_scene_ms = at_ms + takes_ms
        done_ms = on_scene_ms + self._about(50)
        missing = draw.random() < self._levels.arrival_missing
        self._visit(subject, unit, assigned_ms, 0 if missing else on_scene_ms, done_ms)
        extra = grade.extra_units
        while draw.random() < extra / (1 + extra):  # geometric, mean extra_units
            later_ms = draw.expovariate(1 / (4 * MINUTE_MS))
            arrives_ms = 0 if missing else on_scene_ms + later_ms
            self._visit(subject, self._unit(), assigned_ms + later_ms, arrives_ms, done_ms + later_ms)
        return done_ms + self._about(10)

    def _visit(self, subject: str, unit: str, assigned_ms: float, on_scene_ms: float, clear_ms: float) -> None:
        """One unit's part; `on_scene_ms` 0: the arrival was never entered."""
        self._unit_event("assigned", subject, assigned_ms, unit)
        if on_scene_ms:
            self._unit_event("on_scene", subject, on_scene_ms, unit)
        self._unit_event("unassigned", subject, clear_ms, unit, "clear")

    def _link(self, subject: str, at_ms: float) -> None:
        """A second report of an existing incident."""
        linked_ms = at_ms + self._about(3)
        self._put("incident.linked", subject, linked_ms, f'"parent":"{self._random.choice(self._recent)}"')
        self._put("incident.closed", subject, linked_ms + self._about(1), '"reason":"duplicate"')

    def _close(self, subject: str, created_ms: float, at_ms: float, said: Said) -> None:
        if said.reclassified:
            self._put("incident.reclassified", subject, (created_ms + at_ms) / 2, said.reclassified)
        self._put(
            "incident.closed", subject, at_ms, '"reason":"complete"' + (f",{said.closing}" if said.closing else "")
        )
        if self._random.random() < self._levels.reopened:
            reopened_ms = at_ms + self._about(120)
            self._put("incident.reopened", subject, reopened_ms, '"reason":"new_information"')
            self._put("incident.closed", subject, reopened_ms + self._about(60), '"reason":"complete"')

    def _unit(self) -> str:
        return f"u{self._random.randrange(UNITS):03d}"

    def _unit_event(self, what: str, subject: str, at_ms: float, unit: str, reason: str = "") -> None:
        tail = f',"reason":"{reason}"' if reason else ""
        self._put(f"incident.resource_{what}", subject, at_ms, f'"unit":"{unit}"{tail}')

    def _about(self, minutes: float) -> float:
        """Milliseconds around this number of minutes."""
        return self._lognormal(minutes, 0.6) * MINUTE_MS

    def _lognormal(self, median: float, spread: float) -> float:
        return self._random.lognormvariate(log(median), spread)


def normal_per_day(force: Force) -> float:
    """Incidents on a normal day, without those lost because callers hang up."""
    from_calls = sum(line.per_day * line.incident * (1 - line.lost) for line in force.lines.values())
    return from_calls + force.incidents.others_per_day
