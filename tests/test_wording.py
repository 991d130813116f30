"""Lengths of time and counted nouns, as people read them."""

from __future__ import annotations

import pytest

from watchroom.wording import counted, duration, exact_duration, one_line, printable


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-3, "0 s"),
        (8.96, "8 s"),
        (99.9, "99 s"),
        (545, "9 min 05 s"),
        (102_600, "28 h 30 min"),
        (172_800, "2 d 0 h"),
    ],
)
def test_a_measured_length_is_cut_to_two_units(seconds: float, text: str) -> None:
    """An age that is rounded up would say that a target has passed before it has."""
    assert duration(seconds) == text


def test_short_lengths_have_a_decimal_on_request() -> None:
    """A wait of 9.96 s is within a target of 10 s and must not read as 10.0 s."""
    assert duration(9.96, tenths=True) == "9.9 s"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(90, "90 s"), (630, "10 min 30 s"), (172_800, "48 h"), (180_000, "2 d 2 h"), (100.5, "100.5 s")],
)
def test_a_limit_is_exact_and_as_short_as_it_can_be(seconds: float, text: str) -> None:
    """A truncated limit would be a different limit."""
    assert exact_duration(seconds) == text


def test_one_line_escapes_the_line_breaks_that_printable_keeps() -> None:
    """Messages may have several lines; an id from a feed may not."""
    assert printable("a\nb\x1b") == "a\nb\\x1b"
    assert one_line("a\nb\x1b") == "a\\nb\\x1b"


def test_nouns_are_counted_in_the_right_number() -> None:
    """One month, not 1 months."""
    assert (counted(1, "month"), counted(1200, "row")) == ("1 month", "1,200 rows")
