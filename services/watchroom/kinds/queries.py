"""PromQL queries for quantities: selectors of one measure's metrics, and what several quantities share.

Each gauge is first taken once (`max by` its labels, because a second exporter may run), then added up. The target label
`force` stays on everything, so that one force's outage cannot mute another's. A share, mean or percentile of nothing is
NaN ("NONE"); a measure that is not published has no series ("NO DATA").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from watchroom.kinds import names
from watchroom.kinds.measure import ALL, AREA, Label, Measure
from watchroom.kinds.shown import Shown

if TYPE_CHECKING:
    from watchroom.kinds.kind import Quantity

FORCE: Final = "force"  # label that prometheus.yml gives every target
OVERDUE: Final = "overdue"  # the family whose entities count as missed in a measure that names it in `overdue_from`
NO_LABELS: Final[Mapping[str, str]] = {}


class MetricQuery:
    """The parts of one query to Prometheus.

    Args:
        measure: Whose metrics.
        shown: Label values, window and split.
        base_suffix: The family that counts what a figure rests on.
        more: Further matchers as PromQL writes them, for example `force=~"$force"`.
    """

    def __init__(self, measure: Measure, shown: Shown, base_suffix: str, more: Sequence[str] = ()) -> None:
        self._measure = measure
        self._base_suffix = base_suffix
        month = ["month"] if shown.window == "month" else []  # months are never added up
        self._labels = [FORCE, *(label.name for label in measure.labels), *month]
        exact = {**shown.where, **({"window": shown.window} if shown.window else {})}
        split = [label for label in measure.labels if label.name == shown.split and not shown.unlisted]
        listed = [f'{label.name}!~"{"|".join(_beside_listed(label))}"' for label in split]
        self._match = [*more, *(f'{name}="{value}"' for name, value in exact.items()), *listed]
        self.by = ", ".join([FORCE, *([shown.split] if shown.split else []), *month])
        self.is_one_series = {*shown.where, shown.split} >= {label.name for label in measure.labels}

    def selector(self, suffix: str, also: Mapping[str, str] = NO_LABELS) -> str:
        """`watchroom_x{line="999",window="5m"}`."""
        match = ",".join([*self._match, *(f'{name}="{value}"' for name, value in also.items())])
        name = names.metric(self._measure.id, suffix)
        return f"{name}{{{match}}}" if match else name

    def once(self, suffix: str, also: Mapping[str, str] = NO_LABELS) -> str:
        """Each series once, however many exporters publish it."""
        return f"max by ({', '.join(self._labels)}) ({self.selector(suffix, also)})"

    def total(self, suffix: str, also: Mapping[str, str] = NO_LABELS) -> str:
        """The sum over what is neither matched nor split."""
        if self.is_one_series:
            return f"max by ({self.by}) ({self.selector(suffix, also)})"
        return f"sum by ({self.by}) ({self.once(suffix, also)})"

    def base(self) -> str:
        """The number that a figure rests on."""
        return self.total(self._base_suffix)

    def base_once(self) -> str:
        """The same for each series."""
        return self.once(self._base_suffix)


def _beside_listed(label: Label) -> tuple[str, ...]:
    """The values of a label that are not listed; for areas, also the value for all of them."""
    return (label.absent, label.other, *([ALL] if label.value_of == AREA else []))


def total(query: MetricQuery, quantity: Quantity) -> str:
    """A number that adds up."""
    return query.total(quantity.suffix, quantity.labels)


def of_some(query: MetricQuery, quantity: Quantity) -> str:
    """A figure that is not published for nothing: 0 / 0 then."""
    base = query.base()
    return f"{query.total(quantity.suffix, quantity.labels)} or {base} / {base}"


def mean(query: MetricQuery, quantity: Quantity) -> str:
    """A mean, weighted by what it rests on if several series are combined."""
    if query.is_one_series:
        return of_some(query, quantity)
    base = query.base()
    weighted = f"sum by ({query.by}) ({query.once(quantity.suffix)} * {query.base_once()})"
    return f"({weighted} or {base}) / {base}"


def or_base(query: MetricQuery, quantity: Quantity) -> str:
    """A part, which is not published for an empty whole: 0 then."""
    return f"{query.total(quantity.suffix)} or {query.base()}"


def highest_or_0(query: MetricQuery, quantity: Quantity) -> str:
    """The highest, and 0 if there is nothing. A split value may be empty while another is not: `or` fills each."""
    return f"max by ({query.by}) ({query.selector(quantity.suffix)}) or ({query.base()} == 0)"
