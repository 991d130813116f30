"""JSON Schemas (draft 2020-12) of the events, derived from the pydantic models."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any, Final

from pydantic import TypeAdapter
from typing_extensions import get_original_bases, is_typeddict

from watchroom.admission.models import MODELS, plain

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def text(name: str) -> str:
    """The schema file of one event type."""
    return json.dumps(schema(name), indent=2, ensure_ascii=False) + "\n"


@cache
def schema(name: str) -> dict[str, Any]:
    """The JSON Schema of one event type; callers must not change it.

    It says all that a schema can. In addition, `parse` knows the calendar (no 30 February), limits the
    years to 1990 to 2199 and the event to 256 KiB, and refuses an incident linked to itself.
    """
    model: Any = MODELS[name]
    body = _found(TypeAdapter[Any](model).json_schema(), plain(model))
    return {
        "$schema": DIALECT,
        "$id": f"urn:watchroom:event:{name}",
        "$comment": "Derived from services/watchroom/streams by `make generate`; do not edit.",
        "title": name,
        **{key: value for key, value in body.items() if key not in {"title", "$defs"}},
        **({"$defs": body["$defs"]} if "$defs" in body else {}),
    }


def data_schema(name: str) -> Mapping[str, Any] | None:
    """The part of an event type's schema that describes `data`; None if the type has no `data`."""
    found = schema(name)
    if "data" not in found["properties"]:
        return None
    data = found["properties"]["data"]
    reference = next(way["$ref"] for way in (data, *data.get("anyOf", ())) if "$ref" in way)
    part: Mapping[str, Any] = found["$defs"][reference.rpartition("/")[2]]
    return part


@cache
def _inherited(model: type) -> Mapping[str, str]:
    """What the fields that a model shares mean: pydantic keeps a field's docstring in the class that declares it."""
    found: dict[str, str] = {}
    for base in filter(is_typeddict, get_original_bases(model)):
        properties = TypeAdapter[Any](base).json_schema()["properties"]
        own = {field: found["description"] for field, found in properties.items() if "description" in found}
        found |= {**_inherited(base), **own}
    return found


def _found(node: dict[str, Any], model: type) -> dict[str, Any]:
    """Without pydantic's made-up titles, with the meanings of shared fields."""
    out: dict[str, Any] = {}
    for key, value in node.items():
        if key == "properties":
            out[key] = {field: _property(found, _inherited(model).get(field)) for field, found in value.items()}
        elif key == "$defs":
            module = import_module(model.__module__)
            out[key] = {name: _found(found, getattr(module, name)) for name, found in value.items()}
        elif key == "description":
            out[key] = " ".join(value.split())
        elif key != "title":
            out[key] = value
    return out


def _property(found: dict[str, Any], inherited: str | None) -> dict[str, Any]:
    rest = {key: value for key, value in found.items() if key not in {"title", "description"}}
    meaning = found.get("description") or inherited
    return {"description": " ".join(meaning.split()), **rest} if meaning else rest
