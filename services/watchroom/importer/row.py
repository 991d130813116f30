"""One row of a file, and the faults of a file's columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from watchroom.errors import Fault, RowRefused
from watchroom.importer.mapping_model import MappingConfig

MOST_OF_A_READ_CELL = 256 * 1024
"""Bytes: no event may have more."""


class Row(NamedTuple):
    """A row: its file as it was given and its first line, for messages, and its stripped cells by column."""

    file: str
    line: int
    cells: dict[str, str]
    file_number: int = 0  # among those read: a file may be given twice

    @property
    def where(self) -> str:
        """File and line, as editors open it."""
        return f"{self.file}:{self.line}"


class RowBuilder:
    """Builds the rows of one file.

    Args:
        file: As it was given.
        number: Of the file, among those read.
        header: The names of its columns.
        mapping: The mapping.
    """

    def __init__(self, file: str, number: int, header: Sequence[str], mapping: MappingConfig) -> None:
        self._file, self._number, self._header = file, number, header
        self._read = tuple(mapping.columns())
        self._empty = frozenset(mapping.file.empty)

    def row(self, line: int, texts: Sequence[str]) -> Row | RowRefused:
        """A row with these stripped texts, one for each column."""
        if self._empty:
            texts = ["" if text in self._empty else text for text in texts]
        cells = dict(zip(self._header, texts, strict=True))
        long = next((column for column in self._read if _is_long(cells[column])), None)
        if long is None:
            return Row(self._file, line, cells, self._number)
        found = f"{long}: a cell of more than {MOST_OF_A_READ_CELL // 1024} KiB"
        return RowRefused(f"{self._file}:{line}", f"{found}; check the quotes, or read another column")


def column_faults(where: str, header: Sequence[str], mapping: MappingConfig) -> Iterator[Fault]:
    """Columns that the mapping reads, and that are missing or occur twice."""
    read = mapping.columns()
    is_shown = not mapping.token_columns()  # if the header line is missing, this is a row
    for column, path in read.items():
        if column in header:
            continue
        has = (", ".join(map(_printable, header)) if is_shown else f"{len(header)} other columns, not shown") or "none"
        found = f"no column {column!r} ({path} in the mapping); the file has: {has}"
        yield Fault(where, "header", found, "one of these in the mapping")
    for name in sorted(name for name, count in Counter(header).items() if count > 1 and name in read):
        found = f"two columns named {name!r}" if is_shown else "two columns with the same name"
        yield Fault(where, "header", found, "a different name for each column")


def _is_long(text: str) -> bool:
    return len(text) * 4 > MOST_OF_A_READ_CELL and len(text.encode(errors="replace")) > MOST_OF_A_READ_CELL


def _printable(name: str) -> str:
    """A name of the header line for a message."""
    return name if name.isprintable() else repr(name)[1:-1]
