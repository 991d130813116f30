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

from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple

from watchroom.rolling import buckets
from watchroom.rolling.calendar import Calendar
from watchroom.rolling.local_hours import same_local_hours

MONTH: Final = "month"
TWELVE_MONTHS: Final = "12mo"
LOCAL_HOUR: Final = "local_hour"
WITNESSES: Final = "local_hour_witnesses"  # no measure's window: the days that tell whether there was a feed
PAST_WEEKS: Final = 6  # the last local hour is published with the same hour of this many earlier weeks
MONTHS_SHOWN: Final = 13  # the running month and the last 12


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


class Window(NamedTuple):
    """A window as it is published; `month` is set for those called `month`, `weeks_ago` for local hours."""

    name: str
    month: str = ""
    weeks_ago: str = ""

    def labels(self) -> dict[str, str]:
        """Its Prometheus labels."""
        if self.weeks_ago:
            return {"weeks_ago": self.weeks_ago}
        return {"window": self.name, "month": self.month} if self.month else {"window": self.name}


def windows_at(now_ms: int, wanted: Iterable[str], calendar: Calendar) -> dict[Window, frozenset[str]]:
    """The buckets of each wanted window at a moment.

    `month` becomes the running and the last 12; the local hour becomes seven, each with its witnesses.
    """
    made: dict[Window, frozenset[str]] = {}
    for name in wanted:
        if name == MONTH:
            for month in months_shown(now_ms, calendar):
                made[Window(MONTH, month)] = frozenset({buckets.month_name(month)})
        elif name == LOCAL_HOUR:
            made.update(_local_hours(now_ms, calendar))
        else:
            made[Window(name)] = frozenset(buckets_of(name, now_ms, calendar))
    return made


def _local_hours(now_ms: int, calendar: Calendar) -> dict[Window, frozenset[str]]:
    """The last complete local hour and those of past weeks, and the days that bear witness to each.

    A bucket that holds nothing may mean "no calls" or "no feed yet". What Redis can still tell apart: there
    was a feed if anything of the stream happened on the hour's local day and on the day
    before it (the running day may have been quiet so far). See `WindowSums.is_known` of the exporter.
    """
    today = calendar.day_of(now_ms)
    made = {}
    for ago, start_ms in same_local_hours(now_ms, PAST_WEEKS, calendar).items():
        day = calendar.day_of(start_ms)
        days = {calendar.days_before(day, 1), day} - {today}
        made[Window(LOCAL_HOUR, weeks_ago=str(ago))] = frozenset({buckets.hour_name(start_ms)})
        made[Window(WITNESSES, weeks_ago=str(ago))] = frozenset(buckets.day_name(each) for each in days)
    return made
