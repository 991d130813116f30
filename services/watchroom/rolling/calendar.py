"""Days and months of the reporting zone.

A published month is a London month: April 2021 begins at 2021-03-31T23:00Z, 28 March 2021 has 23
hours and 31 October 2021 has 25. Moments are whole milliseconds since the Unix epoch (UTC); days are
written `2021-10-31` and months `2021-10`, so that text order is time order.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

# Zones change their offset, and local midnights fall, on whole quarters of an hour of UTC.
QUARTER_MS = 900_000
_MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")


def is_month(text: str) -> bool:
    """Whether a text is a month in our form."""
    return _MONTH.fullmatch(text) is not None


class Calendar:
    """Converts moments to local days and months, and back. Caches its answers."""

    def __init__(self, zone: str) -> None:
        self.zone = zone
        self._zone = ZoneInfo(zone)
        self._days: dict[int, str] = {}

    def local(self, at_ms: int) -> datetime:
        """The local time of a moment, to the second; `fold` is 1 when a clock shows that time for the second time."""
        return datetime.fromtimestamp(at_ms // 1000, UTC).astimezone(self._zone)

    def day_of(self, at_ms: int) -> str:
        """The local day that holds this moment."""
        quarter = at_ms // QUARTER_MS
        day = self._days.get(quarter)
        if day is None:
            day = self._days[quarter] = self.local(quarter * QUARTER_MS).strftime("%Y-%m-%d")
            if len(self._days) > 200_000:  # five years of quarters
                self._days = {quarter: day}
        return day

    def month_of(self, at_ms: int) -> str:
        """The local month that holds this moment."""
        return self.day_of(at_ms)[:7]

    def day_start_ms(self, day: str) -> int:
        """First moment of a local day."""
        midnight = datetime.fromisoformat(day).replace(tzinfo=self._zone)
        return int(midnight.timestamp()) * 1000

    def day_end_ms(self, day: str) -> int:
        """First moment after a local day; 23, 24 or 25 hours after its start."""
        return self.day_start_ms(self.days_after(day, 1))

    def month_start_ms(self, month: str) -> int:
        """First moment of a local month."""
        return self.day_start_ms(f"{month}-01")

    def month_end_ms(self, month: str) -> int:
        """First moment after a local month."""
        return self.month_start_ms(self.months_after(month, 1))

    @staticmethod
    def days_after(day: str, days: int) -> str:
        """The day that is `days` later (earlier if negative)."""
        return (date.fromisoformat(day) + timedelta(days=days)).isoformat()

    @classmethod
    def days_before(cls, day: str, days: int) -> str:
        """The day that is `days` earlier."""
        return cls.days_after(day, -days)

    @staticmethod
    def months_after(month: str, months: int) -> str:
        """The month that is `months` later (earlier if negative)."""
        year, number = (int(part) for part in month.split("-"))
        year, index = divmod(year * 12 + number - 1 + months, 12)
        return f"{year:04}-{index + 1:02}"

    @classmethod
    def months_before(cls, month: str, months: int) -> str:
        """The month that is `months` earlier."""
        return cls.months_after(month, -months)
