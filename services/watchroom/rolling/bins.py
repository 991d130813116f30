"""Log-spaced bins for durations: percentiles whose counts can be added and subtracted.

Edges are whole milliseconds: 0, 1, 2, ... and from 50 ms on each about 2 % above the last. So the value that represents
a bin is within 1 % of every duration in it (DDSketch's guarantee: Masson, Rim, Lee, PVLDB 12, 2019). Each target is an
edge too, so no bin crosses a target. A bin is named by its lower edge and holds lower <= duration < next edge; 0 has
its own bin.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from itertools import pairwise

from watchroom.events.times import LATEST_MS

GROWTH_PERCENT = 2
LAST_EDGE_MS = LATEST_MS  # no two admitted moments are further apart, so every duration has a bin of 2 %


def _base_edges() -> tuple[int, ...]:
    edges = [0, 1]
    while edges[-1] <= LAST_EDGE_MS:
        edges.append(max(edges[-1] + 1, edges[-1] * (100 + GROWTH_PERCENT) // 100))
    return tuple(edge for edge in edges if edge <= LAST_EDGE_MS)


BASE_EDGES = _base_edges()


class Bins:
    """The bins of one duration measure."""

    def __init__(self, extra_edges_ms: Iterable[int] = ()) -> None:
        self.edges = sorted({*BASE_EDGES, *extra_edges_ms})
        self._upper = dict(pairwise(self.edges))

    def lower_ms(self, value_ms: int) -> int:
        """Name of the bin of a duration of 0 ms or more."""
        return self.edges[bisect_right(self.edges, value_ms) - 1]

    def value_ms(self, lower_ms: int) -> float:
        """The value that represents a bin: within 1 % of every duration in it; exact below 50 ms."""
        highest = self._upper.get(lower_ms, lower_ms + 1) - 1
        return 2 * lower_ms * highest / (lower_ms + highest) if lower_ms else 0.0
