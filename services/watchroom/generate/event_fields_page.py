"""The reference of the events: every field of every type, from the JSON Schemas."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from watchroom.admission.models import HEARTBEAT, MODELS, OF_STREAM, type_of
from watchroom.generate.event_schemas import data_schema, schema
from watchroom.generate.pages import page
from watchroom.reference_rows import table, type_in_words

ENVELOPE: Final = "The envelope"
Field = tuple[str, Mapping[str, Any], bool]  # name, schema, whether it is required
_TYPE: Final = {"type": "string", "description": "The event's type; all types are listed below."}


def text() -> str:
    """The page."""
    types = {stream: [type_of(model) for model in models] for stream, models in OF_STREAM.items()}
    streams = {stream: list(map(_type, names)) for stream, names in {**types, "All streams": [HEARTBEAT]}.items()}
    return page(
        "event_fields.md", envelope_heading=ENVELOPE, envelope=_table(_fields(schema(HEARTBEAT))), streams=streams
    )


def documented() -> Mapping[str, str]:
    """`type: field` -> what the field means, for every field of every type."""
    found: dict[str, str] = {}
    for name in MODELS:
        for where, fields in ((ENVELOPE, _fields(schema(name))), (name, _data(name))):
            found |= {f"{where}: {field}": str(said.get("description", "")) for field, said, _ in fields}
    return found


def _type(name: str) -> dict[str, Any]:
    found = list(_data(name))
    return {"name": name, "description": schema(name)["description"], "fields": _table(found) if found else []}


def _table(found: Iterable[Field]) -> list[str]:
    lines = [
        (f"`{name}`", _words(field), "required" if required else "", str(field.get("description", "")))
        for name, field, required in found
    ]
    return table(("field", "type", "", "meaning"), lines)


def _words(field: Mapping[str, Any]) -> str:
    is_time = field.get("format") == "date-time" or any(
        way.get("format") == "date-time" for way in field.get("anyOf", ())
    )
    return "time" if is_time else type_in_words(field)


def _fields(found: Mapping[str, Any]) -> Iterator[Field]:
    required = found.get("required", ())
    for name, field in found["properties"].items():
        if name != "data":
            yield name, _TYPE if name == "type" else field, name in required


def _data(name: str) -> Iterator[Field]:
    if found := data_schema(name):
        yield from _fields(found)
