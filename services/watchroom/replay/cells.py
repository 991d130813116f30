"""Values of one event from the cells of one row, and one value out of the rows of an entity: pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice, product
from typing import NamedTuple, TypeVar

from watchroom.entered import plain_number
from watchroom.events.tokeniser import NotNormalised, Tokeniser
from watchroom.kinds.measure import resolved
from watchroom.replay.event_words import STREAM_OF
from watchroom.replay.listed import Labels, as_label, as_listed
from watchroom.replay.local_time import LocalTimes, TimeUnreadable
from watchroom.replay.mapping_model import Cell, EventWords, MappingWords, TimeCell, ValueMap
from watchroom.replay.time_forms import EPOCHS

T = TypeVar("T", int, str)
Order = float | str
DAY_MS = 86_400_000
MOST_WAYS = 4096  # to read the times of one row
MOST_SECONDS = 400 * 86_400  # that one time lies after another: a wait, a call, an incident
_ROUNDED = re.compile(r"\d[.,]\d+E\+\d\d", re.ASCII | re.IGNORECASE)  # 7e12 is an id
_NEVER = re.compile(r"0+(\.0+)?", re.ASCII)
_ZERO_DATE = re.compile(r"[0\s:/.T-]*0[0\s:/.TZ+-]*", re.ASCII)


class CellUnusable(ValueError):
    """A value cannot be made from a row; the message says which and why."""


class DateText(str):
    """A date or a time of a spreadsheet as ISO text: in no doubt, whatever forms the mapping names for texts."""

    __slots__ = ()


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
    others: tuple[tuple[str, str], ...] = ()  # label and text of the file, where it became `other`


Drafts = tuple[Draft | None, ...]
"""What a row says, in the order of the mapping's events."""


@dataclass(frozen=True, slots=True)
class RowReader:
    """Reads rows as one mapping means them."""

    maps: Mapping[str, ValueMap]
    times: LocalTimes
    tokens: Tokeniser | None = None
    labels: Labels = field(default_factory=dict)
    day_from: TimeCell | None = None  # a time with its day, for those without one
    in_order: bool = False  # a row's times in the hour that happens twice are read so that they stay in order

    @classmethod
    def of(cls, words: MappingWords, tokens: Tokeniser | None, now_ms: int | None, labels: Labels) -> RowReader:
        """The reader for a mapping.

        Args:
            words: The mapping.
            tokens: Makes its tokens; only a mapping without any can do without.
            now_ms: This machine's clock, which no event is later than; None: any time may come.
            labels: The labels that texts become.
        """
        if tokens is None and words.token_columns():
            raise TypeError("this mapping makes tokens: give what makes them")
        return cls(
            words.map,
            LocalTimes.of(words.time, now_ms),
            tokens,
            labels,
            words.time.whole_day_from(),
            words.time.ambiguous_hour == "in_order",
        )

    def near_to(self, ms: int | None) -> RowReader:
        """The same, but clock times without a day lie within 12 h of a time."""
        return replace(self, times=self.times.near_to(ms))

    def day_ms(self, cells: Mapping[str, str]) -> int | None:
        """The time that a row says for `day_from`; None where it says nothing.

        Raises:
            CellUnusable: It is no time.
        """
        found = self._time(self.day_from, cells, "time.day_from") if self.day_from else None
        return None if found is None else int(found.value)

    def drafts(self, events: Sequence[EventWords], where: str, cells: Mapping[str, str]) -> tuple[Drafts, bool]:
        """What a row says about each event, and whether its times could be read in two ways and stay in order in one.

        Raises:
            CellUnusable: As `draft`.
        """
        first = tuple(self.draft(event, where, cells) for event in events)
        if not self.in_order:
            return first, False
        try:
            second = tuple(replace(self, times=self.times.later()).draft(event, where, cells) for event in events)
        except CellUnusable:  # later than the clock: only one is possible
            return first, True
        twice = [(a,) if a == b else (a, b) for a, b in zip(first, second, strict=True)]
        if all(len(ways) == 1 for ways in twice):
            return first, False
        return min(islice(product(*twice), MOST_WAYS), key=_disorder), True

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
            raise CellUnusable(
                f"{kind.value} has no time: {_what_is_empty(event.time, self._filled(event.time, cells))}"
            )
        data = {}
        others = []
        for name, cell in event.data.items():
            if (candidate := self._candidate(cell, cells, f"data.{name}")) is None:
                continue
            if label := self.labels.get((STREAM_OF.get(str(kind.value), ""), name)):
                candidate = candidate._replace(value=as_label(str(candidate.value), label))
                if resolved(label, candidate.value) == label.other and not cell.constant:
                    others.append((label.name, origin(cell, cells)))
            data[name] = candidate
        return Draft(
            where=where,
            type=kind,
            time=time,
            arrival=self._time(event.arrival, cells, "arrival") if event.arrival else None,
            extra_key=tuple(key_text(cells[column], column) for column in event.key),
            data=data,
            others=tuple(others),
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
        text = self._text(cell, self._filled(cell, cells), place)
        if not text:
            return None
        try:
            forms = cell.formats or self.times.formats
            if isinstance(text, DateText) and "iso" not in forms:
                forms = (*forms, "iso")
            ms = self.times.ms(text + cell.append, forms)
            if cell.plus_seconds:
                if not cells[cell.plus_seconds]:
                    return None
                ms += round(_seconds(cells[cell.plus_seconds], cell.plus_seconds) * 1000)
                self.times.check(ms, f"{text} plus {cells[cell.plus_seconds]} s")
        except TimeUnreadable as error:
            raise CellUnusable(f"{place}: {error}") from error
        return Candidate(ms, _order(cell, cells))

    def _filled(self, cell: TimeCell, cells: Mapping[str, str]) -> Mapping[str, str]:
        """A row in which the zeros of a time that mean `never` are empty cells."""
        if cell.zero_means_never:
            zeros = [name for name in cell.sources() if self._is_never(cells[name], cell)]
        elif any(form in EPOCHS for form in cell.formats or self.times.formats):
            zeros = [name for name in cell.sources() if _NEVER.fullmatch(cells[name])]
        else:
            return cells
        return {**cells, **dict.fromkeys(zeros, "")} if zeros else cells

    def _is_never(self, text: str, cell: TimeCell) -> bool:
        return bool(_ZERO_DATE.fullmatch(text)) or self.times.is_epoch(text, cell.formats)

    def _text(self, cell: Cell, cells: Mapping[str, str], place: str) -> str:
        text = origin(cell, cells)
        if not text:
            if cell.required:
                raise CellUnusable(f"{place}: {_what_is_empty(cell, cells)}, and the mapping requires it")
            return ""
        return self._mapped(text, self.maps[cell.map], cell, place) if cell.map else text

    @staticmethod
    def _mapped(text: str, named: ValueMap, cell: Cell, place: str) -> str:
        known = named.values.get(as_listed(text, named.values), named.otherwise)
        if known is None:
            raise CellUnusable(f"{place}: {text!r} is not in [map.{cell.map}]; add it there, or write its `otherwise`")
        return known


def origin(cell: Cell, cells: Mapping[str, str]) -> str:
    """A value's text before its map; empty where the row says nothing."""
    if cell.constant:
        text = cell.constant
    elif cell.join:
        parts = [cells[column] for column in cell.join]
        text = cell.separator.join(parts) if all(parts) else ""
        if text and all(isinstance(part, DateText) for part in parts):
            text = DateText(text)
    elif cell.column:
        text = cells[cell.column]
    else:
        text = next((cells[column] for column in cell.first_of if cells[column]), "")
    return text or cell.empty


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


def _disorder(drafts: Drafts) -> tuple[bool, int]:
    """Least for times in order and closest together; where none is in order, all the same: then the first counts."""
    times = [int(draft.time.value) for draft in drafts if draft and draft.time]
    known = [draft.arrival.value if draft.arrival else draft.time.value for draft in drafts if draft and draft.time]
    is_ordered = times == sorted(times) and all(int(at) >= time for at, time in zip(known, times, strict=True))
    return not is_ordered, max(times) - min(times) if is_ordered and times else 0


def key_text(text: str, column: str) -> str:
    """A cell of a column of keys.

    Raises:
        CellUnusable: A spreadsheet rounded the number, so that many rows have one key.
    """
    if _ROUNDED.fullmatch(text):
        raise CellUnusable(f"{column}: {text!r} is a rounded number and no key; export this column as text")
    return text


def _order(cell: Cell, cells: Mapping[str, str]) -> Order:
    if not cell.order_by:
        return ""
    text = cells[cell.order_by]
    return _number(text, cell.order_by) if cell.order_as == "number" else text


def _number(text: str, place: str) -> float:
    number = plain_number(text)
    if number is None:
        raise CellUnusable(f"{place}: {text!r} is no number")
    return float(number)


def _seconds(text: str, place: str) -> float:
    """Seconds between two times of an entity; more is another column's number."""
    number = _number(text, place)
    if abs(number) > MOST_SECONDS:
        raise CellUnusable(f"{place}: {text!r} is more than 400 days of seconds; check that the column holds seconds")
    return number


def _what_is_empty(cell: Cell, cells: Mapping[str, str]) -> str:
    """`Rang is empty`: those of a value's columns that are, not those that are filled."""
    plus = (cell.plus_seconds,) if isinstance(cell, TimeCell) else ()
    empty = [name for name in (cell.column, *cell.first_of, *cell.join, *plus) if name and not cells[name]]
    return f"{' and '.join(empty)} {'are' if len(empty) > 1 else 'is'} empty"
