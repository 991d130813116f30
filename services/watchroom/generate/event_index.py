"""The index page of `schemas/events/`: which events there are, and what every producer must know."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from watchroom.admission.models import HEARTBEAT, LOOSE_FIELDS, OF_STREAM, type_of
from watchroom.events import headers, reasons
from watchroom.generate.event_schemas import schema
from watchroom.generate.pages import page


def text(root: Path) -> str:  # noqa: ARG001  # every output is given the root
    """The page."""
    types: list[str] = []
    for stream, models in OF_STREAM.items():
        names = [*(type_of(model) for model in models), HEARTBEAT]
        types += [f"\n## Topic `watchroom.{stream}`\n\n", *_table(names)]
    ignored = sorted(set().union(*LOOSE_FIELDS.values()))
    return page(
        "event_index",
        types="".join(types).rstrip("\n"),
        fields=", ".join(f"`{field}`" for field in ignored),
        reasons="\n".join(f"| `{reason}` | {meaning} |" for reason, meaning in reasons.MEANINGS.items()),
        detail=headers.DETAIL,
        reason=headers.REASON,
        headers_length=headers.HEADERS_LENGTH,
        arrived=headers.ARRIVED,
        latest=headers.LATEST,
    )


def _table(names: Iterable[str]) -> Iterable[str]:
    yield "| type | meaning | required in `data` | optional in `data` |\n|---|---|---|---|\n"
    for name in names:
        found = schema(name)
        must, may = _words(found)
        yield f"| [`{name}`]({name}.json) | {found['description']} | {must} | {may} |\n"


def _words(found: dict[str, Any]) -> tuple[str, str]:
    """The fields of `data`: those required (or one of which is), and the others."""
    data = found["properties"].get("data")
    if data is None:
        return "", ""
    ways = [data, *data.get("anyOf", ())]
    name = next(way["$ref"].rsplit("/", 1)[1] for way in ways if "$ref" in way)
    model = found["$defs"][name]
    required = model.get("required", [])
    one_of = [way["required"][0] for way in ways if "required" in way]
    must = ", ".join(f"`{word}`" for word in required) + " or ".join(f"`{word}`" for word in one_of)
    return must, ", ".join(f"`{word}`" for word in model["properties"] if word not in {*required, *one_of})
