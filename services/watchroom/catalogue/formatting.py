"""Numbers, states and windows as people read them: one definition for the page, the boards and the alerts. Pure.

Numbers are cut, not rounded, so that one that misses its limit never reads as if it met it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from math import floor
from typing import Final, Literal, NamedTuple, assert_never
from zoneinfo import ZoneInfo

from watchroom.kinds.kind import Quantity, Unit
from watchroom.kinds.labels import where_titles
from watchroom.kinds.measure import Measure, Target
from watchroom.wording import duration_parts, exact_duration

NO_DATA = "NO DATA"
NONE = "NONE"
NOT_FED = "not fed here"

State = Literal["normal", "warning", "critical", "none", "nodata", "unfed"]

_WINDOWS: Final[Mapping[str, str]] = {
    "": "now",
    "5m": "last 5 min",
    "15m": "last 15 min",
    "30m": "last 30 min",
    "1h": "last hour",
    "6h": "last 6 h",
    "24h": "last 24 h",
    "today": "today",
    "7d": "last 7 days",
    "28d": "last 28 days",
    "month": "by month",
    "12mo": "last 12 complete months",
}


def window_text(window: str) -> str:
    """A window in words; `now` for what has none."""
    return _WINDOWS.get(window, window)


class Piece(NamedTuple):
    """A number and the small word behind it: ("12", "min")."""

    number: str
    unit: str


def pieces(value: float, unit: Unit, *, tenths: bool = False) -> list[Piece]:
    """A number in the parts that are drawn large and small; `tenths` of a second only below 100 s."""
    match unit:
        case Unit.SHARE:
            return [Piece(_percent(value), "%")]
        case Unit.SECONDS:
            return [Piece(number, unit) for number, unit in duration_parts(value, tenths=tenths)]
        case Unit.NUMBER:
            return [Piece(f"{floor(value):,}", "")]
        case _:
            assert_never(unit)


def plain(value: float, unit: Unit, *, tenths: bool = False) -> str:
    """The same in one line."""
    return " ".join(f"{number} {word}".strip() for number, word in pieces(value, unit, tenths=tenths))


def exact_text(value: float, unit: Unit) -> str:
    """A limit or target as short as it is exact: `10 min`, not `10 min 00 s`."""
    return exact_duration(value) if unit is Unit.SECONDS else plain(value, unit)


def target_with_labels(measure: Measure, target: Target) -> str:
    """`below 10 s (999)`, `within 15 min (Grade 1)`."""
    where = where_titles(measure, target.where)
    return f"{target.said} ({where})" if where else target.said


def clock(at_ms: int, zone: ZoneInfo, pattern: str = "%Y-%m-%d %H:%M:%S") -> str:
    """A moment on the reporting zone's clock."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).astimezone(zone).strftime(pattern)


def state_text(state: State, quantity: Quantity, *, low_is_bad: bool = False) -> str:
    """Every state has a word as well as its colour; a quantity may have its own words."""
    words: dict[State, str] = {
        "normal": "NORMAL",
        "warning": "LOW" if low_is_bad else quantity.warning_text,
        "critical": quantity.critical_text,
        "none": NONE,
        "nodata": NO_DATA,
        "unfed": NOT_FED,
    }
    return words[state]


def worst(states: list[State]) -> State:
    """The one that a tile is drawn in."""
    order: list[State] = ["nodata", "critical", "warning", "normal", "none", "unfed"]
    return min(states, key=order.index, default="none")


def _percent(share: float) -> str:
    percent = share * 100 + 1e-9  # 0.29 * 100 is 28.999999999999996
    if share > 0 and percent < 0.1:
        return "<0.1"  # 0 % is shown only if there are none
    return f"{floor(percent * 10) / 10:.1f}" if 0 < percent < 10 and percent % 1 > 0.1 else f"{floor(percent)}"
