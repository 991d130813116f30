"""Sheets of Excel workbooks (.xlsx) as rows of text, so that a mapping reads them as it reads the same table as CSV."""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import IO, Any, NamedTuple, NoReturn
from xml.etree import ElementTree as ET
from xml.parsers import expat

import python_calamine
from python_calamine import CalamineSheet, SheetTypeEnum

from watchroom.errors import ConfigurationInvalid, Fault
from watchroom.importer.field_sources import DateText

MOST_CELLS = 64_000_000
"""In the rectangle around all filled cells of a sheet: python-calamine makes all of them, in 2 GB of memory."""
BEYOND_DIGITS = 10**15  # spreadsheets keep 15

WORKBOOK = "xl/workbook.xml"
STYLES = "xl/styles.xml"
_RELATIONS = "xl/_rels/workbook.xml.rels"
_BUILT_IN_WITH_HOURS = ("18", "19", "20", "21", "22")
_NO_LETTERS_OF_A_FORM = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]')
MOST_ROWS, MOST_COLUMNS = 1_048_576, 16_384  # of any sheet
_ROW = re.compile(r"[1-9][0-9]{0,6}", re.ASCII)
_REFERENCE = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})", re.ASCII)
_UNREADABLE = (
    python_calamine.CalamineError, SyntaxError, expat.ExpatError, zipfile.BadZipFile, LookupError, ValueError, OSError,
    EOFError, RuntimeError, ArithmeticError,
)  # fmt: skip

Position = tuple[int, int]
"""Row and column in the sheet, both from 0."""


class Faulty(NamedTuple):
    """A cell whose value cannot be read, and why."""

    text: str
    why: str


class Unreadable(NamedTuple):
    """Why a row is refused: what is wrong in which column."""

    column: int
    why: str


class Sheet:
    """A worksheet in memory. Rows without any value are left out, as empty lines of a text file are.

    Columns count from 0 at the first one that holds a value.
    """

    def __init__(self, book: str, name: str, names: Sequence[str], sheet: CalamineSheet, scan: _Scan) -> None:
        self.book, self.name, self.names = book, name, tuple(names)
        self._sheet, self._scan, self._faulty = sheet, scan, scan.faulty
        self._no_calendar_has = set[int]()  # rows with a number that is formatted as a date, and is none
        self._width = scan.columns
        self._first_column = max(0, scan.left)
        first = next(self._filled(), None)
        self.first_row = [cell_text(value) for value in first[1]] if first else []

    def rows(
        self, read: Collection[int], *, has_header: bool, width: int, empty: Collection[str] = ()
    ) -> Iterator[tuple[int, list[str] | Unreadable]]:
        """Each row with its number in the sheet: its texts; or why it is refused.

        Args:
            read: The columns that matter; only what stands there refuses a row.
            has_header: Whether the first row is none.
            width: How many columns a row has at least; those that the sheet does not have are empty.
            empty: Texts that mean an empty cell.
        """
        self._width = max(width, self._scan.columns)
        days = self._day_columns(read, has_header=has_header)
        merged = _Merged(self._sheet.merged_cell_ranges or [])
        for row, values in self._filled(skip=has_header):
            ranges = merged.at(row)
            if row in self._no_calendar_has:
                yield row + 1, Unreadable(min(read), "here or in another cell, a date or a duration out of range")
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
                    f"a cell merged with those of rows {first[0] + 1} to {last[0] + 1}; unmerge them and fill in each"
                )
        return ""


def _next_values(rows: Iterator[list[Any]]) -> list[Any] | None:
    """The next row; None where one of its values cannot be given. Reading goes on after it."""
    try:
        return next(rows, [])
    except (ArithmeticError, ValueError):
        return None
    except BaseException as error:
        if not _is_panic(error):
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


def read_sheet(name: str, file: IO[bytes], wanted: str | int | None) -> Sheet:
    """One worksheet of a workbook.

    Args:
        name: The workbook, for messages.
        file: Its bytes.
        wanted: The sheet's name, or its number from 1; None: the first.

    Raises:
        ConfigurationInvalid: The workbook cannot be read, has no such sheet, or the sheet is too large.
    """
    try:
        return _read_sheet(name, file, wanted)
    except python_calamine.PasswordError as error:
        raise ConfigurationInvalid([protected(name)]) from error
    except _UNREADABLE as error:
        raise _broken(name, error) from error
    except BaseException as error:
        if not _is_panic(error):
            raise
        raise _broken(name, error) from error


def _is_panic(error: BaseException) -> bool:
    """Whether it comes from Rust: it is no Exception, and has no name that could be imported."""
    return type(error).__name__ == "PanicException"


def protected(name: str) -> Fault:
    """A workbook that needs a password to be opened."""
    return Fault(name, "", "an Excel workbook protected by a password", "one without, or the sheet as CSV")


def _broken(name: str, error: BaseException) -> ConfigurationInvalid:
    said = " ".join(str(error).split())[:200] or type(error).__name__
    return ConfigurationInvalid([Fault(name, "", f"an Excel workbook that cannot be read ({said})", "a whole file")])


def _read_sheet(book: str, file: IO[bytes], wanted: str | int | None) -> Sheet:
    with zipfile.ZipFile(file) as archive:
        _only_once((name, name) for name in archive.namelist())
        parts = _parts(archive)
        file.seek(0)
        with python_calamine.load_workbook(file) as workbook:
            known = [each.name for each in workbook.sheets_metadata if each.typ == SheetTypeEnum.WorkSheet]
            name = _chosen(book, known, wanted)
            scan = _Scan.of(archive, parts[name])
            if scan.rows * scan.columns > MOST_CELLS:
                found = f"cells over {scan.rows:,} rows and {scan.columns:,} columns in the sheet {name!r}"
                write = f"at most {MOST_CELLS:,} cells: delete what stands far outside the table, or export it as CSV"
                raise ConfigurationInvalid([Fault(book, "", found, write)])
            return Sheet(book, name, known, workbook.get_sheet_by_name(name), scan)


def _chosen(book: str, known: Sequence[str], wanted: str | int | None) -> str:
    if isinstance(wanted, str) and wanted in known:
        return wanted
    number = 1 if wanted is None else wanted
    if isinstance(number, int) and number <= len(known):
        return known[number - 1]
    has = ", ".join(map(repr, known)) or "none"
    write = f"file.sheet in the mapping: one of these, or its number from 1 to {len(known)}"
    raise ConfigurationInvalid([Fault(book, "", f"no sheet {number!r}; it has: {has}", write if known else "a sheet")])


def _parts(archive: zipfile.ZipFile) -> dict[str, str]:
    """The file in the archive of each sheet."""
    targets = _only_once((each.get("Id", ""), each.get("Target", "")) for each in _xml(archive, _RELATIONS))
    sheets = [each for each in _xml(archive, WORKBOOK).iter() if each.tag.endswith("}sheet")]
    relations = (next((value for key, value in each.items() if key.endswith("}id")), "") for each in sheets)
    parts = (posixpath.join("/xl", targets.get(relation, "")).lstrip("/") for relation in relations)
    return _only_once((each.get("name", ""), part) for each, part in zip(sheets, parts, strict=True))


def _only_once(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """What these say by name; of two of one name, python-calamine may take the other one."""
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"{name[:100]!r} twice")
        found[name] = value
    return found


def _xml(archive: zipfile.ZipFile, part: str) -> ET.Element:
    return ET.fromstring(archive.read(part))  # noqa: S314  # expat itself bounds what entities grow to


class _Scan:
    """What python-calamine does not tell of a sheet, or not in time: how far it reaches, and which cells are errors.

    It refuses what no spreadsheet writes: cells out of order, or with names that only python-calamine would read.
    Memory for a sheet that reaches too far would end the process.

    Args:
        styles_with_hours: The styles of cells that show the hour of a date.
    """

    def __init__(self, styles_with_hours: frozenset[str]) -> None:
        self.columns_with_hours: set[int] = set()
        self._styles_with_hours = styles_with_hours
        self.faulty: dict[Position, Faulty] = {}
        self.top = self.left = self.bottom = self.right = -1
        self._row = self._column = -1
        self._kind, self._formula, self._text = "", False, ""
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.StartDoctypeDeclHandler = self._refuse_doctype

    @classmethod
    def of(cls, archive: zipfile.ZipFile, part: str) -> _Scan:
        scan = cls(_styles_with_hours(archive))
        with archive.open(part) as file:
            scan._parser.ParseFile(file)
        return scan

    @property
    def rows(self) -> int:
        """Of the rectangle around all cells with a value or a formula."""
        return self.bottom - self.top + 1 if self.bottom >= 0 else 0

    @property
    def columns(self) -> int:
        """Of that rectangle."""
        return self.right - self.left + 1 if self.right >= 0 else 0

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        tag = tag.rpartition(":")[2] if ":" in tag else tag
        if tag == "c":
            self._begin_cell(attributes)
        elif tag == "row":
            self._go_to(_row(attributes["r"]) if "r" in attributes else self._row + 1, -1)
        elif tag in ("v", "is", "f"):
            self.left = self._column if self.left < 0 else min(self.left, self._column)
            self.top = self._row if self.top < 0 else min(self.top, self._row)
            self.right, self.bottom = max(self.right, self._column), max(self.bottom, self._row)
            if tag == "f":
                self._formula = True
            elif self._kind == "e" or self._formula:
                self._text = ""
                self._parser.CharacterDataHandler = self._characters

    def _go_to(self, row: int, column: int) -> None:
        if not (self._row, self._column) < (row, column) or row >= MOST_ROWS or column >= MOST_COLUMNS:
            raise ValueError(f"a cell in row {row + 1} and column {column + 1} behind row {self._row + 1}")
        self._row, self._column = row, column

    def _begin_cell(self, attributes: dict[str, str]) -> None:
        said = attributes.get("r")
        if said is None:
            self._go_to(self._row, self._column + 1)
        elif found := _REFERENCE.fullmatch(said):
            self._go_to(_row(found[2]), _column(found[1]))
        else:
            raise ValueError(f"a cell of the name {said[:20]!r}")
        self._kind, self._formula, self._text = attributes.get("t", ""), False, ""
        if attributes.get("s") in self._styles_with_hours:
            self.columns_with_hours.add(self._column)

    @staticmethod
    def _refuse_doctype(*_: object) -> NoReturn:
        raise ValueError("a document type")

    def _characters(self, text: str) -> None:
        self._text += text

    def _end(self, tag: str) -> None:
        tag = tag.rpartition(":")[2] if ":" in tag else tag
        if tag in ("v", "is"):
            self._parser.CharacterDataHandler = None
        elif tag == "c" and (self._kind == "e" or self._formula):
            if self._kind == "e":
                self.faulty[self._row, self._column] = Faulty(self._text, f"an error ({self._text[:20]})")
            elif not self._text and self._kind != "str":
                why = "a formula whose result is not stored in the file; open it in a spreadsheet program and save it"
                self.faulty[self._row, self._column] = Faulty("", why)


def _styles_with_hours(archive: zipfile.ZipFile) -> frozenset[str]:
    """The numbers of the styles whose form of numbers has an hour (ECMA-376 part 1, 18.8.30)."""
    if STYLES not in archive.namelist():
        return frozenset()
    root = _xml(archive, STYLES)
    forms = set(_BUILT_IN_WITH_HOURS)
    for each in root.iterfind("{*}numFmts/{*}numFmt"):
        if "h" in _NO_LETTERS_OF_A_FORM.sub("", each.get("formatCode", "")).lower():
            forms.add(each.get("numFmtId", ""))
    styles = enumerate(root.iterfind("{*}cellXfs/{*}xf"))
    return frozenset(str(number) for number, each in styles if each.get("numFmtId") in forms)


@lru_cache(maxsize=1000)  # each row is named by all of its cells
def _row(digits: str) -> int:
    if not _ROW.fullmatch(digits):
        raise ValueError(f"a row of the number {digits[:20]!r}")
    return int(digits) - 1


@lru_cache(maxsize=MOST_COLUMNS)
def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1
