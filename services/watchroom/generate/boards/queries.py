"""The queries of the boards: samples of tiles and of rows as the exporter publishes them, and `promql` for the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from watchroom.catalogue.metrics import ROW
from watchroom.catalogue.model import Catalogue
from watchroom.catalogue.rows import ALL, BEFORE_LAST, LAST, ORDER, is_joint, tables
from watchroom.generate import promql
from watchroom.kinds import is_additive, names
from watchroom.kinds.kind import Unit
from watchroom.kinds.measure import Label, Measure
from watchroom.kinds.shown import Shown
from watchroom.rolling.windows import MONTH

CHOSEN: Final = ('force=~"$force"',)
NO_MAPPING: Final[Mapping[str, str]] = {}
MONTH_RUNNING: Final = f"max by (force, month) (watchroom_month_running{{{CHOSEN[0]}}})"


def one(
    catalogue: Catalogue,
    measure: Measure,
    what: str,
    *,
    where: Mapping[str, str] = NO_MAPPING,
    window: str = "",
    split: str = "",
) -> str:
    """One number, or one for each value of the split; a share, mean or percentile without data is NaN (NONE)."""
    for table in tables(measure) if is_joint(measure, what) else ():
        if table.what != what or window not in table.windows or len(table.labels) > 1:
            continue
        names_shown = {label.name for label in table.labels}
        if where.keys() == names_shown and not split:
            return row(measure, what, window, where)
        if {split} == names_shown and not where:
            return row(measure, what, window, {}, table.labels, also=f'{ORDER}!~"{BEFORE_LAST}|{LAST}"')
        if not where and not split and is_additive(measure, what):
            return row(measure, what, window, dict.fromkeys(names_shown, ALL))
    return promql.expression(catalogue, measure, Shown(what, where, window, split), CHOSEN)


def table(measure: Measure, what: str, window: str, labels: Sequence[Label]) -> str:
    """The rows of a table by these labels; for a single label also the rows for unlisted values and for all."""
    return row(measure, what, window, {}, labels, by=(ORDER,))


def row(
    measure: Measure,
    what: str,
    window: str,
    where: Mapping[str, str],
    labels: Sequence[Label] = (),
    *,
    by: Sequence[str] = (),
    also: str = "",
) -> str:
    """Samples of `watchroom_row`: those that match `where`, or those for every value of `labels`."""
    exact = {"measure": measure.id, "quantity": what, **({"window": window} if window else {}), **where}
    match = [f'{name}="{value}"' for name, value in exact.items()]
    names_shown = [label.name for label in labels]
    others = [label.name for label in measure.labels if label.name not in where]
    match += [f'{name}!=""' if name in names_shown else f'{name}=""' for name in others]
    match += [*([also] if also else []), *CHOSEN]
    month = [MONTH] if window == MONTH else []
    return f"max by ({', '.join(['force', *names_shown, *by, *month])}) ({ROW}{{{','.join(match)}}})"


def excluded(measure: Measure, suffixes: Sequence[str], window: str) -> str:
    """What is excluded and counted separately, by the label `quantity`."""
    match = [
        f'measure="{measure.id}"',
        f'quantity=~"{"|".join(suffixes)}"',
        f'window="{window}"',
        f'{ORDER}=""',
        *CHOSEN,
    ]
    return f"max by (force, quantity) ({ROW}{{{','.join(match)}}})"


def not_fed(streams: Sequence[str]) -> str:
    """A series of -1, shown by `states.NOT_FED_TEXT`, while the force does not feed a stream; else empty."""
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


def tile(title: str, split: str | None = "", *, unit: Unit, has_counts: bool = False) -> str:
    """A tile's number from one exporter, with its state and the counts behind it in `part` and `whole`.

    Two exporters may differ for a moment: the higher number is shown, with the counts and the state that belong to it.
    Seconds are cut, not rounded: 9.6 s below a limit of 10 s must not read as 10 s.

    Args:
        title: Of the tile.
        split: Value of a tile that shows several numbers; None: every value.
        unit: Of the number.
        has_counts: Whether it is a share of counts.
    """
    match = ",".join([f'tile="{title}"', *([f'split="{split}"'] if split else []), *CHOSEN])
    number, other = f"watchroom_tile{{{match}}}", ""
    number = f"floor({number})" if unit is Unit.SECONDS else number
    for name in ("part", "whole") if has_counts else ():
        other += f"{name}, "
        counts = f'count_values without () ("{name}", watchroom_tile_{name}{{{CHOSEN[0]}}})'
        number += f" * ignoring ({other[:-2]}) group_left ({name}) {counts}"
    state = f"ignoring ({other}state) group_left (state) 0 * watchroom_tile_state{{{CHOSEN[0]}}}"
    return f"topk{'' if split is not None else ' by (split) '}(1, {number} + {state})"


def worst_tile(title: str) -> str:
    """The number of a tile from the exporter that reports its worst state."""
    match = f'tile="{title}",{CHOSEN[0]}'
    worst = f"topk(1, watchroom_tile_state{{{match}}})"
    return f"floor(watchroom_tile{{{match}}}) + on (instance) group_left (state) 0 * {worst}"
