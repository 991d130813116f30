"""The reference of the catalogue: every key of `schemas/measures/*.toml`, from the models that check it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from pydantic import BaseModel

from watchroom.catalogue import own
from watchroom.catalogue.entry import EVERY_KIND, LabelEntry, MeasureEntry, SummandEntry, TargetEntry
from watchroom.catalogue.platform_alerts import FILE, PLACEHOLDERS, PlatformAlert
from watchroom.generate.pages import page
from watchroom.kinds import KINDS
from watchroom.kinds.shown import Alert, Burn, Tile
from watchroom.reference_rows import Row, as_toml, rows, table
from watchroom.rolling.windows import WINDOWS

_LINKS: Final = {
    "TargetEntry": "[targets](#targets)",
    "SummandEntry": "[sums](#sums)",
    "Tile": "[tiles](#tiles)",
    "Alert": "[alerts](#alerts)",
    "Burn": "[burn rate](#burn-rates)",
}
_CONDITION: Final = "[condition](#conditions)"
TABLES: Final[Mapping[str, type[BaseModel]]] = {
    "targets": TargetEntry,
    "sum_of": SummandEntry,
    "tiles": Tile,
    "alerts": Alert,
    "alerts.burn": Burn,
    "labels": LabelEntry,
    "platform alerts": PlatformAlert,
}
"""The other tables of the catalogue; their keys have headings such as "tiles: `window`"."""


def text() -> str:
    """The page."""
    return page(
        "catalogue.md",
        keys=[line for row in entry_rows() for line in _key(row, more=_kinds(row))],
        tables={path: _keys(path, model) for path, model in TABLES.items()},
        file=FILE,
        placeholders=PLACEHOLDERS,
        quantities=_quantities(),
        windows=", ".join(f"`{json.dumps(name)}`" for name in WINDOWS),
    )


def documented() -> Mapping[str, Row]:
    """Every key by its heading."""
    found = {row.name: row for row in entry_rows()}
    return found | {f"{path}: {row.name}": row for path, model in TABLES.items() for row in rows(model)}


def entry_rows() -> Iterator[Row]:
    """The keys of an entry: those that several kinds share, then those of one kind only."""
    for row in rows(MeasureEntry, links=_LINKS.__getitem__):
        yield row._replace(type=_CONDITION) if row.name in ("where", "part") else row
    for kind in KINDS.values():
        meanings = {key.name: f"{key.about} Example: `{key.name} = {as_toml(key.example)}`." for key in kind.own_keys}
        yield from rows(own.shape_of(kind), meanings)


def _keys(path: str, model: type[BaseModel]) -> list[str]:
    return [line for row in rows(model, links=_LINKS.__getitem__) for line in _key(row, path)]


def _key(row: Row, path: str = "", more: Iterable[str] = ()) -> Iterator[str]:
    yield f"### {path}: `{row.name}`" if path else f"### `{row.name}`"
    yield from ("", row.meaning, "", f"- type: {row.type}")
    if row.is_required and not (row.name in own.NAMES and not path):
        yield "- required"
    elif row.default:
        yield f"- default: `{row.default}`"
    yield from (*more, f"- example: `{row.example}`", "")


def _kinds(row: Row) -> Iterator[str]:
    """The kinds whose entries may have a key."""
    if row.name in EVERY_KIND:
        return
    of_one = [kind.name for kind in KINDS.values() if row.name in (key.name for key in kind.own_keys)]
    needs = [kind.name for kind in KINDS.values() if row.name in kind.needs] + of_one * row.is_required
    may = [kind.name for kind in KINDS.values() if row.name in kind.may] + of_one * (not row.is_required)
    if needs:
        yield f"- required for the kinds: {', '.join(needs)}"
    if may:
        yield f"- {'also ' if needs else ''}allowed for the kinds: {', '.join(may)}"


def _quantities() -> list[str]:
    lines = [
        (kind.name, f"`{what}`", quantity.meaning, quantity.unit.value)
        for kind in KINDS.values()
        for what, quantity in kind.quantities.items()
    ]
    return table(("kind", "`show`", "meaning", "unit"), lines)
