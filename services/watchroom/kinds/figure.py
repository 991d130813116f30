"""A figure: a number that was produced elsewhere, with its own period and as-at date. Figures are never added up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated, Any, Final

from pydantic import Field

from watchroom.kinds import names
from watchroom.kinds.kind import (
    Add,
    By,
    Column,
    Contribution,
    Form,
    Kind,
    MetricFamily,
    Over,
    OwnKey,
    Reads,
    Stored,
)
from watchroom.kinds.measure import Facts, Measure
from watchroom.rolling.buckets import DAY_MS, ten_seconds_of

NUMERATOR, DENOMINATOR, AS_AT_MS, HAS = "numerator", "denominator", "as_at_ms", "has_"  # fields
PERCENT: Final = "percent"
COUNTS: Final = ("count", "people")  # units of what was counted one by one: only such a figure can be a small number
MOST: Final = 10**15  # a number in units of its last decimal: Redis's numbers are exact up to nine times that

UNIT: Final = OwnKey(
    "unit",
    Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]*$")],
    example="people",
    about="The unit that the figure is counted or measured in.",
    decides=False,
)
DECIMALS: Final = OwnKey(
    "decimals", Annotated[int, Field(ge=0, le=6)], example=1, default=0, about="The number of decimals that are kept."
)
SIGNED: Final = OwnKey("signed", bool, example=True, default=False, about="Whether the figure may be below zero.")
MAY_EXCEED: Final = OwnKey(
    "may_exceed", bool, example=True, default=False, about="Whether the numerator may be larger than the denominator."
)
MAX_AGE_DAYS: Final = OwnKey(
    "max_age_days",
    Annotated[int, Field(gt=0)],
    example=400,
    about="The age in days, counted from the as-at date, above which the figure is shown as old.",
    decides=False,
)
TARGET: Final = OwnKey(
    "target", str, example="below 21 days", default="none", about="The target in words, as reports print it.",
    decides=False,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure; None if it is not given or cannot be computed."""

    numerator: float | None
    denominator: float | None
    as_at_ms: int | None  # None: there is no figure
    is_percent: bool = False

    @property
    def value(self) -> float | None:
        """The numerator; for a percentage with a denominator, the ratio of the two in percent.

        With any other unit the denominator is for information only.
        """
        if self.numerator is None or self.denominator is None or not self.is_percent:
            return self.numerator
        return 100 * self.numerator / self.denominator if self.denominator else None

    @property
    def as_at_s(self) -> float | None:
        """As-at in seconds since the epoch."""
        return None if self.as_at_ms is None else self.as_at_ms / 1000


def scaled(text: str, decimals: int) -> int:
    """A number in units of the last decimal kept, rounded half away from zero."""
    return int(Decimal(text).scaleb(decimals).quantize(Decimal(1), ROUND_HALF_UP))


def text(measure: Measure, value: float) -> str:
    """A figure's value for people: with the decimals that its entry keeps, rounded once, half away from zero."""
    last = Decimal(1).scaleb(-DECIMALS.of(measure))
    return f"{Decimal(str(value)).quantize(last, ROUND_HALF_UP):,f}"


def is_old(measure: Measure, as_at_ms: int, now_ms: int) -> bool:
    """Whether a figure is older than its entry allows."""
    return now_ms - as_at_ms > MAX_AGE_DAYS.of(measure) * DAY_MS


def figures(measure: Measure, stored: Stored, timed: bool = False) -> Figure:  # noqa: ARG001  # a figure has no target
    """From the fields of one figure and period."""
    decimals = DECIMALS.of(measure)

    def number(what: str) -> float | None:
        if not stored.get(HAS + what):
            return None
        of: int = stored.get(what, 0)
        return of / 10**decimals if decimals else of

    is_there = stored.get(HAS + NUMERATOR)  # every figure has a numerator; an as-at can be any integer
    as_at_ms = stored.get(AS_AT_MS, 0) if is_there else None
    return Figure(number(NUMERATOR), number(DENOMINATOR), as_at_ms, UNIT.of(measure) == PERCENT)


def contribution(measure: Measure, _: str, by: By) -> Add:
    """The numbers and the as-at date of the latest version, under the figure's own period."""
    decimals = DECIMALS.of(measure)

    def add(facts: Facts, into: Contribution) -> None:
        as_at_ms, held_at_ms = facts["as_at"], facts["held_at"]
        if facts["measure"] != measure.id or not isinstance(as_at_ms, int) or not isinstance(held_at_ms, int):
            return
        series = names.series(measure.id, {**by, names.PERIOD: str(facts["period"])})
        start_ms = ten_seconds_of(held_at_ms)
        into.increments[names.field(series, AS_AT_MS)] = start_ms, as_at_ms
        for what in (NUMERATOR, DENOMINATOR):
            number = facts[what]
            if isinstance(number, str):
                into.increments[names.field(series, what)] = start_ms, scaled(number, decimals)
                into.increments[names.field(series, HAS + what)] = start_ms, 1

    return add


def clock(_: Measure, mention: Callable[[str], str]) -> str:
    """Its period, and where it is kept."""
    return f"for its own period, as at {mention('as_at')}; kept in the month in which the period ends"


def details(row: Mapping[str, Any]) -> Iterator[str]:
    """The counts, the span and the as-at."""
    yield row["unit"]
    if row["denominator"] is not None:
        yield f"{row['numerator']:,} of {row['denominator']:,}"
    if row.get("as_at"):
        yield f"as at {row['as_at']}{', OLD' if row.get('old') else ''}"


KIND: Final = Kind(
    name="figure",
    about="a figure that was produced elsewhere",
    needs=(),
    own_keys=(UNIT, DECIMALS, SIGNED, MAY_EXCEED, MAX_AGE_DAYS, TARGET),
    reads=Reads.FIGURES,
    terms=("measure", "period", "as_at", "held_at", NUMERATOR, DENOMINATOR),
    fed_by="figures",
    contribution=contribution,
    figures=figures,
    families={
        "": MetricFamily("the figure", (({}, "value"),), over=Over.OWN_PERIOD),
        NUMERATOR: MetricFamily("its numerator", (({}, "numerator"),), over=Over.OWN_PERIOD),
        DENOMINATOR: MetricFamily("its denominator", (({}, "denominator"),), over=Over.OWN_PERIOD),
        "as_at_timestamp_seconds": MetricFamily("its as-at date", (({}, "as_at_s"),), over=Over.OWN_PERIOD),
    },
    quantities={},  # no tile or alert shows one: it has no window, and its entry limits its age
    base="",
    columns=(Column("value", "value"), Column("numerator", "numerator"), Column("denominator", "denominator")),
    clock=clock,
    details=details,
    form=Form.FIGURE,
)
