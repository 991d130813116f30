"""Facts that come out the same in every order of events.

A *stamp* is `(time, event id, value)`. The earliest is the smallest, the latest the largest: ties in
time go by event id, and one id with two contents by the contents, so no order of arrival can matter.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import TypeVar

Stamp = tuple[int, str, str]
Any_ = TypeVar("Any_", bound=tuple[object, ...])


def earliest_ms(known: int | None, at_ms: int) -> int:
    """The earlier of two moments."""
    return at_ms if known is None or at_ms < known else known


def latest_ms(known: int | None, at_ms: int) -> int:
    """The later of two moments."""
    return at_ms if known is None or at_ms > known else known


def first(known: Any_ | None, stamp: Any_) -> Any_:
    """The earlier of two stamps."""
    return stamp if known is None or stamp < known else known


def last(known: Any_ | None, stamp: Any_) -> Any_:
    """The later of two stamps."""
    return stamp if known is None or stamp > known else known


def said(stamp: Stamp | None) -> str | None:
    """What a stamp says; None where there is none."""
    return None if stamp is None else stamp[2]


def with_member(known: tuple[Stamp, ...], stamp: Stamp) -> tuple[Stamp, ...]:
    """A set of stamps kept as a sorted tuple; costs a few comparisons and one copy."""
    at = bisect_left(known, stamp)
    return known if known[at : at + 1] == (stamp,) else (*known[:at], stamp, *known[at:])
