"""What a tile, panel or alert asks Prometheus for: the quantities of `kinds`, in PromQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from watchroom.catalogue.model import Catalogue
from watchroom.kinds import kind_of, quantity_of
from watchroom.kinds.measure import Measure
from watchroom.kinds.queries import OVERDUE, MetricQuery
from watchroom.kinds.shown import Shown
from watchroom.rolling.windows import LOCAL_HOUR


class Counts(NamedTuple):
    """The two counts behind a share: "17 of 21"."""

    part: str
    whole: str


def expression(catalogue: Catalogue, measure: Measure, shown: Shown, more: Sequence[str] = ()) -> str:
    """The instant query of one shown number; the result's labels are `force` and the split.

    Args:
        catalogue: Knows the open measure whose overdue count as missed.
        measure: The entry.
        shown: What is asked for.
        more: Further matchers in PromQL, for example `force=~"$force"`.
    """
    quantity = quantity_of(measure, shown)
    if quantity.counts is None:
        return quantity.promql(_metric_query(measure, shown, more), quantity)
    part, whole = counts(catalogue, measure, shown, more)
    # The part is absent where the whole is 0: 0 / 0 gives NaN. A part within target is published even for a whole of 0.
    return f"({part}) / ({whole})" if quantity.needs_target else f"(({part}) or ({whole})) / ({whole})"


def rest(catalogue: Catalogue, measure: Measure, shown: Shown, more: Sequence[str] = ()) -> str:
    """One number for all unlisted values of the split combined: an ungraded incident may be an emergency."""
    label = next(label for label in measure.labels if label.name == shown.split)
    unlisted = "|".join(dict.fromkeys((label.absent, label.other)))
    return expression(catalogue, measure, replace(shown, split="", rest=False), (*more, f'{label.name}=~"{unlisted}"'))


def counts(catalogue: Catalogue, measure: Measure, shown: Shown, more: Sequence[str] = ()) -> Counts:
    """The counts behind a share; the whole includes those overdue now, where they count as missed."""
    quantity = quantity_of(measure, shown)
    if quantity.counts is None:
        raise ValueError(f"{measure.id}: {shown.what} is not a share")
    part, whole = quantity.counts
    query = _metric_query(measure, shown, more)
    of_all = query.total(whole)
    if quantity.needs_target and not query.is_one_series:
        # Only where there is a target: elsewhere the part is absent, so the whole must be absent too.
        of_all = f"sum by ({query.by}) ({query.once(whole)} and {query.once(part)})"
    if quantity.misses_overdue:
        other = catalogue.measures[measure.display.overdue_from]
        late = _metric_query(other, replace(shown, what=OVERDUE, window=""), more)
        of_all = f"{of_all} + {late.total(OVERDUE)}"
    return Counts(query.total(part), of_all)


def base(measure: Measure, shown: Shown, more: Sequence[str] = ()) -> str:
    """How many entities a figure is based on: the whole, the observations, or those open now."""
    return _metric_query(measure, shown, more).base()


def local_hour(measure: Measure, where: Mapping[str, str], split: str, weeks: str, more: Sequence[str] = ()) -> str:
    """A baseline: the last complete local hour (`weeks` "0") or the past ones ("[1-6]"), by week."""
    query = _metric_query(measure, Shown(kind_of(measure).base, where, "", split), (f'weeks_ago=~"{weeks}"', *more))
    once = f"max by ({', '.join(['force', 'weeks_ago', *(label.name for label in measure.labels)])})"
    return f"sum by ({query.by}, weeks_ago) ({once} ({query.selector(LOCAL_HOUR)}))"


def _metric_query(measure: Measure, shown: Shown, more: Sequence[str]) -> MetricQuery:
    kind = kind_of(measure)
    return MetricQuery(measure, shown, kind.quantities[kind.base].suffix, more)
