"""Numbers, lengths and labels as people read them from three metres."""

from __future__ import annotations

import pytest

from tests.parts import ROOT
from watchroom.catalogue.formatting import State, exact_text, plain, state_text, target_with_labels, worst
from watchroom.catalogue.load import load_catalogue
from watchroom.kinds import KINDS
from watchroom.kinds.kind import Unit
from watchroom.kinds.measure import Target

CATALOGUE = load_catalogue(ROOT / "schemas" / "measures", ("stoke", "county"))


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (0, Unit.NUMBER, "0"),
        (12_630, Unit.NUMBER, "12,630"),
        (0.9, Unit.SHARE, "90 %"),
        (0.8999, Unit.SHARE, "89 %"),
        (0.29, Unit.SHARE, "29 %"),
        (0.0599, Unit.SHARE, "5.9 %"),
        (0.05, Unit.SHARE, "5 %"),
        (0.0, Unit.SHARE, "0 %"),
        (0.0003, Unit.SHARE, "<0.1 %"),
        (0.001, Unit.SHARE, "0.1 %"),
        (1.0, Unit.SHARE, "100 %"),
        (29_999 / 30_000, Unit.SHARE, "99 %"),
        (9.99, Unit.SECONDS, "9 s"),
        (99.9, Unit.SECONDS, "99 s"),
        (100, Unit.SECONDS, "1 min 40 s"),
        (3_599.9, Unit.SECONDS, "59 min 59 s"),
        (3_900, Unit.SECONDS, "1 h 05 min"),
        (90_000, Unit.SECONDS, "25 h 00 min"),
        (200_000, Unit.SECONDS, "2 d 7 h"),
    ],
)
def test_a_number_is_truncated_and_never_rounded_across_its_limit(value: float, unit: Unit, said: str) -> None:
    """89.99 % misses a target of 90 %: a wall that rounds it shows LOW next to 90 %, which is not low."""
    assert plain(value, unit) == said


def test_a_mean_is_shown_in_tenths_of_a_second() -> None:
    """The published mean for 999 is 24.1 s; 24 s would hide a month's change."""
    assert plain(24.19, Unit.SECONDS, tenths=True) == "24.1 s"


def test_limits_are_as_short_as_possible_and_exact() -> None:
    """They are read next to a number, which needs the space."""
    assert [exact_text(at, Unit.SECONDS) for at in (10, 600, 630, 86_400, 2_592_000)] == [
        "10 s",
        "10 min",
        "10 min 30 s",
        "24 h",
        "30 d",
    ]
    attendance = CATALOGUE.measures["incident_attendance_time"]
    assert target_with_labels(attendance, Target({"grade": "1"}, 900_000, inclusive=True)) == "within 15 min (Grade 1)"
    assert target_with_labels(attendance, Target({}, 10_000, inclusive=False)) == "below 10 s"


def test_every_state_has_its_own_word() -> None:
    """Colour alone does not reach a colour-blind reader and is lost on paper."""
    states: list[State] = ["normal", "warning", "critical", "none", "nodata"]
    quantities = KINDS["open"].quantities
    assert len({state_text(state, quantities["oldest"]) for state in states}) == len(states)
    assert state_text("warning", quantities["oldest"], low_is_bad=True) == "LOW"
    assert state_text("warning", quantities["due_5m"]) == state_text("critical", quantities["due_5m"]) == "DUE"
    assert state_text("warning", quantities["overdue"]) == "LATE"


def test_a_tile_is_shown_in_its_worst_state() -> None:
    """One critical grade among three normal ones colours the tile; an unknown state comes before all others."""
    assert worst(["none", "normal", "warning", "critical"]) == "critical"
    assert worst(["critical", "nodata"]) == "nodata"
    assert worst([]) == "none"
