"""Values of one event from the cells of one row, and one value out of the rows of an entity: pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from watchroom.events.token_maker import NotNormalised, TokenMaker
from watchroom.replay.local_time import LocalTimes, TimeUnreadable
from watchroom.replay.mapping_model import Cell, EventWords, MappingWords, TimeCell, ValueMap

T = TypeVar("T", int, str)
Order = float | str


class CellUnusable(ValueError):
    """A value cannot be made from a row; the message says which and why."""


class Candidate(NamedTuple):
    """What one row says for one value; `order` decides which row is first (only where the mapping asks)."""

    value: int | str
    order: Order


class Draft(NamedTuple):
    """What one row says about one event; None where it says nothing."""

    where: str
    type: Candidate
    time: Candidate | None
    arrival: Candidate | None
    extra_key: tuple[str, ...]
    data: dict[str, Candidate]


@dataclass(frozen=True, slots=True)
class RowReader:
    """Reads rows as one mapping means them."""

    maps: Mapping[str, ValueMap]
    times: LocalTimes
    tokens: TokenMaker | None = None

    @classmethod
    def of(cls, words: MappingWords, tokens: TokenMaker | None = None) -> RowReader:
        """The reader for a mapping.

        Args:
            words: The mapping.
            tokens: Makes its tokens; only a mapping without any can do without.
        """
        if tokens is None and words.token_columns():
            raise TypeError("this mapping makes tokens: give what makes them")
        return cls(words.map, LocalTimes.of(words.time), tokens)

    def draft(self, event: EventWords, where: str, cells: Mapping[str, str]) -> Draft | None:
        """What a row says about an event; None when the event's `when` does not hold for the row.

        Raises:
            CellUnusable: A value the row has cannot be used, or one it must have is missing.
        """
        if event.when and not all(condition.holds(cells[condition.column]) for condition in event.when):
            return None
        kind = self._candidate(event.type, cells, "type")
        if kind is None:
            raise CellUnusable(f"no event type: {_what_is_empty(event.type, cells)}")
        time = self._time(event.time, cells, "time")
        if time is None and event.per == "row" and not event.optional:
            raise CellUnusable(f"{kind.value} has no time: {_what_is_empty(event.time, cells)}")
        data = {}
        for name, cell in event.data.items():
            if (candidate := self._candidate(cell, cells, f"data.{name}")) is not None:
                data[name] = candidate
        return Draft(
            where=where,
            type=kind,
            time=time,
            arrival=self._time(event.arrival, cells, "arrival") if event.arrival else None,
            extra_key=tuple(cells[column] for column in event.key),
            data=data,
        )

    def _candidate(self, cell: Cell, cells: Mapping[str, str], place: str) -> Candidate | None:
        text = self._text(cell, cells, place)
        if cell.token and self.tokens and text:
            try:
                text = self.tokens.token(cell.token, text)
            except NotNormalised as error:
                raise CellUnusable(f"{place}: no {cell.token} in {' and '.join(cell.sources())}: {error}") from None
        return Candidate(text, _order(cell, cells)) if text else None

    def _time(self, cell: TimeCell, cells: Mapping[str, str], place: str) -> Candidate | None:
        text = self._text(cell, cells, place)
        if not text:
            return None
        try:
            ms = self.times.ms(text + cell.append, cell.formats)
        except TimeUnreadable as error:
            raise CellUnusable(f"{place}: {error}") from error
        if cell.plus_seconds:
            if not cells[cell.plus_seconds]:
                return None
            ms += round(_number(cells[cell.plus_seconds], cell.plus_seconds) * 1000)
        return Candidate(ms, _order(cell, cells))

    def _text(self, cell: Cell, cells: Mapping[str, str], place: str) -> str:
        if cell.constant:
            text = cell.constant
        elif cell.join:
            parts = [cells[column] for column in cell.join]
            text = cell.separator.join(parts) if all(parts) else ""
        elif cell.column:
            text = cells[cell.column]
        else:
            text = next((cells[column] for column in cell.first_of if cells[column]), "")
        text = text or cell.empty
        if not text:
            if cell.required:
                raise CellUnusable(f"{place}: {_what_is_empty(cell, cells)}, and the mapping requires it")
            return ""
        return self._mapped(text, self.maps[cell.map], cell, place) if cell.map else text

    @staticmethod
    def _mapped(text: str, named: ValueMap, cell: Cell, place: str) -> str:
        known = named.values.get(text, named.otherwise)
        if known is None:
            raise CellUnusable(f"{place}: {text!r} is not in [map.{cell.map}]; add it there, or write its `otherwise`")
        return known


def pick(candidates: Sequence[Candidate], cell: Cell, place: str) -> int | str | None:
    """One value out of what the rows of an entity say; None when no row says anything.

    Ties in `first` and `last` fall to the lowest value, so that the order of files never matters.

    Raises:
        CellUnusable: The rows differ and the mapping does not say which one counts.
    """
    if not candidates:
        return None
    values = {candidate.value for candidate in candidates}
    if len(values) == 1:
        return candidates[0].value
    if cell.pick in (None, "same"):
        found = f"{len(values)} tokens" if cell.token else ", ".join(sorted(map(str, values))[:3])
        raise CellUnusable(f"{place}: rows of one entity differ ({found}); write pick = min, max, first or last")
    if cell.pick in ("first", "last"):
        edge = (min if cell.pick == "first" else max)(candidate.order for candidate in candidates)
        values = {candidate.value for candidate in candidates if candidate.order == edge}
        return min(values)
    if cell.order_as == "number":
        return (min if cell.pick == "min" else max)(values, key=lambda value: _number(str(value), place))
    return (min if cell.pick == "min" else max)(values)


def _order(cell: Cell, cells: Mapping[str, str]) -> Order:
    if not cell.order_by:
        return ""
    text = cells[cell.order_by]
    return _number(text, cell.order_by) if cell.order_as == "number" else text


def _number(text: str, place: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not math.isfinite(number):
        raise CellUnusable(f"{place}: {text!r} is no number")
    return number


def _what_is_empty(cell: Cell, cells: Mapping[str, str]) -> str:
    """`Rang is empty`: those of a value's columns that are, not those that are filled."""
    plus = (cell.plus_seconds,) if isinstance(cell, TimeCell) else ()
    empty = [name for name in (cell.column, *cell.first_of, *cell.join, *plus) if name and not cells[name]]
    return f"{' and '.join(empty)} {'are' if len(empty) > 1 else 'is'} empty"
