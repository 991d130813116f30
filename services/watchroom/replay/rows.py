"""Rows of text files, one at a time: the only part of a conversion that reads files."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TextIO

from watchroom.errors import ConfigurationInvalid, Fault, RowRefused
from watchroom.replay.mapping_model import MappingWords

if TYPE_CHECKING:
    from _csv import Reader as CsvReader


_DELIMITERS = (",", ";", "\t", "|")


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


def check_files(paths: Iterable[Path], words: MappingWords) -> None:
    """Every file can be opened and has every column that the mapping names.

    Raises:
        ConfigurationInvalid: What is missing in which file; every fault is listed.
    """
    faults: list[Fault] = []
    for path in paths:
        try:
            with _open(path, words) as text:
                header = _header(_reader(text, words), words)
        except OSError as error:
            faults.append(Fault(str(path), "", error.strerror or str(error), "the path of a text file with rows"))
            continue
        except csv.Error as error:
            faults.append(Fault(str(path), "line 1", str(error), "a header line, or file.columns in the mapping"))
            continue
        missing = {column: place for column, place in words.columns().items() if column not in header}
        is_shown = not words.token_columns()  # where the header line is missing, this is a row
        if len(header) == 1 and len(missing) > 1:
            faults.append(_unsplit(path, header[0], words.file.delimiter, is_shown=is_shown))
            continue
        for column, place in missing.items():
            has = (", ".join(header) if is_shown else f"{len(header)} others, not shown") or "none"
            found = f"no column {column!r} ({place} of the mapping); it has: {has}"
            faults.append(Fault(str(path), "header", found, "one of these in the mapping"))
        twice = sorted({name for name in header if header.count(name) > 1})
        for name in twice:
            found = f"column {name!r} twice" if is_shown else "two columns of one name"
            faults.append(Fault(str(path), "header", found, "one name for each column"))
    if faults:
        raise ConfigurationInvalid(faults)


def _unsplit(path: Path, header: str, delimiter: str, *, is_shown: bool) -> Fault:
    """The fault of a header line that is one cell."""
    other = max((mark for mark in _DELIMITERS if mark != delimiter), key=header.count)
    written = "\\t" if other == "\t" else other
    write = f'file.delimiter = "{written}" in the mapping' if other in header else "file.delimiter in the mapping"
    shown = f", {header if len(header) <= 60 else header[:57] + '...'!r}" if is_shown else ""
    return Fault(str(path), "header", f"one column{shown}: {delimiter!r} does not split it", write)


def read_rows(paths: Iterable[Path], words: MappingWords) -> Iterator[Row | RowRefused]:
    """The rows of all files in order; one that cannot be read comes as `RowRefused`, and reading goes on."""
    for number, path in enumerate(paths):
        with _open(path, words) as text:
            yield from _rows(str(path), number, text, words)


def _rows(name: str, number: int, text: TextIO, words: MappingWords) -> Iterator[Row | RowRefused]:
    reader = _reader(text, words)
    header = _header(reader, words)
    while True:
        line = reader.line_num + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield RowRefused(f"{name}:{line}", f"no CSV: {error}; check the quotes from this line on")
            continue
        if not fields:
            continue
        if len(fields) != len(header):
            found = f"{len(fields)} fields where the header has {len(header)}"
            yield RowRefused(f"{name}:{line}", f"{found}; check {words.file.delimiter!r} and quotes")
        elif not "".join(fields).isascii() and (wrong := _undecoded(fields)) is not None:
            write = 'write file.encoding in the mapping, for example "cp1252"'
            yield RowRefused(f"{name}:{line}", f"{wrong} is no {words.file.encoding}; {write}")
        else:
            yield Row(name, line, dict(zip(header, (field.strip() for field in fields), strict=True)), number)


def _open(path: Path, words: MappingWords) -> TextIO:
    # Bytes that are no text are kept as lone surrogates, so that one bad row does not end the file.
    return path.open(newline="", encoding=words.file.encoding, errors="surrogateescape")


def _reader(text: TextIO, words: MappingWords) -> CsvReader:
    return csv.reader(text, delimiter=words.file.delimiter, quotechar=words.file.quote, strict=True)


def _header(reader: Iterator[list[str]], words: MappingWords) -> list[str]:
    return list(words.file.columns) or [name.strip() for name in next(reader, [])]


def _undecoded(fields: list[str]) -> str | None:
    """The first byte that is no text in the file's encoding."""
    wrong = next((character for field in fields for character in field if "\udc80" <= character <= "\udcff"), None)
    return None if wrong is None else f"the byte 0x{ord(wrong) - 0xDC00:02x}"
