"""Figures of a row in a table: shortened, but never misleading.

100 % and 0 % mean all and none, exactly. Lengths of time are cut, so that 9.96 s does not read as 10 s next to a target
of less than 10 s.
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
    """`8.0 s`, from a minute on `65 s`; `none` for None."""
    if value is None:
        return "none"
    length_s = number(value)
    return f"{tenths(length_s):.1f} s" if length_s < 60 else f"{floor(length_s):,} s"


def tenths(length_s: float) -> float:
    """Cut to a tenth."""
    return floor(length_s * 10) / 10
