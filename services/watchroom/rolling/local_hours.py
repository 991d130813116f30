"""The same local hour of past weeks: which UTC hours they were, over clock changes.

Demand follows the clock on the wall: Monday 09:00 is compared with Monday 09:00. For a week after each
clock change that is not the hour 168 hours ago.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from watchroom.rolling.buckets import HOUR_MS
from watchroom.rolling.calendar import Calendar


def same_local_hours(now_ms: int, weeks: int, calendar: Calendar) -> dict[int, int]:
    """Starts (ms) of the last complete local hour and of the same one in each of the weeks before, by weeks ago.

    - An hour that the clocks skipped in spring is left out: nobody lived it, and its neighbour is another hour.
    - Of an hour that came twice in autumn the first is taken, so that an hour is compared with an hour and
      not with two. When the last hour itself came twice, its second is compared with the second of a past
      one that came twice too, else with the only one.
    - An hour that is not one whole UTC hour is left out, for counts are kept by UTC hour: always in a zone
      whose offset is not whole hours, and while it is not (Lord Howe in winter).
    """
    last_ms = now_ms - now_ms % HOUR_MS - HOUR_MS
    last = calendar.local(last_ms)
    wall = last.replace(tzinfo=None)  # so that a week is one on the wall, whatever the clocks did
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
    if start_ms % HOUR_MS or wall.minute:
        return False
    first, last = calendar.local(start_ms), calendar.local(start_ms + HOUR_MS - 1)
    return first.replace(tzinfo=None) == wall and (first.date(), first.hour) == (last.date(), last.hour)
