"""Demand: how much comes in against the same hours of past weeks, and how it is answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from watchroom.generate.boards.board import Board, Section, Sources
from watchroom.generate.boards.response import sections

ORDER: Final = ("count", "duration", "share", "open")


def make(sources: Sources) -> Sequence[Section]:
    """All measures of the board."""
    return sections(sources, "demand", ORDER)


BOARD: Final = Board(
    "demand",
    "Demand",
    "Volumes against the same local hour of the last 6 weeks, answer times on both clocks, abandonment.",
    "24h",
    make,
)
