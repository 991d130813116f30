"""The reference of the files of `schemas` that are neither catalogue nor mapping, from the models that check them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from pydantic import BaseModel

from watchroom.catalogue import areas
from watchroom.generate.rules import links
from watchroom.reference_rows import Row, rows, table
from watchroom.reports import baselines, sections

_INTRODUCTION: Final = """\
<!-- Derived from services/watchroom/catalogue, reports and generate by `make generate`; do not edit. -->
# Areas, report, baselines and links: every key

These are files of the folder `schemas`. A key that is not listed here is refused.
"""
_SECTION_LINK: Final = {"Section": "[sections](#reporttoml-sections)"}


class Part(NamedTuple):
    """One table of a file."""

    title: str
    about: str
    model: type[BaseModel]


PARTS: Final = (
    Part(
        areas.FILE,
        "The policing areas: each incident and each crime counts in exactly one of them. `WATCHROOM_AREAS` can name"
        " another such file. After a change of `values` or `aliases`, run `watchroom rebuild`.",
        areas.AreasFile,
    ),
    Part(sections.FILE, "How reports are laid out.", sections.Layout),
    Part(f"{sections.FILE}: sections", "Each section is a `[[sections]]` table.", sections.Section),
    Part(
        baselines.FILE,
        "The periods that reports compare with. Each is a table, and its name is what `--baseline` takes:"
        " `[pre-covid]`. It has either `from` and `to`, or `directly_before = true`.",
        baselines.Baseline,
    ),
    Part(
        links.FILE.name,
        "The addresses that alerts and boards link to. After a change, run `make generate`.",
        links.LinksFile,
    ),
)


def documented() -> Mapping[str, Row]:
    """`file: key` -> the key."""
    return {f"{part.title}: {row.name}": row for part in PARTS for row in _rows(part)}


def text(root: Path) -> str:  # noqa: ARG001  # every output is given the root
    """The page."""
    lines = [_INTRODUCTION]
    for part in PARTS:
        found = table(("key", "type", "default", "meaning", "example"), map(_line, _rows(part)))
        lines += [f"## {part.title}", "", part.about, "", *found, ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def _rows(part: Part) -> list[Row]:
    return list(rows(part.model, links=_SECTION_LINK.__getitem__))


def _line(row: Row) -> tuple[str, ...]:
    default = "required" if row.is_required else f"`{row.default}`" if row.default else ""
    return f"`{row.name}`", row.type, default, row.meaning, f"`{row.example}`"
