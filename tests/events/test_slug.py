"""The single form in which a text is looked up among listed values."""

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
    """However a source writes a value, Redis, metrics and boards have one spelling of it."""
    assert slug(text) == stored


@pytest.mark.parametrize("text", ["-1", "<1", "1+", "1.", "É1", "٩1", "1/", "(1)", "+1", "#1"])
def test_an_unlisted_value_does_not_become_a_listed_one(text: str) -> None:
    """The grade "-1" of a system in which it means "none" must not become an emergency."""
    assert slug(text) != "1"


@given(st.text())
def test_a_slug_is_its_own_slug(text: str) -> None:
    """A value that was looked up once can be looked up again."""
    assert slug(slug(text)) == slug(text)
