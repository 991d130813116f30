"""Buckets: where a count at one moment is stored, and for how long.

One count goes to four buckets: its 10 s, its UTC hour, its local day and its local month. A bucket
is named by its level and its start: `10s:1637971200`, `hour:1637971200` (seconds since the epoch),
`day:2021-11-27`, `month:2021-11`. How long each is kept after its end: docs/architecture.md#buckets-and-windows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from watchroom.rolling.calendar import Calendar

TEN_SECONDS_MS = 10_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000

MONTH_HEAD = "month:"  # begins the name of a month's bucket

KEEP_10S_MS = 2 * HOUR_MS
KEEP_HOUR_MS = 60 * DAY_MS
KEEP_DAY_MS = 396 * DAY_MS  # about 13 months
KEEP_FOREVER = None
KEEP_TOKENS_OF_DAY_MS = 60 * DAY_MS
KEEP_TOKENS_OF_MONTH_MONTHS = 13  # after the month's end
TOKENS_UNCHANGED_MS = DAY_MS  # a hash of token counts is kept at least so long after its last change

Increments = Mapping[int, Mapping[str, int]]  # start of a 10 s bucket, ms -> field -> delta


class Bucket(NamedTuple):
    """The change of one bucket."""

    name: str
    keep_until_ms: int | None  # end + keeping; None: for good
    deltas: dict[str, int]


def ten_seconds_of(at_ms: int) -> int:
    """Start of the 10 s bucket that holds this moment, in ms."""
    return at_ms - at_ms % TEN_SECONDS_MS


def ten_seconds_name(start_ms: int) -> str:
    """Name of a 10 s bucket."""
    return f"10s:{start_ms // 1000}"


def hour_name(at_ms: int) -> str:
    """Name of the UTC hour that holds this moment."""
    return f"hour:{(at_ms - at_ms % HOUR_MS) // 1000}"


def day_name(day: str) -> str:
    """Name of a local day's bucket."""
    return f"day:{day}"


def month_name(month: str) -> str:
    """Name of a local month's bucket."""
    return f"{MONTH_HEAD}{month}"


def end_ms(name: str, calendar: Calendar) -> int:
    """First moment after a bucket."""
    level, _, start = name.partition(":")
    if level == "10s":
        return int(start) * 1000 + TEN_SECONDS_MS
    if level == "hour":
        return int(start) * 1000 + HOUR_MS
    return calendar.day_end_ms(start) if level == "day" else calendar.month_end_ms(start)


def tokens_keep_until(name: str, day: str, calendar: Calendar) -> int:
    """Until when the hash of token counts of this day, or of its month, is kept."""
    if name.split(":")[1] == "day":
        return calendar.day_end_ms(day) + KEEP_TOKENS_OF_DAY_MS
    return calendar.month_end_ms(calendar.months_after(day[:7], KEEP_TOKENS_OF_MONTH_MONTHS))


def spread(increments: Increments, now_ms: int, calendar: Calendar) -> list[Bucket]:
    """Add increments by 10 s up to all four levels, without buckets that are no longer kept.

    Fields whose deltas cancel are left out, and so are buckets without fields.
    """
    sums: dict[str, dict[str, int]] = {}
    for start_ms, deltas in increments.items():
        for name in _names(start_ms, now_ms, calendar):
            into = sums.get(name)
            if into is None:
                sums[name] = dict(deltas)
                continue
            for field, delta in deltas.items():
                into[field] = into.get(field, 0) + delta
    return list(_kept(sums, now_ms, calendar))


def _names(start_ms: int, now_ms: int, calendar: Calendar) -> Iterable[str]:
    """The buckets of a 10 s start; the short-lived ones only while they are kept, which skips most of history."""
    if start_ms + TEN_SECONDS_MS + KEEP_10S_MS > now_ms:
        yield ten_seconds_name(start_ms)
    if start_ms + HOUR_MS + KEEP_HOUR_MS > now_ms:
        yield hour_name(start_ms)
    day = calendar.day_of(start_ms)
    yield day_name(day)
    yield month_name(day[:7])


def _kept(sums: Mapping[str, Mapping[str, int]], now_ms: int, calendar: Calendar) -> Iterable[Bucket]:
    for name, deltas in sums.items():
        left = {field: delta for field, delta in deltas.items() if delta}
        keep_until_ms = keep_until(name, calendar)
        if left and (keep_until_ms is None or keep_until_ms > now_ms):
            yield Bucket(name, keep_until_ms, left)


def keep_until(name: str, calendar: Calendar) -> int | None:
    """Until when a bucket is kept; None for months, which are kept for good."""
    level = name.partition(":")[0]
    if level == "month":
        return KEEP_FOREVER
    keep_ms = {"10s": KEEP_10S_MS, "hour": KEEP_HOUR_MS, "day": KEEP_DAY_MS}[level]
    return end_ms(name, calendar) + keep_ms
