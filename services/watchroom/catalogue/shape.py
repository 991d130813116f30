"""Keys and types that are wrong in a TOML table, told with what to write instead. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import ValidationError

from watchroom.error_text import what_to_write
from watchroom.errors import Fault

NUMBERS = {"int", "float"}
_OF_UNIONS = {*NUMBERS, "str", "list[union[str,bool]]"}  # pydantic's names for the parts of a type that is a union
EVERY = "every entry"
WORDS = {
    r"^[a-z0-9]+(_[a-z0-9]+)*$": "lower-case letters and digits, words joined by _, for example theft_offences",
    r"^([A-Z][a-z0-9]+)+[0-9]*$": "words with a capital each, put together, for example CallsUnanswered",
}


def shape_faults(
    known: Sequence[str], where: str, name: str, error: ValidationError, needs: str = EVERY
) -> Iterator[Fault]:
    """A fault for each place.

    Args:
        known: Keys that the table may have; none: nobody knows, so that no key is an unknown one.
        where: Its file.
        name: The table's.
        error: What pydantic says of it.
        needs: Who needs a key that is missing.
    """
    by_place: dict[tuple[int | str, ...], list[Any]] = defaultdict(list)
    for item in error.errors():
        by_place[_place(item["loc"])].append(item)
    for place, (first, *others) in by_place.items():
        key = ".".join([name, *map(str, place)])
        if first["type"] == "extra_forbidden":
            is_ours = len(place) == 1
            if is_ours and not known:
                continue
            write = (
                f"one of {', '.join(sorted(known))}" if is_ours else "no such key here; schemas/measures has examples"
            )
            yield Fault(where, key, "an unknown key", write)
        elif first["type"] == "missing":
            yield Fault(where, key, "nothing", f"`{place[-1]} = ...`: {needs} needs it")
        else:
            yield Fault(where, key, repr(first["input"]), _union_words([first, *others]))


def _place(loc: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """The place in the file: without the parts of a union that pydantic tried."""
    tried = next((number for number, part in enumerate(loc) if number and part in _OF_UNIONS), len(loc))
    return loc[:tried]


def _union_words(items: list[Any]) -> str:
    """One sentence, also where every part of a union was tried and none fits."""
    if len(items) == 1:
        return what_to_write(items[0], WORDS)
    only_numbers = {item["loc"][-1] for item in items} == NUMBERS
    return "a number" if only_numbers else 'a list of accepted values, for example ["answered"]'
