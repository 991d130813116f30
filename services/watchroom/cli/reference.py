"""Reference pages of the command line, and of the mappings and other files that it reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from watchroom.catalogue.faults import FILES_PAGE
from watchroom.cli import files_reference
from watchroom.importer import mapping_reference
from watchroom.reference_rows import table

_INTRODUCTION: Final = """\
<!-- Derived from services/watchroom/cli by `make generate`; do not edit. -->
# Commands

`watchroom COMMAND --help` shows the same. Exit codes: 0 done, 1 the work failed, 2 a person must correct something
first: usage, settings, or figures that need a rebuild
([what to do](../no-data.md#a-process-ended-with-exit-code-2)).
Settings are environment variables ([Settings](../../deploy/settings.md)); an option overrides its setting.
The reasons for dead letters are explained in [Events](../../schemas/events/README.md#what-is-refused-and-why).
"""


def outputs(program: Any) -> Mapping[str, Callable[[Path], str]]:  # noqa: ANN401  # typer's command
    """Path below the repository's root -> what generates it. `program` is the whole command line."""
    return {
        "docs/reference/commands.md": partial(text, program),
        "docs/reference/mapping.md": mapping_reference.text,
        FILES_PAGE: files_reference.text,
    }


def text(program: Any, root: Path) -> str:  # noqa: ANN401, ARG001  # typer's command; every output gets the root
    """The page of the commands."""
    lines = [_INTRODUCTION]
    for name, command in commands(program):
        lines += [f"## {name}", "", " ".join(str(command.help).split()), ""]
        if command.params:
            found = [(_option(each), _default(each), " ".join((each.help or "").split())) for each in command.params]
            lines += [*table(("option", "default", "meaning"), found), ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def commands(command: Any, name: str = "watchroom") -> Iterator[tuple[str, Any]]:  # noqa: ANN401  # typer's command
    """The full name of every command that can be run, with the command."""
    inner = getattr(command, "commands", None)
    if inner is None or getattr(command, "invoke_without_command", False):
        yield name, command
    for word, each in (inner or {}).items():
        yield from commands(each, f"{name} {word}")


def _option(option: Any) -> str:  # noqa: ANN401  # typer's parameter
    if option.param_type_name == "argument":
        return f"`{option.name.upper()}`" + ("" if option.required else " (optional)")
    return ", ".join(f"`{name}`" for name in option.opts) + (" (required)" if option.required else "")


def _default(option: Any) -> str:  # noqa: ANN401  # typer's parameter
    """Its default, unless the help text has it."""
    has_default = option.param_type_name == "option" and not option.required and option.default not in (None, "", False)
    return f"`{option.default}`" if has_default else ""
