"""The reference of the events: every field of every type, from the JSON Schemas."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from watchroom.admission.models import HEARTBEAT, MODELS, OF_STREAM, type_of
from watchroom.generate.event_schemas import schema
from watchroom.reference_rows import table, type_in_words

_INTRODUCTION: Final = """\
<!-- Derived from services/watchroom/streams by `make generate`; do not edit. -->
# The fields of events

[Events](../../schemas/events/README.md) explains what every producer must know about keys, times and tokens. Text
values have at most 256 characters unless the JSON Schema of the type says otherwise.
"""
ENVELOPE: Final = "The envelope"


def text(root: Path) -> str:  # noqa: ARG001  # every output is given the root
    """The page."""
    heartbeat = schema(HEARTBEAT)
    envelope = _table(_fields(heartbeat))
    lines = [_INTRODUCTION, f"## {ENVELOPE}", "", "Every event has these fields.", "", *envelope]
    for stream, models in OF_STREAM.items():
        lines += ["", f"## {stream}"]
        for name in map(type_of, models):
            lines += ["", f"### {name}", "", *_type(name)]
    lines += ["", "## All streams", "", f"### {HEARTBEAT}", "", *_type(HEARTBEAT)]
    return "\n".join(lines) + "\n"


def documented() -> Mapping[str, str]:
    """`type: field` -> what the field means, for every field of every type."""
    found: dict[str, str] = {}
    for name in MODELS:
        for where, fields in ((ENVELOPE, _fields(schema(name))), (name, _data(name))):
            found |= {f"{where}: {field}": str(said.get("description", "")) for field, said, _ in fields}
    return found


Field = tuple[str, Mapping[str, Any], bool]  # name, schema, whether it is required
_TYPE: Final = {"type": "string", "description": "The type of the event; all types are listed below."}


def _type(name: str) -> Iterator[str]:
    files = f"../../schemas/events/{name}.json", f"../../schemas/events/examples/{name}.json"
    yield f"{schema(name)['description']} [JSON Schema]({files[0]}), [example]({files[1]})."
    if found := list(_data(name)):
        yield from ("", *_table(found))


def _table(found: Iterable[Field]) -> Iterator[str]:
    lines = [
        (f"`{name}`", _words(field), "required" if required else "", str(field.get("description", "")))
        for name, field, required in found
    ]
    yield from table(("field", "type", "", "meaning"), lines)


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
    found = schema(name)
    data = found["properties"].get("data")
    if data is None:
        return
    reference = next(way["$ref"] for way in (data, *data.get("anyOf", ())) if "$ref" in way)
    yield from _fields(found["$defs"][reference.rpartition("/")[2]])
