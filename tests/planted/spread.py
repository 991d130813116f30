"""A made-up kind, planted by tests: how far lengths of time lie apart, as an exact standard deviation.

Whole seconds, their number, their sum and the sum of their squares add up over time; a deviation follows from these.
Two keys are its own: a length counts as `cap_s` at most, and in whole steps of `step_s`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from math import sqrt
from typing import Annotated, Any, Final, NamedTuple

from pydantic import Field

from watchroom.kinds import names
from watchroom.kinds.kind import (
    Add,
    By,
    Column,
    Contribution,
    Form,
    HasClock,
    Kind,
    MetricFamily,
    OwnKey,
    Quantity,
    Reads,
    Stored,
    Unit,
)
from watchroom.kinds.measure import Facts, Measure
from watchroom.kinds.queries import mean, of_some
from watchroom.rolling.buckets import ten_seconds_of
from watchroom.wording import duration

LENGTHS, SUM_S, SQUARES, UNMEASURED = "lengths", "sum_s", "squares", "unmeasured"  # fields
Seconds = Annotated[int, Field(gt=0)]
CAP_S: Final = OwnKey("cap_s", Seconds, example=600)
STEP_S: Final = OwnKey("step_s", Seconds, example=60, default=1)


class SpreadFigures(NamedTuple):
    """Lengths of time of one series; a deviation or mean of nothing is None."""

    lengths: int
    unmeasured: int
    mean_s: float | None
    deviation_s: float | None


def figures(_: Measure, stored: Stored, timed: bool = False) -> SpreadFigures:  # noqa: ARG001  # it has no target
    """From the fields of one series."""
    of, sum_s = stored.get(LENGTHS, 0), stored.get(SUM_S, 0)
    unmeasured = stored.get(UNMEASURED, 0)
    if not of:
        return SpreadFigures(0, unmeasured, None, None)
    deviation_s = sqrt(of * stored.get(SQUARES, 0) - sum_s * sum_s) / of
    return SpreadFigures(of, unmeasured, sum_s / of, deviation_s)


def contribution(measure: Measure, series: str, _: By) -> Add:
    """One length at its end; without a start before it, only that this was so."""
    begin, at, cap_s, step_s = measure.start, measure.at, CAP_S.of(measure), STEP_S.of(measure)
    lengths, sum_s, squares, unmeasured = (names.field(series, what) for what in (LENGTHS, SUM_S, SQUARES, UNMEASURED))

    def add(facts: Facts, into: Contribution) -> None:
        end_ms, begin_ms, increments = facts[at], facts[begin], into.increments
        if not isinstance(end_ms, int):
            return
        start_ms = ten_seconds_of(end_ms)
        if not isinstance(begin_ms, int) or end_ms < begin_ms:
            increments[unmeasured] = start_ms, 1
            return
        took_s = min((end_ms - begin_ms) // 1000, cap_s)
        took_s -= took_s % step_s
        increments[lengths] = start_ms, 1
        increments[sum_s] = start_ms, took_s
        increments[squares] = start_ms, took_s * took_s

    return add


def faults(entry: HasClock) -> Iterator[tuple[str, str, str]]:
    """A start that is its end."""
    if entry.start and entry.start == entry.at:
        yield "start", repr(entry.start), "another moment than `at`: these lengths are all 0 s"


def clock(measure: Measure, mention: Callable[[str], str]) -> str:
    """From where to where each length runs, and where it is placed."""
    return f"each from {mention(measure.start)} to {mention(measure.at)}, placed at its end"


def details(row: Mapping[str, Any]) -> Iterator[str]:
    """Around which mean they lie, and how many there are."""
    yield f"of {row['denominator']:,}, around {duration(row['mean_s'], tenths=True)}"


KIND: Final = Kind(
    name="spread",
    about="how far lengths of time lie apart",
    needs=("at", "windows", "start"),
    may=("where",),
    own_keys=(CAP_S, STEP_S),
    reads=Reads.BUCKETS,
    contribution=contribution,
    figures=figures,
    faults=faults,
    families={
        "lengths": MetricFamily("how many lengths", (({}, "lengths"),)),
        "average_seconds": MetricFamily("mean length", (({}, "mean_s"),)),
        "deviation_seconds": MetricFamily("standard deviation of the lengths", (({}, "deviation_s"),)),
        "unmeasured": MetricFamily(
            "how many have no start before their end",
            (({}, "unmeasured"),),
            excluded="Without a start before their end, in the last 24 h: counted here and in no spread.",
        ),
    },
    quantities={
        "lengths": Quantity("how many lengths", Unit.NUMBER, "lengths", LENGTHS),
        "average": Quantity("mean length", Unit.SECONDS, "mean_s", "average_seconds", promql=mean, tenths=True),
        "deviation": Quantity(
            "standard deviation",
            Unit.SECONDS,
            "deviation_s",
            "deviation_seconds",
            is_additive=False,
            promql=of_some,
            tenths=True,
            warning_text="WIDE",
        ),
    },
    base="lengths",
    columns=(
        Column("value", "deviation_s"),
        Column("denominator", "lengths"),
        Column("mean_s", "mean_s"),
        Column("unmeasured", "unmeasured"),
    ),
    published=("mean_s",),
    details=details,
    clock=clock,
    form=Form.SUMMARY,
    unit=Unit.SECONDS,
    card=("deviation", "average", "lengths"),
    trends=("deviation", "average"),
    summary=("deviation", "average", "lengths"),
    by_month=("deviation", "average", "lengths"),
    rests_on="of {} lengths",
)
