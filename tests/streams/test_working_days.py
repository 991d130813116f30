"""The clock of working days, compared with days counted by hand."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import bank_holidays
from tests.oracle import facts
from watchroom.streams.tables import BANK_HOLIDAYS
from watchroom.streams.working_days import working_ms

HOUR_MS = 3_600_000
LONDON = ZoneInfo("Europe/London")


def ms(local: str) -> int:
    """A London time in ms."""
    return round(datetime.fromisoformat(local).replace(tzinfo=LONDON).timestamp() * 1000)


def hours(begin: str, end: str) -> float:
    """Working hours between two London times."""
    first, last = working_ms(ms(begin)), working_ms(ms(end))
    assert first is not None
    assert last is not None
    return (last - first) / HOUR_MS


@pytest.mark.parametrize(
    ("begin", "end", "expected"),
    [
        ("2021-11-22T09:00", "2021-11-24T09:00", 48),  # Monday to Wednesday
        ("2021-11-26T21:00", "2021-11-29T03:00", 6),  # Friday night to Monday morning
        ("2021-11-27T10:00", "2021-11-28T22:00", 0),  # a weekend
        ("2021-11-27T10:00", "2021-11-29T00:00", 0),  # until the next working day begins
        ("2021-12-24T12:00", "2021-12-29T12:00", 24),  # Christmas on a Saturday: Monday and Tuesday are holidays
        ("2021-04-01T12:00", "2021-04-06T12:00", 24),  # Good Friday to Easter Monday
        ("2021-03-26T00:00", "2021-03-30T00:00", 48),  # clocks go forward on the Sunday between
        ("2021-10-29T00:00", "2021-11-02T00:00", 48),  # and back
        ("2022-09-16T00:00", "2022-09-20T00:00", 24),  # a proclaimed bank holiday
    ],
)
def test_only_hours_of_working_days_count(begin: str, end: str, expected: float) -> None:
    """Saturdays, Sundays and the bank holidays of England are excluded."""
    assert hours(begin, end) == expected


@pytest.mark.parametrize("local", ["2017-12-31T23:59", "2101-01-01T00:00"])
def test_years_without_known_holidays_have_no_clock(local: str) -> None:
    """Counting every weekday there would be wrong."""
    assert working_ms(ms(local)) is None


def test_the_years_of_the_table_have_a_clock() -> None:
    """From their first moment to their last."""
    assert working_ms(ms("2018-01-01T00:00")) is not None
    assert working_ms(ms("2100-12-31T23:59")) is not None
    assert working_ms(None) is None


@given(st.integers(ms("2018-01-01T00:00"), ms("2100-12-01T00:00")), st.integers(0, 20 * 24 * HOUR_MS))
def test_any_interval_has_the_same_hours_as_when_counted_day_by_day(begin_ms: int, length_ms: int) -> None:
    """The oracle goes through the days; the clock looks them up."""
    first, last = working_ms(begin_ms), working_ms(begin_ms + length_ms)
    assert first is not None
    assert last is not None
    assert last - first == facts.working_ms(begin_ms, begin_ms + length_ms, length_ms)


def test_the_committed_bank_holidays_match_those_of_the_holidays_package() -> None:
    """If one has been proclaimed since, run `python -m tests.bank_holidays` and `watchroom generate`."""
    assert bank_holidays.FILE.read_text() == bank_holidays.text()


def test_no_listed_bank_holiday_is_on_a_weekend_and_each_year_has_eight_or_more() -> None:
    """From 2018 to 2100; a holiday on a weekend needs no line."""
    assert [year[:4] for year in BANK_HOLIDAYS] == [str(year) for year in range(2018, 2101)]
    assert all(len(year.split()) >= 8 for year in BANK_HOLIDAYS)
