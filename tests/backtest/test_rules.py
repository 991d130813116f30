"""Which rules depend on which."""

from __future__ import annotations

import pytest

from tests.fold.pipeline import catalogue
from watchroom.backtest.rules import Rule, RuleInputs
from watchroom.errors import WorkFailed


def alert(expression: str) -> Rule:
    """An alert with this expression."""
    return Rule("Some", expression, True, 60, 300, {"severity": "page"})


def record(name: str, expression: str) -> Rule:
    """A recording rule."""
    return Rule(name, expression, False, 0, 0, {})


def test_an_alert_is_traced_back_to_published_metrics() -> None:
    """Recording rules are evaluated in levels; those that no alert reads are left out."""
    inputs = RuleInputs(
        [
            record("a:high", "a:low * 2"),
            record("a:low", 'watchroom_calls_waiting{line="999"}'),
            record("a:unread", "watchroom_orphans"),
            alert("a:high > 2 and up == 1"),
        ],
        catalogue(),
    )
    assert [[rule.name for rule in level] for level in inputs.levels] == [["a:low"], ["a:high"]]
    assert {selector.metric for selector in inputs.series} == {"watchroom_calls_waiting", "up"}


def test_rules_that_read_each_other_are_refused() -> None:
    """There is no correct order of evaluation."""
    with pytest.raises(WorkFailed, match="a:one, a:two; break the cycle"):
        RuleInputs([record("a:one", "a:two"), record("a:two", "a:one"), alert("a:one > 1")], catalogue())
