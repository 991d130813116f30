"""Spreads exact counts evenly over a year. Pure and without randomness, so the result is the same every time.

The i-th of n entities gets a rank, i times a step without a common factor with n, modulo n. Every rank occurs once, so
"rank below k" is true of exactly k entities; and any stretch of the year has its fair share of them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from math import copysign, floor, gcd, log, sqrt
from typing import Generic, NamedTuple, TypeVar

from watchroom.rolling.calendar import Calendar

What = TypeVar("What")
PRIMES = (5, 2, 3, 7, 11, 13, 17, 19, 23, 29, 31, 37)  # their square roots are far from being multiples of one another


class Spread:
    """Ranks 0 to n - 1 of n entities; another `turn` gives an order that has nothing to do with the first."""

    def __init__(self, n: int, turn: int) -> None:
        self._n = n
        self._step = max(1, round(n * (sqrt(PRIMES[turn]) % 1)))
        while gcd(self._step, n) != 1:
            self._step += 1
        self._from = n * turn // len(PRIMES)

    def rank(self, i: int) -> int:
        """The rank of the i-th."""
        return (i * self._step + self._from) % self._n


class Allocated(NamedTuple, Generic[What]):
    """The kind of an entity, and its number among those of this kind."""

    what: What
    number: int  # from 0
    of: int

    @property
    def quantile(self) -> float:
        """Its position among those, above 0 and below 1."""
        return (self.number + 0.5) / self.of


class Allocation(Generic[What]):
    """A number of entities of each kind: gives the kind of the i-th one."""

    def __init__(self, counts: Sequence[tuple[int, What]], turn: int) -> None:
        self._counts = [(count, what) for count, what in counts if count]
        self._ends = list(accumulate(count for count, _ in self._counts))
        self.total = self._ends[-1]
        self._spread = Spread(self.total, turn)

    def at(self, i: int) -> Allocated[What]:
        """Of the i-th entity."""
        rank = self._spread.rank(i)
        position = bisect_right(self._ends, rank)
        count, what = self._counts[position]
        return Allocated(what, rank - self._ends[position] + count, count)


class Year:
    """The months of the report as moments."""

    def __init__(self, calendar: Calendar, first_month: str, last_month: str) -> None:
        self.calendar = calendar
        self.start_ms, self.end_ms = calendar.month_start_ms(first_month), calendar.month_end_ms(last_month)

    def moment(self, position: float, takes_ms: float = 0) -> int:
        """The moment at this part of the year (0 to 1), early enough for what takes so long to end in the year too."""
        return self.start_ms + int(position * (self.end_ms - self.start_ms - takes_ms - 1))

    def busier(self, month: str, factor: float) -> _Busier:
        """Positions in a year in which one month has `factor` times the demand of the others."""
        start_ms, end_ms = self.calendar.month_start_ms(month), self.calendar.month_end_ms(month)
        length_ms = self.end_ms - self.start_ms
        return _Busier((start_ms - self.start_ms) / length_ms, (end_ms - self.start_ms) / length_ms, factor)


class _Busier(NamedTuple):
    """See `Year.busier`."""

    start: float
    end: float
    factor: float

    def position(self, part: float) -> float:
        """The position in the year before which this part of the demand came."""
        busy = (self.end - self.start) * self.factor
        done = part * (1 - (self.end - self.start) + busy)
        if done < self.start:
            return done
        if done < self.start + busy:
            return self.start + (done - self.start) / self.factor
        return done - busy + self.end - self.start


def nearest(number: float) -> int:
    """The nearest whole number, half away from zero."""
    return int(copysign(floor(abs(number) + 0.5), number))


def exponential(quantile: float, mean: float) -> float:
    """A time at this quantile of the exponential distribution."""
    return -mean * log(1 - quantile)


def shared(total: int, weights: Mapping[What, float]) -> dict[What, int]:
    """A whole number divided by weights into whole numbers that add up to it."""
    ends = [0, *(round(total * part / sum(weights.values())) for part in accumulate(weights.values()))]
    return {what: ends[position + 1] - ends[position] for position, what in enumerate(weights)}


def by_area(total: int, stoke: int, weights: Mapping[str, float]) -> Iterable[tuple[int, str]]:
    """Stoke's part, and the rest by district."""
    yield stoke, "stoke"
    yield from ((count, area) for area, count in shared(total - stoke, weights).items())
