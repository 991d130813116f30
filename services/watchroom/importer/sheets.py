"""Sheets of Excel workbooks (.xlsx) as rows of text, so that a mapping reads them as it reads the same table as CSV."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from python_calamine import CalamineSheet

from watchroom.errors import Fault, RowRefused
from watchroom.importer.field_sources import DateText
from watchroom.importer.mapping_model import MappingConfig
from watchroom.importer.row import Row, RowBuilder, column_faults
from watchroom.importer.sheet_scan import Position, SheetScan
from watchroom.wording import counted

BEYOND_DIGITS = 10**15  # spreadsheets keep 15


class SheetTable:
    """A worksheet in memory. Rows without any value are left out, as empty lines of a text file are.

    Columns count from 0 at the first one that holds a value.

    Args:
        book: The workbook, for messages.
        names: Of its worksheets.
        sheet: The worksheet.
        scan: Of its XML.
        mapping: The mapping.
    """

    def __init__(
        self, book: str, names: Sequence[str], sheet: CalamineSheet, scan: SheetScan, mapping: MappingConfig
    ) -> None:
        self._book, self._names, self._sheet, self._scan, self._mapping = book, names, sheet, scan, mapping
        self._faulty = scan.faulty
        self._no_calendar_has = set[int]()  # rows with a number that is formatted as a date, and is not one
        self._width = scan.columns
        self._first_column = max(0, scan.left)
        first_row = next((values for _, values in self._rows_with_values()), [])
        self._header = list(mapping.file.columns) or [cell_text(value).strip() for value in first_row]

    def close(self) -> None:
        """The file is closed already."""

    def header_faults(self) -> Iterator[Fault]:
        """What is wrong with the header row."""
        others = ", ".join(repr(name) for name in self._names if name != self._sheet.name)
        where = f"{self._book}: sheet {self._sheet.name!r}" + (f" (others: {others})" if others else "")
        yield from column_faults(where, self._header, self._mapping)

    def rows(self, number: int) -> Iterator[Row | RowRefused]:
        """The rows; `number`: of the file, among those read. A row is refused only because of columns that are read."""
        mapping, header = self._mapping, self._header
        width, has_header = len(header), not mapping.file.columns
        self._width = max(width, self._scan.columns)  # columns that the sheet does not have are empty
        read = [header.index(column) for column in mapping.columns()]
        days = self._day_columns(read, has_header=has_header)
        merged = _Merged(self._sheet.merged_cell_ranges or [])
        builder = RowBuilder(self._book, number, header, mapping)
        for row, values in self._rows_with_values(skip=has_header):
            where, ranges = f"{self._book}:{row + 1}", merged.at(row)
            faults = ((column, self._fault(row, column, values[column], ranges)) for column in read)
            if row in self._no_calendar_has:
                why = "a date or duration out of range, in this cell or another cell of the row"
                yield RowRefused(where, f"{header[min(read)]}: {why}")
            elif found := next(((column, why) for column, why in faults if why), None):
                yield RowRefused(where, f"{header[found[0]]}: {found[1]}")
            else:
                texts = [cell_text(value, is_day=column in days) for column, value in enumerate(values)]
                if any(texts[width:]):
                    last = max(at for at, text in enumerate(texts, 1) if text)
                    yield RowRefused(where, f"{counted(last, 'cell')}, but the mapping's file.columns has {width}")
                else:
                    stripped = [text if isinstance(text, DateText) else text.strip() for text in texts[:width]]
                    yield builder.row(row + 1, stripped)

    def _rows_with_values(self, *, skip: bool = False) -> Iterator[tuple[int, list[Any]]]:
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
        for _, values in self._rows_with_values(skip=has_header):
            for column in read:
                value = values[column]
                if isinstance(value, date):
                    (times if isinstance(value, datetime) else days).add(column)
        return frozenset(days - times)

    def _fault(self, row: int, column: int, value: object, ranges: Sequence[tuple[Position, Position]]) -> str:
        at = (row, column + self._first_column)
        if (found := self._faulty.get(at)) and not (found.text and found.text in self._mapping.file.empty):
            return found.why
        if isinstance(value, int | float) and abs(value) >= BEYOND_DIGITS:
            return f"{value:.15g} has more than 15 digits, and spreadsheets keep only 15; store this column as text"
        for first, last in ranges if value == "" else ():
            if at != first and first[1] <= at[1] <= last[1]:
                return f"part of a merged cell (rows {first[0] + 1} to {last[0] + 1}); unmerge it and fill in each cell"
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
