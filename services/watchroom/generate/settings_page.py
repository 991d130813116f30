"""The settings page: every WATCHROOM_* variable with its default and meaning."""

from __future__ import annotations

import json
from typing import Final

from watchroom.generate.pages import page
from watchroom.reference_rows import table, type_in_words
from watchroom.settings import Settings
from watchroom.settings.model import JSON

_SCHEMA: Final = Settings.model_json_schema()
NO_DEFAULT_SHOWN = ("schemas",)  # a path of the installation


def text() -> str:
    """The file."""
    defaults = Settings.model_construct().model_dump(mode="json")
    found = []
    for name, field in Settings.model_fields.items():
        default = "" if name in NO_DEFAULT_SHOWN or field.exclude else _plain(defaults[name])
        shown = f"`{default}`" if default else ""
        found.append((f"`WATCHROOM_{name.upper()}`", _type(name), shown, " ".join((field.description or "").split())))
    return page("settings.md", table=table(("variable", "type", "default", "meaning"), found))


def _type(name: str) -> str:
    """What may be written, with an example where that is JSON."""
    if name in JSON:
        example, comma, other = Settings.json_example(name).partition(", or ")
        return f"JSON, for example `{example}`{comma}{other}"
    words = type_in_words(_SCHEMA["properties"][name])
    return words.replace("list of texts", "comma-separated list").replace('"', "")


def _plain(value: object) -> str:
    """A value as written in the variable: lists and tables are JSON."""
    if isinstance(value, dict):
        return json.dumps({name: _number(each) for name, each in value.items()})
    return value if isinstance(value, str) else json.dumps(_number(value))


def _number(value: object) -> object:
    """A whole number of seconds or days without its decimal point."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
