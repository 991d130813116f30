"""Response: how quickly incidents are assigned and attended, and which wait; by grade and area."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from watchroom.catalogue.model import Measure
from watchroom.generate.boards.age import data_age
from watchroom.generate.boards.board import Board, Section, Sources
from watchroom.generate.boards.sections import of_measure

ORDER: Final = ("open", "duration", "share", "count")  # who waits now stands before how it went


def sections(sources: Sources, board: str, order: Sequence[str]) -> list[Section]:
    """Data age, then every measure of a board."""
    found = [measure for measure in sources.catalogue.measures.values() if measure.display.board == board]

    def place(measure: Measure) -> int:
        return order.index(measure.kind)

    return [Section("", [data_age(sources, 24, 4)]), *(of_measure(sources, m) for m in sorted(found, key=place))]


def make(sources: Sources) -> Sequence[Section]:
    """All measures of the board."""
    return sections(sources, "response", ORDER)


BOARD: Final = Board(
    "response",
    "Response",
    "Who waits now, and how many were assigned and attended in time: by grade and area, from one hour to 12 months.",
    "6h",
    make,
)
