"""What was restated since months closed, as reports count it. Pure.

One restatement of a row is one event that changed its numbers after the month had closed. The log has a line for each
field that an event changed, so that what was published can be computed from it; a late figure changes up to five.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from watchroom.fold.batch import Restatement
from watchroom.kinds import names
from watchroom.kinds.kind import fields_added_up

Changes = Mapping[tuple[str, int, int], Mapping[str, int]]  # of one series: `Restatement.event` -> field -> delta


def changes_by_series(log: Iterable[Restatement]) -> dict[str, Changes]:
    """Which event changed what of each series that is in the log."""
    found: defaultdict[str, defaultdict[tuple[str, int, int], Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for entry in log:
        found[names.series(entry.measure, entry.by)][entry.event][entry.field] += entry.delta
    return dict(found)


def deltas(changes: Iterable[Changes]) -> Mapping[str, int]:
    """How much the fields of some series together have changed."""
    return fields_added_up(of_event for of_series in changes for of_event in of_series.values())


def restatements(changes: Iterable[Changes]) -> int:
    """How many events changed a row that is made of these series; one that only moved something within it did not."""
    by_event: defaultdict[tuple[str, int, int], Counter[str]] = defaultdict(Counter)
    for of_series in changes:
        for event, of_event in of_series.items():
            by_event[event].update(of_event)
    return sum(any(of_event.values()) for of_event in by_event.values())
