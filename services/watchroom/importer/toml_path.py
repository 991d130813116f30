"""Places in a mapping file, as a person counts: `3rd [[event]].time.pick`. Pure."""

from __future__ import annotations

from collections.abc import Iterable

_TABLES = ("event", "skip")  # written [[event]], one after the other


def place_of(*parts: int | str) -> str:
    """The place of a key; a number counts within the list before it, from 0."""
    return ".".join(_named(parts))


def _named(parts: Iterable[int | str]) -> Iterable[str]:
    named: list[str] = []
    for part in parts:
        if isinstance(part, int) and named:
            table = named.pop()
            named.append(f"{_ordinal(part + 1)} {f'[[{table}]]' if table in _TABLES else table}")
        else:
            named.append(str(part))
    return named


def _ordinal(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th") if number % 100 not in (11, 12, 13) else "th"
    return f"{number}{ending}"
