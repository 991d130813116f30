"""A clock that runs on working days only: London days that are neither weekend nor bank holiday of England.

A working day counts with its 24 hours. On other days the clock stops until the next working day begins.

Source:
    `schemas/reference/bank_holidays_england.csv`.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from datetime import date, timedelta
from functools import cache
from itertools import accumulate
from typing import Final, NamedTuple

from watchroom.rolling.calendar import Calendar
from watchroom.streams.tables import BANK_HOLIDAYS

ZONE: Final = "Europe/London"
SATURDAY: Final = 5
FINGERPRINT: Final = hashlib.sha256(repr(BANK_HOLIDAYS).encode()).hexdigest()[:12]


def working_ms(at_ms: int | None) -> int | None:
    """A moment on that clock in ms: the difference of two is the working time between them.

    None for None, and outside the years of the table, whose holidays are unknown.
    """
    if at_ms is None:
        return None
    off = _days_off()
    if not off.starts[0] <= at_ms < off.known_until_ms:
        return None
    latest = bisect_right(off.starts, at_ms) - 1  # the latest day off that has begun
    return at_ms - off.before[latest] - (min(at_ms, off.ends[latest]) - off.starts[latest])


class _DaysOff(NamedTuple):
    starts: list[int]  # 1 January is always one, so the first is where the table begins
    ends: list[int]
    before: list[int]  # ms of all days off before it
    known_until_ms: int


@cache
def _days_off() -> _DaysOff:
    calendar = Calendar(ZONE)
    holidays = {day for year in BANK_HOLIDAYS for day in year.split()}
    first, last = date(int(min(holidays)[:4]), 1, 1), date(int(max(holidays)[:4]), 12, 31)
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    off = [text for day in days if (text := day.isoformat()) in holidays or day.weekday() >= SATURDAY]
    starts, ends = [calendar.day_start_ms(day) for day in off], [calendar.day_end_ms(day) for day in off]
    before = list(accumulate((end - start for start, end in zip(starts, ends, strict=True)), initial=0))
    return _DaysOff(starts, ends, before[:-1], calendar.day_end_ms(last.isoformat()))
