"""The one form of a text that is looked up among listed values."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchroom.events.slug import slug


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
    assert slug(text) == stored


@pytest.mark.parametrize("text", ["-1", "<1", "1+", "1.", "É1", "٩1", "1/", "(1)", "+1", "#1"])
def test_what_is_not_a_listed_value_does_not_become_one(text: str) -> None:
    """A grade "-1" of a system that means "none" must not raise an emergency."""
    assert slug(text) != "1"


@given(st.text())
def test_a_slug_is_its_own_slug(text: str) -> None:
    """What was looked up once is found again."""
    assert slug(slug(text)) == slug(text)
