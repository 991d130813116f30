"""Numbers in the report: rounded once, half away from zero; changes are clearly in points or in per cent."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchroom.kinds.kind import Unit
from watchroom.reports.figure import Change, Exact, as_number, as_text, change, rounded


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (Fraction(1, 2), 0, "1"),
        (Fraction(-1, 2), 0, "-1"),
        (Fraction(5, 2), 0, "3"),
        (Fraction(49, 100), 0, "0"),
        (Fraction(-49, 100), 0, "0"),
        (Fraction(2449, 1000), 1, "2.4"),  # rounded twice it would be 2.5
        (Fraction(245, 100), 1, "2.5"),
        (Fraction(12_345_678, 1), 0, "12,345,678"),
        (Fraction(-2005, 1000), 2, "-2.01"),
        (Fraction(1, 3), 1, "0.3"),
    ],
)
def test_numbers_are_rounded_half_away_from_zero_and_only_once(value: Fraction, decimals: int, text: str) -> None:
    """Python's own rounding goes to the even neighbour, which no reader of a report expects."""
    assert as_text(value, decimals) == text


@given(st.integers(-(10**12), 10**12), st.integers(0, 4))
def test_rounding_agrees_with_decimal(thousandths: int, decimals: int) -> None:
    """Python's library is a second implementation to compare with."""
    plain = Decimal(thousandths).scaleb(-3).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    assert rounded(Fraction(thousandths, 1000), decimals) == Fraction(plain)


def test_only_changes_other_than_0_have_a_sign() -> None:
    """+0 would mean an increase."""
    assert [as_text(Fraction(each), 0, signed=True) for each in (3, 0, -3)] == ["+3", "0", "-3"]


def test_whole_numbers_stay_whole_in_json() -> None:
    """A count of 3 is not 3.0; a third has six decimal places."""
    assert (as_number(Fraction(3)), as_number(Fraction(1, 3)), as_number(None)) == (3, 0.333333, None)
    assert isinstance(as_number(Fraction(3)), int)


def number(value: int) -> Exact:
    """A count."""
    return Exact(Unit.NUMBER, value)


def share(part: int, whole: int) -> Exact:
    """A share."""
    return Exact(Unit.SHARE, part, whole)


def test_a_count_changes_by_a_number_and_a_percentage() -> None:
    """The published 999 volume: from 180,429 to 193,059 is +12,630, or +7.0 %."""
    found = change(number(193_059), number(180_429))
    assert found.absolute == 12_630
    assert found.percent is not None
    assert as_text(found.percent, 1, signed=True) == "+7.0"
    assert found.points is None


def test_a_share_changes_by_points_and_its_difference_is_never_given_in_per_cent() -> None:
    """From 11.4 % to 16.2 % is 4.8 points; relative to what it was, 42.1 per cent."""
    found = change(share(162, 1000), share(114, 1000))
    assert found.points == Fraction(48, 10)
    assert found.percent is not None
    assert as_text(found.percent, 1) == "42.1"
    assert found.absolute is None


def test_a_figure_in_per_cent_also_changes_by_points() -> None:
    """67.5 % is stored as 675 tenths; 3 of 4, from its counts, is 75 per cent."""
    rate = Exact(Unit.NUMBER, 675, None, 10, is_percent=True)
    of_counts = Exact(Unit.NUMBER, 3, 4, 1, is_percent=True)
    assert (rate.value, of_counts.value) == (Fraction(675, 10), Fraction(75))
    assert change(of_counts, rate) == Change(None, Fraction(100, 9), Fraction(75, 10))
    assert (rate.base, of_counts.base) == (None, Fraction(4))


def test_a_mean_changes_by_seconds() -> None:
    """For 999: from 11.3 s to 24.1 s."""
    now, then = (Exact(Unit.SECONDS, ms, 10, 1000) for ms in (241_000, 113_000))
    found = change(now, then)
    assert (found.absolute, found.points) == (Fraction(128, 10), None)


@pytest.mark.parametrize(
    ("now", "then"), [(None, number(1)), (number(1), None), (share(0, 0), share(1, 2)), (share(1, 2), share(0, 0))]
)
def test_a_missing_value_has_no_change(now: Exact | None, then: Exact | None) -> None:
    """A share of nothing does not exist, so it cannot have changed."""
    assert change(now, then) == Change()


def test_a_change_from_0_has_a_difference_but_no_percentage() -> None:
    """Infinity is not a percentage."""
    assert change(number(5), number(0)) == Change(Fraction(5), None, None)
