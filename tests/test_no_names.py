"""Only a kind's or a stream's own module has its name in a text: such texts are found in the syntax tree.

Comparisons, cases of a `match`, keys of dictionaries, defaults and `Literal`s all need the name as a text, so every
text is checked. Comparing a row of a registry instead of its name is not allowed either.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from typing import Final

import pytest

from tests.parts import ROOT
from watchroom.kinds import KINDS
from watchroom.settings import Settings
from watchroom.streams import STREAMS

WATCHROOM: Final = ROOT / "services" / "watchroom"
NAMES: Final = frozenset({*KINDS, *STREAMS})
# A simulator of a force is about the streams of one; the others are where the names belong.
THEIR_OWN: Final = ("kinds", "streams", "simulator")
SEPARATOR: Final = re.compile(r"\s*[,|]\s*")  # of several names in one text
STYLE: Final = "class_"  # the argument for a class of HTML, whose names are those of the style sheet
ROWS: Final = ("KIND", "STREAM")  # what a module of theirs calls its row
ALLOWED: Final[Mapping[tuple[str, str], str]] = {
    ("backtest/rules.py", "duration"): "a field of Prometheus' answer about a rule",
    ("catalogue/checks.py", "count"): "an ending that Prometheus keeps for histograms",
    ("importer/figures_csv.py", "note"): "a column of the file, and a field of return.figure",
    ("importer/mapping_checks.py", "count"): "a key of a mapping, as the file writes it",
    ("importer/mapping_model.py", "count"): "a key of a mapping, as the file writes it",
    ("cli/figures.py", "figure"): "a noun that is counted: figures",
    ("cli/program.py", "open"): "the command `watchroom open`, as it is typed",
    ("reports/report_text.py", "count"): "a unit of figures, as entries of the catalogue write it",
}


def names_in(source: str) -> Iterator[tuple[int, str]]:
    """Line and name wherever a source needs the name of a kind or a stream."""
    tree = ast.parse(source)
    said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}  # docstrings
    styles = [node.value for node in ast.walk(tree) if isinstance(node, ast.keyword) and node.arg == STYLE]
    said |= {id(each) for style in styles for each in ast.walk(style)}
    rows = set(_rows(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said:
            words = SEPARATOR.split(node.value)
            if NAMES.issuperset(words):
                yield from ((node.lineno, word) for word in words)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "dict":
            yield from ((node.lineno, each.arg) for each in node.keywords if each.arg in NAMES)
        elif isinstance(node, ast.Compare):
            sides = [each for side in (node.left, *node.comparators) for each in ast.walk(side)]
            yield from ((node.lineno, ast.unparse(each)) for each in sides if _is_row(each, rows))


def _rows(tree: ast.Module) -> Iterator[str]:
    """Names under which a module has imported rows of the registries."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from (each.asname or each.name for each in node.names if each.name in ROWS)


def _is_row(node: ast.expr | ast.AST, rows: set[str]) -> bool:
    if isinstance(node, ast.Attribute):
        return node.attr in ROWS
    return isinstance(node, ast.Name) and node.id in rows


def modules() -> dict[str, str]:
    """The sources that may not contain a name, by their path in the package."""
    paths = {path.relative_to(WATCHROOM).as_posix(): path for path in WATCHROOM.rglob("*.py")}
    own = tuple(f"{folder}/" for folder in THEIR_OWN)
    return {name: path.read_text(encoding="utf-8") for name, path in paths.items() if not name.startswith(own)}


def test_no_module_outside_kinds_and_streams_needs_one_of_their_names() -> None:
    """Code that compares names silently does something else when a new kind or stream is added."""
    sources = modules()
    assert len(sources) > 100
    found = [
        f"{module}:{line} {name}"
        for module, source in sources.items()
        for line, name in names_in(source)
        if (module, name) not in ALLOWED
    ]
    assert found == []


def test_each_exception_is_still_needed() -> None:
    """A leftover exception would let the next fault through."""
    sources = modules()
    found = {(module, name) for module, source in sources.items() for _, name in names_in(source)}
    assert ALLOWED.keys() <= found
    assert all(len(reason) > 10 for reason in ALLOWED.values())


PLANTED = {
    "compared": 'if stream == "calls":\n    pass\n',
    "compared the other way round": 'if "calls" != stream:\n    pass\n',
    "in a tuple": 'if kind in ("count", "share"):\n    pass\n',
    "in a list": 'if kind not in ["open"]:\n    pass\n',
    "in a set": 'if kind in {"open"}:\n    pass\n',
    "in a set that is frozen elsewhere": 'TIMED = frozenset({"duration", "open"})\n',
    "a case": 'match kind:\n    case "share":\n        pass\n',
    "one of several cases": 'match kind:\n    case "other" | "share":\n        pass\n',
    "a key of a mapping's case": 'match table:\n    case {"calls": found}:\n        pass\n',
    "a key": 'ORDER = {"count": 1}\n',
    "a key of a comprehension": '{"crimes": each for each in found}\n',
    "a keyword of dict": "dict(calls=1, other=2)\n",
    "an argument of another name": 'tag("p", 1, kind="count")\n',
    "a subscript": 'STREAMS["incidents"]\n',
    "asked for": 'STREAMS.get("calls")\n',
    "set where it is missing": 'found.setdefault("calls", [])\n',
    "a default": 'def f(stream: str = "calls") -> None: ...\n',
    "a default by keyword": 'def f(*, kind: str = "count") -> None: ...\n',
    "a default of a lambda": 'f = lambda kind="open": kind\n',
    "a field's default": 'class A:\n    stream: str = "crimes"\n',
    "a Literal": 'def f(kind: Literal["count", "other"]) -> None: ...\n',
    "several in one text": 'streams = "calls,incidents,crimes"\n',
    "several in one pattern": 'FED = re.compile("calls|crimes")\n',
    "a constant that is compared elsewhere": 'TALLY = "count"\n',
    "a row compared": "from watchroom.kinds.count import KIND as COUNT\nif kind is COUNT:\n    pass\n",
    "a row's name compared": "from watchroom.kinds.count import KIND\nif measure.kind == KIND.name:\n    pass\n",
    "a module's row compared": "if kind in (share.KIND, count.KIND):\n    pass\n",
}


@pytest.mark.parametrize("case", PLANTED)
def test_a_planted_name_is_found(case: str) -> None:
    """The check above in cases where it must fail."""
    assert list(names_in(PLANTED[case]))


@pytest.mark.parametrize(
    "source",
    [
        '"""Calls, counted."""\n',
        'X = 1\n"""calls"""\n',
        'say("calls are withheld")\n',
        'say(f"{many} open, {share} share")\n',
        'PATHS = {"/open/": page}\n',
        "kind.count, tile.open, found.count(1)\n",
        "STREAMS[measure.stream]\n",
        'tag("p", 1, class_="count")\n',
        'tag("p", 1, class_="open quiet" if quiet else "open")\n',
        "Measure(kind=COUNT.name, count=1)\n",
        'if reads is Reads.OPEN_SET and name == "accounts":\n    pass\n',
    ],
)
def test_texts_that_only_look_like_a_name_are_accepted(source: str) -> None:
    """Sentences, attributes and other words: a check with false alarms would be switched off."""
    assert list(names_in(source)) == []


def test_the_streams_of_a_force_without_a_setting_are_flags_of_the_registry() -> None:
    """A list outside the registry would leave out the next stream that every force feeds."""
    fed = tuple(name for name, stream in STREAMS.items() if stream.by_default)
    assert Settings.model_fields["streams"].default == fed
    assert fed
