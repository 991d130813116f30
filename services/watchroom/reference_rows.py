"""Reference pages: the keys of a pydantic model, each with its type, default, meaning and example. Pure.

A meaning is the docstring below the field, and ends with ``Example: `key = value`.``
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

EXAMPLE: Final = "Example: "
_TYPES: Final = {
    "boolean": "true or false",
    "integer": "whole number",
    "null": "nothing",
    "number": "number",
    "string": "text",
}
_LIMITS: Final = (
    ("minimum", "{:,g} or more"),
    ("exclusiveMinimum", "above {:,g}"),
    ("maximum", "at most {:,g}"),
    ("exclusiveMaximum", "below {:,g}"),
    ("gt", "above {:,g}"),  # as pydantic writes them for a union
    ("ge", "{:,g} or more"),
    ("lt", "below {:,g}"),
    ("le", "at most {:,g}"),
)


class Row(NamedTuple):
    """One key of a TOML table."""

    name: str
    type: str  # as text
    default: str  # as in TOML; empty if there is none
    is_required: bool
    meaning: str
    example: str  # TOML


def rows(
    model: type[BaseModel],
    meanings: Mapping[str, str] | None = None,
    links: Callable[[str], str] = lambda name: name,
) -> Iterator[Row]:
    """Every key of a model, in its order.

    Args:
        model: Its fields are the keys of the table.
        meanings: Meaning and example by key, instead of the docstrings of the fields.
        links: What to write for a table that is described elsewhere, from the name of its model.
    """
    schema = model.model_json_schema(by_alias=True)
    for name, field in model.model_fields.items():
        key = field.alias or name
        said = (field.description or "") if meanings is None else meanings.get(key, "")
        meaning, _, example = said.partition(EXAMPLE)
        default = field.get_default(call_default_factory=True)
        yield Row(
            name=key,
            type=type_text(schema["properties"][key], links),
            default="" if default is PydanticUndefined or default is None else as_toml(default),
            is_required=field.is_required(),
            meaning=" ".join(meaning.split()),
            example=example.strip().removesuffix(".").strip("`"),
        )


def as_toml(value: object) -> str:
    """A default as TOML; empty for a table, and for a part without keys of its own."""
    if isinstance(value, BaseModel) or value in ("", [], {}, ()):
        return ""
    return json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)


def type_text(found: Mapping[str, Any], links: Callable[[str], str] = lambda name: name) -> str:
    """The type of a key in words, from its JSON Schema."""
    match found:
        case {"$ref": str(reference)}:
            words = links(reference.rpartition("/")[2])
        case {"anyOf": list(ways)}:
            of_ways = [type_text(way, links) for way in ways if way.get("type") != "null"]
            words = ", ".join([" or ".join(dict.fromkeys(_without_whole_numbers(of_ways))), *_limits(found)])
        case {"const": value}:
            words = f"`{json.dumps(value)}`"
        case {"enum": list(values)}:
            words = "one of " + ", ".join(f"`{json.dumps(value)}`" for value in values)
        case {"type": "array"}:
            words = f"list of {_plural(type_text(found.get('items', {}), links))}"
        case {"type": "object"}:
            inner = found.get("additionalProperties") or next(iter(found.get("patternProperties", {}).values()), None)
            words = f"table of {_plural(type_text(inner, links))}" if isinstance(inner, dict) else "table"
        case {"format": "date"}:
            words = "day"
        case _:
            words = ", ".join([_TYPES.get(str(found.get("type")), "value"), *_limits(found)])
    return words


def _limits(found: Mapping[str, Any]) -> list[str]:
    return [form.format(found[key]) for key, form in _LIMITS if key in found]


def _without_whole_numbers(ways: list[str]) -> list[str]:
    """A whole number is a number."""
    return [way for way in ways if way.replace("whole number", "number") not in (set(ways) - {way})]


def _plural(words: str) -> str:
    for one, many in (("text", "texts"), ("whole number", "whole numbers"), ("number", "numbers"), ("value", "values")):
        if words == one or words.startswith(f"{one},"):
            return words.replace(one, many, 1)
    return f"({words})" if " or " in words or words.startswith("list of") else words


def table(head: tuple[str, ...], lines: Iterable[tuple[str, ...]]) -> list[str]:
    """A table of Markdown."""
    return [
        f"| {' | '.join(head)} |",
        "|" + "---|" * len(head),
        *(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines),
    ]
