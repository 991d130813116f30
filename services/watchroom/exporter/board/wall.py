"""What the page shows at a moment, as plain values: judged and in order, not yet markup. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple
from urllib.parse import urlencode

from watchroom.catalogue.model import Catalogue
from watchroom.exporter.board.words import State, worst
from watchroom.exporter.figures import Latest
from watchroom.exporter.numbers import Number
from watchroom.kinds import adds_up, kind_of, quantity_of
from watchroom.kinds.kind import Quantity, Reads, Unit
from watchroom.kinds.measure import Measure
from watchroom.kinds.shown import Shown, Tile

Ask = Callable[[Measure, Shown], Sequence[Number]]
Faults = Mapping[str, Sequence[str]]  # stream that is fed -> why it is withheld; empty: it is not


@dataclass(frozen=True, slots=True)
class Cell:
    """One number of a tile."""

    label: str  # value of the split label; empty without a split
    number: Number | None  # None: withheld
    state: State


@dataclass(frozen=True, slots=True)
class TileView:
    """One tile, judged."""

    measure: Measure
    tile: Tile
    cells: tuple[Cell, ...]
    faults: tuple[str, ...]  # why it is withheld
    target_share: float | None  # the share that should meet the target

    @property
    def state(self) -> State:
        """The state that it is drawn in."""
        return worst([cell.state for cell in self.cells])

    @property
    def unit(self) -> Unit:
        """Of its numbers."""
        return self.quantity.unit

    @property
    def quantity(self) -> Quantity:
        """What its numbers are."""
        return quantity_of(self.measure, self.tile.shown)

    @property
    def judged(self) -> bool:
        """Whether it has limits: only then is normal worth a word."""
        return self.tile.warning is not None

    @property
    def href(self) -> str:
        """Who is behind an open tile; what a measure means otherwise."""
        return href_of(self.measure, self.tile.shown.where)


@dataclass(frozen=True, slots=True)
class Line:
    """One quantity of a measure that is on no tile."""

    quantity: Quantity
    window: str
    numbers: tuple[Number, ...]


class ShownFigure(NamedTuple):
    """A figure of a measure, and whether its entry calls it old."""

    latest: Latest
    is_old: bool


@dataclass(frozen=True, slots=True)
class MeasureView:
    """A measure that is on no tile."""

    measure: Measure
    lines: tuple[Line, ...]
    faults: tuple[str, ...]
    is_fed: bool = True
    figures: tuple[ShownFigure, ...] = ()  # of a measure of figures


class Silence(NamedTuple):
    """Sources that a stream waits for, and that have stopped."""

    streams: tuple[str, ...]
    for_ms: int | None  # since the last sign of life of the most silent one; None: none was ever heard


@dataclass(frozen=True, slots=True)
class Board:
    """Everything on the page."""

    force: str
    now_ms: int
    fresh_ms: int  # the limit of the data age
    data_age_ms: int | None  # of the slowest partition; None: not known
    tiles: tuple[TileView, ...]
    others: tuple[MeasureView, ...]
    faults: Faults
    silence: Silence | None = None  # None: every source that is waited for is heard

    @property
    def withheld(self) -> list[str]:
        """The streams of which nothing may be shown."""
        return [stream for stream, faults in self.faults.items() if faults]


def tile_views(catalogue: Catalogue, faults: Faults, ask: Ask) -> tuple[TileView, ...]:
    """The wall's tiles in order; `ask` is called for published streams only."""
    return tuple(_tile_view(measure, tile, faults, ask) for measure, tile in catalogue.tiles())


def other_views(
    catalogue: Catalogue,
    faults: Faults,
    ask: Ask,
    figures: Callable[[Measure], Sequence[ShownFigure]] = lambda _: (),
) -> tuple[MeasureView, ...]:
    """Every measure without a tile, in catalogue order: a new one appears here by itself."""
    untiled = (measure for measure in catalogue.measures.values() if not measure.display.tiles)
    views = (_measure_view(measure, faults, ask) for measure in untiled)
    return tuple(
        replace(view, figures=tuple(figures(view.measure))) if view.is_fed and not view.faults else view
        for view in views
    )


def has_list(measure: Measure) -> bool:
    """Whether who is behind a measure's number can be listed."""
    return kind_of(measure).reads is Reads.OPEN_SET


def href_of(measure: Measure, where: Mapping[str, str]) -> str:
    """Where a measure's number leads: to who is behind it, or to its definition."""
    if not has_list(measure):
        return f"/measures/{measure.id}"
    return f"/open/{measure.id}" + (f"?{urlencode(where)}" if where else "")


def _faults_of(measure: Measure, of_streams: Faults) -> list[str] | None:
    """What keeps the measure back: the faults of all its streams; None where one of them is not fed."""
    if not of_streams.keys() >= set(measure.streams):
        return None
    return [fault for stream in measure.streams for fault in of_streams[stream]]


def _tile_view(measure: Measure, tile: Tile, of_streams: Faults, ask: Ask) -> TileView:
    faults = _faults_of(measure, of_streams)
    if faults is None:
        return TileView(measure, tile, (Cell("", None, "unfed"),), (), None)
    target = None
    if quantity_of(measure, tile.shown).needs_target:
        target = measure.display.objective_for(tile.shown.where)
    if faults:
        split = next((label for label in measure.labels if label.name == tile.shown.split), None)
        values = (*split.values, *([split.absent] if tile.shown.rest else [])) if split else ("",)
        cells = tuple(Cell(value, None, "nodata") for value in values)
    else:
        cells = tuple(_cell(tile, number) for number in ask(measure, tile.shown))
    return TileView(measure, tile, cells, tuple(faults), target)


def _cell(tile: Tile, number: Number) -> Cell:
    state: State = "none"
    if number.value is not None:
        state = tile.state(number.value) if tile.has_limits({tile.shown.split: number.label}) else "normal"
    return Cell(number.label, number, state)


def _measure_view(measure: Measure, of_streams: Faults, ask: Ask) -> MeasureView:
    faults = _faults_of(measure, of_streams)
    if faults is None:
        return MeasureView(measure, (), (), is_fed=False)
    return MeasureView(measure, () if faults else _without_empty(measure, list(_lines(measure, ask))), tuple(faults))


def _lines(measure: Measure, ask: Ask) -> Iterator[Line]:
    """What a card shows for each value of the first label, and of all where that can be said.

    Over the shortest window that is split by the label.
    """
    split = measure.labels[0].name if measure.labels else ""
    window = measure.windows[0] if measure.windows else ""
    if window and split == measure.area_label:
        by_area = [each for each in measure.area_windows if each != "month"]
        window, split = (by_area[0], split) if by_area else (window, "")
    kind = kind_of(measure)
    has_targets = measure.targets and all(set(target.where) <= {split} for target in measure.targets)
    for what in kind.card:
        quantity = kind.quantities[what]
        if quantity.needs_target and not has_targets:
            continue
        numbers = list(ask(measure, Shown(what, {}, window, split, unlisted=bool(split))))
        if numbers and split and adds_up(measure, what):
            numbers += ask(measure, Shown(what, {}, window))
        if numbers:
            yield Line(quantity, window, tuple(numbers))


def _without_empty(measure: Measure, lines: Sequence[Line]) -> tuple[Line, ...]:
    """Without the rows of unlisted values that have nothing: they are there for what would be missing in a sum."""
    if not measure.labels:
        return tuple(lines)
    label = measure.labels[0]
    filled = {number.label for line in lines for number in line.numbers if number.value or number.whole}
    empty = set(label.all_values()) - set(label.values) - filled
    return tuple(replace(line, numbers=tuple(n for n in line.numbers if n.label not in empty)) for line in lines)
