"""The settings page: every WATCHROOM_* variable with its default and meaning."""

from __future__ import annotations

import json
from pathlib import Path

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

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
    for name, field in Settings.model_fields.items():
        default = field.get_default(call_default_factory=True, validated_data={})
        shown = "" if name in NO_DEFAULT_SHOWN or default is PydanticUndefined else f"`{_plain(default)}`"
        lines.append(f"| `WATCHROOM_{name.upper()}` | {shown} | {field.description or ''} |")
    return "\n".join(lines) + "\n"


def _plain(value: object) -> str:
    """A value as it is written into the variable: lists and tables are JSON."""
    if isinstance(value, BaseModel):
        return value.model_dump_json()
    return json.dumps(value) if isinstance(value, tuple | dict) else str(value)
