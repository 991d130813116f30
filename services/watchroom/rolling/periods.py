"""Periods of published figures, as people write them: `2021-12-31`, `2021-11`, `2021-Q4`, `2021`, `2020-12/2021-11`.

Arithmetic only. A period lies in the calendar of the reporting zone, as days and months do.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Final, NamedTuple

from watchroom.rolling.calendar import Calendar, is_month

DAY, MONTH, QUARTER, YEAR, TWELVE_MONTHS, RANGE = SPANS = ("day", "month", "quarter", "year", "12mo", "range")
"""Values of the label `span`; `range` is a range of other than twelve months."""
WRITE: Final = (
    "a day (2021-12-31), a month (2021-11), a quarter (2021-Q4), a year (2021) or a range of months (2020-12/2021-11)"
)
FIRST_YEAR, LAST_YEAR = 1970, 2199  # of all admitted times

_QUARTER: Final = re.compile(r"([0-9]{4})-Q([1-4])")
_YEAR: Final = re.compile(r"[0-9]{4}")
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Period(NamedTuple):
    """One period; `first` and `last` are days, both included."""

    span: str
    first: str
    last: str

    @property
    def month(self) -> str:
        """The month in which it ends."""
        return self.last[:7]

    @property
    def held_at_ms(self) -> int:
        """A moment in the month in which it ends, in every reporting zone: the 15th, noon in UTC."""
        year, month = (int(part) for part in self.month.split("-"))
        return int(datetime(year, month, 15, 12, tzinfo=UTC).timestamp()) * 1000


@lru_cache(maxsize=4096)
def period_of(text: str) -> Period | None:
    """The period that a text names; None if it names none. Each period has one spelling."""
    found = _range(text) if "/" in text else _single(text)
    if found is None or not FIRST_YEAR <= int(found.first[:4]) <= int(found.last[:4]) <= LAST_YEAR:
        return None
    return found


def known_period(text: str) -> Period:
    """The period that a text names.

    Raises:
        ValueError: It names no period; the message says what to write.
    """
    found = period_of(text)
    if found is None:
        shown = text if len(text) <= 60 else text[:57] + "..."
        raise ValueError(f"is {shown!r}, which is not a period; write {WRITE}")
    return found


def _single(text: str) -> Period | None:
    if _DAY.fullmatch(text):
        try:
            date.fromisoformat(text)
        except ValueError:
            return None
        return Period(DAY, text, text)
    if is_month(text):
        return _months(MONTH, text, text)
    if _YEAR.fullmatch(text):
        return _months(YEAR, f"{text}-01", f"{text}-12")
    if quarter := _QUARTER.fullmatch(text):
        last = int(quarter[2]) * 3
        return _months(QUARTER, f"{quarter[1]}-{last - 2:02}", f"{quarter[1]}-{last:02}")
    return None


def _range(text: str) -> Period | None:
    first, _, last = text.partition("/")
    if not (is_month(first) and is_month(last) and first < last):
        return None
    is_twelve = int(first[:4]) > 0 and Calendar.months_after(first, 11) == last
    return _months(TWELVE_MONTHS if is_twelve else RANGE, first, last)


def _months(span: str, first: str, last: str) -> Period | None:
    if not FIRST_YEAR <= int(first[:4]) <= int(last[:4]) <= LAST_YEAR:
        return None
    end = date.fromisoformat(f"{Calendar.months_after(last, 1)}-01").toordinal() - 1
    return Period(span, f"{first}-01", date.fromordinal(end).isoformat())
