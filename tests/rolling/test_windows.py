"""Windows: the buckets that they consist of at each moment, even when clocks change."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchroom.rolling.buckets import hour_name, ten_seconds_name, ten_seconds_of
from watchroom.rolling.calendar import Calendar
from watchroom.rolling.windows import WINDOWS, buckets_of, months_shown

LONDON = Calendar("Europe/London")
NOON_MS = 1_640_952_000_000  # 2021-12-31T12:00:00Z, where a 10 s bucket and an hour begin
TEN_S_WINDOWS = {"5m": 300, "15m": 900, "30m": 1800, "1h": 3600}


def ms(text: str) -> int:
    """Milliseconds of an RFC 3339 time."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)


@pytest.mark.parametrize("window", TEN_S_WINDOWS)
def test_a_short_window_holds_an_event_for_its_length_and_then_drops_it(window: str) -> None:
    """An event at noon counts in a 5 min window until 12:04:59.999, but not at 12:05:00."""
    event, length_ms = ten_seconds_name(NOON_MS), TEN_S_WINDOWS[window] * 1000
    assert event in buckets_of(window, NOON_MS, LONDON)
    assert event in buckets_of(window, NOON_MS + length_ms - 1, LONDON)
    assert event not in buckets_of(window, NOON_MS + length_ms, LONDON)
    assert event not in buckets_of(window, NOON_MS - 1, LONDON)


@pytest.mark.parametrize("window", TEN_S_WINDOWS)
@given(now_ms=st.integers(1_100_000_000_000, 2 * 10**12))
def test_a_short_window_consists_of_10_s_buckets_for_its_length(window: str, now_ms: int) -> None:
    """Oldest first, without gaps, the current one included."""
    names = buckets_of(window, now_ms, LONDON)
    starts = [int(name.removeprefix("10s:")) for name in names]
    assert starts == list(range(starts[0], starts[0] + TEN_S_WINDOWS[window], 10))
    assert starts[-1] * 1000 == ten_seconds_of(now_ms)


@pytest.mark.parametrize(("window", "hours"), [("6h", 6), ("24h", 24)])
def test_a_window_of_hours_includes_the_current_hour(window: str, hours: int) -> None:
    """At exactly 12:00 the current hour is 12:00 to 13:00, and one ms earlier it is 11:00 to 12:00."""
    assert buckets_of(window, NOON_MS, LONDON)[-1] == hour_name(NOON_MS)
    assert buckets_of(window, NOON_MS - 1, LONDON)[-1] == hour_name(NOON_MS - 1) == f"hour:{NOON_MS // 1000 - 3600}"
    assert len(set(buckets_of(window, NOON_MS, LONDON))) == hours


def test_a_24_hour_window_has_24_hours_even_when_clocks_change() -> None:
    """Hours are elapsed time: on 31 October the window goes back to 12:00 local time of the day before."""
    names = buckets_of("24h", ms("2021-10-31T10:30:00Z"), LONDON)
    assert names[0] == f"hour:{ms('2021-10-30T11:00:00Z') // 1000}"


@pytest.mark.parametrize(
    ("now", "today"),
    [
        ("2021-03-28T00:00:00Z", "day:2021-03-28"),
        ("2021-03-28T22:59:59.999Z", "day:2021-03-28"),
        ("2021-03-28T23:00:00Z", "day:2021-03-29"),
        ("2021-10-30T23:00:00Z", "day:2021-10-31"),
        ("2021-10-31T23:59:59.999Z", "day:2021-10-31"),
        ("2021-11-01T00:00:00Z", "day:2021-11-01"),
    ],
)
def test_today_is_the_local_day(now: str, today: str) -> None:
    """It turns over at London's midnight, 23:00 UTC in summer."""
    assert buckets_of("today", ms(now), LONDON) == [today]


@pytest.mark.parametrize(("window", "days"), [("7d", 7), ("28d", 28)])
@pytest.mark.parametrize("now", ["2021-03-28T23:00:00Z", "2021-10-31T23:30:00Z", "2022-01-01T00:00:00Z"])
def test_a_window_of_days_holds_local_days_including_today(window: str, days: int, now: str) -> None:
    """28 days have four of each weekday, whatever the clocks did in between."""
    today = datetime.fromisoformat(LONDON.day_of(ms(now))).date()
    expected = [f"day:{today - timedelta(days=back)}" for back in range(days - 1, -1, -1)]
    assert buckets_of(window, ms(now), LONDON) == expected


def test_month_is_the_current_one_and_12mo_are_complete_months() -> None:
    """The 12 months end before the current one, and both move on at London's midnight."""
    last_ms = ms("2021-03-31T22:59:59.999Z")
    assert buckets_of("month", last_ms, LONDON) == ["month:2021-03"]
    assert buckets_of("month", last_ms + 1, LONDON) == ["month:2021-04"]
    twelve = buckets_of("12mo", last_ms, LONDON)
    assert (twelve[0], twelve[-1], len(set(twelve))) == ("month:2020-03", "month:2021-02", 12)
    twelve = buckets_of("12mo", last_ms + 1, LONDON)
    assert (twelve[0], twelve[-1], len(set(twelve))) == ("month:2020-04", "month:2021-03", 12)


def test_the_months_shown_are_the_current_one_and_the_last_twelve() -> None:
    """Newest first: 13 lines on a board."""
    shown = months_shown(ms("2021-11-27T12:00:00Z"), LONDON)
    assert (shown[0], shown[1], shown[-1], len(set(shown))) == ("2021-11", "2021-10", "2020-11", 13)


@pytest.mark.parametrize("window", WINDOWS)
@given(now_ms=st.integers(1_100_000_000_000, 2 * 10**12))
def test_no_bucket_is_counted_twice_and_all_are_in_order(window: str, now_ms: int) -> None:
    """A window is a plain sum; a bucket used twice would count its calls twice."""
    names = buckets_of(window, now_ms, LONDON)
    assert len(names) == len(set(names))
    assert names == sorted(names)
