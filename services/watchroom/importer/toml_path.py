"""Paths of keys in a mapping file: how messages show them, and where the reference explains them. Pure."""

from __future__ import annotations

from typing import Final

Path = tuple[str | int, ...]
"""A number counts within the list before it, from 0: `("event", 2, "time", "pick")`."""

PAGE: Final = "docs/reference/mapping.md"
_LISTS: Final = ("event", "skip")  # written [[event]], one after the other
_HEADINGS: Final = {"file", "force", "time", "entity", "skip", "event"}
_OF_A_TIME: Final = {"formats", "plus_seconds", "append", "zero_means_never"}


def shown(path: Path) -> str:
    """A path as a person counts: `3rd [[event]].time.pick`."""
    named: list[str] = []
    for part in path:
        if isinstance(part, int) and named:
            table = named.pop()
            named.append(f"{_ordinal(part + 1)} {f'[[{table}]]' if table in _LISTS else table}")
        else:
            named.append(str(part))
    return ".".join(named)


def page_of(path: Path) -> str:
    """The heading of the reference that explains a key."""
    match [part for part in path if isinstance(part, str)]:
        case ["event", "when", _, *_]:
            heading = "a-condition"
        case ["event" | "time", "time" | "arrival" | "day_from", key, *_] if key in _OF_A_TIME:
            heading = "a-time"
        case ["event", "type" | "time" | "arrival", _, *_] | ["event", "data", _, _, *_] | ["time", "day_from", _, *_]:
            heading = "a-value"
        case ["map", _, *_]:
            heading = "mapname"
        case [table, _, *_] if table in _HEADINGS:
            heading = table
        case _:
            heading = "the-file"
    return f"{PAGE}#{heading}"


def _ordinal(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th") if number % 100 not in (11, 12, 13) else "th"
    return f"{number}{ending}"
