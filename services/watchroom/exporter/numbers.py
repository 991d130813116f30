"""What tiles and tables show, from the exporter's own copy: one definition for the page, the metrics and the boards.

Pure. Whether a measure may be shown at all is decided elsewhere (`Page.faults`): ask for the numbers of a published
stream only. Alerts on shares read the counts from here, too. A test compares every quantity with the answer of a real
Prometheus to `generate.promql`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple, assert_never

from watchroom.catalogue.model import Catalogue
from watchroom.catalogue.rows import Group
from watchroom.exporter.mirror import Reading
from watchroom.exporter.sums import WindowSums, series_behind
from watchroom.kinds import kind_of
from watchroom.kinds.kind import Kind, Quantity, Reads, Stored
from watchroom.kinds.measure import Measure
from watchroom.kinds.queries import OVERDUE
from watchroom.kinds.shown import Shown
from watchroom.rolling.windows import Window


class Number(NamedTuple):
    """One number, in the unit of its quantity (a count, a share from 0 to 1, or seconds)."""

    label: str  # value of the split label; empty without a split
    value: float | None  # None: a share, mean or percentile without observations
    part: int | None  # the counts behind a share; None behind anything else
    whole: int | None


@dataclass(frozen=True, slots=True)
class Numbers:
    """The exporter's copy at a moment, and the numbers that follow from it.

    Args:
        catalogue: Knows the open measure behind `live_within`.
        sums: The windows, as of the reading.
        reading: The open tiles.
        now_ms: The moment of the page: whatever was waiting at the reading has waited longer by then.
    """

    catalogue: Catalogue
    sums: WindowSums
    reading: Reading
    now_ms: int

    def shown(self, measure: Measure, shown: Shown) -> list[Number]:
        """One number, or one for each value of the split in catalogue order; unlisted values only on request.

        Empty, or without a value of the split, where the quantity needs a target and there is none; empty too where
        the window is not known yet.
        """
        window = Window(shown.window)
        if not self.is_known(measure, window):
            return []
        found = ((label, self.number(measure, shown.what, window, group)) for label, group in _groups(measure, shown))
        return [number._replace(label=label) for label, number in found if number is not None]

    def is_known(self, measure: Measure, window: Window) -> bool:
        """Whether a window's numbers may be shown."""
        if kind_of(measure).reads is Reads.TOKENS:
            return window in self.reading.tokens.of(measure, self.now_ms)
        return not measure.windows or self.sums.is_known(window, self.catalogue.witnesses(measure))

    def number(self, measure: Measure, what: str, window: Window, group: Group) -> Number | None:
        """One number over the label sets of a group; None where it needs a target and none of them has one."""
        quantity = kind_of(measure).quantities[what]
        by_area = not measure.windows or self.sums.is_by_area(window, measure.id)
        added = added_up(measure, group, by_area=by_area, needs_target=quantity.needs_target)
        if added is None:
            return None
        figures = self.figures(measure, window, added)
        overdue = self.overdue(measure, added_overdue(self.catalogue, measure, group)) if quantity.misses_overdue else 0
        return number_of(kind_of(measure), quantity, figures, overdue)

    def figures(self, measure: Measure, window: Window, added: Added) -> object:
        """The figures of these series combined."""
        return kind_of(measure).figures(measure, self._stored(measure, window, added.series), added.has_target)

    def overdue(self, measure: Measure, added: Added) -> int:
        """How many are overdue now in the open measure that a measure names."""
        other = self.catalogue.measures[measure.display.overdue_from]
        return round(kind_of(other).figure(self.figures(other, Window(""), added), OVERDUE) or 0)

    def _stored(self, measure: Measure, window: Window, series: Sequence[str]) -> Stored:
        kind = kind_of(measure)
        match kind.reads:
            case Reads.BUCKETS:
                return self.sums.together(window, series)
            case Reads.OPEN_SET:
                since_ms = self.now_ms - self.reading.read_at_ms
                tiles = [self.reading.tiles[each].aged(since_ms) for each in series]
                return tiles[0] if len(tiles) == 1 else kind.add_up(tiles)
            case Reads.TOKENS:
                return self.reading.tokens.bands[measure.id][window]
            case Reads.FIGURES | Reads.NOTHING:
                raise ValueError(f"{measure.id} has no quantity that a tile can show")  # the catalogue checks it
            case _:
                assert_never(kind.reads)


class Added(NamedTuple):
    """The series that are added up for a number, as they are stored."""

    series: tuple[str, ...]
    has_target: bool  # any of them


def added_up(measure: Measure, group: Group, *, by_area: bool, needs_target: bool) -> Added | None:
    """The series of a group; where a target is needed those that have one, and None if none has."""
    sets = group.sets(measure, by_area=by_area)
    timed = [by for by in sets if measure.target_for(by) is not None]
    if needs_target and not timed:
        return None
    behind = (series_behind(measure, by) for by in (timed if needs_target else sets))
    return Added(tuple(chain.from_iterable(behind)), bool(timed))


def added_overdue(catalogue: Catalogue, measure: Measure, group: Group) -> Added:
    """The series of a measure's `overdue_from`, which has the same labels: the catalogue checks it."""
    other = catalogue.measures[measure.display.overdue_from]
    return added_up(other, group, by_area=True, needs_target=True) or Added((), has_target=False)


def number_of(kind: Kind, quantity: Quantity, figures: object, overdue: int = 0) -> Number:
    """A quantity out of the figures; who is overdue now counts in the whole."""
    if quantity.counts is None:
        return Number("", kind.figure(figures, quantity.figure), None, None)
    part, whole = (round(kind.figure(figures, name) or 0) for name in quantity.counts)
    whole += overdue
    return Number("", part / whole if whole else None, part, whole)


def _groups(measure: Measure, shown: Shown) -> Iterator[tuple[str, Group]]:
    """What is added up for each number, by the value of the split."""
    if not shown.split:
        yield "", Group(shown.where)
        return
    label = next(label for label in measure.labels if label.name == shown.split)
    for value in label.all_values() if shown.unlisted else label.values:
        yield value, Group({**shown.where, shown.split: value})
    if shown.rest:
        yield label.absent, Group(shown.where, label)
