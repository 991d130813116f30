"""The earliest and the latest time that an event of an extract can have. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from watchroom.events.headers import LATEST
from watchroom.events.times import EARLIEST_MS, LATEST_MS, to_text
from watchroom.importer.mapping_model import MONTH_END, TimeConfig

AHEAD_MS = 300_000  # how far a source's clock may be ahead of ours
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Limits:
    """The earliest time, and the latest, both still possible; in milliseconds since the epoch."""

    earliest_ms: int = EARLIEST_MS
    latest_ms: int = LATEST_MS - 1
    latest_is_clock: bool = False  # the latest time is this machine's clock, not the mapping's

    @classmethod
    def of(cls, config: TimeConfig, now_ms: int | None) -> Limits:
        """Those of a mapping's [time]; `now_ms` is this machine's clock (None: nothing is compared with it)."""
        zone = ZoneInfo(config.zone)
        earliest_ms = EARLIEST_MS if config.earliest is None else _start_ms(config.earliest, zone)
        latest_ms = LATEST_MS - 1
        if isinstance(config.latest, date):
            latest_ms = _start_ms(config.latest + timedelta(days=1), zone) - 1
        elif now_ms is not None:
            latest_ms = now_ms + AHEAD_MS
            if config.latest == MONTH_END:
                latest_ms = max(latest_ms, _month_end_ms(now_ms, zone))
        return cls(max(earliest_ms, EARLIEST_MS), min(latest_ms, LATEST_MS - 1), config.latest is None)

    def fault(self, ms: int) -> str:
        """What is wrong with a time; empty if it is possible."""
        if ms < self.earliest_ms:
            return f"before {_day(self.earliest_ms)}; check the year, the unit, and whether it means `never`"
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


def _start_ms(day: date, zone: ZoneInfo) -> int:
    return (datetime.combine(day, time(), zone) - _EPOCH) // _MS


def _month_end_ms(now_ms: int, zone: ZoneInfo) -> int:
    """The last millisecond of the current month."""
    first = (_EPOCH + now_ms * _MS).astimezone(zone).date().replace(day=1)
    return _start_ms((first + timedelta(days=32)).replace(day=1), zone) - 1


def _day(ms: int) -> str:
    return to_text(ms)[:10]
