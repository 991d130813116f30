"""The report compared with the published one: each printed number, ours at the same rounding, and the difference."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple

from watchroom.simulator.published_year import Entry, Printed

Row = Mapping[str, Any]  # of the report's JSON


class Line(NamedTuple):
    """One line of the page."""

    name: str
    entry: Entry
    printed: Decimal | None  # None: in words only
    ours: Decimal | None  # at the printed rounding; None: in words only, or not there
    row: Row | None  # the report's; None: it has none

    @property
    def difference(self) -> Decimal | None:
        """Our number minus the printed one."""
        return None if self.printed is None or self.ours is None else self.ours - self.printed

    @property
    def is_right(self) -> bool:
        """Whether it exists, and is equal or different by as much as the table says."""
        if self.entry.number is None:
            return self.row is not None
        return self.difference is not None and self.difference == _decimal(self.entry.differs)


def lines(printed: Printed, reports: Mapping[int, Sequence[Row]], kept: Sequence[Row], scale: float) -> list[Line]:
    """One line for each entry of the table, in the order of the rows.

    Args:
        printed: The table.
        reports: The report's rows by the number of months it covers.
        kept: Every stored figure, whatever its period: the report shows the latest of each span.
        scale: Fraction of the year's calls and contacts.
    """
    found = [_line(name, entry, reports[entry.months], kept, scale) for name, entry in printed.entries.items()]
    return sorted(found, key=lambda line: line.entry.row)


def _line(name: str, entry: Entry, report: Sequence[Row], kept: Sequence[Row], scale: float) -> Line:
    rows = list(_rows(entry, report)) or list(_rows(entry, kept))
    row = rows[0] if rows else None
    if entry.number is None:
        return Line(name, entry, None, None, row)
    number = entry.number * (scale if entry.volume else 1)
    ours = None if row is None else _number(entry, row)
    rounded = None if ours is None else _rounded(ours * entry.times, entry.step)
    return Line(name, entry, _rounded(number, entry.step), rounded, row)


def _rows(entry: Entry, rows: Iterable[Row]) -> Iterator[Row]:
    for row in rows:
        is_its = row["measure"] == entry.measure and row["by"] == dict(entry.by)
        if is_its and (not entry.period or row["period"] == entry.period):
            yield row


def _number(entry: Entry, row: Row) -> float | None:
    if entry.bands:
        counts: Mapping[str, int] = row["bands"]
        number = sum(counts[f"tokens_{band}"] for band in entry.bands)
        return 100 * number / sum(counts.values()) if entry.share else number
    value: Any = row
    for name in entry.read:
        value = None if value is None else value.get(name)
    return None if value is None else float(value)


def _rounded(number: float, step: float) -> Decimal:
    """Half away from zero; from a number that the report has rounded to six digits."""
    parts = (Decimal(repr(round(number, 6))) / _decimal(step)).quantize(Decimal(1), rounding=ROUND_HALF_UP)
    return parts * _decimal(step)


def _decimal(number: float) -> Decimal:
    return Decimal(repr(number))
