"""The board of each stream: all its measures, some shown at once and the rest behind headings."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from watchroom.generate.boards.age import data_age
from watchroom.generate.boards.board import AGE_HEIGHT, MOST_OPEN_ROWS, Board, Section, Sources
from watchroom.generate.boards.measure_panels import MeasurePanels
from watchroom.generate.boards.panels import SizedPanel
from watchroom.generate.boards.sections import of_measure
from watchroom.kinds import kind_of
from watchroom.kinds.kind import Form
from watchroom.kinds.measure import Measure
from watchroom.streams import BOARDS as OF_STREAMS
from watchroom.streams.stream import Board as StreamBoard

# Who is waiting now comes before how long others waited.
NOW_FIRST: Final = (
    Form.NOW,
    Form.SUMMARY,
    Form.TALLY,
    Form.FIGURE,
    Form.LIST,
    Form.TEXT,
)
DEMAND_FIRST: Final = (Form.TALLY, Form.SUMMARY, Form.NOW, Form.FIGURE, Form.LIST, Form.TEXT)


def make(board: StreamBoard, sources: Sources) -> Sequence[Section]:
    """Data age, a line for each measure of a board, and the rest under closed headings."""
    order = NOW_FIRST if board.now_first else DEMAND_FIRST
    found = [measure for measure in sources.catalogue.measures.values() if measure.display.board == board.name]

    def position(measure: Measure) -> int:
        return order.index(kind_of(measure).form)

    parts = [of_measure(MeasurePanels(sources, measure)) for measure in sorted(found, key=position)]
    shown: list[SizedPanel] = []
    closed: list[Section] = []
    left = MOST_OPEN_ROWS - AGE_HEIGHT - len(parts)
    for part in parts:
        height = max((panel.height for panel in part.shown), default=0)
        left -= height
        if left >= 0:
            shown += part.shown
        beginning = () if left >= 0 else part.shown
        closed.append(part.more._replace(panels=[*beginning, *part.more.panels]))
    age = Section("", [data_age(sources, 24, AGE_HEIGHT)])
    return [age, Section("", shown), *(section for section in closed if section.panels)]


BOARDS: Final = tuple(
    Board(board.name, board.title, board.about, board.since, partial(make, board)) for board in OF_STREAMS.values()
)
"""One for each board that the streams name."""
