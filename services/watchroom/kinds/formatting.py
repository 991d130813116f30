"""Figures of a row as a table writes them: shorter than they are, and never saying otherwise.

100 % and 0 % are said of all and of none only, and lengths of time are cut, so that 9.96 s is not 10 s beside a
target of below 10 s.
"""

from __future__ import annotations

from math import floor
from typing import cast


def number(value: object) -> float:
    """A figure of a row that is a number."""
    return cast("float", value)


def whole(value: object) -> int:
    """A figure of a row that is a whole number."""
    return cast("int", value)


def percent(share: float) -> str:
    """`98.48%`."""
    text = f"{share:.2%}"
    if text == "100.00%" and share < 1:
        return ">99.99%"
    return "<0.01%" if text == "0.00%" and share > 0 else text


def seconds(value: object) -> str:
    """`8.0 s`, from a minute on `65 s`; `none` of nothing."""
    if value is None:
        return "none"
    length_s = number(value)
    return f"{tenths(length_s):.1f} s" if length_s < 60 else f"{floor(length_s):,} s"


def length(seconds: float) -> str:
    """A limit or target as people say it, exactly: `10 s`, `90 s`, `15 min`, `10 min 30 s`, `48 h`, `30 d`."""
    if seconds < 100 or seconds % 1:
        return f"{seconds:,.10g} s"
    whole = int(seconds)
    hours = whole // 3600
    parts = (
        [(hours // 24, "d"), (hours % 24, "h")] if hours > 48 else [(hours, "h")],
        [(whole // 60 % 60, "min"), (whole % 60, "s")],
    )
    return " ".join(f"{number:,} {unit}" for part in parts for number, unit in part if number)


def tenths(length_s: float) -> float:
    """Cut to a tenth."""
    return floor(length_s * 10) / 10
