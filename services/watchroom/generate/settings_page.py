"""The settings page: every WATCHROOM_* variable with its default and meaning."""

from __future__ import annotations

import json
from pathlib import Path

from watchroom.settings import Settings

NO_DEFAULT_SHOWN = ("schemas",)  # a path of the installation


def text(root: Path) -> str:  # noqa: ARG001 - every output is given the root
    """The file."""
    lines = [
        "<!-- Derived from services/watchroom/settings.py by `make generate`; do not edit. -->",
        "# Settings",
        "",
        "Environment variables, read once at start. One that cannot be used, or that begins with `WATCHROOM_` and is",
        "not listed here, stops the process with exit code 2 and a list of every fault. A secret may come from a file",
        "of the same name, in lower case, in the folder `WATCHROOM_SECRETS_DIR`.",
        "",
        "| variable | default | meaning |",
        "|---|---|---|",
    ]
    defaults = Settings.model_construct().model_dump(mode="json")
    for name, field in Settings.model_fields.items():
        shown = "" if name in NO_DEFAULT_SHOWN or field.exclude else f"`{_plain(defaults[name])}`"
        lines.append(f"| `WATCHROOM_{name.upper()}` | {shown} | {field.description or ''} |")
    return "\n".join(lines) + "\n"


def _plain(value: object) -> str:
    """A value as it is written into the variable: lists and tables are JSON."""
    if isinstance(value, dict):
        return json.dumps({name: _number(each) for name, each in value.items()})
    return value if isinstance(value, str) else json.dumps(_number(value))


def _number(value: object) -> object:
    """A whole number without the point that it has as a number of seconds or days."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
