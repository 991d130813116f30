"""The questions of the boards: `promql` with the chosen force, and what only tables and tiles need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from watchroom.catalogue.model import Catalogue
from watchroom.generate import promql
from watchroom.generate.boards.states import Limits
from watchroom.kinds import adds_up, kind_of, names, quantity_of
from watchroom.kinds.kind import Unit
from watchroom.kinds.measure import AREA, Label, Measure
from watchroom.kinds.shown import Shown, Tile

CHOSEN: Final = ('force=~"$force"',)
ALL: Final = "All"
UNLISTED: Final = "Unknown or other"
BEFORE_LAST: Final = "zzy"
LAST: Final = "zzz"  # the place after all values: signs stand before digits
PLACE: Final = "place"  # label by which the rows of a table are ordered
NORMAL: Final = "NORMAL"
NO_MAPPING: Final[Mapping[str, str]] = {}


def one(
    catalogue: Catalogue,
    measure: Measure,
    what: str,
    *,
    where: Mapping[str, str] = NO_MAPPING,
    window: str = "",
    split: str = "",
) -> str:
    """One number; a mean or percentile of nothing is NaN (NONE), not an absent series (NO DATA)."""
    return promql.expression(catalogue, measure, Shown(what, where, window, split), CHOSEN)


def by_label(catalogue: Catalogue, measure: Measure, what: str, window: str, label: Label) -> str:
    """One row for each listed value of a label; where numbers add up, one for all others, and a last one for all."""
    split = in_order(one(catalogue, measure, what, window=window, split=label.name), label)
    if not adds_up(measure, what):
        return split
    rows = [f"({split})", put(put(one(catalogue, measure, what, window=window), label.name, ALL), PLACE, LAST)]
    if not kind_of(measure).quantities[what].needs_target:
        rest = promql.rest(catalogue, measure, Shown(what, {}, window, label.name), CHOSEN)
        rows.insert(1, put(put(rest, label.name, UNLISTED), PLACE, BEFORE_LAST))
    return " or ".join(rows)


def in_order(expr: str, label: Label) -> str:
    """The series with their place among the label's values: as the catalogue lists them; areas, a setting, by name."""
    if label.value_of == AREA:
        return f'label_replace({expr}, "{PLACE}", "$1", "{label.name}", "(.*)")'
    for place, value in enumerate(label.values):
        expr = f'label_replace({expr}, "{PLACE}", "{place:02}", "{label.name}", "{value}")'
    return expr


def by_all(catalogue: Catalogue, measure: Measure, what: str, window: str = "") -> str:
    """One row for each set of label values: the listed ones of the first label, each split by the second."""
    if not measure.labels:
        return one(catalogue, measure, what, window=window)
    first, *rest = measure.labels
    if not rest:
        return in_order(one(catalogue, measure, what, window=window, split=first.name), first)

    def under(value: str) -> str:
        split = one(catalogue, measure, what, where={first.name: value}, window=window, split=rest[0].name)
        placed = f'label_replace({split}, "{PLACE}", "{first.values.index(value):02} $1", "{rest[0].name}", "(.*)")'
        return put(placed, first.name, value)

    return " or ".join(under(value) for value in values_shown(measure, first, what))


def never_closed(measure: Measure) -> str:
    """What an open measure no longer shows, by the listed values of all its labels."""
    labels = ", ".join(["force", *(label.name for label in measure.labels)])
    listed = (f'{label.name}!~"{label.absent}|{label.other}"' for label in measure.labels)
    expr = f"max by ({labels}) ({names.metric(measure.id, 'gave_up')}{{{','.join([*CHOSEN, *listed])}}})"
    if len(measure.labels) < 2:
        return in_order(expr, measure.labels[0]) if measure.labels else expr
    first, second = measure.labels
    for place, value in enumerate(first.values):
        expr = f'label_replace({expr}, "{PLACE}", "{place:02}", "{first.name}", "{value}")'
    return f'label_join({expr}, "{PLACE}", " ", "{PLACE}", "{second.name}")'


def values_shown(measure: Measure, label: Label, what: str) -> list[str]:
    """The listed values under which a word has a meaning: of a target only those that have one."""
    values = sorted(label.values) if label.value_of == AREA else list(label.values)
    if not kind_of(measure).quantities[what].needs_target:
        return values
    needed = any(label.name in target.where for target in measure.targets)
    return [value for value in values if not needed or measure.target_for({label.name: value})]


def beside(measure: Measure, suffix: str, window: str = "") -> str:
    """What is counted separately from a measure: missing starts, negative times, given up."""
    labels = ", ".join(["force", *(label.name for label in measure.labels)])
    match = ",".join([*CHOSEN, *([f'window="{window}"'] if window else [])])
    return f"sum by (force) (max by ({labels}) ({names.metric(measure.id, suffix)}{{{match}}}))"


def not_fed(streams: Sequence[str]) -> str:
    """A series of -1, which `states.NOT_FED` writes in words, while the force leaves out a stream; else none."""
    if len(streams) == 1:
        return f'(max by (force) (watchroom_stream_fed{{stream="{streams[0]}",{CHOSEN[0]}}}) == 0) - 1'
    fed = f'max by (force, stream) (watchroom_stream_fed{{stream=~"{"|".join(streams)}",{CHOSEN[0]}}})'
    return f"(min by (force) ({fed}) == 0) - 1"


def own(measure: Measure, suffix: str, labels: Sequence[str]) -> str:
    """The samples of a figure's own periods, each once."""
    return f"max by ({', '.join(labels)}) ({names.metric(measure.id, suffix)}{{{CHOSEN[0]}}})"


def put(expr: str, label: str, value: str) -> str:
    """The same series with a label."""
    return f'label_replace({expr}, "{label}", "{value}", "", "")'


def tile(catalogue: Catalogue, measure: Measure, shown: Tile, limits: Limits | None) -> str:
    """A tile's query: its state is the label `state`, the counts behind a share are `part` and `whole`.

    The values of a split stand in the catalogue's order (999 before 101), which `or` keeps; areas are a setting,
    so they are asked for by whatever Prometheus has.
    """
    ask = shown.shown
    label = next((label for label in measure.labels if label.name == ask.split), None)
    if label is None or label.value_of == AREA:
        return stated(_shown(catalogue, measure, ask), limits)

    def under(value: str) -> str:
        one_value = Shown(ask.what, {**ask.where, ask.split: value}, ask.window)
        judged = limits if shown.has_limits({ask.split: value}) else None
        return put(stated(_shown(catalogue, measure, one_value), judged, normal=""), ask.split, value)

    return " or ".join(under(value) for value in values_shown(measure, label, ask.what))


def _shown(catalogue: Catalogue, measure: Measure, ask: Shown) -> str:
    """Seconds are cut, not rounded: 9.6 s below a limit of 10 s must not read as 10 s."""
    expr = promql.expression(catalogue, measure, ask, CHOSEN)
    quantity = quantity_of(measure, ask)
    if quantity.unit is Unit.SECONDS:
        expr = f"floor({expr})"
    if quantity.counts:
        expr = _with_counts(expr, promql.counts(catalogue, measure, ask, CHOSEN), ask)
    return expr


def stated(expr: str, limits: Limits | None, normal: str = NORMAL) -> str:
    """The series with its state's word in the label `state`; a share of nothing (NaN) has none.

    Of several numbers side by side only those that are not normal are given a word.
    """
    if limits is None:
        return expr
    beyond, before = ("<", ">=") if limits.is_low_bad else (">=", "<")
    warning, critical = (f"(({expr}) {beyond} {limit:g})" for limit in (limits.warning, limits.critical))
    states = (
        (f"({expr}) {before} {limits.warning:g}", normal),
        (f"{warning} unless {critical}", limits.warning_word),
        (critical, limits.critical_word),
    )
    judged = " or ".join(put(part, "state", word) for part, word in states)
    return f"{judged} or (({expr}) != ({expr}))"


def _with_counts(share: str, counts: promql.Counts, ask: Shown) -> str:
    """A share of its counts as labels, so that one panel shows "81 %" and "17 of 21"."""
    by = ", ".join(["force", *([ask.split] if ask.split else [])])
    part = f"({counts.part}) or ({counts.whole})"  # the part of nothing is not published
    labels = "".join(
        f' * on ({by}) group_left ({name}) count_values by ({by}) ("{name}", {expr})'
        for name, expr in (("part", part), ("whole", counts.whole))
    )
    return f"({share}){labels}"
