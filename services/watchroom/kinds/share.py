"""A share: a part of a whole, both counted at the same moment, so that part <= whole in every bucket."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from watchroom.kinds import names
from watchroom.kinds.kind import (
    Add,
    By,
    Column,
    Contribution,
    Form,
    Kind,
    MetricFamily,
    Quantity,
    Quotient,
    Reads,
    Stored,
    Unit,
    counted_at,
)
from watchroom.kinds.measure import Condition, Facts, Measure, holds
from watchroom.kinds.queries import or_base
from watchroom.rolling.buckets import ten_seconds_of

PART, WHOLE = "part", "whole"  # fields


@dataclass(frozen=True, slots=True)
class ShareFigures:
    """Part of a whole, both counts kept."""

    part: int
    whole: int

    @property
    def share(self) -> float | None:
        """0 to 1; None for an empty whole."""
        return self.part / self.whole if self.whole else None

    @property
    def part_of_some(self) -> int | None:
        """The part; None for an empty whole, because a part of nothing is not a share."""
        return self.part if self.whole else None


def figures(_: Measure, stored: Stored, timed: bool = False) -> ShareFigures:  # noqa: ARG001  # a share has no target
    """From the fields `part` and `whole` of one series."""
    return ShareFigures(stored.get(PART, 0), stored.get(WHOLE, 0))


def contribution(measure: Measure, series: str, _: By) -> Add:
    """One to the whole at its moment, and one to the part if the entity belongs to it."""
    at, part, whole = measure.at, names.field(series, PART), names.field(series, WHOLE)
    belongs = holds(measure.part or Condition({}))

    def add(facts: Facts, into: Contribution) -> None:
        moment = facts[at]
        if isinstance(moment, int):
            into.increments[whole] = one = (ten_seconds_of(moment), 1)
            if belongs(facts):
                into.increments[part] = one

    return add


def details(row: Mapping[str, Any]) -> Iterator[str]:
    """The counts."""
    yield f"{row['numerator']:,} of {row['denominator']:,}"


KIND: Final = Kind(
    name="share",
    about="a share: a part of a whole",
    needs=("at", "windows", "part"),
    may=("where",),
    reads=Reads.BUCKETS,
    contribution=contribution,
    figures=figures,
    families={
        "part": MetricFamily("the part", (({}, "part_of_some"),)),
        "whole": MetricFamily("the whole; part / whole is the share", (({}, "whole"),)),
    },
    quantities={
        "share": Quantity("share of the whole", Unit.SHARE, counts=(PART, WHOLE), title="share", column="Share"),
        "part": Quantity("the part", Unit.NUMBER, "part", PART, promql=or_base, title="number in the part"),
        "whole": Quantity("the whole", Unit.NUMBER, "whole", WHOLE, title="number in the whole", column="Of"),
    },
    base="whole",
    columns=(Column("value", "share"), Column("numerator", "part"), Column("denominator", "whole")),
    quotients={"value": Quotient(Unit.SHARE, PART, WHOLE)},
    details=details,
    clock=counted_at,
    form=Form.SUMMARY,
    unit=Unit.SHARE,
    card=("share",),
    trends=("share",),
    summary=("share", "part", "whole"),
    by_month=("share", "part", "whole"),
)
