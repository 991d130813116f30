"""No name is built from a word that the glossary retires."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.parts import ROOT

# Metaphors, and words with several meanings here, in all their forms. docs/glossary.md has the terms that replace them.
RETIRED: Final = frozenset({
    "lane", "lanes", "place", "places", "placed", "placing", "placement", "judge", "judges", "judged", "judging",
    "judgement", "cells", "word", "words", "room", "rooms", "road", "roads", "stand", "stands", "standing", "stood",
    "hear", "hears", "heard", "hearing", "tell", "tells", "told", "telling", "life", "adds", "adding", "touch",
    "touches", "touched", "touching", "watching", "filled", "against", "ask", "asks", "asked", "asking", "maker",
    "makers",
})  # fmt: skip
# As names of parameters these mean what they say: words of a text, cells of a table.
PLAIN_AS_PARAMETERS: Final = frozenset({"word", "words", "cells"})
EXCEPTIONS: Final = {
    "touch_s": "the setting WATCHROOM_TOUCH_S, whose name operators use",
    "MOST_CELLS": "cells of a workbook",
    "_BETWEEN_WORDS": "words of a text",
    "_WORDS": "words of a text",
}
WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


def retired(name: str) -> bool:
    """Whether a name in CamelCase or snake_case has a retired word."""
    return not RETIRED.isdisjoint(word.lower() for word in WORD.findall(name))


def constants(body: list[ast.stmt]) -> Iterator[str]:
    """Names that a module, or a class without a type beside them, sets in its body."""
    for statement in body:
        if isinstance(statement, ast.Assign):
            for node in (each for target in statement.targets for each in ast.walk(target)):
                if isinstance(node, ast.Name):
                    yield node.id
        elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            yield statement.target.id


def defined(node: ast.AST) -> Iterator[str]:
    """Names that a node of our product's code defines: functions, parameters, attributes of `self` and constants."""
    match node:
        case (
            ast.FunctionDef(name=name)
            | ast.AsyncFunctionDef(name=name)
            | ast.Attribute(value=ast.Name(id="self"), attr=name, ctx=ast.Store())
        ):
            yield name
        case ast.arg(arg=name) if name not in PLAIN_AS_PARAMETERS:
            yield name
        case ast.Module(body=body):
            yield from constants(body)
        case ast.ClassDef(body=body):  # a field with a type may be a key of a file or of a stored record
            yield from constants([each for each in body if isinstance(each, ast.Assign)])


def names_in(source: str, *, only_classes: bool = False) -> Iterator[str]:
    """Retired names in a source: of classes, and of what `defined` gives."""
    for node in ast.walk(ast.parse(source)):
        names = [node.name] if isinstance(node, ast.ClassDef) else []
        names += [] if only_classes else defined(node)
        yield from (name for name in names if retired(name) and name not in EXCEPTIONS)


def found() -> set[str]:
    """All retired names: `path` for a module or folder, `path:name` for what it defines."""
    names = set()
    for root in ("services", "tests"):
        for path in (ROOT / root).rglob("*.py"):
            module = path.relative_to(ROOT)
            if retired(module.parent.name if module.stem == "__init__" else module.stem):
                names.add(module.as_posix())
            source = path.read_text(encoding="utf-8")
            for name in names_in(source, only_classes=root != "services"):
                names.add(f"{module.as_posix()}:{name}")
    return names


def test_no_name_is_built_from_a_retired_word() -> None:
    """One meaning a word; rename what is found by docs/glossary.md."""
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
        ("def judge() -> None: ...", ["judge"]),
        ("async def touch_forever() -> None: ...", ["touch_forever"]),
        ("class A:\n    def where_words(self) -> None: ...", ["where_words"]),
        ("def f() -> None:\n    def place() -> None: ...", ["place"]),
        ("class A:\n    def f(self) -> None:\n        self._seq, self._life = 1, 2", ["_life"]),
        ("class A:\n    def f(self) -> None:\n        self._is_asking: bool = True", ["_is_asking"]),
        ("FILLED: Final = {}", ["FILLED"]),
        ("HEARD_MS = TOLD_MS = 1", ["HEARD_MS", "TOLD_MS"]),
        ("class Form(StrEnum):\n    WORDS = 'text'", ["WORDS"]),
        ("class A(BaseModel):\n    place: int\ndef f() -> None:\n    life = lifetime = 1", []),
        ("def f(touch_s: float) -> None: ...\n_WORDS = 1", []),
    ],
)
def test_a_planted_name_is_found(source: str, names: list[str]) -> None:
    """The check above in cases in which it fails, and in some that only look like them."""
    assert list(names_in(source)) == names


def test_no_exception_is_left_over() -> None:
    """An exception for a name that is gone would let it come back."""
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "services").rglob("*.py"))
    assert [name for name in EXCEPTIONS if not re.search(rf"\b{name}\b", code)] == []


@pytest.mark.parametrize(("name", "expected"), [("ask_redis", True), ("test_asking", True), ("tasks", False)])
def test_a_planted_module_is_found(name: str, *, expected: bool) -> None:
    """A module's name is split at its underscores."""
    assert retired(Path(f"{name}.py").stem) is expected
