"""Each row of the published report has an entry, and each entry for events is compared with the oracle."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Final

from tests.parts import ROOT
from tests.reports.made import COUNT
from watchroom.catalogue.load import load_catalogue
from watchroom.kinds import kind_of
from watchroom.kinds.measure import Measure
from watchroom.reports.sections import PUBLISHED_ROWS

ORACLE: Final = ROOT / "tests" / "oracle"
CATALOGUE: Final = load_catalogue(ROOT / "schemas" / "measures", ["stoke", "county"])


def rows_without_entry(measures: Collection[Measure]) -> set[int]:
    """Rows of the published report without an entry."""
    return set(PUBLISHED_ROWS) - {row for measure in measures for row in measure.rows}


def entries_without_oracle(measures: Collection[Measure], sources: Mapping[str, str]) -> set[str]:
    """Entries for events whose id the oracle never writes: none of their figures is compared with it.

    A sum is computed from other entries when it is read, so the oracle has no figures for it.
    """
    named = {
        node.value
        for source in sources.values()
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    counted = (each for each in measures if kind_of(each).fed_by == "events" and not each.sum_of)
    return {each.id for each in counted if each.id not in named}


def oracle() -> dict[str, str]:
    """The oracle's sources by name; `tests/fold/test_order.py` compares every increment of the fold with it."""
    return {path.name: path.read_text() for path in ORACLE.glob("*.py") if not path.name.startswith("test_")}


def test_every_row_of_the_published_report_has_an_entry() -> None:
    """What the force publishes once a quarter should be available here every day."""
    assert rows_without_entry(CATALOGUE.measures.values()) == set()


def test_every_entry_for_events_is_compared_with_the_oracle() -> None:
    """Nobody checks a definition that only our own code knows."""
    assert entries_without_oracle(CATALOGUE.measures.values(), oracle()) == set()


def test_a_row_that_loses_its_entry_is_found() -> None:
    """The first check in a case where it must fail."""
    every = replace(COUNT, rows=tuple(PUBLISHED_ROWS))
    assert rows_without_entry([every]) == set()
    assert rows_without_entry([replace(every, rows=every.rows[1:])]) == {1}


def test_an_entry_that_the_oracle_does_not_know_is_found() -> None:
    """The second check in a case where it must fail; an id in a docstring does not count."""
    assert entries_without_oracle([COUNT], {"a.py": 'added.count(1, "m")'}) == set()
    assert entries_without_oracle([COUNT], {"a.py": '"""Counts m."""'}) == {"m"}
