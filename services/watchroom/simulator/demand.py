"""When things happen: a rate for each local hour of the week, and how busy the force is.

Arrivals are a Poisson process whose rate is constant within an hour. Hours are London hours, so
demand moves with the clock change; the arithmetic itself is in UTC milliseconds.

The shapes of a week are in `levels.toml`. There is no season: the published levels are means of twelve months.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random
from zoneinfo import ZoneInfo

from watchroom.rolling.buckets import HOUR_MS
from watchroom.simulator.levels import GIVEN


def _week(hours: Sequence[float], days: Sequence[float], night_out: float) -> tuple[float, ...]:
    """Factor for each of the 168 local hours from Monday 00:00, mean 1.

    Args:
        hours: Demand by hour of the day.
        days: Demand by day from Monday.
        night_out: Factor for 22:00 to 03:00 after Friday and Saturday evenings.
    """
    shape = [day * hour for day in days for hour in hours]
    for evening in (4, 5):
        for hour in range(22, 27):
            shape[(evening * 24 + hour) % 168] *= night_out
    mean = sum(shape) / len(shape)
    return tuple(factor / mean for factor in shape)


EMERGENCY = _week(**GIVEN["demand"]["emergency"])
OFFICE = _week(**GIVEN["demand"]["office"])


@dataclass(frozen=True, slots=True)
class Surge:
    """Demand is `factor` times the normal from one moment (UTC milliseconds) to another, or without end."""

    from_ms: int
    to_ms: int | None
    factor: float


class Demand:
    """Draws arrivals for a force in one time zone."""

    def __init__(self, zone: str, surges: Sequence[Surge]) -> None:
        self._zone = ZoneInfo(zone)
        self._surges = tuple(surges)
        self._edges = sorted({edge for s in surges for edge in (s.from_ms, s.to_ms) if edge is not None})
        self._hour_ms = -1
        self._hour_of_week = 0

    def hour_of_week(self, at_ms: int) -> int:
        """Local hour of the week, 0 = Monday 00:00-01:00."""
        start_ms = at_ms - at_ms % HOUR_MS
        if start_ms != self._hour_ms:
            local = datetime.fromtimestamp(start_ms / 1000, self._zone)
            self._hour_ms, self._hour_of_week = start_ms, local.weekday() * 24 + local.hour
        return self._hour_of_week

    def busy(self, at_ms: int) -> float:
        """The multiple of normal demand; overlapping surges multiply."""
        factor = 1.0
        for surge in self._surges:
            if surge.from_ms <= at_ms and (surge.to_ms is None or at_ms < surge.to_ms):
                factor *= surge.factor
        return factor

    def next_ms(self, random: Random, at_ms: float, shape: Sequence[float], per_day: float) -> float:
        """The next arrival after `at_ms` of something that comes `per_day` times on a normal day."""
        while True:
            rate = shape[self.hour_of_week(int(at_ms))] * per_day * self.busy(int(at_ms)) / (24 * HOUR_MS)
            edge_ms = self._next_edge(at_ms)
            if rate > 0 and (due_ms := at_ms + random.expovariate(rate)) < edge_ms:
                return due_ms
            at_ms = edge_ms  # the process has no memory: draw again under the next hour's rate

    def _next_edge(self, at_ms: float) -> int:
        """When the rate may change next: the end of the hour, or of a surge."""
        edge_ms = int(at_ms) - int(at_ms) % HOUR_MS + HOUR_MS
        for surge_ms in self._edges:
            if at_ms < surge_ms < edge_ms:
                return surge_ms
        return edge_ms
