"""The rows of the published report: each has an entry, and each entry of events is compared with the oracle."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Final

from tests.parts import ROOT
from tests.reports.made import COUNT
from watchroom.catalogue.load import load_catalogue
from watchroom.kinds import kind_of
from watchroom.kinds.measure import Measure, Summand
from watchroom.reports.sections import PUBLISHED_ROWS

ORACLE: Final = ROOT / "tests" / "oracle"
CATALOGUE: Final = load_catalogue(ROOT / "schemas" / "measures", ["stoke", "county"])
LEAST_LETTERS: Final = 8  # of a text with gaps: one of gaps alone would name everything


def rows_without_entry(measures: Collection[Measure]) -> set[int]:
    """Rows of the published report that no entry serves."""
    return set(PUBLISHED_ROWS) - {row for measure in measures for row in measure.rows}


def entries_without_oracle(measures: Collection[Measure], sources: Mapping[str, str]) -> set[str]:
    """Entries of events whose id the oracle never writes: no figure of theirs is compared with it.

    A sum has no figures of its own: those that it adds up must be there.
    """
    named = [pattern for source in sources.values() for pattern in _names(source)]

    def is_named(name: str) -> bool:
        return any(pattern.fullmatch(name) for pattern in named)

    behind = {each.id: [of.measure.id for of in each.sum_of] or [each.id] for each in measures}
    of_events = [each.id for each in measures if kind_of(each).fed_by == "events"]
    return {name for name in of_events if not all(map(is_named, behind[name]))}


def _names(source: str) -> Iterator[re.Pattern[str]]:
    """Every text of a source but docstrings; what is filled in matches anything."""
    tree = ast.parse(source)
    said = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in said:
            yield re.compile(re.escape(node.value))
        elif isinstance(node, ast.JoinedStr):
            parts = [str(each.value) if isinstance(each, ast.Constant) else None for each in node.values]
            if sum(len(part or "") for part in parts) >= LEAST_LETTERS:
                yield re.compile("".join(r"\w*" if part is None else re.escape(part) for part in parts))


def oracle() -> dict[str, str]:
    """The oracle's sources by name; `tests/fold/test_order.py` compares every cell of the fold with it."""
    return {path.name: path.read_text() for path in ORACLE.glob("*.py") if not path.name.startswith("test_")}


def test_every_row_of_the_published_report_has_an_entry() -> None:
    """From events where a control room's systems can give it, else as a figure or in words."""
    assert rows_without_entry(CATALOGUE.measures.values()) == set()


def test_every_entry_of_events_is_compared_with_the_oracle() -> None:
    """A measure that nobody recomputes may be wrong for ever."""
    assert entries_without_oracle(CATALOGUE.measures.values(), oracle()) == set()


def test_a_row_that_loses_its_entry_is_found() -> None:
    """The first check where it fails."""
    every = replace(COUNT, rows=tuple(PUBLISHED_ROWS))
    assert rows_without_entry([every]) == set()
    assert rows_without_entry([replace(every, rows=every.rows[1:])]) == {1}


def test_an_entry_that_the_oracle_does_not_know_is_found() -> None:
    """The second check where it fails: a word in a docstring is no model, and a text of gaps names nothing."""
    time = replace(COUNT, id="made_up_time_last_grade")
    assert entries_without_oracle([COUNT, time], {"a.py": 'add("m"); add(f"made_up_time{rule}")'}) == set()
    assert entries_without_oracle([COUNT, time], {"a.py": '"""Counts m."""\nadd(f"{x}")\nadd(f"other{x}_time")'}) == {
        "m", "made_up_time_last_grade",
    }  # fmt: skip


def test_a_sum_is_as_good_as_what_it_adds_up() -> None:
    """One that the oracle does not know leaves the sum unknown."""
    part = replace(COUNT, id="part_of_it")
    of = [replace(COUNT, id="all", sum_of=(Summand(COUNT, {}), Summand(part, {})))]
    assert entries_without_oracle(of, {"a.py": 'add("m"); add("part_of_it")'}) == set()
    assert entries_without_oracle(of, {"a.py": 'add("m")'}) == {"all"}
