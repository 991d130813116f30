"""Response: how quickly incidents are assigned and attended, and which wait; by grade and area."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from watchroom.catalogue.model import Measure
from watchroom.generate.boards.age import data_age
from watchroom.generate.boards.board import AGE_HEIGHT, MOST_OPEN_ROWS, Board, Section, Sources
from watchroom.generate.boards.maker import Maker
from watchroom.generate.boards.panels import Placed
from watchroom.generate.boards.sections import of_measure

ORDER: Final = ("open", "duration", "share", "count")  # who waits now stands before how it went


def sections(sources: Sources, board: str, order: Sequence[str]) -> list[Section]:
    """Data age, a line of each measure of a board, and closed headings over the rest."""
    found = [measure for measure in sources.catalogue.measures.values() if measure.display.board == board]

    def place(measure: Measure) -> int:
        return order.index(measure.kind)

    parts = [of_measure(Maker(sources, measure)) for measure in sorted(found, key=place)]
    shown: list[Placed] = []
    closed: list[Section] = []
    left = MOST_OPEN_ROWS - AGE_HEIGHT - len(parts)
    for part in parts:
        height = max(panel.height for panel in part.shown)
        left -= height
        if left >= 0:
            shown += part.shown
        beginning = () if left >= 0 else part.shown
        closed.append(part.more._replace(panels=[*beginning, *part.more.panels]))
    age = Section("", [data_age(sources, 24, AGE_HEIGHT)])
    return [age, Section("", shown), *(section for section in closed if section.panels)]


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
