"""One module a kind of measure, and this registry. A new kind is a new module and one row here.

The order is the order of columns in reports. Pure: no clock, no I/O.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from watchroom.kinds import count, duration, open_now, share
from watchroom.kinds.kind import Kind, Quantity
from watchroom.kinds.measure import Measure
from watchroom.kinds.shown import Shown

KINDS: Final[Mapping[str, Kind]] = {
    kind.name: kind
    for kind in (
        count.KIND,
        share.KIND,
        duration.KIND,
        open_now.KIND,
    )
}
"""Every kind by its name."""


def kind_of(measure: Measure) -> Kind:
    """What a measure's kind says."""
    return KINDS[measure.kind]


def quantity_of(measure: Measure, shown: Shown) -> Quantity:
    """The quantity that is shown of a measure."""
    return KINDS[measure.kind].quantities[shown.what]
