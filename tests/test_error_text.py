"""The text after "write" in every message about a setting, a catalogue or a mapping."""

from __future__ import annotations

from typing import get_args

import pytest
from pydantic_core.core_schema import ErrorType

from watchroom.error_text import _TEXTS, what_to_write

LIMITS = dict.fromkeys(("gt", "ge", "lt", "le", "min_length", "max_length"), 3) | {"expected": "a", "pattern": "^x$"}


@pytest.mark.parametrize("kind", _TEXTS)
def test_the_text_is_something_to_write(kind: str) -> None:
    """`write Input should be greater than or equal to 1` is not an instruction. No limit may be left out."""
    said = what_to_write({"type": kind, "ctx": LIMITS, "msg": "Input should be something"})
    assert "should" not in said
    assert "%" not in said


def test_every_text_is_for_an_existing_error() -> None:
    """With a misspelt type, pydantic's own message would be shown."""
    assert set(_TEXTS) <= set(get_args(ErrorType))


def test_texts_of_the_caller_override_ours() -> None:
    """A table in a mapping looks different from one in a catalogue, and only the caller knows its patterns."""
    own = {"model_type": "a table { column }", "^x$": "the letter x"}
    assert what_to_write({"type": "model_type"}, own) == "a table { column }"
    assert what_to_write({"type": "string_pattern_mismatch", "ctx": {"pattern": "^x$"}}, own) == "the letter x"
    other = {"type": "string_pattern_mismatch", "ctx": {"pattern": "^y$"}}
    assert what_to_write(other, own) == "a string that matches ^y$"
    assert (
        what_to_write({"type": "string_pattern_mismatch", "ctx": {"pattern": "^y$"}}, own)
        == "a string that matches ^y$"
    )


def test_an_error_without_a_text_has_pydantics_message() -> None:
    """Or the caller's default; our own checks have their own text."""
    assert what_to_write({"type": "date_type", "msg": "Input should be a date"}) == "Input should be a date"
    assert what_to_write({"type": "date_type", "msg": "x"}, otherwise="see the page") == "see the page"
    assert what_to_write({"type": "value_error", "msg": "Value error, two limits"}) == "two limits"
