"""Times of an extract as milliseconds since the Unix epoch: pure, and no hour is guessed.

When clocks go back, one local hour happens twice (`ambiguous`); when they go forward, one does not
happen at all (`missing`). A mapping says for each what is meant: the `earlier` or the `later` of the two
instants, or that the row is refused.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from watchroom.replay.mapping_model import HourRule, TimeWords

WORDS = ("iso", "epoch_s", "epoch_ms")
# `fromisoformat` takes more: a day or a week alone (as midnight), an hour alone, any character between them.
_ISO = re.compile(
    r"(\d{4}-\d{2}-\d{2}|\d{8})[Tt ]\d{2}(:\d{2}(:\d{2}([.,]\d+)?)?|\d{2}(\d{2}([.,]\d+)?)?)([Zz]|[+-].+)?", re.ASCII
)
_SECONDS = re.compile(r"\d+(\.\d+)?", re.ASCII)  # `float` takes more: 1_000, 1e9, nan
_MILLISECONDS = re.compile(r"\d+", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LOCAL_EPOCH = _EPOCH.replace(tzinfo=None)
_MS = timedelta(milliseconds=1)
_QUARTER_MS = 900_000  # clocks change, and offsets are, on whole quarters of an hour
_KEPT = 100_000  # quarters of an hour remembered: nearly three years


class TimeUnreadable(ValueError):
    """A text is no time, or no single instant; the message says why."""


@dataclass(frozen=True, slots=True)
class LocalTimes:
    """Reads times as one mapping means them."""

    zone: ZoneInfo
    formats: tuple[str, ...]
    ambiguous: HourRule
    missing: HourRule
    _offsets: dict[int, tuple[int, int]] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, words: TimeWords) -> LocalTimes:
        """The reader for a mapping's [time]."""
        return cls(ZoneInfo(words.zone), words.formats, words.ambiguous_hour, words.missing_hour)

    def ms(self, text: str, formats: Sequence[str] = ()) -> int:
        """Milliseconds since the epoch.

        Raises:
            TimeUnreadable: The text fits none of the formats, or its local hour is to be refused.
        """
        for pattern in formats or self.formats:
            try:
                read = _read(text, pattern)
            except (ValueError, OverflowError):
                continue
            return self._instant_ms(read, text)
        raise TimeUnreadable(f"{text!r} is no time of the form {' or '.join(formats or self.formats)}")

    def _instant_ms(self, read: datetime, text: str) -> int:
        try:
            if read.tzinfo is not None:
                return ms_of(read)
            local_ms = (read - _LOCAL_EPOCH) // _MS
            first_ms, second_ms = self._offsets_ms(read, local_ms)
            if first_ms == second_ms:
                return local_ms - first_ms
            return self._by_rule(local_ms - first_ms, local_ms - second_ms, text)
        except OverflowError as error:
            raise TimeUnreadable(f"{text!r} is outside the years 1 to 9999") from error

    def _offsets_ms(self, read: datetime, local_ms: int) -> tuple[int, int]:
        """What local time is ahead of UTC, by the clock before and after a change near this time."""
        quarter = local_ms // _QUARTER_MS
        known = self._offsets.get(quarter)
        if known is None:
            first, second = (read.replace(tzinfo=self.zone, fold=fold).utcoffset() for fold in (0, 1))
            known = ((first or timedelta()) // _MS, (second or timedelta()) // _MS)
            if len(self._offsets) >= _KEPT:
                self._offsets.clear()
            self._offsets[quarter] = known
        return known

    def _by_rule(self, first_ms: int, second_ms: int, text: str) -> int:
        """Of the two instants that a local time can mean on a night when clocks change."""
        happens_twice = first_ms < second_ms
        rule = self.ambiguous if happens_twice else self.missing
        if rule == "refuse":
            what, key = ("happens twice", "ambiguous_hour") if happens_twice else ("does not happen", "missing_hour")
            raise TimeUnreadable(f'{text!r} {what} in {self.zone.key}; write time.{key} = "earlier" or "later"')
        return min(first_ms, second_ms) if rule == "earlier" else max(first_ms, second_ms)


def ms_of(instant: datetime) -> int:
    """An aware datetime as milliseconds since the epoch, rounded down."""
    return (instant - _EPOCH) // _MS


@lru_cache(maxsize=8192)  # an event says its time three times
def rfc3339(ms: int) -> str:
    """Milliseconds since the epoch as RFC 3339 in UTC; milliseconds only where there are some."""
    local = _LOCAL_EPOCH + timedelta(milliseconds=ms)
    return local.isoformat(timespec="milliseconds" if ms % 1000 else "seconds") + "Z"


def _read(text: str, pattern: str) -> datetime:
    """Raises ValueError or OverflowError: the text is not of that form, or beyond the calendar."""
    if pattern == "iso":
        return datetime.fromisoformat(_whole(_ISO, text))
    if pattern == "epoch_s":
        return _EPOCH + timedelta(seconds=float(_whole(_SECONDS, text)))
    if pattern == "epoch_ms":
        return _EPOCH + timedelta(milliseconds=int(_whole(_MILLISECONDS, text)))
    return datetime.strptime(text, pattern)  # noqa: DTZ007  # the mapping's zone is added by the caller


def _whole(form: re.Pattern[str], text: str) -> str:
    if form.fullmatch(text) is None:
        raise ValueError(text)
    return text
