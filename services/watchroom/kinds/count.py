"""A count: how many entities reached a moment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from watchroom.kinds import names
from watchroom.kinds.kind import (
    Add,
    By,
    Column,
    Contribution,
    Facts,
    Form,
    Kind,
    MetricFamily,
    Over,
    Quantity,
    Quotient,
    Reads,
    Stored,
    Unit,
)
from watchroom.kinds.measure import Measure
from watchroom.rolling.buckets import ten_seconds_of


class CountFigures(NamedTuple):
    """How many."""

    number: int


def figures(_: Measure, stored: Stored, timed: bool = False) -> CountFigures:  # noqa: ARG001  # a count has no target
    """From the field `count` of one series."""
    return CountFigures(stored.get(names.COUNT, 0))


def adding(measure: Measure, series: str, _: By) -> Add:
    """One, at its moment."""
    at, count = measure.at, names.field(series, names.COUNT)

    def add(facts: Facts, into: Contribution) -> None:
        moment = facts[at]
        if isinstance(moment, int):
            into.cells[count] = (ten_seconds_of(moment), 1)

    return add


def clock(measure: Measure, mention: Callable[[str], str]) -> str:
    """Where it is placed."""
    return f"placed at {mention(measure.at)}"


KIND: Final = Kind(
    name="count",
    about="a count",
    needs=("at", "windows"),
    may=("where", "baseline"),
    reads=Reads.BUCKETS,
    adding=adding,
    figures=figures,
    families={
        "": MetricFamily("number", (({}, "number"),)),
        "local_hour": MetricFamily(
            "number in the last complete local hour (weeks_ago 0), and in the same one of the weeks before; "
            "absent where nobody knows whether there was a feed",
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
