"""The kinds of measures: one module each, and this registry. A new kind is a new module and one row here.

In: the facts of an entity, and later the stored integers. Out: what the entity contributes, the figures that follow,
and what metrics, boards, reports and alerts show. Pure: no clock, no I/O. It may import `rolling` and `events`, not
`streams`.

Start with `kind` (what a kind must say), then `count` (the simplest one) and `measure` (a checked entry). The order of
the rows below is the order of columns in reports.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from watchroom.kinds import count, duration, figure, note, open_now, repeat, share, top
from watchroom.kinds.kind import Kind, Quantity
from watchroom.kinds.measure import Measure
from watchroom.kinds.shown import Shown
from watchroom.registry import registry

ROWS: Final[tuple[Kind, ...]] = (
    count.KIND,
    share.KIND,
    duration.KIND,
    open_now.KIND,
    repeat.KIND,
    top.KIND,
    figure.KIND,
    note.KIND,
)

KINDS: Final[Mapping[str, Kind]] = registry("kinds named", ((kind.name, kind) for kind in ROWS))
"""Every kind by its name."""


def kind_of(measure: Measure) -> Kind:
    """The kind of a measure."""
    return KINDS[measure.kind]


def quantity_of(measure: Measure, shown: Shown) -> Quantity:
    """The quantity that is shown of a measure."""
    return KINDS[measure.kind].quantities[shown.what]


def is_additive(measure: Measure, what: str) -> bool:
    """Whether a quantity can be asked for over all label values together."""
    quantity = kind_of(measure).quantities[what]
    if not quantity.is_additive:
        return not measure.labels
    return not quantity.needs_target or all(not target.where for target in measure.targets)


def area_windows(measure: Measure, suffix: str) -> tuple[str, ...]:
    """The windows in which a metric family of a measure is published by area."""
    family = KINDS[measure.kind].families.get(suffix)
    only = None if family is None else family.area_windows
    return tuple(window for window in measure.area_windows if only is None or window in only)


def own_said(measure: Measure) -> list[str]:
    """The values of a measure's own keys of its kind, including defaults, as TOML."""
    return [f"{key.name} = {json.dumps(key.of(measure))}" for key in KINDS[measure.kind].own_keys]
