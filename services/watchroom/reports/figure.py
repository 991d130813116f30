"""What one or several series together say, each number still exact. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from watchroom.kinds import kind_of
from watchroom.kinds.kind import By, Quotient
from watchroom.kinds.measure import Measure
from watchroom.reports.exact import JSON_DECIMALS, Exact, as_number, of_fields

VALUE = "value"


@dataclass(frozen=True, slots=True)
class Figure:
    """Figures by column, `value` first; one that cannot be known is not there."""

    exact: Mapping[str, Exact]
    more: Mapping[str, object] = field(default_factory=dict)  # further columns of the kind, as months have them
    nested: Mapping[str, Mapping[str, object]] = field(default_factory=dict)  # `bins`

    @property
    def value(self) -> Exact | None:
        """The first one."""
        return self.exact.get(VALUE)

    def is_small(self, below: int) -> bool:
        """Whether it rests on fewer than this."""
        return self.value is not None and self.value.base is not None and self.value.base < below

    def columns(self) -> dict[str, object]:
        """As JSON has them: `value`, the counts behind it, then the others; null where there is none."""
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
        by: Label values that all of it has in common: they say which target holds.
        stored: Field -> how much.
        only: Columns whose fields are all known, of imported months; default: what is not there is 0.
    """
    kind, quotients = kind_of(measure), quotients_of(measure, by)
    known = {name: each for name, each in quotients.items() if only is None or name in only}
    figures = kind.figures(measure, stored, measure.target_for(by) is not None)
    columns = {column.name: kind.figure(figures, column.figure) for column in kind.columns}
    inside = {name for group in kind.nested.values() for name in group}
    outside = {"numerator", "denominator", *quotients, *inside}
    more = {name: _rounded(value) for name, value in columns.items() if name not in outside}
    nested = {name: {each: columns[each] for each in group} for name, group in kind.nested.items()}
    return Figure(
        {name: of_fields(each, stored) for name, each in known.items()},
        more if only is None else {},
        {name: group for name, group in nested.items() if None not in group.values()} if known else {},
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, JSON_DECIMALS)
