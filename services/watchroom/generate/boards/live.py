"""Live, the wall: data age, then every tile of the catalogue; twelve panels that never scroll."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from watchroom.generate import promql
from watchroom.generate.boards import ask, describe, palette
from watchroom.generate.boards.age import data_age
from watchroom.generate.boards.board import COLUMNS, Board, Section, Sources, link_to, links, open_list
from watchroom.generate.boards.maker import SECONDS, SHARE
from watchroom.generate.boards.panels import COUNT, TITLE_PX, Head, Placed, Query, number
from watchroom.kinds import kind_of, quantity_of
from watchroom.kinds.kind import Reads, Unit
from watchroom.kinds.labels import value_words, where_words
from watchroom.kinds.measure import Measure
from watchroom.kinds.shown import Tile

MOST_PANELS: Final = 12
# A grid row is 30 px and a gap of 8 px. 26 of them and 72 px for a bar of variables are 1,060 px of 1,080.
HEIGHTS: Final = (9, 9, 8)
MOST_ROWS: Final = 26
WIDTH: Final = 6
SIZES_PX: Final = (78, 76, 76)  # of the numbers of each line: "12 min 05 s" and "178" beside two others fit
MANY: Final = 3  # numbers in one tile, from which on their names are smaller
SMALL_PX: Final = 24
UNITS: Final = {Unit.NUMBER: COUNT, Unit.SHARE: SHARE, Unit.SECONDS: SECONDS}
MINUTES_FROM_S: Final = 100  # a wait of 99 s is in seconds, one of 100 s in minutes and seconds


def make(sources: Sources) -> Sequence[Section]:
    """The wall, top left first."""
    panels = [data_age(sources, WIDTH, HEIGHTS[0], SIZES_PX[0])]
    for place, (measure, tile) in enumerate(sources.catalogue.tiles()[: MOST_PANELS - 1], start=1):
        panels.append(_tile(sources, measure, tile, place * WIDTH // COLUMNS))
    return [Section("", panels)]


BOARD: Final = Board(
    "live", "Live", "The control room now. Only what needs somebody is filled with colour.", "30m", make
)


def _tile(sources: Sources, measure: Measure, tile: Tile, line: int) -> Placed:
    limits = describe.limits(measure, tile)
    unit = quantity_of(measure, tile.shown).unit
    said = " s" if unit is Unit.SECONDS else ""
    window = describe.WINDOW_WORDS.get(tile.shown.window, "now")
    head = Head(
        f"live/{measure.id}/{tile.shown}",
        tile.title,
        describe.measure_card(
            measure, describe.limits_text(limits, said, tile.limits_for), [f"**Shows.** {_shows(measure, tile)}"]
        ),
        UNITS[unit],
        links(sources, measure, measure.display.board),
        streams=measure.streams,
    )
    behind = (
        [open_list(sources, measure, tile.shown.where)]
        if kind_of(measure).reads is Reads.OPEN_SET
        else [link_to(measure.display.board)]
    )
    expr, name = ask.tile(sources.catalogue, measure, tile, limits), _name(measure, tile, window)
    queries, fills = [Query(expr, name)], {}
    if unit is Unit.SECONDS:
        is_long = f"({expr}) >= {MINUTES_FROM_S}"
        queries = [Query(f"({expr}) unless ({is_long})", name), Query(f"1000 * ({is_long})", name)]
    if limits and (unit is Unit.SECONDS or tile.limits_for):
        # A limit would have to hold for both queries, or for every number beside it: the word decides.
        fills = {f"/{limits.warning_word}/": palette.WARNING, f"/{limits.critical_word}/": palette.CRITICAL}
        limits = None
    split = next((label for label in measure.labels if label.name == tile.shown.split), None)
    many = len(split.values) + tile.shown.rest if split else 1
    if split and tile.shown.rest:
        rest = promql.rest(sources.catalogue, measure, tile.shown, ask.CHOSEN)
        queries.append(Query(rest, value_words(split, split.absent)))
    return number(
        head, queries, limits=limits, named=True, fills=fills, is_long=unit is Unit.SECONDS, data_links=behind,
        width=WIDTH, height=HEIGHTS[line],
        size=SIZES_PX[line], name_px=SMALL_PX if many >= MANY else TITLE_PX,
    )  # fmt: skip


def _shows(measure: Measure, tile: Tile) -> str:
    shown = tile.shown
    where = [where_words(measure, shown.where)] if shown.where else []
    others = "and of all that are not listed together" if shown.rest else "listed values only"
    split = [f"by {shown.split}, {others}"] if shown.split else []
    window = [describe.WINDOW_WORDS[shown.window]] if shown.window else []
    return ", ".join([quantity_of(measure, shown).meaning, *where, *split, *window]) + "."


def _name(measure: Measure, tile: Tile, window: str) -> str:
    """What stands under or beside the number: its label value, its counts, its state."""
    split = [describe.label_legend(label) for label in measure.labels if label.name == tile.shown.split]
    counts = ["{{part}} of {{whole}}"] if quantity_of(measure, tile.shown).counts else []
    state = ["{{state}}"] if tile.warning is not None else []
    # The state first: "2 of 9 CRITICAL" reads as two that are critical.
    return "  ".join([*split, *state, *counts]) or window
