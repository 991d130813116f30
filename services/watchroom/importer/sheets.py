"""Sheets of Excel workbooks (.xlsx) as rows of text, so that a mapping reads them as it reads the same table as CSV."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from python_calamine import CalamineSheet

from watchroom.importer.field_sources import DateText
from watchroom.importer.sheet_scan import Position, SheetScan

BEYOND_DIGITS = 10**15  # spreadsheets keep 15


class Unreadable(NamedTuple):
    """Why a row is refused, and because of which column."""

    column: int
    why: str


class Sheet:
    """A worksheet in memory. Rows without any value are left out, as empty lines of a text file are.

    Columns count from 0 at the first one that holds a value.
    """

    def __init__(self, name: str, names: Sequence[str], sheet: CalamineSheet, scan: SheetScan) -> None:
        self.name, self.names = name, tuple(names)
        self._sheet, self._scan, self._faulty = sheet, scan, scan.faulty
        self._no_calendar_has = set[int]()  # rows with a number that is formatted as a date, and is not one
        self._width = scan.columns
        self._first_column = max(0, scan.left)
        first = next(self._filled(), None)
        self.first_row = [cell_text(value) for value in first[1]] if first else []

    def rows(
        self, read: Collection[int], *, has_header: bool, width: int, empty: Collection[str] = ()
    ) -> Iterator[tuple[int, list[str] | Unreadable]]:
        """Each row with its number in the sheet: its texts; or why it is refused.

        Args:
            read: The columns that matter; a row is refused only because of these.
            has_header: Whether the first row is a header.
            width: How many columns a row has at least; those that the sheet does not have are empty.
            empty: Texts that mean an empty cell.
        """
        self._width = max(width, self._scan.columns)
        days = self._day_columns(read, has_header=has_header)
        merged = _Merged(self._sheet.merged_cell_ranges or [])
        for row, values in self._filled(skip=has_header):
            ranges = merged.at(row)
            if row in self._no_calendar_has:
                yield row + 1, Unreadable(min(read), "a date or duration out of range, in this cell or another")
                continue
            for column in read:
                if why := self._fault(row, column, values[column], empty, ranges):
                    yield row + 1, Unreadable(column, why)
                    break
            else:
                yield row + 1, [cell_text(value, is_day=column in days) for column, value in enumerate(values)]

    def _filled(self, *, skip: bool = False) -> Iterator[tuple[int, list[Any]]]:
        """Rows with a value; `skip`: without the first of them."""
        with_faults = {row for row, _ in self._faulty}
        for row, values in self._whole_rows():
            if row in with_faults:
                for column in range(len(values)):
                    if found := self._faulty.get((row, column + self._first_column)):
                        values[column] = found.text
            is_faulty = row in with_faults or row in self._no_calendar_has
            if is_faulty or any(value != "" for value in values):  # 0 and False are values
                if not skip:
                    yield row, values
                skip = False

    def _whole_rows(self) -> Iterator[tuple[int, list[Any]]]:
        """All rows in one width; python-calamine leaves out the edges that hold only formulas without a value."""
        before = [""] * (self._sheet.start[1] - self._first_column if self._sheet.start else 0)
        rows = self._sheet.iter_rows()
        for row in range(self._scan.bottom + 1):
            values = _next_values(rows)
            if values is None:
                self._no_calendar_has.add(row)
            whole = [*before, *(values or ())]
            yield row, whole + [""] * (self._width - len(whole))

    def _day_columns(self, read: Collection[int], *, has_header: bool) -> frozenset[int]:
        """The columns whose dates are all at midnight and shown without an hour: they hold days.

        A cell alone does not tell: python-calamine gives a day for any midnight.
        """
        days, times = set[int](), {column - self._first_column for column in self._scan.columns_with_hours}
        for _, values in self._filled(skip=has_header):
            for column in read:
                value = values[column]
                if isinstance(value, date):
                    (times if isinstance(value, datetime) else days).add(column)
        return frozenset(days - times)

    def _fault(
        self, row: int, column: int, value: object, empty: Collection[str], ranges: Sequence[tuple[Position, Position]]
    ) -> str:
        at = (row, column + self._first_column)
        if (found := self._faulty.get(at)) and not (found.text and found.text in empty):
            return found.why
        if isinstance(value, int | float) and abs(value) >= BEYOND_DIGITS:
            return f"{value:.15g} has more than 15 digits, and spreadsheets keep only 15; store this column as text"
        for first, last in ranges if value == "" else ():
            if at != first and first[1] <= at[1] <= last[1]:
                return (
                    f"a cell that is merged over rows {first[0] + 1} to {last[0] + 1}; unmerge it and fill in each cell"
                )
        return ""


def _next_values(rows: Iterator[list[Any]]) -> list[Any] | None:
    """The next row; None if one of its values cannot be read. The rows after it can."""
    try:
        return next(rows, [])
    except (ArithmeticError, ValueError):
        return None
    except BaseException as error:
        if not is_panic(error):
            raise
        return None


class _Merged:
    """Merged cells by row; rows are asked for from the top."""

    def __init__(self, ranges: Sequence[tuple[Position, Position]]) -> None:
        self._coming = sorted(ranges, reverse=True)
        self._here: list[tuple[Position, Position]] = []

    def at(self, row: int) -> Sequence[tuple[Position, Position]]:
        while self._coming and self._coming[-1][0][0] <= row:
            self._here.append(self._coming.pop())
        if self._here:
            self._here = [each for each in self._here if each[1][0] >= row]
        return self._here


def cell_text(value: object, *, is_day: bool = True) -> str:
    """A value as text: times as ISO in whole ms, whole numbers without a point, lengths of time in seconds.

    Args:
        value: As python-calamine gives it.
        is_day: Whether a date without a time of day means the day, and not its midnight.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, timedelta):
        return _number(value.total_seconds())
    if isinstance(value, datetime | time):
        return DateText(value.isoformat(timespec="milliseconds").removesuffix(".000"))
    if isinstance(value, date):
        return DateText(value.isoformat() if is_day else f"{value.isoformat()}T00:00:00")
    return _number(value) if isinstance(value, int | float) else str(value)


def _number(value: float) -> str:
    text = f"{value + 0.0:.15g}"  # never -0
    return f"{Decimal(text):f}" if "e" in text else text


def is_panic(error: BaseException) -> bool:
    """Whether it comes from Rust: it is not an Exception, and its class cannot be imported."""
    return type(error).__name__ == "PanicException"
