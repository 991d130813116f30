"""Crime: what was recorded, by group, category and area, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from watchroom.generate.boards.board import Board, Section, Sources
from watchroom.generate.boards.response import sections

ORDER: Final = ("count", "share", "duration", "open")


def make(sources: Sources) -> Sequence[Section]:
    """All measures of the board."""
    return sections(sources, "crime", ORDER)


BOARD: Final = Board("crime", "Crime", "Crimes recorded by group, category and area, and their outcomes.", "7d", make)
