"""RFC 3339 times to whole milliseconds since the Unix epoch, UTC, and back.

A time must have its offset: "01:30 on 31 October 2021" happened twice in London, and only `+01:00` or `Z` says which
one is meant. Fractions beyond milliseconds are cut (floor).

`to_ms` runs for every event, so the four usual forms are read by look-ups (0.2 to 0.4 us; the slow way takes
several). The length of a text selects its form. Every character is part of a look-up, each table has only what is
valid at its position (`07Z` is not in the table of `07.`), and a cached minute was validated by the slow way. So
earlier texts change how long a text takes, never whether it is valid. Other texts, and the first of each minute and
offset, take the slow way.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from watchroom.events.messages import shown

EARLIEST_MS: Final = 631_152_000_000
"""1990-01-01T00:00Z; an earlier time comes from an unset clock, a 0 or a number in another unit."""
LATEST_MS: Final = 7_258_118_400_000
"""2200-01-01T00:00Z, exclusive: days and months of later times are not computed."""
AHEAD_MS: Final = 300_000
"""How far a source's clock may be ahead of ours where no setting says it."""

PATTERN: Final = r"^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,30})?([Zz]|[+-]\d{2}:\d{2})$"
WRITE: Final = 'RFC 3339 with an offset, for example "2021-10-31T01:30:00+01:00" or "2021-10-31T00:30:00Z"'

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)
_PARTS: Final = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,30}))?([Zz]|[+-]\d{2}:\d{2})", re.ASCII
)
_NAIVE: Final = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(:\d{2}(\.\d*)?)?", re.ASCII)
_NUMBER: Final = re.compile(r"\d+(\.\d+)?", re.ASCII)
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)

_SECONDS: Final = {f"{s:02}": s * 1000 for s in range(60)}
_SECONDS_Z: Final = {f"{s:02}Z": s * 1000 for s in range(60)}
_SECONDS_POINT: Final = {f"{s:02}.": s * 1000 for s in range(60)}
_MILLIS: Final = {f"{ms:03}": ms for ms in range(1000)}
_MILLIS_Z: Final = {f"{ms:03}Z": ms for ms in range(1000)}
_MOST_MINUTES: Final = 65_536
_minutes: dict[str, int] = {}  # "2021-10-31T01:30:" + offset ("" for Z) -> ms; emptied when full


class TimeUnusable(ValueError):
    """DROP: a text is not a valid time; the message says what was found and what to write."""


def to_ms(text: str) -> int:
    """Milliseconds since the epoch of an RFC 3339 time with an offset.

    Raises:
        TimeUnusable: Anything else, and times outside 1990 to 2199.
    """
    size = len(text)
    try:
        if size == 20:  # 2021-10-31T00:30:00Z
            return _minutes[text[:17]] + _SECONDS_Z[text[17:]]
        if size == 24:  # 2021-10-31T00:30:00.000Z
            return _minutes[text[:17]] + _SECONDS_POINT[text[17:20]] + _MILLIS_Z[text[20:]]
        if size == 25:  # 2021-10-31T01:30:00+01:00
            return _minutes[text[:17] + text[19:]] + _SECONDS[text[17:19]]
        if size == 29:  # 2021-10-31T01:30:00.000+01:00
            return _minutes[text[:17] + text[23:]] + _SECONDS_POINT[text[17:20]] + _MILLIS[text[20:23]]
    except KeyError:
        pass
    return _slow_way(text)


def to_text(ms: int) -> str:
    """The time for people, in UTC. For messages, so it never fails, whatever the number."""
    if not -62_135_596_800_000 <= ms < 253_402_300_800_000:
        return f"{ms} ms since 1970"
    return (_EPOCH + ms * _MS).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def unit_since_1970(number: float) -> str:
    """The unit in which a number since 1970 is a valid event time, `seconds` to `nanoseconds`; "" if there is none."""
    # comparisons only: arithmetic on a number of thousands of digits would fail
    units = (("seconds", 1e-3), ("milliseconds", 1), ("microseconds", 1e3), ("nanoseconds", 1e6))
    return next((unit for unit, per_ms in units if EARLIEST_MS * per_ms <= number < LATEST_MS * per_ms), "")


def _slow_way(text: str) -> int:
    match = _PARTS.fullmatch(text)
    if match is None:
        raise TimeUnusable(_what_is_wrong(text))
    day, hour, minute, second, fraction, zone = match.groups()
    offset = "" if zone in "Zz" else zone
    start_ms = _minute_ms(text, day, hour, minute, offset)
    if second == "60":
        return _leap_ms(text, start_ms)
    if second > "60":
        raise TimeUnusable(f"{text!r} has second {second}; write 00 to 59")
    ms = start_ms + _SECONDS[second] + int((fraction or "0")[:3].ljust(3, "0"))
    if not EARLIEST_MS <= ms < LATEST_MS:
        raise _outside(text, ms)
    if EARLIEST_MS <= start_ms <= LATEST_MS - 60_000:  # so that the quick way needs no check
        if len(_minutes) >= _MOST_MINUTES:
            _minutes.clear()
        _minutes[f"{day}T{hour}:{minute}:{offset}"] = start_ms
    return ms


def _minute_ms(text: str, day: str, hour: str, minute: str, offset: str) -> int:
    """Start of a minute; arithmetic on whole numbers, because a float would lose milliseconds."""
    if hour > "23" or minute > "59" or offset[1:3] > "23" or offset[4:] > "59":
        raise TimeUnusable(f"{text!r} has an invalid time of day or offset; hours are 00 to 23, minutes 00 to 59")
    try:
        midnight = datetime.fromisoformat(day).replace(tzinfo=UTC)
    except ValueError:
        raise TimeUnusable(f"{text!r} is not a calendar date; write {WRITE}") from None
    ahead = int(offset[1:3]) * 60 + int(offset[4:]) if offset else 0
    minutes = int(hour) * 60 + int(minute) + (ahead if offset[:1] == "-" else -ahead)
    return (midnight - _EPOCH) // _MS + minutes * 60_000


def _leap_ms(text: str, start_ms: int) -> int:
    """A leap second (23:59:60 UTC) counts as the last millisecond before it, so in its own day and month."""
    if (start_ms + 60_000) % 86_400_000:
        raise TimeUnusable(f"{text!r} has second 60, which exists only at 23:59 UTC; write 00 to 59")
    if not EARLIEST_MS <= start_ms < LATEST_MS:
        raise _outside(text, start_ms)
    return start_ms + 59_999


def _outside(text: str, ms: int) -> TimeUnusable:
    """The usual cause of a time in another century."""
    what = "is the sender's clock set?"
    if 0 <= ms < 86_400_000:
        what = "a sender that stores `never` as 0 produces such times"
    elif EARLIEST_MS <= ms * 1000 < LATEST_MS:
        what = "it looks like seconds since 1970 that were read as milliseconds"
    return TimeUnusable(f"{text!r} is outside 1990 to 2199 ({what}); write {WRITE}")


def _what_is_wrong(text: str) -> str:
    found = shown(text)
    if _NAIVE.fullmatch(text):
        return f"{found} has no offset, and some local times occur twice in autumn; write {WRITE}"
    if _NUMBER.fullmatch(text) and (unit := unit_since_1970(float(text))):
        return f"{found} is a number (it looks like {unit} since 1970); write {WRITE}"
    if _DATE.fullmatch(text):
        return f"{found} is a date without a time; write {WRITE}"
    if text[10:11] == " " and _PARTS.fullmatch(text.replace(" ", "T", 1)):
        return f"{found} has a space between date and time; write a T there"
    return f"{found} is not a valid time; write {WRITE}"
