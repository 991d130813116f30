"""Text that people read: lengths of time, percentages, counted nouns, and what is safe in a terminal. Pure."""

from __future__ import annotations

import unicodedata
from math import floor
from typing import Final

_MINUTE_S, _HOUR_S = 60, 3_600
_UNSEEN: Final = ("Cc", "Cf", "Cs", "Zl", "Zp")  # controls, writing directions, lone surrogates, line separators


def printable(text: str) -> str:
    """Text that is safe in a terminal: control characters and lone surrogates are escaped, line breaks stay."""
    return text if text.isprintable() else "\n".join(map(one_line, text.split("\n")))


def one_line(text: str) -> str:
    """The same in one line: line breaks are escaped too."""
    return "".join(
        char.encode("unicode_escape").decode() if unicodedata.category(char) in _UNSEEN else char for char in text
    )


def counted(number: int, noun: str) -> str:
    """`1 month`, `1,200 months`."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def percent(share: float) -> str:
    """`98.48%`; only all and none are written as 100.00% and 0.00%."""
    text = f"{share:.2%}"
    if text == "100.00%" and share < 1:
        return ">99.99%"
    return "<0.01%" if text == "0.00%" and share > 0 else text


def duration_parts(seconds: float, *, tenths: bool = False) -> list[tuple[str, str]]:
    """A measured length of time as numbers and units, cut to whole units; a negative one counts as 0.

    Args:
        seconds: How long.
        tenths: Whether fewer than 100 seconds have a decimal.
    """
    seconds = max(0.0, seconds)
    if seconds < 100:
        return [(f"{floor(seconds * 10) / 10:.1f}" if tenths else f"{floor(seconds)}", "s")]
    whole = floor(seconds)
    hours, minutes = whole // _HOUR_S, whole // _MINUTE_S % 60
    if hours >= 48:  # below two days in hours, as targets are: "within 24 h"
        return [(f"{hours // 24}", "d"), (f"{hours % 24}", "h")]
    if hours:
        return [(f"{hours}", "h"), (f"{minutes:02}", "min")]
    return [(f"{minutes}", "min"), (f"{whole % 60:02}", "s")]


def duration(seconds: float, *, tenths: bool = False) -> str:
    """A measured length of time, as `duration_parts`: `8 s`, `9 min 05 s`, `28 h 30 min`, `5 d 3 h`."""
    return " ".join(f"{number} {unit}" for number, unit in duration_parts(seconds, tenths=tenths))


def exact_duration(seconds: float) -> str:
    """A limit or target, exactly: `10 s`, `90 s`, `15 min`, `10 min 30 s`, `48 h`, `30 d`."""
    if seconds < 100 or seconds % 1:
        return f"{seconds:,.10g} s"
    whole = int(seconds)
    hours = whole // _HOUR_S
    days, hours = divmod(hours, 24) if hours > 48 else (0, hours)
    parts = ((days, "d"), (hours, "h"), (whole // _MINUTE_S % 60, "min"), (whole % 60, "s"))
    return " ".join(f"{number:,} {unit}" for number, unit in parts if number)
