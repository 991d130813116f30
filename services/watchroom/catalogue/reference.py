"""Where `docs/reference/catalogue.md` explains the key that a fault is about. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from watchroom.catalogue import own
from watchroom.catalogue.display_entry import AlertEntry, BurnEntry, Strict, TileEntry
from watchroom.catalogue.entry import LabelEntry, MeasureEntry, SummandEntry, TargetEntry
from watchroom.errors import Fault

PAGE: Final = "docs/reference/catalogue.md"
LABELS: Final = "labels"
_TABLES: Final[Mapping[str, type[Strict]]] = {
    "targets": TargetEntry,
    "sum_of": SummandEntry,
    "tiles": TileEntry,
    "alerts": AlertEntry,
    "alerts.burn": BurnEntry,
    LABELS: LabelEntry,
}


def with_page(fault: Fault, *, of_labels: bool = False) -> Fault:
    """The fault with the page of its key; unchanged where it is about a whole file or entry.

    Args:
        fault: Its key is `<id>.<key>`, perhaps with the number of a table and a key inside that table.
        of_labels: Whether it is about labels.toml.
    """
    path = [part for part in fault.key.split(".")[1:] if not part.isdigit()]
    if of_labels:
        path.insert(0, LABELS)
    if len(path) == of_labels:
        return fault
    for depth in (2, 1):
        table = _TABLES.get(".".join(path[:depth]))
        if table is not None and len(path) > depth and path[depth] in table.model_fields:
            return replace(fault, page=f"{PAGE}#{''.join(path[:depth])}-{path[depth]}")
    is_known = path[0] in MeasureEntry.model_fields or path[0] in own.NAMES
    return replace(fault, page=f"{PAGE}#{path[0]}" if is_known and not of_labels else PAGE)
