"""Local days and months: when they begin and end, around clock changes and in other zones."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchroom.rolling.calendar import Calendar

HOUR_MS = 3_600_000
LONDON = Calendar("Europe/London")
# offsets of whole, half and quarter hours; clocks that change at midnight, or by half an hour
ZONES = (
    "Europe/London", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Adelaide", "Australia/Lord_Howe", "America/St_Johns",
    "Pacific/Chatham", "America/Havana", "Asia/Beirut", "America/Sao_Paulo", "Pacific/Kiritimati", "UTC",
)  # fmt: skip
CALENDARS = {zone: Calendar(zone) for zone in ZONES}
MOMENTS = st.integers(int(datetime(1990, 1, 1, tzinfo=UTC).timestamp()) * 1000, 2_200_000_000_000)


def ms(text: str) -> int:
    """Milliseconds of an RFC 3339 time."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)


@pytest.mark.parametrize(
    ("day", "start", "hours"),
    [
        ("2021-03-27", "2021-03-27T00:00:00Z", 24),
        ("2021-03-28", "2021-03-28T00:00:00Z", 23),
        ("2021-03-29", "2021-03-28T23:00:00Z", 24),
        ("2021-10-30", "2021-10-29T23:00:00Z", 24),
        ("2021-10-31", "2021-10-30T23:00:00Z", 25),
        ("2021-11-01", "2021-11-01T00:00:00Z", 24),
    ],
)
def test_a_london_day_has_23_or_25_hours_when_clocks_change(day: str, start: str, hours: int) -> None:
    """On the last Sundays of March and October a day is not 24 hours, and no hour is in two days."""
    assert LONDON.day_start_ms(day) == ms(start)
    assert LONDON.day_end_ms(day) - LONDON.day_start_ms(day) == hours * HOUR_MS


@pytest.mark.parametrize(
    ("at", "day"),
    [
        ("2021-03-27T23:59:59.999Z", "2021-03-27"),
        ("2021-03-28T00:00:00Z", "2021-03-28"),
        ("2021-03-28T22:59:59.999Z", "2021-03-28"),
        ("2021-03-28T23:00:00Z", "2021-03-29"),
        ("2021-10-30T22:59:59.999Z", "2021-10-30"),
        ("2021-10-30T23:00:00Z", "2021-10-31"),
        ("2021-10-31T23:59:59.999Z", "2021-10-31"),
        ("2021-11-01T00:00:00Z", "2021-11-01"),
    ],
)
def test_the_millisecond_at_local_midnight_decides_the_day(at: str, day: str) -> None:
    """In summer the London day ends at 23:00 UTC."""
    assert LONDON.day_of(ms(at)) == day


@pytest.mark.parametrize(
    ("at", "day"), [("2021-10-31T00:30:00Z", "2021-10-31"), ("2021-10-31T01:30:00Z", "2021-10-31")]
)
def test_half_past_one_happens_twice_on_the_same_day(at: str, day: str) -> None:
    """Both times 01:30 on 31 October belong to it: one in summer time, one in winter time."""
    assert LONDON.day_of(ms(at)) == day


@pytest.mark.parametrize(
    ("month", "start", "hours"),
    [
        ("2021-03", "2021-03-01T00:00:00Z", 743),
        ("2021-04", "2021-03-31T23:00:00Z", 720),
        ("2021-10", "2021-09-30T23:00:00Z", 745),
        ("2021-11", "2021-11-01T00:00:00Z", 720),
        ("2020-02", "2020-02-01T00:00:00Z", 696),
        ("2021-12", "2021-12-01T00:00:00Z", 744),
    ],
)
def test_a_month_is_a_london_month(month: str, start: str, hours: int) -> None:
    """April 2021 begins an hour before UTC's; March has 743 hours and October 745."""
    assert LONDON.month_start_ms(month) == ms(start)
    assert LONDON.month_end_ms(month) - LONDON.month_start_ms(month) == hours * HOUR_MS
    assert LONDON.month_of(ms(start) - 1) == LONDON.months_before(month, 1)
    assert LONDON.month_of(ms(start)) == month
    assert LONDON.month_of(LONDON.month_end_ms(month) - 1) == month


@pytest.mark.parametrize("zone", ZONES)
@given(at_ms=MOMENTS)
def test_every_moment_is_in_the_day_and_month_of_its_zone(zone: str, at_ms: int) -> None:
    """Even in half-hour zones and where clocks change at midnight: start <= moment < end, in the zone's days."""
    calendar = CALENDARS[zone]
    day, month = calendar.day_of(at_ms), calendar.month_of(at_ms)
    local = datetime.fromtimestamp(at_ms // 1000, UTC).astimezone(ZoneInfo(zone))
    assert (day, month) == (local.date().isoformat(), local.strftime("%Y-%m"))
    assert calendar.month_start_ms(month) <= at_ms < calendar.month_end_ms(month)
    assert calendar.day_start_ms(day) <= at_ms < calendar.day_end_ms(day)


@given(MOMENTS)
def test_days_follow_each_other_without_gaps(at_ms: int) -> None:
    """The end of a day is the start of the next, so that every call is in exactly one day."""
    for calendar in CALENDARS.values():
        end_ms = calendar.day_end_ms(calendar.day_of(at_ms))
        assert calendar.day_start_ms(calendar.day_of(end_ms)) == end_ms


def test_days_and_months_are_counted_on_the_calendar() -> None:
    """Across year ends and leap days, in both directions."""
    assert LONDON.days_after("2020-02-28", 1) == "2020-02-29"
    assert LONDON.days_before("2021-01-01", 1) == "2020-12-31"
    assert LONDON.days_before("2021-03-28", 364) == "2020-03-29"
    assert LONDON.months_after("2021-12", 1) == "2022-01"
    assert LONDON.months_before("2021-01", 1) == "2020-12"
    assert LONDON.months_before("2021-11", 12) == "2020-11"
    assert LONDON.months_after("2021-11", 0) == "2021-11"


def test_a_calendar_is_still_correct_and_small_after_many_queries() -> None:
    """It forgets remembered days rather than grow without limit."""
    calendar = Calendar("Europe/London")
    for quarter in range(200_050):
        calendar.day_of(quarter * 900_000)
    assert calendar.day_of(ms("2021-10-31T23:59:59Z")) == "2021-10-31"
    assert len(calendar._days) < 1_000
