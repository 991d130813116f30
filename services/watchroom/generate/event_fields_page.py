"""The reference of the events: every field of every type, from the JSON Schemas and the example events."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Any, Final, NamedTuple

from watchroom.admission.models import HEARTBEAT, MODELS, OF_STREAM, type_of
from watchroom.generate.event_schemas import data_schema, schema
from watchroom.generate.pages import page
from watchroom.reference_rows import table, type_text

ENVELOPE: Final = "The envelope"
Field = tuple[str, Mapping[str, Any], bool]  # name, schema, whether it is required
EXAMPLES: Final = Path("schemas") / "events" / "examples"
TYPES: Final = {
    **{stream: [type_of(model) for model in models] for stream, models in OF_STREAM.items()},
    "All streams": [HEARTBEAT],
}
_TYPE: Final = {"type": "string", "description": "The event's type; all types are listed below."}
IF_ABSENT: Final[Mapping[str, Mapping[str, str]]] = tomllib.loads(
    resources.files("watchroom.generate").joinpath("event_defaults.toml").read_text("utf-8")
)
"""What holds without an optional field, by stream; for all others: none."""


class FieldRow(NamedTuple):
    """One field of one type, as the page shows it."""

    type: str
    default: str  # "required", or what holds without the field
    meaning: str
    example: str  # JSON


def text(root: Path) -> str:
    """The page, from the example events below the repository's root."""
    examples = _examples(root)
    envelope = _table(_rows(ENVELOPE, HEARTBEAT, examples))
    streams = {stream: [_type(stream, name, examples) for name in names] for stream, names in TYPES.items()}
    return page("event_fields.md", envelope_heading=ENVELOPE, envelope=envelope, streams=streams)


def documented(root: Path) -> Mapping[str, FieldRow]:
    """`type: field` -> the field, for every field of every type."""
    examples, found = _examples(root), dict[str, FieldRow]()
    for stream, names in TYPES.items():
        for name in names:
            for where in (ENVELOPE, stream):
                heading = ENVELOPE if where == ENVELOPE else name
                found |= {f"{heading}: {field}": row for field, row in _rows(where, name, examples)}
    return found


def _examples(root: Path) -> Mapping[str, Mapping[str, Any]]:
    return {name: json.loads((root / EXAMPLES / f"{name}.json").read_text("utf-8")) for name in MODELS}


def _type(stream: str, name: str, examples: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    found = list(_rows(stream, name, examples))
    return {"name": name, "description": schema(name)["description"], "fields": _table(found) if found else []}


def _rows(where: str, name: str, examples: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, FieldRow]]:
    """The fields of the envelope, or those of `data` in a type of a stream."""
    given = [examples[name], *(examples[other] for other in (MODELS if where == ENVELOPE else TYPES[where]))]
    if where != ENVELOPE:
        given = [example.get("data") or {} for example in given]
    for field, said, is_required in _fields(schema(name)) if where == ENVELOPE else _data(name):
        default = "required" if is_required else IF_ABSENT.get(where, {}).get(field, "none")
        example = next((json.dumps(each[field], ensure_ascii=False) for each in given if field in each), "")
        yield field, FieldRow(_type_text(said), default, str(said.get("description", "")), example)


def _table(found: Iterable[tuple[str, FieldRow]]) -> list[str]:
    lines = [
        (f"`{name}`", row.type, row.default, row.meaning, f"`{row.example}`" if row.example else "")
        for name, row in found
    ]
    return table(("field", "type", "default", "meaning", "example"), lines)


def _type_text(field: Mapping[str, Any]) -> str:
    is_time = field.get("format") == "date-time" or any(
        way.get("format") == "date-time" for way in field.get("anyOf", ())
    )
    return "time" if is_time else type_text(field)


def _fields(found: Mapping[str, Any]) -> Iterator[Field]:
    required = found.get("required", ())
    for name, field in found["properties"].items():
        if name != "data":
            yield name, _TYPE if name == "type" else field, name in required


def _data(name: str) -> Iterator[Field]:
    if found := data_schema(name):
        yield from _fields(found)
