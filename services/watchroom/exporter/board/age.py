"""Data age, the first tile: whether anything beside it may be believed.

Kafka may show nothing because nothing happens, or because a feed is dead: so NORMAL means that no stream is
withheld. The Live board says the same words.
"""

from __future__ import annotations

from typing import NamedTuple

from watchroom.exporter.board.markup import Html, tag
from watchroom.exporter.board.tiles import big, frame, nodata
from watchroom.exporter.board.wall import Board
from watchroom.exporter.board.words import NO_DATA, State
from watchroom.kinds.kind import Unit


class _Said(NamedTuple):
    state: State
    word: str
    age_ms: int | None  # the number; None: there is none
    why: str


def age_tile(board: Board) -> Html:
    """How old everything else is, or which worse thing is the case."""
    said = _said(board)
    about = tag("span", " (state of the feeds)", class_="quiet-text")
    figure = nodata(said.why)
    if said.age_ms is not None:
        number = tag("p", *big(max(0, said.age_ms) / 1000, Unit.SECONDS), class_="figure")
        figure = tag("div", number, tag("p", said.why, class_="beside"), class_="cell")
    return frame(
        "tile-data-age",
        tag("a", "Data age", about, href="/healthz", id="link-data-age"),
        said.state,
        tag("p", said.word, class_="word") if said.state != "nodata" else Html(""),
        tag("div", figure, class_="figures one", data_figures=""),
    )


def _said(board: Board) -> _Said:
    if board.data_age_ms is None:
        return _Said("nodata", NO_DATA, None, "Redis does not answer, or nothing was ever applied")
    limit = f"slowest feed; limit {board.fresh_ms / 1000:g} s"
    if board.data_age_ms > board.fresh_ms:
        return _Said("critical", "OLD", board.data_age_ms, limit)
    if not board.withheld:
        return _Said("normal", "NORMAL", board.data_age_ms, limit)
    why = f"withheld: {', '.join(board.withheld)}"
    if board.silence is None:
        return _Said("critical", "WITHHELD", board.data_age_ms, why)
    if board.silence.for_ms is None:
        return _Said("critical", "FEED SILENT", board.data_age_ms, f"never heard; {why}")
    return _Said("critical", "FEED SILENT", board.silence.for_ms, f"since the last sign of life; {why}")
