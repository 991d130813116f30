"""A duration: from one moment to another, placed at its end, with exact count and sum, and binned percentiles."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from watchroom.kinds import names
from watchroom.kinds.duration_figures import (
    BIN,
    MISSING_START,
    NATIONAL_EDGES_MS,
    NEGATIVE,
    OBSERVATIONS,
    SUM_MS,
    WITHIN,
    DurationFigures,
    bins_of,
)
from watchroom.kinds.kind import (
    Add,
    By,
    Column,
    Contribution,
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
from watchroom.kinds.measure import Facts, Measure
from watchroom.kinds.queries import mean, of_some
from watchroom.rolling.buckets import ten_seconds_of
from watchroom.wording import duration, percent


def figures(measure: Measure, stored: Stored, timed: bool = True) -> DurationFigures:
    """From the fields of one series."""
    return DurationFigures(stored, bins_of(measure), timed)


def contribution(measure: Measure, series: str, by: By) -> Add:
    """An observation at its end; without a start, or before it, only a count of that fault."""
    begin, at, target = measure.start, measure.at, measure.target_for(by)
    misses_from_ms = None if target is None else target.edge_ms
    observations, sum_ms, within, missing, negative = (
        names.field(series, what) for what in (OBSERVATIONS, SUM_MS, WITHIN, MISSING_START, NEGATIVE)
    )
    bin_head, lower_ms = names.field(series, BIN), bins_of(measure).lower_ms

    def add(facts: Facts, into: Contribution) -> None:
        end_ms, begin_ms, increments = facts[at], facts[begin], into.increments
        if not isinstance(end_ms, int):
            return
        start_ms = ten_seconds_of(end_ms)
        one = start_ms, 1
        if not isinstance(begin_ms, int):
            increments[missing] = one
            return
        took_ms = end_ms - begin_ms
        if took_ms < 0:  # two events disagree and either may be wrong, so no duration is counted
            increments[negative] = one
            return
        increments[observations] = one
        if took_ms:
            increments[sum_ms] = start_ms, took_ms
        increments[f"{bin_head}{lower_ms(took_ms)}"] = one
        if is_within(took_ms, misses_from_ms):
            increments[within] = one

    return add


def is_within(took_ms: int, misses_from_ms: int | None) -> bool:
    """Whether a duration meets its target; without a target none does."""
    return misses_from_ms is not None and took_ms < misses_from_ms


def faults(entry: HasClock) -> Iterator[tuple[str, str, str]]:
    """Refuse a start that is also the end."""
    if entry.start and entry.start == entry.at:
        yield "start", repr(entry.start), "a moment other than `at`: the duration would always be 0 s"


def clock(measure: Measure, mention: Callable[[str], str]) -> str:
    """Its start and end, and when it counts."""
    return f"from {mention(measure.start)} to {mention(measure.at)}, counted at its end"


def details(row: Mapping[str, Any]) -> Iterator[str]:
    """How many, how many within the target, and their distribution."""
    count, share = row["count"], row["within_target"]
    if share is None:
        yield f"{count:,} measured"
    else:  # the row has only the share, whose six digits give the number
        yield f"{round(share * count):,} of {count:,} within target, {percent(share)}"
    for name in ("p50", "p90", "max"):
        length_s = row[f"{name}_s"]
        yield f"{name} {'none' if length_s is None else duration(length_s, tenths=True)}"
    for name in (MISSING_START, NEGATIVE):
        if row[name]:
            yield f"{row[name]:,} {name.replace('_', ' ')}"


def _percentile(meaning: str, p: str) -> Quantity:
    return Quantity(
        meaning, Unit.SECONDS, f"p{p}_s", "percentile_seconds", {"p": p}, is_additive=False, promql=of_some, tenths=True
    )


KIND: Final = Kind(
    name="duration",
    about="a length of time",
    needs=("at", "windows", "start"),
    may=("where", "targets", "edges_s", "overdue_from"),
    reads=Reads.BUCKETS,
    contribution=contribution,
    figures=figures,
    faults=faults,
    families={
        "observations": MetricFamily("number of durations", (({}, "observations"),)),
        "within": MetricFamily("number that met the target", (({}, "within"),), of_target=True),
        "mean_seconds": MetricFamily("mean", (({}, "mean_s"),)),
        "percentile_seconds": MetricFamily(
            "percentile p (nearest rank, within 1 %)",
            (({"p": "50"}, "p50_s"), ({"p": "90"}, "p90_s"), ({"p": "95"}, "p95_s")),
            area_windows=("28d", "month"),
        ),
        "missing_start": MetricFamily(
            "number that ended without a known start (excluded from durations)",
            (({}, "missing_start"),),
            excluded="Ended without a known start in the last 24 h. Counted here and excluded from durations.",
        ),
        "negative": MetricFamily(
            "number that ended before they started (excluded from durations)",
            (({}, "negative"),),
            excluded="Ended before they started in the last 24 h. Counted here and excluded from durations.",
        ),
    },
    quantities={
        "observations": Quantity("number of durations", Unit.NUMBER, "observations", "observations", column="Number"),
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
            "share within the target, with entities that are overdue now counted as missed",
            Unit.SHARE,
            counts=(WITHIN, OBSERVATIONS),
            needs_target=True,
            misses_overdue=True,
            title="share within the target, overdue counted as missed",
            column="Overdue counted as missed",
        ),
        "met": Quantity(
            "number within the target", Unit.NUMBER, "within", WITHIN, needs_target=True, column="Met the target"
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
