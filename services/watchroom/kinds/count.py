"""A count: how many entities reached a moment, or the sum of other counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

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
    Over,
    Quantity,
    Quotient,
    Reads,
    Stored,
    Unit,
    counted_at,
)
from watchroom.kinds.measure import Facts, Measure, Summand
from watchroom.rolling.buckets import ten_seconds_of


class CountFigures(NamedTuple):
    """How many."""

    number: int


def figures(_: Measure, stored: Stored, timed: bool = False) -> CountFigures:  # noqa: ARG001  # a count has no target
    """From the field `count` of one series."""
    return CountFigures(stored.get(names.COUNT, 0))


def contribution(measure: Measure, series: str, _: By) -> Add:
    """One, at its moment."""
    at, count = measure.at, names.field(series, names.COUNT)

    def add(facts: Facts, into: Contribution) -> None:
        moment = facts[at]
        if isinstance(moment, int):
            into.increments[count] = (ten_seconds_of(moment), 1)

    return add


def clock(measure: Measure, mention: Callable[[str], str]) -> str:
    """When it counts, or what it adds up."""
    if measure.sum_of:
        return f"the sum of {'; '.join(map(_summand, measure.sum_of))}"
    return counted_at(measure, mention)


def _summand(of: Summand) -> str:
    where = " and ".join(f"{name} {', '.join(accepted)}" for name, accepted in of.where.items())
    return f"{of.measure.id} with {where}" if where else of.measure.id


def faults(entry: HasClock) -> Iterator[tuple[str, str, str]]:
    """Refuse an entry with neither or both of a moment and a sum."""
    if not entry.at and not entry.sum_of:
        yield "at", "nothing", "a value for at: kind count needs it, unless the entry has sum_of"
    if entry.at and entry.sum_of:
        yield "at", repr(entry.at), "an entry without at: a sum uses the moments of the measures that it adds up"


KIND: Final = Kind(
    name="count",
    about="a count",
    needs=("windows",),
    may=("at", "where", "baseline", "sum_of"),
    reads=Reads.BUCKETS,
    contribution=contribution,
    figures=figures,
    faults=faults,
    families={
        "": MetricFamily("number", (({}, "number"),)),
        "local_hour": MetricFamily(
            "number in the last complete local hour (weeks_ago 0), and in the same hour of earlier weeks; "
            "absent if there is no way to tell whether the stream was fed",
            (({}, "number"),),
            over=Over.LOCAL_HOURS,
        ),
    },
    quantities={"number": Quantity("number", Unit.NUMBER, "number")},
    base="number",
    columns=(Column("value", "number"), Column("numerator", "number")),
    quotients={"value": Quotient(Unit.NUMBER, names.COUNT)},
    clock=clock,
    form=Form.TALLY,
    card=("number",),
    trends=("number",),
    by_month=("number",),
)
