"""Rows of text files and workbooks, one at a time: the only part of a conversion that reads files."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import NamedTuple

from watchroom.errors import ConfigurationInvalid, Fault, RowRefused
from watchroom.importer.encodings import WrongEncoding, shown_encoding, undecoded
from watchroom.importer.field_sources import DateText
from watchroom.importer.local_time import LocalTimes
from watchroom.importer.mapping_model import MappingConfig
from watchroom.importer.sheets import Sheet, Unreadable, read_sheet
from watchroom.importer.swallowed import row_inside
from watchroom.importer.text_files import Opened, PackedSheets, open_file

MOST_OF_A_CELL = 16 * 1024**2
MOST_OF_A_READ_CELL = 256 * 1024  # bytes: one event has no more
MOST_OF_A_LINE = 64 * 1024**2
MOST_LINES_KEPT = 10_000
_DELIMITERS = (",", ";", "\t", "|")
_SEP = re.compile(r"\"?sep=([^\r\n])\"?\r?\n?", re.IGNORECASE)


class Row(NamedTuple):
    """One row: its file as it was given and its first line, for messages, and its cells by column, stripped."""

    file: str
    line: int
    cells: dict[str, str]
    file_number: int = 0  # among those read: a file may be given twice

    @property
    def where(self) -> str:
        """File and line, as editors open it."""
        return f"{self.file}:{self.line}"


class _Lines:
    """Lines as an editor counts them; remembers those of the row that is being read."""

    def __init__(self, name: str, text: TextIOWrapper, encoding: str, quote: str) -> None:
        self.name, self._text, self._encoding, self._quote = name, text, encoding, quote
        self.number = 0
        self._first = ""  # looked at, and not yet given
        self.begin_row()

    def begin_row(self) -> None:
        self.row: list[str] = []
        self._quotes = 0

    @property
    def is_inside_quotes(self) -> bool:
        """Whether the row is within a quoted cell; a doubled quote changes nothing."""
        return self._quotes % 2 == 1

    def peek(self) -> str:
        self._first = self._first or self._read()
        return self._first

    def drop(self) -> None:
        self._first = ""
        self.number += 1

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line, self._first = self._first or self._read(), ""
        if not line:
            raise StopIteration
        self.number += 1
        self._quotes += line.count(self._quote)
        if len(self.row) < MOST_LINES_KEPT:
            self.row.append(line)
        if len(line) == MOST_OF_A_LINE and not line.endswith(("\n", "\r")):
            while (piece := self._read()) and not piece.endswith(("\n", "\r")):
                pass
            self.row.clear()
            raise csv.Error(f"a line of more than {MOST_OF_A_LINE // 1024**2} MiB")
        return line

    def _read(self) -> str:
        try:
            return self._text.readline(MOST_OF_A_LINE)
        except UnicodeError as error:
            found = f"bytes that are not {shown_encoding(self._encoding)} ({error})"
            write = 'file.encoding in the mapping, for example "utf-8" or "cp1252"'
            raise ConfigurationInvalid([Fault(self.name, f"after line {self.number}", found, write)]) from error


@dataclass(slots=True)
class _Table:
    """An open file whose header line was read."""

    lines: _Lines
    text: TextIOWrapper
    encoding: str
    delimiter: str
    rows: Iterator[list[str]]
    header: list[str]

    @classmethod
    def of(cls, path: Path, opened: Opened, mapping: MappingConfig) -> _Table:
        """Raises csv.Error: the header line is none."""
        text, encoding = opened
        lines = _Lines(str(path), text, encoding, mapping.file.quote)
        delimiter = mapping.file.delimiter
        if (said := _SEP.fullmatch(lines.peek())) and said[1] != mapping.file.quote:
            delimiter = said[1]
            lines.drop()
        csv.field_size_limit(MOST_OF_A_CELL)
        rows = csv.reader(lines, delimiter=delimiter, quotechar=mapping.file.quote, strict=True)
        header = list(mapping.file.columns) or [name.strip() for name in next(rows, [])]
        return cls(lines, text, encoding, delimiter, rows, header)

    @property
    def has_wide_mark(self) -> bool:
        """Whether a byte order mark says that this is no UTF-8."""
        return self.encoding in ("utf-16", "utf-32")

    def close(self) -> None:
        self.text.close()

    def header_faults(self, mapping: MappingConfig) -> Iterator[Fault]:
        return _header_faults(Path(self.lines.name), self, mapping)

    def all_rows(self, number: int, mapping: MappingConfig) -> Iterator[Row | RowRefused]:
        with self.text:
            yield from _rows(self, number, mapping, LocalTimes.of(mapping.time))


@dataclass(slots=True)
class _SheetTable:
    """A sheet of a workbook whose header row was read."""

    sheet: Sheet
    header: list[str]
    has_header: bool

    @classmethod
    def of(cls, path: Path, packed: PackedSheets, mapping: MappingConfig) -> _SheetTable:
        with packed.file:
            sheet = read_sheet(str(path), packed.file, mapping.file.sheet)
        named = mapping.file.columns
        return cls(sheet, list(named) or [name.strip() for name in sheet.first_row], not named)

    def close(self) -> None:
        """The file is closed already."""

    def header_faults(self, mapping: MappingConfig) -> Iterator[Fault]:
        others = ", ".join(repr(name) for name in self.sheet.names if name != self.sheet.name)
        where = f"{self.sheet.book}: sheet {self.sheet.name!r}" + (f" (others: {others})" if others else "")
        is_shown = not mapping.token_columns()
        yield from _column_faults(where, self.header, mapping, is_shown=is_shown)

    def all_rows(self, number: int, mapping: MappingConfig) -> Iterator[Row | RowRefused]:
        book, read, width = self.sheet.book, tuple(mapping.columns()), len(self.header)
        empty = frozenset(mapping.file.empty)
        indexes = [self.header.index(column) for column in read]
        rows = self.sheet.rows(indexes, has_header=self.has_header, width=width, empty=empty)
        for row, found in rows:
            where = f"{book}:{row}"
            if isinstance(found, Unreadable):
                yield RowRefused(where, f"{self.header[found.column]}: {found.why}")
            elif any(found[width:]):
                last = max(at for at, text in enumerate(found, 1) if text)
                yield RowRefused(where, f"{last} cells where the mapping's file.columns has {width}")
            else:
                texts = [text if isinstance(text, DateText) else text.strip() for text in found[:width]]
                yield _row(self.header, texts, read, empty, at=(book, row, number))


Kept = Mapping[int, _Table | _SheetTable]
"""Files that can be read only once, such as pipes, and a workbook that is the only file, by their number.

`check_files` has read their header lines."""


def check_files(paths: Sequence[Path], mapping: MappingConfig) -> Kept:
    """Every file can be opened and has every column that the mapping names.

    Returns:
        What `read_rows` goes on with.

    Raises:
        ConfigurationInvalid: What is missing in which file; every fault is listed.
    """
    faults: list[Fault] = []
    kept: dict[int, _Table | _SheetTable] = {}
    for number, path in enumerate(paths):
        try:
            table = _open(path, mapping)
        except OSError as error:
            faults.append(Fault(str(path), "", error.strerror or str(error), "the path of a file with rows"))
        except csv.Error as error:
            faults.append(Fault(str(path), "line 1", str(error), "a header line, or file.columns in the mapping"))
        except ConfigurationInvalid as error:
            faults += error.faults
        else:
            faults += table.header_faults(mapping)
            if path.is_file() and not (isinstance(table, _SheetTable) and len(paths) == 1):
                table.close()
            else:
                kept[number] = table
    if faults:
        raise ConfigurationInvalid(faults)
    return kept


def _open(path: Path, mapping: MappingConfig) -> _Table | _SheetTable:
    """Raises csv.Error: the header line is none; and what `open_file` raises."""
    opened = open_file(path, mapping.file.encoding)
    return _Table.of(path, opened, mapping) if isinstance(opened, Opened) else _SheetTable.of(path, opened, mapping)


def _header_faults(path: Path, table: _Table, mapping: MappingConfig) -> Iterator[Fault]:
    header, read = table.header, mapping.columns()
    if not header:
        found = "a blank line" if table.lines.number else "nothing"
        yield Fault(str(path), "line 1", found, "a header line, or file.columns in the mapping")
        return
    missing = {column: place for column, place in read.items() if column not in header}
    is_shown = not mapping.token_columns()  # where the header line is missing, this is a row
    if len(header) == 1 and len(missing) > 1:
        yield _unsplit(path, table, is_shown=is_shown)
        return
    if missing and (wrong := undecoded(header)) is not None:
        write = 'file.encoding in the mapping, for example "cp1252"'
        yield Fault(str(path), "header", f"{wrong}, which is not {shown_encoding(table.encoding)}", write)
        return
    if missing and table.has_wide_mark and len(missing) == len(read):
        named = ", ".join(map(repr, missing)) if is_shown else f"{len(missing)} columns"
        found = f"{table.encoding.upper()} (by its byte order mark) without {named}"
        yield Fault(str(path), "header", found, "the names of its header line, and its file.delimiter, in the mapping")
        return
    yield from _column_faults(str(path), header, mapping, is_shown=is_shown)


def _column_faults(where: str, header: list[str], mapping: MappingConfig, *, is_shown: bool) -> Iterator[Fault]:
    """Columns that the mapping reads, and that are missing or there twice."""
    read = mapping.columns()
    for column, place in read.items():
        if column in header:
            continue
        has = (", ".join(map(_plain, header)) if is_shown else f"{len(header)} others, not shown") or "none"
        found = f"no column {column!r} ({place} of the mapping); it has: {has}"
        yield Fault(where, "header", found, "one of these in the mapping")
    for name in sorted(name for name, count in Counter(header).items() if count > 1 and name in read):
        found = f"column {name!r} twice" if is_shown else "two columns of one name"
        yield Fault(where, "header", found, "one name for each column")


def _unsplit(path: Path, table: _Table, *, is_shown: bool) -> Fault:
    """The fault of a header line that is one cell."""
    header, delimiter = table.header[0], table.delimiter
    other = max((mark for mark in _DELIMITERS if mark != delimiter), key=header.count)
    written = "\\t" if other == "\t" else other
    write = f'file.delimiter = "{written}" in the mapping' if other in header else "file.delimiter in the mapping"
    shown = f", {header if len(header) <= 60 else header[:57] + '...'!r}" if is_shown else ""
    wide = f"{table.encoding.upper()} (by its byte order mark), and " if table.has_wide_mark else ""
    return Fault(str(path), "header", f"{wide}one column{shown}: {delimiter!r} does not split it", write)


def read_rows(paths: Iterable[Path], mapping: MappingConfig, kept: Kept | None = None) -> Iterator[Row | RowRefused]:
    """The rows of all files in order; one that cannot be read comes as `RowRefused`, and reading goes on.

    Raises:
        ConfigurationInvalid: A file cannot be read on: a packed one is broken, or it is of another encoding.
    """
    for number, path in enumerate(paths):
        table = (kept or {}).get(number) or _open(path, mapping)
        yield from table.all_rows(number, mapping)


def _rows(table: _Table, number: int, mapping: MappingConfig, times: LocalTimes) -> Iterator[Row | RowRefused]:
    lines, header, name = table.lines, table.header, table.lines.name
    read = tuple(mapping.columns())
    empty = frozenset(mapping.file.empty)
    short, size = mapping.file.short_rows == "fill", len(header)
    encoding = WrongEncoding(name, table.encoding, header)
    while True:
        first = lines.number + 1
        lines.begin_row()
        try:
            fields = next(table.rows)
        except StopIteration:
            yield from encoding.end()
            return
        except csv.Error as error:
            encoding.rows += 1
            yield _no_row(table, first, error)
            continue
        if not fields:
            continue
        encoding.rows += 1
        if len(lines.row) > 1 and (
            at := row_inside(lines.row, fields, header, mapping, times=times, mark=table.delimiter)
        ):
            yield _swallowed(name, first, lines.number, f"line {first + at} looks like a row, and is part of a cell")
        elif len(fields) > size or (len(fields) < size and not short):
            found = f"{len(fields)} {'field' if len(fields) == 1 else 'fields'} where the header has {size}"
            fill = ', or write file.short_rows = "fill" in the mapping' if len(fields) < size else ""
            yield RowRefused(f"{name}:{first}", f"{found}; check {table.delimiter!r} and quotes{fill}")
        elif not "".join(fields).isascii() and encoding.refuses(first, fields):
            pass  # comes at the end, if it is one of a few
        else:
            texts = [field.strip() for field in fields] + [""] * (size - len(fields))
            yield _row(header, texts, read, empty, at=(name, first, number))


def _row(
    header: list[str], texts: list[str], read: tuple[str, ...], empty: frozenset[str], *, at: tuple[str, int, int]
) -> Row | RowRefused:
    """A row of these texts, which are stripped; `at`: file, line, and the file's number."""
    name, line, file_number = at
    if empty:
        texts = ["" if text in empty else text for text in texts]
    cells = dict(zip(header, texts, strict=True))
    long = next((column for column in read if _is_long(cells[column])), None)
    if long is None:
        return Row(name, line, cells, file_number)
    found = f"{long}: a cell of more than {MOST_OF_A_READ_CELL // 1024} KiB"
    return RowRefused(f"{name}:{line}", f"{found}; check the quotes, or read another column")


def _no_row(table: _Table, first: int, error: csv.Error) -> RowRefused:
    """What csv could not read; the rest of a cell that is too long is not taken for rows."""
    lines = table.lines
    if "field larger" in str(error):
        while lines.is_inside_quotes and next(lines, None) is not None:
            pass
        if not lines.is_inside_quotes:
            what = f"a cell of more than {MOST_OF_A_CELL // 1024**2} MiB, which ends in line {lines.number}"
            return RowRefused(f"{lines.name}:{first}", f"{what}; check the quotes")
    is_unclosed = "field larger" in str(error) or "end of data" in str(error)
    return _swallowed(lines.name, first, lines.number, f"no CSV: {error}", is_unclosed=is_unclosed)


def _swallowed(name: str, first: int, last: int, what: str, *, is_unclosed: bool = False) -> RowRefused:
    """One refused row, and the lines after its first that are lost with it."""
    if last <= first:
        detail = f"{what}; check the quotes from this line on"
    else:
        lost = f"{last - first:,} {'line' if last - first == 1 else 'lines'} swallowed"
        detail = f"{what}; lines {first} to {last}, {lost}: check the quotes from line {first} on"
    return RowRefused(f"{name}:{first}", detail, swallowed_lines=last - first, is_unclosed=is_unclosed)


def _is_long(text: str) -> bool:
    return len(text) * 4 > MOST_OF_A_READ_CELL and len(text.encode(errors="replace")) > MOST_OF_A_READ_CELL


def _plain(name: str) -> str:
    """A name of the header line for a message; what is no plain text is escaped."""
    return name if name.isprintable() else repr(name)[1:-1]
