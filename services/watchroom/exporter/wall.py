"""What the page shows at a moment, as plain values with their states, not yet markup. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple
from urllib.parse import urlencode

from watchroom.catalogue.formatting import NO_DATA, State, state_text, worst
from watchroom.catalogue.model import Catalogue
from watchroom.exporter.figures import Latest
from watchroom.exporter.numbers import Number
from watchroom.kinds import is_additive, kind_of, quantity_of
from watchroom.kinds.kind import Quantity, Reads, Unit
from watchroom.kinds.measure import Measure
from watchroom.kinds.shown import Shown, Tile
from watchroom.store.freshness import Age, age_of
from watchroom.wording import exact_duration

NumbersOf = Callable[[Measure, Shown], Sequence[Number]]
Faults = Mapping[str, Sequence[str]]  # stream that is fed -> why it is withheld; empty: it is not


@dataclass(frozen=True, slots=True)
class TileNumber:
    """One number of a tile."""

    label: str  # value of the split label; empty without a split
    number: Number | None  # None: withheld
    state: State


@dataclass(frozen=True, slots=True)
class TileView:
    """One tile with its states."""

    measure: Measure
    tile: Tile
    numbers: tuple[TileNumber, ...]
    faults: tuple[str, ...]  # why it is withheld
    target_share: float | None  # the share that should meet the target

    @property
    def state(self) -> State:
        """The state in which it is drawn."""
        return worst([each.state for each in self.numbers])

    @property
    def unit(self) -> Unit:
        """The unit of its numbers."""
        return self.quantity.unit

    @property
    def quantity(self) -> Quantity:
        """The quantity that its numbers show."""
        return quantity_of(self.measure, self.tile.shown)

    @property
    def has_limits(self) -> bool:
        """Whether it has limits: only then is the state NORMAL shown."""
        return self.tile.warning is not None

    def state_text(self, number: TileNumber) -> str:
        """A number's state in words, or empty: of several numbers only those that are not normal have a word."""
        if not self.has_limits or number.state in ("nodata", "none", "unfed"):
            return ""
        if len(self.numbers) > 1 and number.state == "normal":
            return ""
        return state_text(number.state, self.quantity, low_is_bad=self.tile.low_is_bad)

    @property
    def href(self) -> str:
        """The list behind an open tile; for other tiles, the measure's definition."""
        if not has_list(self.measure):
            return f"/measures/{self.measure.id}"
        where = self.tile.shown.where
        return f"/open/{self.measure.id}" + (f"?{urlencode(where)}" if where else "")


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
    for_ms: int | None  # since the one that has been silent longest was last seen; None: none was ever seen


class DataAge(NamedTuple):
    """The first tile: whether anything else may be believed, and the number that says so."""

    state: State
    word: str
    age_ms: int | None  # the number; None: there is none
    why: str


@dataclass(frozen=True, slots=True)
class Board:
    """Everything on the page."""

    force: str
    now_ms: int
    age: DataAge
    tiles: tuple[TileView, ...]
    others: tuple[MeasureView, ...]
    withheld: list[str]  # streams of which nothing may be shown


def withheld(faults: Faults) -> list[str]:
    """The streams of which nothing may be shown."""
    return [stream for stream, found in faults.items() if found]


def data_age(age_ms: int | None, fresh_ms: int, faults: Faults, silence: Silence | None) -> DataAge:
    """How old everything else is, or what is worse than that.

    Kafka may show nothing because nothing happens, or because a feed is dead: NORMAL means that no stream is withheld.

    Args:
        age_ms: Age of the slowest partition; None: not known.
        fresh_ms: Its limit.
        faults: Why each stream that is fed is withheld.
        silence: The silent sources; None: every source that is waited for is alive.
    """
    if age_ms is None:
        return DataAge("nodata", NO_DATA, None, "Redis does not answer, or nothing has ever been applied")
    limit = f"slowest feed; limit {exact_duration(fresh_ms / 1000)}"
    if age_of(0, age_ms, fresh_ms) is Age.OLD:
        return DataAge("critical", "OLD", age_ms, limit)
    if not withheld(faults):
        return DataAge("normal", "NORMAL", age_ms, limit)
    why = f"withheld: {', '.join(withheld(faults))}"
    if silence is None:
        return DataAge("critical", "WITHHELD", age_ms, why)
    if silence.for_ms is None:
        return DataAge("critical", "FEED SILENT", age_ms, f"never seen; {why}")
    return DataAge("critical", "FEED SILENT", silence.for_ms, f"since last seen; {why}")


def tile_views(catalogue: Catalogue, faults: Faults, numbers_of: NumbersOf) -> tuple[TileView, ...]:
    """The wall's tiles in order; `numbers_of` is called for published streams only."""
    return tuple(_tile_view(measure, tile, faults, numbers_of) for measure, tile in catalogue.tiles())


def other_views(
    catalogue: Catalogue,
    faults: Faults,
    numbers_of: NumbersOf,
    figures_of: Callable[[Measure], Sequence[ShownFigure]],
) -> tuple[MeasureView, ...]:
    """Every measure without a tile, in catalogue order: a new one appears here by itself."""
    untiled = (measure for measure in catalogue.measures.values() if not measure.display.tiles)
    return tuple(_measure_view(measure, faults, numbers_of, figures_of) for measure in untiled)


def has_list(measure: Measure) -> bool:
    """Whether the entities behind a measure's number can be listed."""
    return kind_of(measure).reads is Reads.OPEN_SET


def faults_of(measure: Measure, of_streams: Faults) -> list[str] | None:
    """Why the measure is withheld: the faults of all its streams; None if one of them is not fed."""
    if not of_streams.keys() >= set(measure.streams):
        return None
    return [fault for stream in measure.streams for fault in of_streams[stream]]


def _tile_view(measure: Measure, tile: Tile, of_streams: Faults, numbers_of: NumbersOf) -> TileView:
    faults = faults_of(measure, of_streams)
    if faults is None:
        return TileView(measure, tile, (TileNumber("", None, "unfed"),), (), None)
    target = None
    if quantity_of(measure, tile.shown).needs_target:
        target = measure.display.objective_for(tile.shown.where)
    if faults:
        split = next((label for label in measure.labels if label.name == tile.shown.split), None)
        values = (*split.values, *([split.absent] if tile.shown.rest else [])) if split else ("",)
        numbers = tuple(TileNumber(value, None, "nodata") for value in values)
    else:
        numbers = tuple(_tile_number(tile, number) for number in numbers_of(measure, tile.shown))
    return TileView(measure, tile, numbers, tuple(faults), target)


def _tile_number(tile: Tile, number: Number) -> TileNumber:
    state: State = "none"
    if number.value is not None:
        state = tile.state(number.value) if tile.has_limits({tile.shown.split: number.label}) else "normal"
    return TileNumber(number.label, number, state)


def _measure_view(
    measure: Measure,
    of_streams: Faults,
    numbers_of: NumbersOf,
    figures_of: Callable[[Measure], Sequence[ShownFigure]],
) -> MeasureView:
    faults = faults_of(measure, of_streams)
    if faults is None or faults:
        return MeasureView(measure, (), tuple(faults or ()), is_fed=faults is not None)
    lines = _without_empty(measure, list(_lines(measure, numbers_of)))
    return MeasureView(measure, lines, (), figures=tuple(figures_of(measure)))


def _lines(measure: Measure, numbers_of: NumbersOf) -> Iterator[Line]:
    """What a card shows for each value of the first label, and for all combined where that is known.

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
        numbers = list(numbers_of(measure, Shown(what, {}, window, split, unlisted=bool(split))))
        if numbers and split and is_additive(measure, what):
            numbers += numbers_of(measure, Shown(what, {}, window))
        if numbers:
            yield Line(quantity, window, tuple(numbers))


def _without_empty(measure: Measure, lines: Sequence[Line]) -> tuple[Line, ...]:
    """Without the empty rows of unlisted values: such a row is only needed for what a sum would otherwise miss."""
    if not measure.labels:
        return tuple(lines)
    label = measure.labels[0]
    filled = {number.label for line in lines for number in line.numbers if number.value or number.whole}
    empty = set(label.all_values()) - set(label.values) - filled
    return tuple(replace(line, numbers=tuple(n for n in line.numbers if n.label not in empty)) for line in lines)
