"""The same local hour of past weeks, across the clock changes of 28 March and 31 October 2021, and in other zones."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.rolling.test_calendar import CALENDARS, HOUR_MS, LONDON, MOMENTS, ZONES, ms
from watchroom.rolling.buckets import KEEP_HOUR_MS
from watchroom.rolling.calendar import Calendar
from watchroom.rolling.windows import same_local_hours

WEEK_MS = 7 * 24 * HOUR_MS


def hours(at: str, calendar: Calendar = LONDON) -> dict[int, str]:
    """The UTC hour by the number of weeks ago, as of a moment."""
    found = same_local_hours(ms(at), 6, calendar)
    return {ago: datetime.fromtimestamp(at_ms / 1000, ZoneInfo("UTC")).isoformat()[:13] for ago, at_ms in found.items()}


def test_after_clocks_go_forward_nine_o_clock_is_compared_with_nine_o_clock() -> None:
    """Monday 29 March 2021, 10:30 BST: 09:00 was 08Z today and 09Z a week ago; `offset 1w` would use 08Z."""
    found = hours("2021-03-29T09:30:00Z")
    assert (found[0], found[1], found[6]) == ("2021-03-29T08", "2021-03-22T09", "2021-02-15T09")


def test_after_clocks_go_back_nine_o_clock_is_compared_with_nine_o_clock() -> None:
    """Monday 1 November 2021, 10:30 GMT: 09:00 was 09Z today and 08Z a week ago."""
    found = hours("2021-11-01T10:30:00Z")
    assert (found[0], found[1], found[6]) == ("2021-11-01T09", "2021-10-25T08", "2021-09-20T08")


def test_an_hour_that_the_clocks_skipped_has_no_figure() -> None:
    """Sunday 4 April 2021, 01:00 BST: a week ago the clocks went from 01:00 to 02:00."""
    found = hours("2021-04-04T01:10:00Z")
    assert (found[0], found[2]) == ("2021-04-04T00", "2021-03-21T01")
    assert 1 not in found


def test_the_hour_after_the_skipped_one_is_two_o_clock() -> None:
    """28 March 2021, 03:05 BST: the last complete hour was 02:00, one UTC hour after midnight's."""
    found = hours("2021-03-28T02:05:00Z")
    assert (found[0], found[1]) == ("2021-03-28T01", "2021-03-21T02")


def test_of_an_hour_that_happened_twice_the_first_is_used() -> None:
    """Sunday 7 November 2021, 01:00 GMT: a week ago 01:00 was 00Z and 01Z; an hour is compared with one hour."""
    assert hours("2021-11-07T02:00:00Z")[1] == "2021-10-31T00"


def test_both_of_two_equal_hours_are_compared_with_the_single_one_of_each_week() -> None:
    """31 October 2021: at 01:10 GMT the last hour was the first 01:00, and an hour later the second."""
    first, second = hours("2021-10-31T01:10:00Z"), hours("2021-10-31T02:10:00Z")
    assert (first[0], second[0]) == ("2021-10-31T00", "2021-10-31T01")
    assert first[1] == second[1] == "2021-10-24T00"


def test_an_hour_is_complete_as_soon_as_its_last_millisecond_has_passed() -> None:
    """The current hour would look like a fall in demand."""
    assert hours("2021-11-27T09:59:59.999Z")[0] == "2021-11-27T08"
    assert hours("2021-11-27T10:00:00Z")[0] == "2021-11-27T09"


@pytest.mark.parametrize("zone", ["Asia/Kolkata", "Asia/Kathmandu", "Australia/Adelaide", "America/St_Johns"])
def test_a_zone_whose_hours_do_not_match_utc_hours_has_no_figures(zone: str) -> None:
    """Its local hours span two buckets; half of each would be a guess."""
    assert hours("2021-11-27T10:00:00Z", CALENDARS[zone]) == {}


def test_a_zone_with_whole_hours_in_summer_only_has_figures_for_summer() -> None:
    """Lord Howe went from +10:30 to +11 on 3 October 2021: three weeks later, the weeks before are left out."""
    assert list(hours("2021-10-20T10:00:00Z", CALENDARS["Australia/Lord_Howe"])) == [0, 1, 2]


@pytest.mark.parametrize("zone", ZONES)
@given(at_ms=MOMENTS)
@example(at_ms=ms("1994-12-31T04:00:00Z"))
def test_every_figure_is_for_the_same_local_hour_of_its_week(zone: str, at_ms: int) -> None:
    """Even where clocks change at midnight: it has ended, its bucket still exists, and it is whole weeks ago."""
    calendar = CALENDARS[zone]
    found = same_local_hours(at_ms, 6, calendar)
    for ago, start_ms in found.items():
        assert start_ms % HOUR_MS == 0
        assert start_ms + HOUR_MS <= at_ms < start_ms + HOUR_MS + KEEP_HOUR_MS
        assert abs(found[0] - start_ms - ago * WEEK_MS) <= 24 * HOUR_MS  # islands have changed sides of the date line
        wall = calendar.local(found[0]).replace(tzinfo=None) - timedelta(weeks=ago)
        assert calendar.local(start_ms).replace(tzinfo=None) == wall
        assert calendar.local(start_ms + HOUR_MS - 1).hour == wall.hour


@given(st.integers(ms("2021-01-01T00:00:00Z") // HOUR_MS, ms("2022-01-01T00:00:00Z") // HOUR_MS))
def test_in_london_only_the_skipped_hour_is_ever_missing(hour: int) -> None:
    """Seven figures per hour, except for 01:00 on the six Sundays after 28 March."""
    found = same_local_hours(hour * HOUR_MS, 6, LONDON)
    wall = LONDON.local(found[0])
    skipped = {
        ago for ago in range(7) if (wall - timedelta(weeks=ago)).isoformat()[:13] in ("2021-03-28T01", "2020-03-29T01")
    }
    assert set(found) == set(range(7)) - skipped
