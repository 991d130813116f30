"""The reference of mappings: every key of `schemas/mappings/*.toml`, from the models that check it.

What each key means is in `mapping_keys.toml`; `schemas/mappings/README.md` explains how the keys work together.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Final, NamedTuple, get_args

from pydantic import BaseModel

from watchroom.importer import mapping_model, mapping_values
from watchroom.reference_rows import Row, rows, table

_INTRODUCTION: Final = """\
<!-- Derived from services/watchroom/importer/mapping_*.py by `make generate`; do not edit. -->
# Mappings: every key

A mapping says how the rows of a text file become events. [Mappings](../../schemas/mappings/README.md) explains how the
keys work together; see also [how to add one](../how-to/add-a-mapping.md). A key that is not listed here is refused.
"""
_HEAD: Final = ("key", "type", "default", "meaning", "example")


class Part(NamedTuple):
    """One table of a mapping file."""

    title: str
    about: str
    model: type[BaseModel]
    type: str  # of a key that holds such a table
    meanings: Mapping[str, str]


def _parts() -> Iterator[Part]:
    given = tomllib.loads(resources.files("watchroom.importer").joinpath("mapping_keys.toml").read_text("utf-8"))
    for each in given["table"]:
        model = vars(mapping_model).get(each["model"]) or vars(mapping_values)[each["model"]]
        yield Part(each["title"], each["about"], model, each["type"], each["keys"])


PARTS: Final = tuple(_parts())
_TYPES: Final = {part.model.__name__: part.type for part in PARTS}


def text(root: Path) -> str:  # noqa: ARG001  # every output is given the root
    """The page."""
    lines = [_INTRODUCTION]
    for part in PARTS:
        lines += [f"## {part.title}", "", part.about, "", *table(_HEAD, [_line(row) for row in rows_of(part)]), ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def rows_of(part: Part) -> Iterator[Row]:
    """The keys of a table; a time does not repeat those of a value."""
    inherited = mapping_values.FieldSource.model_fields if part.model is mapping_values.TimeSource else ()
    for row in rows(part.model, part.meanings, _TYPES.__getitem__):
        if row.name not in inherited:
            yield row._replace(type="text or list of texts") if _may_be_one(part.model, row.name) else row


def _may_be_one(model: type[BaseModel], key: str) -> bool:
    """Whether one text may be written instead of a list."""
    field = next(field for name, field in model.model_fields.items() if key in (name, field.alias))
    return get_args(mapping_values.Columns)[1] in field.metadata


def _line(row: Row) -> tuple[str, ...]:
    default = "required" if row.is_required else f"`{row.default}`" if row.default else ""
    return f"`{row.name}`", row.type, default, row.meaning, f"`{row.example}`"
