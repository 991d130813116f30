"""Figures are whole numbers until they are printed, and are then rounded once, half away from zero. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

from watchroom.kinds import kind_of
from watchroom.kinds.kind import By, Quotient, Unit
from watchroom.kinds.measure import Measure

VALUE = "value"
JSON_DECIMALS = 6  # of seconds and shares: more precise than the measurement, so rounding loses nothing


class Exact(NamedTuple):
    """(numerator / per) / (denominator / of_per); for a figure in per cent that has both, a hundred times that.

    If the denominator is only printed next to the number, it is numerator / per.
    """

    unit: Unit
    numerator: int
    denominator: int | None = None  # None: it is a number, not a quotient
    per: int = 1
    of_per: int = 1
    is_percent: bool = False  # in per cent, as some figures are written; a share is 0 to 1
    is_ratio: bool = True  # False: the denominator only says out of how many
    is_count: bool = True  # False: a number such as days or pounds, or a change, that is not based on a count

    @property
    def above(self) -> Fraction:
        """The numerator in its unit."""
        return Fraction(self.numerator, self.per)

    @property
    def below(self) -> Fraction | None:
        """The denominator in its unit; None for a number."""
        return None if self.denominator is None else Fraction(self.denominator, self.of_per)

    @property
    def value(self) -> Fraction | None:
        """The value in its unit; None if the denominator is 0."""
        if self.below is None or not self.is_ratio:
            return self.above
        hundred = 100 if self.is_percent else 1
        return hundred * self.above / self.below if self.below else None

    @property
    def base(self) -> Fraction | None:
        """The count that it is based on; None for a rate without its counts, and for what was not counted."""
        if self.below is not None and self.is_ratio:
            return self.below
        return abs(self.above) if self.is_count and not self.is_percent else None

    def in_points(self, value: Fraction) -> Fraction | None:
        """A difference of such figures in percentage points; None if it has no such unit."""
        return value if self.is_percent else 100 * value if self.unit is Unit.SHARE else None


def of_fields(quotient: Quotient, fields: Mapping[str, int]) -> Exact:
    """From fields that were added up; a missing field is 0."""
    denominator = fields.get(quotient.denominator, 0) if quotient.denominator else None
    return Exact(quotient.unit, fields.get(quotient.numerator, 0), denominator, quotient.per)


def rounded(value: Fraction, decimals: int) -> Fraction:
    """Rounded to this number of decimals, half away from zero: 0.5 is 1 and -0.5 is -1."""
    scaled = abs(value) * 10**decimals
    whole = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    return Fraction(whole if value >= 0 else -whole, 10**decimals)


def as_number(value: Fraction | None, decimals: int = JSON_DECIMALS) -> float | int | None:
    """For JSON and spreadsheets: a whole number if it is one, otherwise rounded once."""
    if value is None:
        return None
    found = rounded(value, decimals)
    return found.numerator if value.denominator == 1 else float(found)


def as_text(value: Fraction, decimals: int, *, signed: bool = False) -> str:
    """`1,234.5`, with `signed` `+1,234.5`; rounded once."""
    found = rounded(value, decimals)
    whole, part = divmod(abs(found.numerator) * 10**decimals // found.denominator, 10**decimals)
    sign = "-" if found < 0 else "+" if signed and found > 0 else ""
    return f"{sign}{whole:,}" + (f".{part:0{decimals}}" if decimals else "")


class Change(NamedTuple):
    """The change from a baseline's figure to the report's; a part that has no meaning is None."""

    absolute: Fraction | None = None  # in the figure's unit; None for a share, whose change is in points
    percent: Fraction | None = None
    points: Fraction | None = None  # percentage points, of shares


def change(now: Exact | None, then: Exact | None) -> Change:
    """How much a figure changed; without a percentage if the baseline is 0."""
    if now is None or then is None or now.value is None or then.value is None:
        return Change()
    difference = now.value - then.value
    percent = 100 * difference / abs(then.value) if then.value else None
    points = now.in_points(difference)
    return Change(difference if points is None else None, percent, points)


@dataclass(frozen=True, slots=True)
class Figure:
    """Figures by column, `value` first, without those that cannot be known."""

    exact: Mapping[str, Exact]
    more: Mapping[str, object] = field(default_factory=dict)  # further columns of the kind, as months have them
    nested: Mapping[str, Mapping[str, object]] = field(default_factory=dict)  # `bins`

    @property
    def value(self) -> Exact | None:
        """The first one."""
        return self.exact.get(VALUE)

    def is_small(self, below: int) -> bool:
        """Whether it is based on fewer than this."""
        return self.value is not None and self.value.base is not None and self.value.base < below

    def columns(self) -> dict[str, object]:
        """The columns of JSON: `value`, its counts, then the others; null if there is none."""
        value = self.value
        columns: dict[str, object] = {VALUE: None, "numerator": None, "denominator": None}
        if value is not None:
            numerator, denominator = as_number(value.above), as_number(value.below)
            columns = {VALUE: as_number(value.value), "numerator": numerator, "denominator": denominator}
        others = {name: as_number(each.value) for name, each in self.exact.items() if name != VALUE}
        return {**columns, **self.more, **others, **{name: dict(counts) for name, counts in self.nested.items()}}


NOTHING = Figure({})


def quotients_of(measure: Measure, by: By) -> dict[str, Quotient]:
    """The quotients of a measure under these label values, by column."""
    timed = measure.target_for(by) is not None
    return {name: each for name, each in kind_of(measure).quotients.items() if timed or not each.of_target}


def figure_of(measure: Measure, by: By, stored: Mapping[str, int], only: Iterable[str] | None = None) -> Figure:
    """The figure of fields that were added up.

    Args:
        measure: Whose.
        by: Label values that all of it has in common; they decide which target applies.
        stored: Field -> how much.
        only: Columns whose fields are all known, for imported months; default: a missing field is 0.
    """
    kind, quotients = kind_of(measure), quotients_of(measure, by)
    known = {name: each for name, each in quotients.items() if only is None or name in only}
    figures = kind.figures(measure, stored, measure.target_for(by) is not None)
    columns = {column.name: kind.figure(figures, column.figure) for column in kind.columns}
    inside = {name for group in kind.nested.values() for name in group}
    outside = {"numerator", "denominator", *quotients, *inside}
    more = {name: six_decimals(value) for name, value in columns.items() if name not in outside}
    nested = {name: {each: columns[each] for each in group} for name, group in kind.nested.items()}
    return Figure(
        {name: of_fields(each, stored) for name, each in known.items()},
        more if only is None else {},
        {name: group for name, group in nested.items() if None not in group.values()} if known else {},
    )


def six_decimals(value: float | None) -> float | None:
    """A figure of a kind for JSON; None if there is none."""
    return None if value is None else round(value, JSON_DECIMALS)
