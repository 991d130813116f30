"""The reference of the catalogue: every key of `schemas/measures/*.toml`, from the models that check it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

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
_PLACEHOLDERS: Final = "The expression and the texts may contain these placeholders: " + ", ".join(
    ("`<threshold>`", *(f"`<{name}>` (`{text}`)" for name, text in PLACEHOLDERS.items()))
)
TABLES: Final = (
    ("Targets", "targets", TargetEntry, "Each target is a `[[<id>.targets]]` table, or a table in the list `targets`."),
    (
        "Sums",
        "sum_of",
        SummandEntry,
        "A count may be the sum of other counts. Each of those is a table in the list `sum_of`.",
    ),
    ("Tiles", "tiles", Tile, "Each tile is a `[[<id>.tiles]]` table: one number on the wall."),
    (
        "Alerts",
        "alerts",
        Alert,
        "Each alert is a `[[<id>.alerts]]` table; [how to add one](../how-to/add-an-alert.md).",
    ),
    (
        "Burn rates",
        "alerts.burn",
        Burn,
        "An alert's table `burn`. At a burn rate of 3, three times as many miss the target as the objective allows.",
    ),
    (
        "Labels",
        "labels",
        LabelEntry,
        "Each label is a table in `schemas/measures/labels.toml`; the table's name is the label's name.",
    ),
    (
        "Platform alerts",
        "platform alerts",
        PlatformAlert,
        f"Each alert is a table in `schemas/measures/{FILE}`; the table's name is the alert's name. {_PLACEHOLDERS}",
    ),
)


def text(root: Path) -> str:  # noqa: ARG001  # every output is given the root
    """The page."""
    lines = ["## Entries", "", "The name of the table is the measure's id: `[call_volume]`.", ""]
    lines += [line for row in entry_rows() for line in _key(row, anchor=row.name, more=_kinds(row))]
    for title, place, model, about in TABLES:
        lines += [f"## {title}", "", about, ""]
        for row in rows(model, links=_LINKS.__getitem__):
            lines += _key(row, anchor=f"{place}: {row.name}")
    return page("catalogue", keys="\n".join(lines).rstrip(), quantities="\n".join([*_quantities(), "", *_windows()]))


def documented() -> Mapping[str, Row]:
    """Every key by its heading."""
    found = {row.name: row for row in entry_rows()}
    return found | {f"{place}: {row.name}": row for _, place, model, _ in TABLES for row in rows(model)}


def entry_rows() -> Iterator[Row]:
    """The keys of an entry: those of several kinds, then those that one kind has for itself."""
    for row in rows(MeasureEntry, links=_LINKS.__getitem__):
        yield row._replace(type=_CONDITION) if row.name in ("where", "part") else row
    for kind in KINDS.values():
        meanings = {key.name: f"{key.about} Example: `{key.name} = {as_toml(key.example)}`." for key in kind.own_keys}
        yield from rows(own.shape_of(kind), meanings)


def _key(row: Row, anchor: str, more: Iterable[str] = ()) -> Iterator[str]:
    place, _, name = anchor.rpartition(": ")
    yield f"### {place}: `{name}`" if place else f"### `{name}`"
    yield from ("", row.meaning, "", f"- type: {row.type}")
    if row.is_required and not (row.name in own.NAMES and not place):
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


def _quantities() -> Iterator[str]:
    yield from ("## Quantities", "", "The values that `show` may have, by kind.", "")
    lines = [
        (kind.name, f"`{what}`", quantity.meaning, quantity.unit.value)
        for kind in KINDS.values()
        for what, quantity in kind.quantities.items()
    ]
    yield from table(("kind", "`show`", "meaning", "unit"), lines)


def _windows() -> Iterator[str]:
    names = ", ".join(f"`{json.dumps(name)}`" for name in WINDOWS)
    yield from ("## Windows", "", f"{names}. [How they are computed](../architecture.md#buckets-and-windows).")
