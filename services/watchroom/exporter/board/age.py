"""Data age, the first tile of the wall. The Live board says the same words."""

from __future__ import annotations

from watchroom.exporter.board.markup import Html, tag
from watchroom.exporter.board.tiles import big, frame, nodata
from watchroom.exporter.wall import DataAge
from watchroom.kinds.kind import Unit


def age_tile(age: DataAge) -> Html:
    """How old everything else is, or which worse thing is the case."""
    about = tag("span", " (state of the feeds)", class_="quiet-text")
    figure = nodata(age.why)
    if age.age_ms is not None:
        number = tag("p", *big(max(0, age.age_ms) / 1000, Unit.SECONDS), class_="figure")
        figure = tag("div", number, tag("p", age.why, class_="beside"), class_="cell")
    return frame(
        "tile-data-age",
        tag("a", "Data age", about, href="/healthz", id="link-data-age"),
        age.state,
        tag("p", age.word, class_="word") if age.state != "nodata" else Html(""),
        tag("div", figure, class_="figures one", data_figures=""),
    )
