"""What stands behind "write" in every message about a setting, a catalogue or a mapping."""

from __future__ import annotations

from typing import get_args

import pytest
from pydantic_core.core_schema import ErrorType

from watchroom.error_text import _TEXTS, what_to_write

LIMITS = dict.fromkeys(("gt", "ge", "lt", "le", "min_length", "max_length"), 3) | {"expected": "a", "pattern": "^x$"}


@pytest.mark.parametrize("kind", _TEXTS)
def test_the_words_are_something_to_write(kind: str) -> None:
    """`write Input should be greater than or equal to 1` is no instruction; and no limit may be left out."""
    said = what_to_write({"type": kind, "ctx": LIMITS, "msg": "Input should be something"})
    assert "should" not in said
    assert "%" not in said


def test_every_word_is_for_an_error_that_there_is() -> None:
    """A misspelt type would leave pydantic's own sentence standing."""
    assert set(_TEXTS) <= set(get_args(ErrorType))


def test_words_of_the_caller_stand_over_ours() -> None:
    """A table in a mapping looks otherwise than one in a catalogue; a pattern is only known where it is written."""
    own = {"model_type": "a table { column }", "^x$": "the letter x"}
    assert what_to_write({"type": "model_type"}, own) == "a table { column }"
    assert what_to_write({"type": "string_pattern_mismatch", "ctx": {"pattern": "^x$"}}, own) == "the letter x"
    other = {"type": "string_pattern_mismatch", "ctx": {"pattern": "^y$"}}
    assert what_to_write(other, own) == "a text of the form ^y$"
    assert (
        what_to_write({"type": "string_pattern_mismatch", "ctx": {"pattern": "^y$"}}, own) == "a text of the form ^y$"
    )


def test_what_nobody_has_words_for_says_what_pydantic_does() -> None:
    """Or what the caller has for the rest; a check of our own says it itself."""
    assert what_to_write({"type": "date_type", "msg": "Input should be a date"}) == "Input should be a date"
    assert what_to_write({"type": "date_type", "msg": "x"}, otherwise="see the page") == "see the page"
    assert what_to_write({"type": "value_error", "msg": "Value error, two limits"}) == "two limits"
