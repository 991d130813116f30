"""Windows: a window of any length is a sum of buckets, the running one included.

| windows                   | made of                                   |
|---------------------------|-------------------------------------------|
| 5m 15m 30m 1h             | 10 s buckets                              |
| 6h 24h                    | UTC hours                                 |
| today 7d 28d              | local days, today included                |
| month                     | one local month                           |
| 12mo                      | the last 12 complete local months         |
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from watchroom.rolling import buckets
from watchroom.rolling.calendar import Calendar

MONTHS_SHOWN = 13  # the running month and the last 12


def _ten_seconds(window_ms: int) -> Callable[[int, Calendar], list[str]]:
    def names(now_ms: int, _: Calendar) -> list[str]:
        newest = buckets.ten_seconds_of(now_ms)
        step = buckets.TEN_SECONDS_MS
        return [buckets.ten_seconds_name(at) for at in range(newest - window_ms + step, newest + step, step)]

    return names


def _hours(count: int) -> Callable[[int, Calendar], list[str]]:
    def names(now_ms: int, _: Calendar) -> list[str]:
        return [buckets.hour_name(now_ms - back * buckets.HOUR_MS) for back in range(count - 1, -1, -1)]

    return names


def _days(count: int) -> Callable[[int, Calendar], list[str]]:
    def names(now_ms: int, calendar: Calendar) -> list[str]:
        today = calendar.day_of(now_ms)
        return [buckets.day_name(calendar.days_before(today, back)) for back in range(count - 1, -1, -1)]

    return names


def _running_month(now_ms: int, calendar: Calendar) -> list[str]:
    return [buckets.month_name(calendar.month_of(now_ms))]


def _complete_months(now_ms: int, calendar: Calendar) -> list[str]:
    running = calendar.month_of(now_ms)
    return [buckets.month_name(calendar.months_before(running, back)) for back in range(12, 0, -1)]


WINDOWS: Mapping[str, Callable[[int, Calendar], list[str]]] = {
    "5m": _ten_seconds(300_000),
    "15m": _ten_seconds(900_000),
    "30m": _ten_seconds(1_800_000),
    "1h": _ten_seconds(3_600_000),
    "6h": _hours(6),
    "24h": _hours(24),
    "today": _days(1),
    "7d": _days(7),
    "28d": _days(28),
    "month": _running_month,
    "12mo": _complete_months,
}


def buckets_of(window: str, now_ms: int, calendar: Calendar) -> list[str]:
    """Names of the buckets that make up a window at a moment, oldest first."""
    return WINDOWS[window](now_ms, calendar)


def months_shown(now_ms: int, calendar: Calendar) -> list[str]:
    """The running month and the last 12, newest first, as `2021-11`."""
    running = calendar.month_of(now_ms)
    return [calendar.months_before(running, back) for back in range(MONTHS_SHOWN)]
