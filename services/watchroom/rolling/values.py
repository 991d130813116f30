"""From a window's integers to the figures that people read.

A share or a percentile of nothing is None, never 0 %.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from watchroom.catalogue import names
from watchroom.rolling.bins import Bins


@dataclass(frozen=True, slots=True)
class ShareValue:
    """Part of a whole, both counts kept."""

    part: int
    whole: int

    @classmethod
    def from_fields(cls, fields: Mapping[str, int]) -> ShareValue:
        """From the `part` and `whole` of one series."""
        return cls(fields.get(names.PART, 0), fields.get(names.WHOLE, 0))

    @property
    def share(self) -> float | None:
        """0 to 1; None of an empty whole."""
        return self.part / self.whole if self.whole else None


@dataclass(frozen=True, slots=True)
class DurationValue:
    """Durations of one series: exact count, sum and count within target, binned percentiles."""

    observations: int
    sum_ms: int
    within: int
    missing_start: int
    negative: int
    bins: tuple[tuple[float, int], ...]  # (representative ms, count), ascending

    @classmethod
    def from_fields(cls, fields: Mapping[str, int], bins: Bins) -> DurationValue:
        """From the fields of one series (`observations`, `sum_ms`, `bin:7950`, ...)."""
        counted = sorted(
            (int(name.removeprefix(names.BIN)), count)
            for name, count in fields.items()
            if name.startswith(names.BIN) and count
        )
        return cls(
            observations=fields.get(names.OBSERVATIONS, 0),
            sum_ms=fields.get(names.SUM_MS, 0),
            within=fields.get(names.WITHIN, 0),
            missing_start=fields.get(names.MISSING_START, 0),
            negative=fields.get(names.NEGATIVE, 0),
            bins=tuple((bins.value_ms(lower), count) for lower, count in counted),
        )

    @property
    def mean_s(self) -> float | None:
        """Mean in seconds; None of nothing."""
        return self.sum_ms / self.observations / 1000 if self.observations else None

    @property
    def max_s(self) -> float | None:
        """The highest bin in use, in seconds; None of nothing."""
        return self.bins[-1][0] / 1000 if self.bins else None

    def percentile_s(self, p: float) -> float | None:
        """Nearest rank over the bins, in seconds: the smallest value with p % at or below it."""
        rank = ceil(self.observations * p / 100)
        seen = 0
        for value_ms, count in self.bins:
            seen += count
            if seen >= rank:
                return value_ms / 1000
        return None
