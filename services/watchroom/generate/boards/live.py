"""Live, the wall: data age, then every tile of the catalogue; twelve panels that never scroll."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from watchroom.catalogue.model import Measure
from watchroom.catalogue.shown import WITH_COUNTS, WORDS, Tile
from watchroom.generate.boards import ask, describe
from watchroom.generate.boards.age import data_age
from watchroom.generate.boards.board import Board, Section, Sources, link_to, links, open_list
from watchroom.generate.boards.panels import Head, Placed, Query, number

MOST_PANELS: Final = 12
# A grid row is 30 px and a gap of 8 px. 26 of them and 72 px for a bar of variables are 1,060 px of 1,080.
HEIGHTS: Final = (9, 9, 8)
MOST_ROWS: Final = 26
WIDTH: Final = 6
UNITS: Final = {"count": "none", "share": "percentunit", "s": "suffix: s"}
CLOCK_FROM_S: Final = 300  # a wait that is bad from here on is shown as hh:mm:ss


def make(sources: Sources) -> Sequence[Section]:
    """The wall, top left first."""
    panels = [data_age(sources, WIDTH, HEIGHTS[0])]
    for place, (measure, tile) in enumerate(sources.catalogue.tiles()[: MOST_PANELS - 1], start=1):
        panels.append(_tile(sources, measure, tile, HEIGHTS[place * WIDTH // 24]))
    return [Section("", panels)]


BOARD: Final = Board(
    "live", "Live", "The control room now. Only what needs somebody is filled with colour.", "30m", make
)


def _tile(sources: Sources, measure: Measure, tile: Tile, height: int) -> Placed:
    limits = describe.limits(tile)
    unit = WORDS[measure.kind][tile.shown.what].unit
    said = {"s": " s", "share": "", "count": ""}[unit]
    window = describe.WINDOW_WORDS.get(tile.shown.window, "now")
    head = Head(
        f"live/{measure.id}/{tile.shown}",
        tile.title,
        describe.measure_card(measure, describe.limits_text(limits, said), [f"**Shows.** {_shows(measure, tile)}"]),
        "dthms" if unit == "s" and (tile.warning is None or tile.warning >= CLOCK_FROM_S) else UNITS[unit],
        links(sources, measure, measure.display.board),
        decimals=1 if unit == "share" else 0,
    )
    behind = [open_list(sources, measure)] if measure.kind == "open" else [link_to(measure.display.board)]
    query = Query(ask.tile(sources.catalogue, measure, tile, limits), _name(measure, tile, window))
    return number(head, [query], limits=limits, named=True, data_links=behind, width=WIDTH, height=height)


def _shows(measure: Measure, tile: Tile) -> str:
    shown = tile.shown
    by = {label.name: label for label in measure.labels}
    where = [describe.label_value(by[name], value) for name, value in shown.where.items()]
    split = [f"by {shown.split}, listed values only"] if shown.split else []
    window = [describe.WINDOW_WORDS[shown.window]] if shown.window else []
    return ", ".join([WORDS[measure.kind][shown.what].meaning, *where, *split, *window]) + "."


def _name(measure: Measure, tile: Tile, window: str) -> str:
    """What stands under or beside the number: its label value, its counts, its state."""
    split = [describe.label_legend(label) for label in measure.labels if label.name == tile.shown.split]
    counts = ["{{part}} of {{whole}}"] if tile.shown.what in WITH_COUNTS else []
    state = ["{{state}}"] if tile.warning is not None else []
    return "  ".join([*split, *counts, *state]) or window
