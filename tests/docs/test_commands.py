"""What pages tell people to type exists: watchroom commands with their options, and make targets."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import typer

from tests.docs.test_pages import committed
from tests.parts import ROOT
from watchroom import cli
from watchroom.cli import reference

PAGES = [path for path in committed("*.md") if path.name != "CHANGELOG.md" and "changelog.d" not in path.parts]
COMMANDS = dict(reference.commands(typer.main.get_command(cli.app)))
GROUPS = {name.rpartition(" ")[0] for name in COMMANDS}
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
TYPED = re.compile(r"^(?:\$ )?(?:[\w./]*/)?watchroom ([a-z][^|;&<>]*)")


def typed(page: str) -> Iterator[str]:
    """Lines of code on a page: between backticks and in code blocks."""
    parts = re.split(r"^```.*$", page, flags=re.MULTILINE)
    for number, part in enumerate(parts):
        yield from part.splitlines() if number % 2 else re.findall(r"`([^`\n]+)`", part)


def unknown(page: str) -> list[str]:
    """Commands, options and targets that a page names although they do not exist."""
    found: list[str] = []
    for line in typed(page):
        found += [f"make {name}" for name in re.findall(r"^(?:\$ )?make ([a-z][a-z-]*)", line) if name not in TARGETS]
        for rest in TYPED.findall(line.partition("  #")[0]):
            found += _unknown(rest.split())
    return found


def _unknown(words: list[str]) -> Iterator[str]:
    names = [f"watchroom {' '.join(words[:length])}" for length in (2, 1)]
    name = next((name for name in names if name in COMMANDS), None)
    if name is None:
        if names[1] not in GROUPS:
            yield names[1]
        return
    options = {option for each in COMMANDS[name].params for option in each.opts} | {"--help"}
    for word in words:
        option = re.match(r"--[a-z-]+", word)
        if option and option[0] not in options:
            yield f"{name} {option[0]}"


@pytest.mark.parametrize("page", PAGES, ids=[str(path.relative_to(ROOT)) for path in PAGES])
def test_everything_that_a_page_tells_people_to_type_exists(page: str) -> None:
    """Otherwise somebody in a hurry discovers that a command is gone."""
    assert unknown((ROOT / page).read_text("utf-8")) == []


def test_a_command_option_or_target_that_does_not_exist_is_found() -> None:
    """The check above in cases where it must fail, among things that exist."""
    page = (
        "`watchroom months --format csv`, `watchroom months --colour red`, `watchroom forecast`, `make tea`\n"
        "```\n$ .venv/bin/watchroom dead-letters list --loud   # a comment with --more\n```\n"
    )
    assert unknown(page) == [
        "watchroom months --colour", "watchroom forecast", "make tea", "watchroom dead-letters list --loud",
    ]  # fmt: skip
