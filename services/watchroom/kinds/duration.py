"""A duration: from one moment to another, placed at its end, with exact count and sum, and binned percentiles."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import ceil
from typing import Final

from watchroom.kinds import names, words
from watchroom.kinds.asking import mean, of_some
from watchroom.kinds.kind import (
    Add,
    By,
    Column,
    Contribution,
    Facts,
    Form,
    HasClock,
    Kind,
    MetricFamily,
    Quantity,
    Quotient,
    Reads,
    Stored,
    Unit,
)
from watchroom.kinds.measure import Measure
from watchroom.rolling.bins import Bins
from watchroom.rolling.buckets import ten_seconds_of

OBSERVATIONS, SUM_MS, WITHIN = "observations", "sum_ms", "within"  # fields
MISSING_START, NEGATIVE = "missing_start", "negative"  # fields: excluded, counted separately
BIN = "bin:"  # fields: `bin:7950` counts durations from 7,950 ms to the next edge
# Edges of the national bins of 999 calls: below 10 s, 10 s to below 60 s, 60 s or longer.
# Source: House of Lords written answer HL1958, 6 November 2024.
NATIONAL_EDGES_MS = (10_000, 60_000)


@dataclass(frozen=True)
class DurationFigures:
    """Durations of one series: exact count, sum and count within target, binned percentiles.

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
        """The share that met the target, 0 to 1; None of nothing and without a target."""
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
        """Counts of the national bins; None where no bin's edge lies at theirs, or not every duration has a bin."""
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
        """How many took less than 10 s; None, as the two below, where the entry has no edges at 10 s and 60 s."""
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
        """Mean in seconds; None of nothing."""
        of = self.observations
        return self.stored.get(SUM_MS, 0) / of / 1000 if of else None

    @property
    def max_s(self) -> float | None:
        """The highest bin in use, in seconds: within 1 % of the longest, above or below it. None of nothing."""
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


def figures(measure: Measure, stored: Stored, timed: bool = True) -> DurationFigures:
    """From the fields of one series."""
    return DurationFigures(stored, bins_of(measure), timed)


def adding(measure: Measure, series: str, by: By) -> Add:
    """An observation at its end; without its start, or before it, only that this was so."""
    begin, at, target = measure.start, measure.at, measure.target_for(by)
    misses_from_ms = None if target is None else target.edge_ms
    observations, sum_ms, within, missing, negative = (
        names.field(series, what) for what in (OBSERVATIONS, SUM_MS, WITHIN, MISSING_START, NEGATIVE)
    )
    bin_head, lower_ms = names.field(series, BIN), bins_of(measure).lower_ms

    def add(facts: Facts, into: Contribution) -> None:
        end_ms, begin_ms, cells = facts[at], facts[begin], into.cells
        if not isinstance(end_ms, int):
            return
        start_ms = ten_seconds_of(end_ms)
        one = start_ms, 1
        if not isinstance(begin_ms, int):
            cells[missing] = one
            return
        took_ms = end_ms - begin_ms
        if took_ms < 0:  # two events disagree; which is wrong cannot be known, so no duration is counted
            cells[negative] = one
            return
        cells[observations] = one
        if took_ms:
            cells[sum_ms] = start_ms, took_ms
        cells[f"{bin_head}{lower_ms(took_ms)}"] = one
        if is_within(took_ms, misses_from_ms):
            cells[within] = one

    return add


def is_within(took_ms: int, misses_from_ms: int | None) -> bool:
    """Whether a duration meets its target; without a target none does."""
    return misses_from_ms is not None and took_ms < misses_from_ms


def faults(entry: HasClock) -> Iterator[tuple[str, str, str]]:
    """A start that is its end."""
    if entry.start and entry.start == entry.at:
        yield "start", repr(entry.start), "another moment than `at`: this is always 0 s"


def clock(measure: Measure, mention: Callable[[str], str]) -> str:
    """From where to where it runs, and where it is placed."""
    return f"from {mention(measure.start)} to {mention(measure.at)}, placed at its end"


def details(row: Mapping[str, object]) -> Iterator[str]:
    """How many, how many of them in time, and how they spread."""
    count, share = words.whole(row["count"]), row["within_target"]
    if share is None:
        yield f"{count:,} measured"
    else:  # the row has the share only, and six digits of it give the number back
        met = round(words.number(share) * count)
        yield f"{met:,} of {count:,} within target, {words.percent(words.number(share))}"
    for name in ("p50", "p90", "max"):
        yield f"{name} {words.seconds(row[f'{name}_s'])}"
    for name in (MISSING_START, NEGATIVE):
        if row[name]:
            yield f"{row[name]:,} {name.replace('_', ' ')}"


def _percentile(meaning: str, p: str) -> Quantity:
    return Quantity(
        meaning, Unit.SECONDS, f"p{p}_s", "percentile_seconds", {"p": p}, adds_up=False, promql=of_some, tenths=True
    )


KIND: Final = Kind(
    name="duration",
    about="a length of time",
    needs=("at", "windows", "start"),
    may=("where", "targets", "edges_s", "overdue_from"),
    reads=Reads.BUCKETS,
    adding=adding,
    figures=figures,
    faults=faults,
    families={
        "observations": MetricFamily("how many durations", (({}, "observations"),)),
        "within": MetricFamily("how many met the target", (({}, "within"),), of_target=True),
        "mean_seconds": MetricFamily("mean", (({}, "mean_s"),)),
        "percentile_seconds": MetricFamily(
            "percentile p (nearest rank, within 1 %)",
            (({"p": "50"}, "p50_s"), ({"p": "90"}, "p90_s"), ({"p": "95"}, "p95_s")),
            area_windows=("28d", "month"),
        ),
        "missing_start": MetricFamily(
            "how many ended without a known start (excluded from durations)",
            (({}, "missing_start"),),
            excluded="Ended without a known start, in the last 24 h: counted here and left out of every duration.",
        ),
        "negative": MetricFamily(
            "how many ended before they started (excluded from durations)",
            (({}, "negative"),),
            excluded="Ended before they started, in the last 24 h: counted here and left out of every duration.",
        ),
    },
    quantities={
        "observations": Quantity("how many", Unit.NUMBER, "observations", "observations"),
        "mean": Quantity("mean", Unit.SECONDS, "mean_s", "mean_seconds", promql=mean, tenths=True),
        "p50": _percentile("median", "50"),
        "p90": _percentile("90th percentile", "90"),
        "p95": _percentile("95th percentile", "95"),
        "within": Quantity(
            "share within the target",
            Unit.SHARE,
            counts=(WITHIN, OBSERVATIONS),
            needs_target=True,
            column="Within the target",
        ),
        "live_within": Quantity(
            "share within the target, those now overdue counted as missed",
            Unit.SHARE,
            counts=(WITHIN, OBSERVATIONS),
            needs_target=True,
            misses_overdue=True,
            title="share within the target, overdue counted as missed",
            column="Overdue counted as missed",
        ),
        "met": Quantity(
            "number within the target", Unit.NUMBER, "within", WITHIN, needs_target=True, column="Number within it"
        ),
    },
    base="observations",
    columns=(
        Column("value", "mean_s"),
        Column("numerator", "sum_s"),
        Column("denominator", "observations"),
        Column("count", "observations"),
        Column("mean_s", "mean_s"),
        Column("p50_s", "p50_s"),
        Column("p90_s", "p90_s"),
        Column("p95_s", "p95_s"),
        Column("max_s", "max_s"),
        Column("within_target", "within_share"),
        Column("under_10", "under_10"),
        Column("10_to_60", "from_10_to_60"),
        Column("60_or_more", "from_60"),
        Column("missing_start", "missing_start"),
        Column("negative", "negative"),
    ),
    quotients={
        "value": Quotient(Unit.SECONDS, SUM_MS, OBSERVATIONS, per=1000, title="mean"),
        "within_target": Quotient(Unit.SHARE, WITHIN, OBSERVATIONS, of_target=True, title="within the target"),
    },
    further_fields=tuple(f"{BIN}{edge}" for edge in (0, *NATIONAL_EDGES_MS)),
    nested={"bins": ("under_10", "10_to_60", "60_or_more")},
    published=("within_target",),
    details=details,
    clock=clock,
    form=Form.SUMMARY,
    unit=Unit.SECONDS,
    card=("mean", "observations", "within"),
    trends=("live_within", "within", "mean"),
    summary=("within", "met", "live_within", "observations", "mean", "p50", "p90", "p95"),
    by_month=("within", "met", "observations", "mean", "p50", "p90"),
    rests_on="of {}",
)
