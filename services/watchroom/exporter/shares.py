"""The samples of the shares that alerts read: part and whole of each, from one moment of one exporter."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from watchroom.catalogue.shares import labels
from watchroom.exporter.exposition import labels_text
from watchroom.exporter.numbers import Numbers
from watchroom.kinds.measure import Measure
from watchroom.kinds.shown import Shown


class Counts(NamedTuple):
    """The two counts of a share; 0 of 0 is a share of nothing."""

    part: int
    whole: int


def share_counts(shares: Iterable[tuple[Measure, Shown]], numbers: Numbers) -> dict[str, Counts]:
    """The counts by the labels of their samples, as written; ask for shares of published measures only."""
    return {
        labels_text(labels(measure, shown, number.label)): Counts(number.part, number.whole)
        for measure, shown in shares
        for number in numbers.shown(measure, shown)
        if number.part is not None and number.whole is not None
    }
