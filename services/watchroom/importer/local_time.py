"""Times of an extract as milliseconds since the Unix epoch. Pure; no hour is guessed.

When clocks go back, one local hour happens twice (`ambiguous`); when they go forward, one does not
happen at all (`missing`). A mapping says for each whether it means the `earlier` or the `later` of the two
instants, or that the row is refused. (`in_order` looks at all times of a row: see `row_reader.py`.)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from watchroom.events.times import EARLIEST_MS, LATEST_MS, to_text
from watchroom.importer.mapping_model import HourRule, TimeConfig
from watchroom.importer.time_forms import EARLIEST, EPOCH, EPOCHS, LATEST, fits_instead, is_clock, read, read_clock
from watchroom.importer.time_limits import Limits

_LOCAL_EPOCH = EPOCH.replace(tzinfo=None)
_MS = timedelta(milliseconds=1)
_QUARTER_MS = 900_000  # clocks change, and offsets are, on whole quarters of an hour
_KEPT = 100_000  # quarters of an hour remembered: nearly three years


class TimeUnreadable(ValueError):
    """A text is not a time, or not a single instant; the message says why."""


@dataclass(frozen=True, slots=True)
class LocalTimes:
    """Reads times under one mapping."""

    zone: ZoneInfo
    formats: tuple[str, ...]
    ambiguous: HourRule
    missing: HourRule
    limits: Limits
    near: datetime | None = None  # local time that clock times lie within 12 h of; None: they have no day
    _offsets: dict[int, tuple[int, int]] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, config: TimeConfig, now_ms: int | None = None) -> LocalTimes:
        """The reader for a mapping's [time].

        Args:
            config: What the mapping says of times.
            now_ms: This machine's clock; no event may be later. None: any time is accepted.
        """
        zone = ZoneInfo(config.zone)
        limits = Limits.of(config, now_ms)
        ambiguous = "earlier" if config.ambiguous_hour == "in_order" else config.ambiguous_hour
        return cls(zone, config.formats, ambiguous, config.missing_hour, limits)

    def later(self) -> LocalTimes:
        """The same, but an hour that happens twice is its second one."""
        return replace(self, ambiguous="later")

    def near_to(self, ms: int) -> LocalTimes:
        """The same, but clock times lie within 12 h of a time."""
        return replace(self, near=(EPOCH + ms * _MS).astimezone(self.zone).replace(tzinfo=None))

    def ms(self, text: str, formats: Sequence[str] = ()) -> int:
        """Milliseconds since the epoch.

        Raises:
            TimeUnreadable: The text fits none of the formats or several differently, its local hour is to be refused,
                or an event cannot have this time.
        """
        forms = formats or self.formats
        readings = dict(self._readings(text, forms))
        if not readings:
            hint = fits_instead(text, forms)
            raise TimeUnreadable(f"{text!r} does not match the time format {' or '.join(forms)}{hint and '; ' + hint}")
        ms = self._one_ms(text, readings)
        self.check(ms, text, forms)
        return ms

    def _readings(self, text: str, forms: Sequence[str]) -> Iterator[tuple[str, datetime]]:
        """What a text is under each of the forms that read it; raises TimeUnreadable if its day is not known."""
        for form in forms:
            try:
                yield form, self._read(text, form)
            except TimeUnreadable:
                raise
            except (ValueError, OverflowError):
                continue

    def _read(self, text: str, form: str) -> datetime:
        if not is_clock(form):
            return read(text, form)
        moment = read_clock(text, form, self.near or _LOCAL_EPOCH)
        if self.near is None:
            raise TimeUnreadable(f"{text!r} has no day: the time.day_from columns are empty in all rows with this key")
        return moment

    def is_written(self, text: str, formats: Sequence[str] = ()) -> bool:
        """Whether a text is written as a time, if only as one that is refused; of any number, one from 1990 on."""
        readings = self._readings(text, formats or self.formats)
        return any(form not in EPOCHS or EARLIEST <= moment < LATEST for form, moment in readings)

    def is_epoch(self, text: str, formats: Sequence[str] = ()) -> bool:
        """Whether a text is 1970-01-01T00:00Z, which an empty number of seconds becomes."""
        for form in formats or self.formats:
            try:
                moment = read(text, form)
                if moment.replace(tzinfo=moment.tzinfo or UTC) == EPOCH or self._instant_ms(moment, text) == 0:
                    return True
            except (ValueError, OverflowError):  # TimeUnreadable is one: an hour that is in doubt is not the epoch
                continue
        return False

    def check(self, ms: int, text: str, forms: Sequence[str] = ()) -> None:
        """Raises TimeUnreadable: an event of this time cannot be; `text` is what said so."""
        if wrong := self.limits.fault(ms):
            hint = fits_instead(text, forms)
            raise TimeUnreadable(f"{text!r} is {to_text(ms)}, {hint or wrong}")

    def _one_ms(self, text: str, readings: dict[str, datetime]) -> int:
        """The one time that a text can mean; a form that leads out of the calendar means none."""
        if len(readings) == 1:
            return self._instant_ms(next(iter(readings.values())), text)
        by_form = {form: self._instant_ms(moment, text) for form, moment in readings.items()}
        possible = {form: ms for form, ms in by_form.items() if EARLIEST_MS <= ms < LATEST_MS} or by_form
        if len(set(possible.values())) > 1:
            said = " and ".join(f"{rfc3339(ms)} as {form}" for form, ms in possible.items())
            raise TimeUnreadable(f"{text!r} is {said}; keep only the format that the file uses")
        return next(iter(possible.values()))

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
        """How far local time is ahead of UTC, by the clock before and after a change near this time."""
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
            what, key = ("happens twice", "ambiguous_hour") if happens_twice else ("does not exist", "missing_hour")
            raise TimeUnreadable(f'{text!r} {what} in {self.zone.key}; set time.{key} to "earlier" or "later"')
        return min(first_ms, second_ms) if rule == "earlier" else max(first_ms, second_ms)


def ms_of(instant: datetime) -> int:
    """An aware datetime as milliseconds since the epoch, rounded down."""
    return (instant - EPOCH) // _MS


@lru_cache(maxsize=8192)  # an event says its time three times
def rfc3339(ms: int) -> str:
    """Milliseconds since the epoch as RFC 3339 in UTC, without the fraction of a whole second: ids contain it."""
    return to_text(ms).replace(".000Z", "Z")
