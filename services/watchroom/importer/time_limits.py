"""The earliest and the latest time that an event of an extract can have. Pure."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from watchroom.events.headers import LATEST
from watchroom.events.times import AHEAD_MS, EARLIEST_MS, LATEST_MS, to_text
from watchroom.importer.mapping_model import MONTH_END, TimeConfig
from watchroom.rolling.calendar import Calendar


class Limits(NamedTuple):
    """The earliest time, and the latest, both still possible; in milliseconds since the epoch."""

    earliest_ms: int
    latest_ms: int
    latest_is_clock: bool  # the latest time is this machine's clock, not the mapping's

    @classmethod
    def of(cls, config: TimeConfig, now_ms: int | None) -> Limits:
        """Those of a mapping's [time]; `now_ms` is this machine's clock (None: nothing is compared with it)."""
        calendar = Calendar(config.zone)
        earliest_ms = EARLIEST_MS if config.earliest is None else calendar.day_start_ms(config.earliest.isoformat())
        latest_ms = LATEST_MS - 1
        if isinstance(config.latest, date):
            latest_ms = calendar.day_end_ms(config.latest.isoformat()) - 1
        elif now_ms is not None:
            latest_ms = now_ms + AHEAD_MS
            if config.latest == MONTH_END:
                latest_ms = max(latest_ms, calendar.month_end_ms(calendar.month_of(now_ms)) - 1)
        return cls(max(earliest_ms, EARLIEST_MS), min(latest_ms, LATEST_MS - 1), config.latest is None)

    def fault(self, ms: int) -> str:
        """What is wrong with a time; empty if it is possible."""
        if ms < self.earliest_ms:
            return (
                f"before {to_text(self.earliest_ms)[:10]}; check the year and the unit, or whether this means `never`"
            )
        if ms > self.latest_ms:
            if self.latest_is_clock:
                what = f"later than this machine's clock ({to_text(self.latest_ms - AHEAD_MS)})"
                return f"{what}; check the year, or set time.latest if the mapping invents days"
            return f"later than time.latest ({to_text(self.latest_ms)}); check the year"
        return ""


def latest_header(config: TimeConfig, now_ms: int) -> tuple[tuple[str, bytes], ...]:
    """The header that lets a worker admit events that are still to come; none where a mapping permits none.

    It travels with each record, so that a rebuild admits the same events.
    """
    latest_ms = Limits.of(config, now_ms).latest_ms
    return ((LATEST, str(latest_ms).encode()),) if config.latest is not None and latest_ms > now_ms else ()
