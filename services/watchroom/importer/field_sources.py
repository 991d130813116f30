"""Values from the cells of one row, and one value out of the rows of an entity. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from watchroom.entered import plain_number
from watchroom.importer.mapping_values import FieldSource, TimeSource

Order = float | str
MOST_SECONDS = 400 * 86_400
"""The longest time between two moments of an entity: a wait, a call, an incident."""
_ROUNDED = re.compile(r"\d[.,]\d+E\+\d\d", re.ASCII | re.IGNORECASE)  # 7e12 is an id


class ValueUnusable(ValueError):
    """A row does not give a value; the message says which and why."""


class DateText(str):
    """A date or time from a spreadsheet as ISO text; the formats of the mapping do not apply to it."""

    __slots__ = ()


class Candidate(NamedTuple):
    """One row's value; `order` decides which row is first, if the mapping asks."""

    value: int | str
    order: Order


def origin(source: FieldSource, cells: Mapping[str, str]) -> str:
    """A value's text before its map; empty if the row has none."""
    if source.constant:
        text = source.constant
    elif source.join:
        parts = [cells[column] for column in source.join]
        text = source.separator.join(parts) if all(parts) else ""
        if text and all(isinstance(part, DateText) for part in parts):
            text = DateText(text)
    elif source.column:
        text = cells[source.column]
    else:
        text = next((cells[column] for column in source.first_of if cells[column]), "")
    return text or source.empty


def pick(candidates: Sequence[Candidate], source: FieldSource, key: str) -> int | str | None:
    """One value out of those of an entity's rows; None if no row has one.

    Of several `first` or `last` rows the lowest value counts, so that the order of files never matters.

    Raises:
        ValueUnusable: The rows differ and the mapping does not say which one counts.
    """
    if not candidates:
        return None
    values = {candidate.value for candidate in candidates}
    if len(values) == 1:
        return candidates[0].value
    if source.pick in (None, "same"):
        found = f"{len(values)} tokens" if source.token else ", ".join(sorted(map(str, values))[:3])
        raise ValueUnusable(
            f"{key}: the rows of one entity have different values ({found}); set `pick` to min, max, first or last"
        )
    choose = min if source.pick in ("first", "min") else max
    if source.pick in ("first", "last"):
        edge = choose(candidate.order for candidate in candidates)
        return min(candidate.value for candidate in candidates if candidate.order == edge)
    if source.order_as == "number":
        return choose(values, key=lambda value: number_of(str(value), key))
    return choose(values)


def key_text(text: str, column: str) -> str:
    """A source of a column of keys.

    Raises:
        ValueUnusable: A spreadsheet rounded the number, so that many rows have one key.
    """
    if _ROUNDED.fullmatch(text):
        raise ValueUnusable(f"{column}: {text!r} is a rounded number, not a key; export this column as text")
    return text


def order_of(source: FieldSource, cells: Mapping[str, str]) -> Order:
    """What decides which row is first or last."""
    if not source.order_by:
        return ""
    text = cells[source.order_by]
    return number_of(text, source.order_by) if source.order_as == "number" else text


def number_of(text: str, key: str) -> float:
    """A number; `key` is where it is needed, for the message."""
    number = plain_number(text)
    if number is None:
        raise ValueUnusable(f"{key}: {text!r} is not a number")
    return float(number)


def seconds_of(text: str, key: str) -> float:
    """Seconds between two times of an entity; more is another column's number."""
    number = number_of(text, key)
    if abs(number) > MOST_SECONDS:
        raise ValueUnusable(f"{key}: {text!r} seconds is more than 400 days; check that this column holds seconds")
    return number


def what_is_empty(source: FieldSource, cells: Mapping[str, str]) -> str:
    """`Rang is empty`: names the empty ones among a value's columns."""
    plus = (source.plus_seconds,) if isinstance(source, TimeSource) else ()
    empty = [name for name in (source.column, *source.first_of, *source.join, *plus) if name and not cells[name]]
    return f"{' and '.join(empty)} {'are' if len(empty) > 1 else 'is'} empty"
