"""The formats of times in text files. Pure; a format that loses something is refused.

Python's `strptime` reads `145` under `%H%M` as 14:05, ignores PM after `%H`, and forgets the zone that `%Z` names. So
a pattern is accepted only if times come back from printing and reading, and a cell only if its time prints as the cell.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from itertools import permutations

from watchroom.events.times import unit_since_1970

NAMED = ("iso", "epoch_s", "epoch_ms")
EPOCHS = {"epoch_s": timedelta(seconds=1), "epoch_ms": timedelta(milliseconds=1)}
EARLIEST, LATEST = datetime(1990, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
"""What a form can mean; `events/times.py` admits the same years."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# `fromisoformat` takes more: a day or a week alone (as midnight), an hour alone, any character between them, 24:00.
_ISO = re.compile(
    r"(\d{4}-\d{2}-\d{2}|\d{8})[Tt ]([01]\d|2[0-3])"
    r"(:\d{2}(:\d{2}([.,]\d+)?)?|\d{2}(\d{2}([.,]\d+)?)?)([Zz]|[+-].+)?",
    re.ASCII,
)
_SECONDS = re.compile(r"\d+(\.\d+)?", re.ASCII)  # `float` takes more: 1_000, 1e9, nan
_MILLISECONDS = re.compile(r"\d+", re.ASCII)
_PARTS = re.compile(r"%.|[A-Za-z]+|[^%A-Za-z]+|%", re.DOTALL)
_ZONE_NAME = re.compile(r"(?<![a-z])(?:utc|gmt|z)(?![a-z])", re.IGNORECASE)
_OFFSET_COLON = re.compile(r"([+-]\d\d):(\d\d)", re.ASCII)
_LITERAL_OFFSET = re.compile(r"[+-]\d\d:?\d\d$", re.ASCII)
_HOURS_OFFSET = re.compile(r"(:\d\d(?:\.\d+)?\s?[+-]\d\d)(?![\d:])", re.ASCII)  # PostgreSQL's +00
_SIGNED_NUMBER = re.compile(r"[+\-\u2212]\d")
_ZONE_NAMES = re.compile(
    r"[a-z_]{2,}/[a-z_]{2,}|(?<![a-z])(?:standard|summer|daylight|universal|mean|zulu|ut|bst|cest|cet|cst|cdt|eest|eet"
    r"|est|edt|hst|ist|jst|msk|mst|mdt|pst|pdt|west|wet|[an][kwez]?[ds]t|ae[ds]t|ac[ds]t)(?![a-z])",
    re.IGNORECASE,
)
_ZONE_CAPITALS = re.compile(  # also A, of the military
    r"(?<![A-Za-z])(?:(?!UHR|HRS|HOURS|TIME|DATE)[A-Z]{3,5}|[CEMP]T)(?![A-Za-z])|(?<![A-Za-z])[A-GI-LN-RU-Y]$"
)
_LITERAL_HALF = re.compile(r"(?<![a-z])[ap]\.?\s?m(?![a-z])", re.IGNORECASE)
_ZEROS_BEYOND_MICROSECONDS = re.compile(r"(?<=[.,]\d{6})0+(?!\d)", re.ASCII)  # SQL Server has 7 digits, Oracle 9
_LEADING_ZEROS = re.compile(r"(?<!\d)0+(?=\d)", re.ASCII)
_BLANKS = re.compile(r"\s+")
_SAMPLE_STEP = timedelta(days=97, hours=5, minutes=37, seconds=43, microseconds=123_457)  # over all parts of a time
_STEPS = (
    (timedelta(microseconds=1), {"%f"}),
    (timedelta(seconds=1), {"%S", "%c", "%X"}),
    (timedelta(minutes=1), {"%M"}),
)
_NO_ZONE = "a zone written out in a pattern would be ignored"
_DAYS_ONLY = "a pattern that includes the hour; if the file has dates only, `append` a time"
_USUAL = f"{', '.join(NAMED)}, or a pattern with day, month, year and hour: '%d/%m/%Y %H:%M:%S'"


_LETTERS = frozenset("aAbBcdfGHIjmMpSuUVwWxXyYzZ")  # that `strptime` knows
_INSTEAD = {
    "%F": "%Y-%m-%d", "%T": "%H:%M:%S", "%R": "%H:%M", "%D": "%m/%d/%y", "%e": "%d", "%k": "%H", "%l": "%I",
    "%P": "%p", "%h": "%b", "%s": "epoch_s", "%r": "%I:%M:%S %p",
}  # fmt: skip
_CLOCK_LETTERS = {"%H", "%I", "%M", "%S", "%f", "%p", "%X", "%z", "%Z", "%%"}
_DATED, _A_DAY = "%Y-%m-%d ", "2000-01-01 "  # before a clock time and its form, to read it as any other time
_DAY, _HALF_A_DAY = timedelta(days=1), timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class _Pattern:
    parts: tuple[str, ...]  # letters with their %, and the texts between them
    read: str  # as `strptime` is to read it

    @property
    def has_zone(self) -> bool:
        return "%z" in self.parts or "%Z" in self.parts


@lru_cache(maxsize=1024)
def _pattern(text: str) -> _Pattern:
    """A zone that is written out, as the Z of `%SZ`, is read as a zone: the mapping's must not take its place."""
    found = _PARTS.findall(_LITERAL_OFFSET.sub("%z", text))
    parts = tuple("%Z" if part.upper() in ("UTC", "GMT", "Z") else part for part in found)
    return _Pattern(parts, "".join("%z" if part == "%Z" else part for part in parts))


def read(text: str, form: str) -> datetime:
    """The time that a text is under a form: naive where the text says no zone.

    Raises:
        ValueError, OverflowError: The text is not of that form, would not be printed so, or is beyond the calendar.
    """
    if form == "iso":
        return datetime.fromisoformat(_whole(_ISO, text))
    if form == "epoch_s":
        return EPOCH + timedelta(seconds=float(_whole(_SECONDS, text)))
    if form == "epoch_ms":
        return EPOCH + timedelta(milliseconds=int(_whole(_MILLISECONDS, text)))
    pattern = _pattern(form)
    if "%f" in pattern.parts:
        text = _ZEROS_BEYOND_MICROSECONDS.sub("", text)
    given = _HOURS_OFFSET.sub(r"\g<1>00", _ZONE_NAME.sub("+0000", text)) if pattern.has_zone else text
    found = datetime.strptime(given, pattern.read)  # noqa: DTZ007  # the mapping's zone is added by the caller
    wanted = _normal(text, pattern)
    if not any(_normal(printed, pattern) == wanted for printed in _printed(found, pattern)):
        raise ValueError(text)
    return found


@lru_cache(maxsize=1024)
def is_clock(form: str) -> bool:
    """Whether a form is a time of day without a day."""
    letters = {part for part in _pattern(form).parts if part.startswith("%")}
    return form not in NAMED and bool(letters & {"%H", "%I", "%X"}) and letters <= _CLOCK_LETTERS


def read_clock(text: str, form: str, near: datetime) -> datetime:
    """A time of day, on the day that brings it within 12 h of `near`; exactly 12 h apart, on the day of `near`.

    Both are local times without a zone.

    Raises:
        ValueError, OverflowError: As `read`.
    """
    found = datetime.combine(near.date(), _time_of_day(text, form))
    if found - near > _HALF_A_DAY:
        return found - _DAY
    return found + _DAY if near - found > _HALF_A_DAY else found


@lru_cache(maxsize=100_000)  # a day has 86,400 seconds
def _time_of_day(text: str, form: str) -> time:
    return read(f"{_A_DAY}{text}", _DATED + form).time()


def clock_fault(form: str) -> str:
    """What to write instead of a format that does not define a time of day; empty if it does."""
    if _pattern(form).has_zone or _ignored_zone(form):
        return "a clock time without a zone: it is read in time.zone"
    return form_fault(_DATED + form) and "a clock time with the hour: '%H:%M:%S', '%H:%M', '%I:%M %p'"


def form_fault(form: str) -> str:
    """What to write instead of a format that does not define a time; empty if it does."""
    if form in NAMED:
        return ""
    if unknown := next((part for part in _PARTS.findall(form) if _is_unknown(part)), ""):
        if unknown in _INSTEAD:
            return f"{_INSTEAD[unknown]} instead of {unknown}"
        return f"the pattern without {unknown}, which is not supported; use {_USUAL}"
    if not {*_pattern(form).parts} & {"%H", "%c", "%I", "%X"}:
        return f"{_USUAL}; {_DAYS_ONLY}"
    return _half_day_fault(form) or _zone_fault(form) or _loss_fault(form)


def _is_unknown(part: str) -> bool:
    """Whether a part of a pattern is a % with a letter that `strptime` does not know."""
    return part[0] == "%" and part[1:].isalpha() and part[1] not in _LETTERS


def _half_day_fault(form: str) -> str:
    parts = set(_pattern(form).parts)
    if ("%p" in parts or _LITERAL_HALF.search(_literals(form))) and "%I" not in parts:
        return "%I instead of %H: with %H, AM and PM have no effect"
    if "%I" in parts and "%p" not in parts:
        return "%H instead of %I, or %p after it: %I alone may mean morning or afternoon"
    return ""


def _zone_fault(form: str) -> str:
    if zone := _ignored_zone(form):
        return f"%z instead of {zone!r} if the cells have an offset; otherwise set time.zone: {_NO_ZONE}"
    if sum(part in ("%z", "%Z") for part in _pattern(form).parts) > 1:
        return "one zone in the pattern: %z for an offset, %Z for UTC, GMT or Z"
    return ""


def _loss_fault(form: str) -> str:
    if is_clock(form):
        return f"{_USUAL}; for clock times without a day, add `day_from` to [time]"
    try:
        lost = any(_utc(read(text, form)) != moment for moment, text in samples(form))
    except (ValueError, OverflowError, re.error):  # `strptime` lets a letter that comes twice end in re.error
        lost = True
    return _USUAL if lost else ""


def _literals(form: str) -> str:
    """What a pattern writes out, with a zero byte for each letter with its %, and for a zone that is read."""
    return "".join("\0" if part.startswith("%") else part for part in _pattern(form).parts)


def _ignored_zone(form: str) -> str:
    """A zone or an offset that a pattern writes out, and that reading would ignore; empty if it has none."""
    literals = _literals(form)
    found = _SIGNED_NUMBER.search(literals)
    if not found and "%z" not in _pattern(form).parts:  # with an offset, a name adds nothing
        found = _ZONE_NAMES.search(literals) or _ZONE_CAPITALS.search(literals)
    return next((run.strip() for run in literals.split("\0") if found and found[0] in run), "")


def clashes(forms: Sequence[str]) -> tuple[str, str, str] | None:
    """Two forms that read one text as different times, and that text; clock times are compared with clock times."""
    full = tuple(form for form in forms if not is_clock(form))
    clocks = tuple(_DATED + form for form in forms if is_clock(form))
    if found := clash(full):
        return found
    if found := clash(clocks):
        first, second, sample = found
        return first.removeprefix(_DATED), second.removeprefix(_DATED), sample.partition(" ")[2]
    return None


@lru_cache(maxsize=256)
def clash(forms: tuple[str, ...]) -> tuple[str, str, str] | None:
    """Two forms that read one text as different times, and that text."""
    for first, second in permutations(forms, 2):
        for moment, text in samples(first):
            try:
                other = _utc(read(text, second))
            except (ValueError, OverflowError):
                continue
            if other != moment and EARLIEST <= other < LATEST:
                return first, second, text
    return None


def samples(form: str) -> Iterator[tuple[datetime, str]]:
    """Times cut to what a form says, each as the form writes it: of 1990 to 2068, as far as `%y` reaches."""
    step = smallest_step(form)
    moment = EARLIEST
    while moment.year <= 2068:
        exact = moment - (moment - EARLIEST) % step
        yield exact, _written(exact, form)
        moment += _SAMPLE_STEP


def smallest_step(form: str) -> timedelta:
    """What a form cuts times to."""
    if form in NAMED:
        return EPOCHS.get(form, timedelta(seconds=1))
    parts = set(_pattern(form).parts)
    return next((step for step, letters in _STEPS if parts & letters), timedelta(hours=1))


def fits_instead(text: str, forms: Sequence[str]) -> str:
    """What a number that none of these formats reads looks like, for a message; empty if nothing fits."""
    if _SECONDS.fullmatch(text) is None:
        return ""
    unit = unit_since_1970(float(text))
    form = {"seconds": "epoch_s", "milliseconds": "epoch_ms"}.get(unit, "")
    if not unit or form in forms:
        return ""
    return f"it looks like {unit} since 1970: {f'write {form}' if form else 'this unit is not supported'}"


def _written(moment: datetime, form: str) -> str:
    if form == "iso":
        return moment.replace(tzinfo=None).isoformat()
    if form in EPOCHS:
        return str((moment - EPOCH) // EPOCHS[form])
    return next(_printed(moment, _pattern(form)))


def _printed(moment: datetime, pattern: _Pattern) -> Iterator[str]:
    """As the pattern prints it; a fraction with as many digits as it needs, and with more."""
    if "%f" not in pattern.parts:
        yield moment.strftime("".join(pattern.parts))
        return
    digits = f"{moment.microsecond:06}"
    for size in range(6, max(1, len(digits.rstrip("0"))) - 1, -1):
        yield moment.strftime("".join(digits[:size] if part == "%f" else part for part in pattern.parts))


def _normal(text: str, pattern: _Pattern) -> str:
    """A text without what makes no difference to the time."""
    text = _BLANKS.sub(" ", text.strip()).lower()
    if pattern.has_zone:
        text = _ZONE_NAME.sub("+0000", _OFFSET_COLON.sub(r"\1\2", _HOURS_OFFSET.sub(r"\g<1>00", text)))
    return _LEADING_ZEROS.sub("", text)


def _utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _whole(form: re.Pattern[str], text: str) -> str:
    if form.fullmatch(text) is None:
        raise ValueError(text)
    return text
