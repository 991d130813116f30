"""The oracle's own time scales and histogram bins, written only from docs/architecture.md#buckets-and-windows.

Nothing here is shared with `watchroom.rolling`: a fault there must show as a difference here.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")
SECOND_MS, HOUR_MS, DAY_MS = 1_000, 3_600_000, 86_400_000
LAST_EDGE_MS = 7_258_118_400_000  # 1970 to 2200, the times that events may have


def local_day(at_ms: int) -> date:
    """London calendar date of a moment."""
    return datetime.fromtimestamp(at_ms // 1000, LONDON).date()


@cache
def midnight_ms(day: date) -> int:
    """Start of a London day, UTC milliseconds."""
    return int(datetime(day.year, day.month, day.day, tzinfo=LONDON).timestamp()) * 1000


def month_of(at_ms: int) -> str:
    """London month of a moment, `2021-10`."""
    return local_day(at_ms).strftime("%Y-%m")


@cache
def month_end_ms(month: str) -> int:
    """First moment after a London month."""
    year, number = map(int, month.split("-"))
    return midnight_ms(date(year + number // 12, number % 12 + 1, 1))


def buckets_of(at_ms: int) -> list[tuple[str, int | None]]:
    """The bucket of each level that holds a moment, with the moment its retention ends (None: never).

    Keeping (docs/architecture.md#buckets-and-windows) counts from the bucket's end: 10 s buckets 2 h, hours
    60 days, London days 13 months, London months for good. Reading: 13 months are 396 days, as `rolling` documents.
    """
    ten, hour, day = at_ms // 10_000 * 10_000, at_ms // HOUR_MS * HOUR_MS, local_day(at_ms)
    return [
        (f"10s:{ten // 1000}", ten + 10_000 + 2 * HOUR_MS),
        (f"hour:{hour // 1000}", hour + HOUR_MS + 60 * DAY_MS),
        (f"day:{day}", midnight_ms(day + timedelta(days=1)) + 396 * DAY_MS),
        (f"month:{day:%Y-%m}", None),
    ]


@cache
def bin_edges(extra: frozenset[int]) -> list[int]:
    """Lower edges of the bins: 0, 1, then max(e + 1, floor(e * 1.02)) up to the longest duration, and `extra`."""
    edges = [0, 1]
    while (following := max(edges[-1] + 1, edges[-1] * 102 // 100)) <= LAST_EDGE_MS:
        edges.append(following)
    return sorted({*edges, *extra})


def bin_of(value_ms: int, extra: frozenset[int]) -> int:
    """Lower edge of the bin that holds a duration."""
    edges = bin_edges(extra)
    return edges[bisect_right(edges, value_ms) - 1]


def time_text(at_ms: int) -> str:
    """RFC 3339, UTC."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")
