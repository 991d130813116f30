"""No class, module or parameter is built from a word that the glossary retires."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.parts import ROOT

# Metaphors, and words with several meanings here. docs/glossary.md has the terms that replace them.
RETIRED: Final = frozenset({
    "lane", "lanes", "place", "places", "placed", "placing", "judge", "judges", "judged", "judging", "cells", "word",
    "words", "room", "rooms", "road", "roads", "stands", "heard", "told", "life", "adds", "adding", "touching",
    "watching", "filled", "against", "ask", "asks", "asking", "maker",
})  # fmt: skip
# As names of parameters these mean what they say: words of a text, cells of a table.
PLAIN_AS_PARAMETERS: Final = frozenset({"word", "words", "cells"})
WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def retired(name: str) -> bool:
    """Whether a name in CamelCase or snake_case has a retired word."""
    return not RETIRED.isdisjoint(word.lower() for word in WORD.findall(name))


def names_in(source: str, *, with_parameters: bool) -> Iterator[str]:
    """Retired names of classes, and of parameters if asked for, in a source."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef) and retired(node.name):
            yield node.name
        elif (
            with_parameters and isinstance(node, ast.arg) and node.arg not in PLAIN_AS_PARAMETERS and retired(node.arg)
        ):
            yield node.arg


def found() -> set[str]:
    """All retired names: `path` for a module or folder, `path:name` for what it defines."""
    names = set()
    for root in ("services", "tests"):
        for path in (ROOT / root).rglob("*.py"):
            module = path.relative_to(ROOT)
            if retired(module.parent.name if module.stem == "__init__" else module.stem):
                names.add(module.as_posix())
            source = path.read_text(encoding="utf-8")
            for name in names_in(source, with_parameters=root == "services"):
                names.add(f"{module.as_posix()}:{name}")
    return names


def test_no_name_is_built_from_a_retired_word() -> None:
    """Each word has one meaning; docs/glossary.md says what to use instead."""
    assert found() == set()


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("class Lane: ...", ["Lane"]),
        ("class _TokenMaker: ...", ["_TokenMaker"]),
        ("class LaneHTTPServer: ...", ["LaneHTTPServer"]),
        ("def f(*, told_ms: int) -> None: ...", ["told_ms"]),
        ("f = lambda place: place", ["place"]),
        ("class Task: ...\nclass Lifetime: ...\nclass Replaced: ...", []),
        ("def f(words: list[str]) -> None: ...", []),
    ],
)
def test_a_planted_name_is_found(source: str, names: list[str]) -> None:
    """The check above in cases where it must fail, and in some that only look like them."""
    assert list(names_in(source, with_parameters=True)) == names


@pytest.mark.parametrize(("name", "expected"), [("ask_redis", True), ("test_asking", True), ("tasks", False)])
def test_a_planted_module_is_found(name: str, *, expected: bool) -> None:
    """A module's name is split at its underscores."""
    assert retired(Path(f"{name}.py").stem) is expected
