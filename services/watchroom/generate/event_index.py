"""The index page of `schemas/events/`: which events there are, and what every producer must know."""

from __future__ import annotations

from collections.abc import Iterable

from watchroom.admission.models import HEARTBEAT, LOOSE_FIELDS, OF_STREAM, type_of
from watchroom.events import headers, reasons
from watchroom.generate.event_schemas import data_schema, schema
from watchroom.generate.pages import page
from watchroom.reference_rows import table


def text() -> str:
    """The page."""
    types = {stream: _table([*map(type_of, models), HEARTBEAT]) for stream, models in OF_STREAM.items()}
    ignored = sorted(set().union(*LOOSE_FIELDS.values()))
    return page(
        "event_index.md",
        types=types,
        ignored=", ".join(f"`{field}`" for field in ignored),
        reasons=reasons.MEANINGS,
        headers=headers,
    )


def _table(names: Iterable[str]) -> list[str]:
    head = ("type", "meaning", "required in `data`", "optional in `data`")
    return table(head, [(f"[`{name}`]({name}.json)", schema(name)["description"], *_fields(name)) for name in names])


def _fields(name: str) -> tuple[str, str]:
    """The fields of `data`: the required ones (or alternatives, one of which is required), and the others."""
    model = data_schema(name)
    if model is None:
        return "", ""
    required = model.get("required", [])
    ways = schema(name)["properties"]["data"].get("anyOf", ())
    one_of = [way["required"][0] for way in ways if "required" in way]
    must = ", ".join(f"`{word}`" for word in required) + " or ".join(f"`{word}`" for word in one_of)
    return must, ", ".join(f"`{word}`" for word in model["properties"] if word not in {*required, *one_of})
