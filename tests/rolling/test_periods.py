"""Periods of published figures: each has one spelling, and ends in the same month in every zone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchroom.rolling.calendar import Calendar
from watchroom.rolling.periods import SPANS, known_period, period_of

NAMED = {
    "2021-12-31": ("day", "2021-12-31", "2021-12-31"),
    "2021-11": ("month", "2021-11-01", "2021-11-30"),
    "2024-02": ("month", "2024-02-01", "2024-02-29"),
    "2021-Q4": ("quarter", "2021-10-01", "2021-12-31"),
    "2021": ("year", "2021-01-01", "2021-12-31"),
    "2020-12/2021-11": ("12mo", "2020-12-01", "2021-11-30"),
    "2021-01/2021-12": ("12mo", "2021-01-01", "2021-12-31"),
    "2021-04/2021-06": ("range", "2021-04-01", "2021-06-30"),
    "2019-10/2021-11": ("range", "2019-10-01", "2021-11-30"),
    "1970": ("year", "1970-01-01", "1970-12-31"),
    "2199-12": ("month", "2199-12-01", "2199-12-31"),
}
NONE = (
    "", "2021-13", "2021-00", "2021-Q5", "2021-Q0", "2021-02-29", "21", "Nov-21", "2021/2022", "2021-11/2021-11",
    "2021-11/2021-10", "2020-12/2021-11/2022-01", "2021-11 ", "1969", "2200-01", "0000-01/0000-12", "9999-12",
    "2021-11-01/2021-11-30", "2021-Q1/2021-Q4", "٢٠٢١",
)  # fmt: skip


@pytest.mark.parametrize("text", NAMED)
def test_a_period_has_its_span_and_its_first_and_last_day(text: str) -> None:
    """A range of twelve months is the span that reports ask for."""
    found = period_of(text)
    assert found is not None
    assert tuple(found) == NAMED[text]
    assert found.span in SPANS


@pytest.mark.parametrize("text", NONE)
def test_a_text_that_is_not_a_period_is_refused_and_the_message_says_what_to_write(text: str) -> None:
    """One figure under two spellings would become two figures."""
    assert period_of(text) is None
    with pytest.raises(ValueError, match=r"which is not a period; write a day \(2021-12-31\), a month \(2021-11\)"):
        known_period(text)


@given(st.text(alphabet="0123456789-/Q", max_size=16))
def test_any_text_is_a_period_or_refused(text: str) -> None:
    """Texts come from producers and spreadsheets, and none may cause another error."""
    found = period_of(text)
    assert found is None or (found.first <= found.last and found.month == found.last[:7])


@pytest.mark.parametrize(
    "zone", ["Europe/London", "Pacific/Auckland", "Pacific/Kiritimati", "Pacific/Pago_Pago", "UTC"]
)
def test_a_figure_is_held_in_the_month_in_which_its_period_ends_in_every_zone(zone: str) -> None:
    """Noon UTC of the last day would already be the next month in Auckland."""
    for text in NAMED:
        assert Calendar(zone).month_of(known_period(text).held_at_ms) == known_period(text).month
