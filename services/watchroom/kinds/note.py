"""A note: a row of the published report that has text only. Events may add notes about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from watchroom.kinds.kind import Column, Form, Kind, OwnKey, Reads, Stored
from watchroom.kinds.measure import Measure

TEXT: Final = OwnKey(
    "words",
    str,
    example="Improvements are expected by April 2022.",
    about="What the report prints instead of a figure.",
    decides=False,
)


class NoFigure:
    """A note has no figure."""

    value: float | None = None


def figures(_: Measure, stored: Stored, timed: bool = False) -> NoFigure:  # noqa: ARG001  # there is none
    """Nothing."""
    return NoFigure()


def clock(_: Measure, mention: Callable[[str], str]) -> str:  # noqa: ARG001  # it names no word
    """It has no moment."""
    return "text; notes that arrive as events give their period"


KIND: Final = Kind(
    name="note",
    about="a row of text",
    needs=(),
    own_keys=(TEXT,),
    reads=Reads.NOTHING,
    fed_by="figures",
    figures=figures,
    families={},
    quantities={},
    base="",
    columns=(Column("value", "value"),),
    clock=clock,
    form=Form.TEXT,
)
