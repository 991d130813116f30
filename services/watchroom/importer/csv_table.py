"""Rows of a text file, as CSV reads them."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from io import TextIOWrapper

from watchroom.errors import ConfigurationInvalid, Fault, RowRefused
from watchroom.events.messages import shown
from watchroom.importer.encodings import WrongEncoding, shown_encoding, undecoded
from watchroom.importer.local_time import LocalTimes
from watchroom.importer.mapping_model import MappingConfig
from watchroom.importer.row import Row, RowBuilder, column_faults
from watchroom.importer.swallowed import row_inside
from watchroom.importer.text_files import Opened
from watchroom.wording import counted

MOST_OF_A_CELL = 16 * 1024**2
MOST_OF_A_LINE = 64 * 1024**2
MOST_LINES_KEPT = 10_000
_DELIMITERS = (",", ";", "\t", "|")
_SEP = re.compile(r"\"?sep=([^\r\n])\"?\r?\n?", re.IGNORECASE)


class _Lines:
    """Lines as an editor counts them; remembers those of the row that is being read."""

    def __init__(self, name: str, text: TextIOWrapper, encoding: str, quote: str) -> None:
        self.name, self._text, self._encoding, self._quote = name, text, encoding, quote
        self.number = 0
        self._first = ""  # read ahead, and not yet returned
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
            found = f"bytes that are not valid {shown_encoding(self._encoding)} ({error})"
            write = 'the correct file.encoding in the mapping, for example "utf-8" or "cp1252"'
            raise ConfigurationInvalid([Fault(self.name, f"after line {self.number}", found, write)]) from error


class CsvTable:
    """An open text file whose header line has been read.

    Raises:
        csv.Error: It has no header line.
    """

    def __init__(self, name: str, opened: Opened, mapping: MappingConfig) -> None:
        self._name, self._mapping = name, mapping
        self._text, self._encoding = opened
        self._lines = _Lines(name, self._text, self._encoding, mapping.file.quote)
        self._delimiter = mapping.file.delimiter
        if (sep := _SEP.fullmatch(self._lines.peek())) and sep[1] != mapping.file.quote:
            self._delimiter = sep[1]
            self._lines.drop()
        csv.field_size_limit(MOST_OF_A_CELL)
        self._fields = csv.reader(self._lines, delimiter=self._delimiter, quotechar=mapping.file.quote, strict=True)
        self._header = list(mapping.file.columns) or [name.strip() for name in next(self._fields, [])]

    def close(self) -> None:
        """Close the file."""
        self._text.close()

    def header_faults(self) -> Iterator[Fault]:
        """What is wrong with the header line."""
        header, read = self._header, self._mapping.columns()
        if not header:
            found = "a blank line" if self._lines.number else "nothing"
            yield Fault(self._name, "line 1", found, "a header line, or set file.columns in the mapping")
            return
        missing = [column for column in read if column not in header]
        has_wide_mark = self._encoding in ("utf-16", "utf-32")  # a byte order mark says so
        mark = f"{self._encoding.upper()} (according to its byte order mark)" if has_wide_mark else ""
        is_shown = not self._mapping.token_columns()  # if the header line is missing, this is a row
        if len(header) == 1 and len(missing) > 1:
            yield self._not_split(header[0], mark, is_shown=is_shown)
        elif missing and (wrong := undecoded(header)) is not None:
            write = 'the correct file.encoding in the mapping, for example "cp1252"'
            yield Fault(self._name, "header", f"{wrong}, which is not valid {shown_encoding(self._encoding)}", write)
        elif missing and mark and len(missing) == len(read):
            named = f"columns {', '.join(map(repr, missing))}" if is_shown else f"{len(missing)} expected columns"
            write = "the file's own column names and delimiter (file.delimiter) in the mapping"
            yield Fault(self._name, "header", f"none of the {named} in a file that is {mark}", write)
        else:
            yield from column_faults(self._name, header, self._mapping)

    def _not_split(self, header: str, mark: str, *, is_shown: bool) -> Fault:
        """The fault of a header line that is one cell."""
        other = max((each for each in _DELIMITERS if each != self._delimiter), key=header.count)
        written = "\\t" if other == "\t" else other
        write = (
            f'file.delimiter = "{written}" in the mapping'
            if other in header
            else "the correct file.delimiter in the mapping"
        )
        column = f", {shown(header)}" if is_shown else ""
        found = f"only one column{column}, which does not contain the delimiter {self._delimiter!r}"
        return Fault(self._name, "header", f"{found}, in a file that is {mark}" if mark else found, write)

    def rows(self, number: int) -> Iterator[Row | RowRefused]:
        """The rows; `number`: of the file, among those read."""
        with self._text:
            yield from self._rows(RowBuilder(self._name, number, self._header, self._mapping))

    def _rows(self, builder: RowBuilder) -> Iterator[Row | RowRefused]:
        lines, header, mapping = self._lines, self._header, self._mapping
        times, size = LocalTimes.of(mapping.time), len(self._header)
        encoding = WrongEncoding(self._name, self._encoding, header)
        while True:
            first = lines.number + 1
            lines.begin_row()
            try:
                fields = next(self._fields)
            except StopIteration:
                yield from encoding.end()
                return
            except csv.Error as error:
                encoding.rows += 1
                yield self._no_row(first, error)
                continue
            if not fields:
                continue
            encoding.rows += 1
            if len(lines.row) > 1 and (
                at := row_inside(lines.row, fields, header, mapping, times=times, mark=self._delimiter)
            ):
                yield self._swallowed(first, f"line {first + at} looks like a row but is inside a quoted cell")
            elif len(fields) > size or (len(fields) < size and mapping.file.short_rows != "fill"):
                yield self._wrong_size(first, len(fields))
            elif not "".join(fields).isascii() and encoding.refuses(first, fields):
                pass  # comes at the end, if there are few
            else:
                yield builder.row(first, [field.strip() for field in fields] + [""] * (size - len(fields)))

    def _wrong_size(self, first: int, size: int) -> RowRefused:
        least = len(self._header)
        found = f"{counted(size, 'field')} where the header has {least}"
        fill = ', or set file.short_rows = "fill" in the mapping' if size < least else ""
        return RowRefused(
            f"{self._name}:{first}", f"{found}; check the delimiter {self._delimiter!r} and the quotes{fill}"
        )

    def _no_row(self, first: int, error: csv.Error) -> RowRefused:
        """What csv could not read; the rest of a cell that is too long is not taken for rows."""
        lines, is_large = self._lines, "field larger" in str(error)
        if is_large:
            while lines.is_inside_quotes and next(lines, None) is not None:
                pass
            if not lines.is_inside_quotes:
                what = f"a cell of more than {MOST_OF_A_CELL // 1024**2} MiB that ends on line {lines.number}"
                return RowRefused(f"{self._name}:{first}", f"{what}; check the quotes")
        return self._swallowed(first, f"invalid CSV: {error}", is_unclosed=is_large or "end of data" in str(error))

    def _swallowed(self, first: int, what: str, *, is_unclosed: bool = False) -> RowRefused:
        """One refused row, and the lines after its first that are lost with it."""
        last = self._lines.number
        if last <= first:
            detail = f"{what}; check the quotes from this line on"
        else:
            lost = counted(last - first, "line")
            detail = f"{what}; {lost} swallowed, up to line {last}; check the quotes from line {first} on"
        return RowRefused(f"{self._name}:{first}", detail, swallowed_lines=last - first, is_unclosed=is_unclosed)
