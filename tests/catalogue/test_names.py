"""Derived names: they can be taken apart again, and a label value has one form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchroom.events import texts
from watchroom.kinds import duration, names

IDS = st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True)
VALUES = st.from_regex(r"[a-z0-9_]{1,20}|watchroom\.calls", fullmatch=True)
BY = st.dictionaries(IDS, VALUES, max_size=3)
WHATS = st.sampled_from(["count", "part", "whole", "observations", "sum_ms", "within", "bin:7950", "bin:0"])


@given(IDS, BY)
def test_a_series_can_be_taken_apart(measure: str, by: dict[str, str]) -> None:
    """The exporter finds measure and labels again in the keys of open sets."""
    assert names.parse_series(names.series(measure, by)) == (measure, by)


@given(IDS, BY, WHATS)
def test_a_field_can_be_taken_apart(measure: str, by: dict[str, str], what: str) -> None:
    """The restatement log names measure, labels and field of the cell that changed."""
    assert names.parse_field(names.field(names.series(measure, by), what)) == (measure, by, what)


def test_names_are_those_that_others_rely_on() -> None:
    """Redis fields and metrics are read by people and boards; a changed spelling breaks them."""
    series = names.series("call_answer_time", {"line": "999"})
    assert names.field(series, f"{duration.BIN}7950") == "call_answer_time|line=999|bin:7950"
    assert names.field(names.series("call_volume", {}), names.COUNT) == "call_volume||count"
    assert names.metric("call_volume") == "watchroom_call_volume"
    assert names.metric("call_answer_time", "mean_seconds") == "watchroom_call_answer_time_mean_seconds"


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("Public order", "public_order"),
        ("  Violence against the person ", "violence_against_the_person"),
        ("anti-social-behaviour", "anti_social_behaviour"),
        ("Stoke-on-Trent (North)", "stoke_on_trent_north"),
        ("999", "999"),
        ("1A", "1a"),
        ("", ""),
        (" \t", ""),
        ("Criminal damage & arson", "criminal_damage_arson"),
    ],
)
def test_a_value_is_looked_up_in_lower_case_with_underscores(text: str, stored: str) -> None:
    """One spelling of a value in Redis, metrics and boards, however a source writes it."""
    assert texts.slug(text) == stored


@pytest.mark.parametrize("text", ["-1", "<1", "1+", "1.", "É1", "٩1", "1/", "(1)", "+1", "#1"])
def test_what_is_not_a_listed_value_does_not_become_one(text: str) -> None:
    """A grade "-1" of a system that means "none" must not raise an emergency."""
    assert texts.slug(text) != "1"


@given(st.text())
def test_a_slug_is_its_own_slug(text: str) -> None:
    """What was looked up once is found again."""
    once = texts.slug(text)
    assert texts.slug(once) == once
