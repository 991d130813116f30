"""The settings page: every WATCHROOM_* variable with its default and meaning."""

from __future__ import annotations

import json
from typing import Final

from watchroom.generate.pages import page
from watchroom.reference_rows import table, type_text
from watchroom.settings import PREFIX, Settings
from watchroom.settings.model import JSON

_SCHEMA: Final = Settings.model_json_schema()
_DEFAULTS: Final = Settings.model_construct().model_dump(mode="json")
NO_DEFAULT_SHOWN = ("schemas",)  # a path of the installation


def text() -> str:
    """The file."""
    lines = map(_line, Settings.model_fields)
    return page("settings.md", table=table(("variable", "type", "default", "meaning", "example"), lines))


def example(name: str) -> str:
    """A value as written in the variable: the setting's first example, or its default; empty if it has neither."""
    return str((Settings.model_fields[name].examples or [_default(name)])[0])


def _line(name: str) -> tuple[str, ...]:
    field = Settings.model_fields[name]
    default = "" if name in NO_DEFAULT_SHOWN else _default(name)
    meaning = " ".join((field.description or "").split())
    return _anchored(f"{PREFIX}{name.upper()}"), _type(name), _code(default), meaning, _code(example(name))


def _anchored(variable: str) -> str:
    """The variable with the anchor that errors about its value name."""
    return f'<a id="{variable.lower()}"></a>{_code(variable)}'


def _code(value: str) -> str:
    return f"`{value}`" if value else ""


def _type(name: str) -> str:
    """What may be written."""
    if name in JSON:
        _, comma, other = Settings.json_example(name).partition(", or ")
        return f"JSON{comma}{other}"
    words = type_text(_SCHEMA["properties"][name])
    return words.replace("list of texts", "comma-separated list").replace('"', "")


def _default(name: str) -> str:
    return _plain(_DEFAULTS[name]) if name in _DEFAULTS else ""  # the key for tokens is never shown


def _plain(value: object) -> str:
    """A value as written in the variable: lists and tables are JSON."""
    if isinstance(value, dict):
        return json.dumps({name: _number(each) for name, each in value.items()})
    return value if isinstance(value, str) else json.dumps(_number(value))


def _number(value: object) -> object:
    """A whole number of seconds or days without its decimal point."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
