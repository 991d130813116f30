"""Windows: a window of any length is a sum of buckets, the current one included.

| windows                   | made of                                   |
|---------------------------|-------------------------------------------|
| 5m 15m 30m 1h             | 10 s buckets                              |
| 6h 24h                    | UTC hours                                 |
| today 7d 28d              | local days, today included                |
| month                     | one local month                           |
| 12mo                      | the last 12 complete local months         |
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from watchroom.rolling import buckets
from watchroom.rolling.calendar import Calendar

MONTH: Final = "month"
TWELVE_MONTHS: Final = "12mo"
LOCAL_HOUR: Final = "local_hour"
WITNESSES: Final = "local_hour_witnesses"  # no measure's window: the days that tell whether there was a feed
PAST_WEEKS: Final = 6  # the last local hour is published with the same hour of this many earlier weeks
MONTHS_SHOWN = 13  # the running month and the last 12
WINDOWS: Final[Mapping[str, tuple[str, int]]] = {  # level and number of its buckets
    "5m": ("10s", 30),
    "15m": ("10s", 90),
    "30m": ("10s", 180),
    "1h": ("10s", 360),
    "6h": ("hour", 6),
    "24h": ("hour", 24),
    "today": ("day", 1),
    "7d": ("day", 7),
    "28d": ("day", 28),
    "month": ("month", 1),
    "12mo": ("complete months", 12),
}


def buckets_of(window: str, now_ms: int, calendar: Calendar) -> list[str]:
    """Names of the buckets that make up a window at a moment, oldest first."""
    level, count = WINDOWS[window]
    backwards = range(count - 1, -1, -1)
    match level:
        case "10s":
            newest_ms = buckets.ten_seconds_of(now_ms)
            return [buckets.ten_seconds_name(newest_ms - back * buckets.TEN_SECONDS_MS) for back in backwards]
        case "hour":
            return [buckets.hour_name(now_ms - back * buckets.HOUR_MS) for back in backwards]
        case "day":
            today = calendar.day_of(now_ms)
            return [buckets.day_name(calendar.days_before(today, back)) for back in backwards]
        case "month":
            return [buckets.month_name(calendar.month_of(now_ms))]
        case _:
            running = calendar.month_of(now_ms)
            return [buckets.month_name(calendar.months_before(running, back)) for back in range(count, 0, -1)]


def months_shown(now_ms: int, calendar: Calendar) -> list[str]:
    """The running month and the last 12, newest first, as `2021-11`."""
    running = calendar.month_of(now_ms)
    return [calendar.months_before(running, back) for back in range(MONTHS_SHOWN)]


def same_local_hours(now_ms: int, weeks: int, calendar: Calendar) -> dict[int, int]:
    """Starts (ms) of the last complete local hour and of the same one in each of the weeks before, by weeks ago.

    Demand follows local time: Monday 09:00 is compared with Monday 09:00. For a week after each clock change that is
    not the hour 168 hours ago.

    - An hour that the clocks skipped in spring is left out: it did not exist, and its neighbour is another hour.
    - Of an hour that came twice in autumn the first is taken, so that one hour is compared with one hour. If the last
      hour itself came twice, its second is compared with the second of a past hour that came twice too, otherwise with
      the only one.
    - An hour that is not one whole UTC hour is left out, because counts are stored by UTC hour: in a zone whose offset
      is not whole hours, and while it is not (Lord Howe in winter).
    """
    last_ms = now_ms - now_ms % buckets.HOUR_MS - buckets.HOUR_MS
    last = calendar.local(last_ms)
    wall = last.replace(tzinfo=None)  # so that a week is a week of local time, whatever the clocks did
    starts = {0: last_ms} | {
        ago: round((wall - timedelta(weeks=ago)).replace(tzinfo=last.tzinfo, fold=last.fold).timestamp()) * 1000
        for ago in range(1, weeks + 1)
    }
    return {
        ago: start_ms
        for ago, start_ms in starts.items()
        if _is_the_hour(start_ms, wall - timedelta(weeks=ago), calendar)
    }


def _is_the_hour(start_ms: int, wall: datetime, calendar: Calendar) -> bool:
    """Whether the UTC hour that begins here is the local hour that the wall clock shows, from 0 to 59 minutes."""
    if start_ms % buckets.HOUR_MS or wall.minute:
        return False
    first, last = calendar.local(start_ms), calendar.local(start_ms + buckets.HOUR_MS - 1)
    return first.replace(tzinfo=None) == wall and (first.date(), first.hour) == (last.date(), last.hour)


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
