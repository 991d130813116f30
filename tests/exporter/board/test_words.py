"""Numbers, lengths and labels as they are read from three metres."""

from __future__ import annotations

import pytest

from watchroom.catalogue.model import Target
from watchroom.catalogue.shown import Unit
from watchroom.exporter.board.words import State, label_words, limit_words, plain, state_word, target_words, worst


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (0, "count", "0"),
        (12_630, "count", "12,630"),
        (0.9, "share", "90 %"),
        (0.8999, "share", "89 %"),
        (0.29, "share", "29 %"),
        (0.0599, "share", "5.9 %"),
        (0.05, "share", "5 %"),
        (0.0, "share", "0 %"),
        (0.0003, "share", "<0.1 %"),
        (0.001, "share", "0.1 %"),
        (1.0, "share", "100 %"),
        (29_999 / 30_000, "share", "99 %"),
        (9.99, "s", "9 s"),
        (99.9, "s", "99 s"),
        (100, "s", "1 min 40 s"),
        (3_599.9, "s", "59 min 59 s"),
        (3_900, "s", "1 h 05 min"),
        (90_000, "s", "25 h 00 min"),
        (200_000, "s", "2 d 7 h"),
    ],
)
def test_a_number_is_cut_and_never_rounded_across_its_limit(value: float, unit: Unit, said: str) -> None:
    """89.99 % misses a target of 90 %: a wall that rounds it to 90 % shows LOW beside a number that is not."""
    assert plain(value, unit) == said


def test_a_mean_keeps_its_tenth_of_a_second() -> None:
    """The published mean of 999 is 24.1 s; 24 s would hide a month's change."""
    assert plain(24.19, "s", tenths=True) == "24.1 s"


def test_limits_are_as_short_as_they_are_exact() -> None:
    """They are read beside a number that has the space."""
    assert [limit_words(at, "s") for at in (10, 600, 630, 86_400, 2_592_000)] == [
        "10 s",
        "10 min",
        "10 min 30 s",
        "24 h",
        "30 d",
    ]
    assert target_words(Target({"grade": "1"}, 900_000, inclusive=True)) == "within 15 min (Grade 1)"
    assert target_words(Target({}, 10_000, inclusive=False)) == "below 10 s"


def test_label_values_are_words() -> None:
    """A grade alone is a bare digit; a line is known by its number."""
    said = [label_words("grade", "1"), label_words("line", "999"), label_words("group", "theft_offences")]
    assert said == ["Grade 1", "999", "Theft offences"]


def test_every_state_has_its_own_word() -> None:
    """Colours alone are lost on a colour-blind reader and on paper."""
    states: list[State] = ["normal", "warning", "critical", "none", "nodata"]
    assert len({state_word(state) for state in states}) == len(states)
    assert state_word("warning", low_is_bad=True) == "LOW"
    assert state_word("warning", what="due_5m") == "DUE"


def test_a_tile_is_drawn_in_its_worst_state() -> None:
    """One critical grade among three quiet ones colours the tile; what is not known comes before all."""
    assert worst(["none", "normal", "warning", "critical"]) == "critical"
    assert worst(["critical", "nodata"]) == "nodata"
    assert worst([]) == "none"
