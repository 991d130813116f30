"""Faults of keys and types in a TOML table: what to write instead, and the page that explains the key. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from pydantic import ValidationError

from watchroom.catalogue import own
from watchroom.catalogue.entry import LabelEntry, MeasureEntry, SummandEntry, TargetEntry
from watchroom.error_text import what_to_write
from watchroom.errors import Fault
from watchroom.kinds.shown import Alert, Burn, Strict, Tile

PAGE: Final = "docs/reference/catalogue.md"
FILES_PAGE: Final = "docs/reference/schemas-files.md"
LABELS: Final = "labels"
_TABLES: Final[Mapping[str, type[Strict]]] = {
    "targets": TargetEntry,
    "sum_of": SummandEntry,
    "tiles": Tile,
    "alerts": Alert,
    "alerts.burn": Burn,
    LABELS: LabelEntry,
}
NUMBERS = {"int", "float"}
_OF_UNIONS = {*NUMBERS, "str", "list[union[str,bool]]"}  # pydantic's names for the parts of a type that is a union
EVERY = "every entry"
PATTERN_TEXTS = {
    r"^https?://[^/]": "an address that starts with http:// or https://, for example http://127.0.0.1:9464",
    r"^[a-z0-9]+(_[a-z0-9]+)*$": "lower-case letters and digits, with words joined by _, for example theft_offences",
    r"^([A-Z][a-z0-9]+)+[0-9]*$": "capitalised words joined together, for example CallsUnanswered",
}


def shape_faults(
    known: Sequence[str], where: str, name: str, error: ValidationError, needs: str = EVERY
) -> Iterator[Fault]:
    """One fault for each key.

    Args:
        known: The keys that the table may have; if empty, unknown keys are not reported.
        where: The file.
        name: The name of the table; empty for the whole file.
        error: The error from pydantic.
        needs: What requires a missing key, for the message.
    """
    by_path: dict[tuple[int | str, ...], list[Any]] = defaultdict(list)
    for item in error.errors():
        by_path[_path(item["loc"])].append(item)
    for path, (first, *others) in by_path.items():
        key = ".".join(filter(None, [name, *map(str, path)]))
        if first["type"] == "extra_forbidden":
            is_ours = len(path) == 1
            if is_ours and not known:
                continue
            write = (
                f"one of {', '.join(sorted(known))}"
                if is_ours
                else "a key that is valid here; schemas/measures has examples"
            )
            yield Fault(where, key, "an unknown key", write)
        elif first["type"] == "missing":
            yield Fault(where, key, "nothing", f"`{path[-1]} = ...`: {needs} needs it")
        else:
            yield Fault(where, key, repr(first["input"]), _union_text([first, *others]))


def _path(loc: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """The path in the file, without the parts of a union that pydantic tried."""
    tried = next((number for number, part in enumerate(loc) if number and part in _OF_UNIONS), len(loc))
    return loc[:tried]


def _union_text(items: list[Any]) -> str:
    """One sentence, also if pydantic tried every part of a union and none fits."""
    if len(items) == 1:
        return what_to_write(items[0], PATTERN_TEXTS)
    only_numbers = {item["loc"][-1] for item in items} == NUMBERS
    return "a number" if only_numbers else 'a list of accepted values, for example ["answered"]'


def of_file(fault: Fault, name: str) -> Fault:
    """The fault with the section about a file of `schemas`, such as report.toml."""
    return replace(fault, page=f"{FILES_PAGE}#{name.replace('.', '')}")


def with_page(fault: Fault, *, of_labels: bool = False) -> Fault:
    """The fault with the page of its key; unchanged where it is about a whole file or entry.

    Args:
        fault: Its key is `<id>.<key>`, perhaps with the number of a table and a key inside that table.
        of_labels: Whether it is about labels.toml.
    """
    path = [part for part in fault.key.split(".")[1:] if not part.isdigit()]
    if of_labels:
        path.insert(0, LABELS)
    if len(path) == of_labels:
        return fault
    for depth in (2, 1):
        table = _TABLES.get(".".join(path[:depth]))
        if table is not None and len(path) > depth and path[depth] in table.model_fields:
            return replace(fault, page=f"{PAGE}#{''.join(path[:depth])}-{path[depth]}")
    is_known = path[0] in MeasureEntry.model_fields or path[0] in own.NAMES
    return replace(fault, page=f"{PAGE}#{path[0]}" if is_known and not of_labels else PAGE)
