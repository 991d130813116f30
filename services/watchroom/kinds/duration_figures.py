"""Figures of durations: exact counts and sums, and percentiles from bins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import ceil

from watchroom.kinds.measure import Measure
from watchroom.rolling.bins import Bins

OBSERVATIONS, SUM_MS, WITHIN = "observations", "sum_ms", "within"  # fields
MISSING_START, NEGATIVE = "missing_start", "negative"  # fields: excluded, counted separately
BIN = "bin:"  # fields: `bin:7950` counts durations from 7,950 ms to the next edge
# Edges of the national bins of 999 calls: below 10 s, 10 s to below 60 s, 60 s or longer.
# Source: House of Lords written answer HL1958, 6 November 2024.
NATIONAL_EDGES_MS = (10_000, 60_000)


@dataclass(frozen=True)
class DurationFigures:
    """Durations of one series: exact count, sum and count within target, and percentiles from bins.

    A mean, share or percentile of nothing is None, never 0.
    """

    stored: Mapping[str, int]  # `observations`, `sum_ms`, `bin:7950`, ...
    of_bins: Bins
    timed: bool = True  # whether there is a target

    @property
    def observations(self) -> int:
        """How many durations."""
        return self.stored.get(OBSERVATIONS, 0)

    @property
    def missing_start(self) -> int:
        """How many ended without a known start."""
        return self.stored.get(MISSING_START, 0)

    @property
    def negative(self) -> int:
        """How many ended before they started."""
        return self.stored.get(NEGATIVE, 0)

    @property
    def within(self) -> int | None:
        """How many met the target; None without one."""
        return self.stored.get(WITHIN, 0) if self.timed else None

    @property
    def within_share(self) -> float | None:
        """The share that met the target, 0 to 1; None for no durations or no target."""
        met, of = self.within, self.observations
        return met / of if met is not None and of else None

    @cached_property
    def bins(self) -> tuple[tuple[float, int], ...]:
        """(representative ms, count) of each bin in use, ascending."""
        counted = sorted(
            (int(name.removeprefix(BIN)), count)
            for name, count in self.stored.items()
            if count and name.startswith(BIN)
        )
        return tuple((self.of_bins.value_ms(lower), count) for lower, count in counted)

    @cached_property
    def _national(self) -> tuple[int | None, int | None, int | None]:
        """Counts of the national bins; None if our bins have no edges there, or a duration has no bin."""
        short_ms, long_ms = NATIONAL_EDGES_MS
        counts = [0, 0, 0]
        for name, count in self.stored.items():
            if name.startswith(BIN):
                lower_ms = int(name.removeprefix(BIN))
                counts[(lower_ms >= short_ms) + (lower_ms >= long_ms)] += count
        if sum(counts) != self.observations or any(self.of_bins.lower_ms(edge) != edge for edge in NATIONAL_EDGES_MS):
            return None, None, None
        return counts[0], counts[1], counts[2]

    @property
    def under_10(self) -> int | None:
        """How many took less than 10 s; None, like the two below, if the entry has no edges at 10 s and 60 s."""
        return self._national[0]

    @property
    def from_10_to_60(self) -> int | None:
        """How many took 10 s or longer, and less than 60 s."""
        return self._national[1]

    @property
    def from_60(self) -> int | None:
        """How many took 60 s or longer."""
        return self._national[2]

    @property
    def sum_s(self) -> float:
        """All durations together, in seconds."""
        return self.stored.get(SUM_MS, 0) / 1000

    @property
    def mean_s(self) -> float | None:
        """Mean in seconds; None without durations."""
        of = self.observations
        return self.stored.get(SUM_MS, 0) / of / 1000 if of else None

    @property
    def max_s(self) -> float | None:
        """The highest bin in use, in seconds: within 1 % of the longest. None without durations."""
        return self.bins[-1][0] / 1000 if self.bins else None

    @property
    def p50_s(self) -> float | None:
        """The median."""
        return self.percentile_s(50)

    @property
    def p90_s(self) -> float | None:
        """The 90th percentile."""
        return self.percentile_s(90)

    @property
    def p95_s(self) -> float | None:
        """The 95th percentile."""
        return self.percentile_s(95)

    def percentile_s(self, p: float) -> float | None:
        """Nearest rank over the bins, in seconds: the smallest value with p % at or below it."""
        rank = ceil(self.observations * p / 100)
        seen = 0
        for value_ms, count in self.bins:
            seen += count
            if seen >= rank:
                return value_ms / 1000
        return None


@lru_cache(maxsize=256)
def _bins(edges_ms: tuple[int, ...]) -> Bins:
    return Bins(edges_ms)


def bins_of(measure: Measure) -> Bins:
    """Bins with an edge at each target and each extra edge of a measure."""
    return _bins((*measure.edges_ms, *(target.edge_ms for target in measure.targets)))
