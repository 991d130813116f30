"""Live, the wall: data age, then every tile of the catalogue; twelve panels that never scroll."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from watchroom.catalogue.formatting import window_text
from watchroom.catalogue.rows import values_shown
from watchroom.generate.boards import describe, palette, queries
from watchroom.generate.boards.age import data_age
from watchroom.generate.boards.board import COLUMNS, Board, Section, Sources, link_to, links, open_list
from watchroom.generate.boards.measure_panels import UNITS
from watchroom.generate.boards.panels import TITLE_PX, Head, Query, SizedPanel, number
from watchroom.kinds import kind_of, quantity_of
from watchroom.kinds.kind import Quantity, Reads, Unit
from watchroom.kinds.labels import value_title, where_titles
from watchroom.kinds.measure import AREA, Measure
from watchroom.kinds.shown import Tile

MOST_PANELS: Final = 12
# A grid row is 30 px and a gap of 8 px. 26 of them and 72 px for a bar of variables are 1,060 px of 1,080.
HEIGHTS: Final = (9, 9, 8)
MOST_ROWS: Final = 26
WIDTH: Final = 6
SIZES_PX: Final = (78, 76, 76)  # of the numbers of each line: "12 min 05 s" and "178" next to two others fit
MANY: Final = 3  # numbers in one tile, from which on their names are smaller
SMALL_PX: Final = 24
MINUTES_FROM_S: Final = 100  # a wait of 99 s is in seconds, one of 100 s in minutes and seconds


def make(sources: Sources) -> Sequence[Section]:
    """The wall, top left first."""
    panels = [data_age(sources, WIDTH, HEIGHTS[0], SIZES_PX[0])]
    for place, (measure, tile) in enumerate(sources.catalogue.tiles()[: MOST_PANELS - 1], start=1):
        panels.append(_tile(sources, measure, tile, place * WIDTH // COLUMNS))
    return [Section("", panels)]


BOARD: Final = Board("live", "Live", "The control room now. Only what needs action is highlighted.", "30m", make)


def _tile(sources: Sources, measure: Measure, tile: Tile, line: int) -> SizedPanel:
    limits = describe.limits(measure, tile)
    quantity = quantity_of(measure, tile.shown)
    is_length = quantity.unit is Unit.SECONDS
    threshold = describe.limits_text(limits, quantity.unit, tile.judged)
    head = Head(
        f"live/{measure.id}/{tile.shown}",
        tile.title,
        describe.measure_card(measure, threshold, [f"**Shows.** {_shows(measure, tile)}"]),
        UNITS[quantity.unit],
        links(sources, measure, measure.display.board),
        streams=measure.streams,
    )
    behind = (
        [open_list(sources, measure, tile.shown.where)]
        if kind_of(measure).reads is Reads.OPEN_SET
        else [link_to(measure.display.board)]
    )
    asked = list(_queries(measure, tile, quantity))
    short, long = asked, []
    if is_length:
        short = [Query(f"{expr} < {MINUTES_FROM_S}", name) for expr, name in asked]
        long = [Query(f"1000 * ({expr} >= {MINUTES_FROM_S})", name) for expr, name in asked]
    fills = {}
    if limits and (is_length or tile.judged):
        # A limit would apply to both queries, or to every number of the tile, so the word decides.
        fills = {f"/{limits.warning_text}/": palette.WARNING, f"/{limits.critical_text}/": palette.CRITICAL}
        limits = None
    return number(
        head, short, limits=limits, named=True, fills=fills, long=long, data_links=behind,
        width=WIDTH, height=HEIGHTS[line],
        size=SIZES_PX[line], name_px=SMALL_PX if len(asked) >= MANY else TITLE_PX,
    )  # fmt: skip


def _shows(measure: Measure, tile: Tile) -> str:
    shown = tile.shown
    where = [where_titles(measure, shown.where)] if shown.where else []
    others = "with all unlisted values combined" if shown.rest else "listed values only"
    split = [f"by {shown.split}, {others}"] if shown.split else []
    window = [window_text(shown.window)] if shown.window else []
    return ", ".join([quantity_of(measure, shown).meaning, *where, *split, *window]) + "."


def _queries(measure: Measure, tile: Tile, quantity: Quantity) -> Iterator[Query]:
    """One for each value of the split, in the catalogue's order; areas are a setting: whatever Prometheus has."""
    counts = ["{{part}} of {{whole}}"] if quantity.counts else []
    word = ["{{state}}"] if tile.warning is not None else []
    label = next((label for label in measure.labels if label.name == tile.shown.split), None)
    values: Sequence[tuple[str | None, list[str]]] = [("", [])]
    if label and label.value_of == AREA:
        values = [(None, ["{{split}}"])]
    elif label:
        shown = [*values_shown(measure, label, tile.shown.what), *([label.absent] if tile.shown.rest else [])]
        values = [(value, [value_title(label, value)]) for value in shown]
    for value, said in values:
        # The state first: "2 of 9 CRITICAL" reads as two that are critical.
        name = "  ".join([*said, *word, *counts]) or window_text(tile.shown.window)
        yield Query(queries.tile(tile.title, value, unit=quantity.unit, has_counts=bool(counts)), name)
