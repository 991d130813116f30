"""Rows of a workbook's sheet."""

from __future__ import annotations

from collections.abc import Iterator

from watchroom.errors import Fault, RowRefused
from watchroom.importer.field_sources import DateText
from watchroom.importer.mapping_model import MappingConfig
from watchroom.importer.row import Row, RowBuilder, column_faults
from watchroom.importer.sheets import Unreadable
from watchroom.importer.text_files import PackedSheets
from watchroom.importer.workbook import read_sheet


class SheetTable:
    """A sheet of a workbook whose header row has been read."""

    def __init__(self, name: str, packed: PackedSheets, mapping: MappingConfig) -> None:
        self._name, self._mapping = name, mapping
        with packed.file:
            self._sheet = read_sheet(name, packed.file, mapping.file.sheet)
        self._header = list(mapping.file.columns) or [text.strip() for text in self._sheet.first_row]

    def close(self) -> None:
        """The file is closed already."""

    def header_faults(self) -> Iterator[Fault]:
        """What is wrong with the header row."""
        others = ", ".join(repr(name) for name in self._sheet.names if name != self._sheet.name)
        where = f"{self._name}: sheet {self._sheet.name!r}" + (f" (others: {others})" if others else "")
        yield from column_faults(where, self._header, self._mapping)

    def rows(self, number: int) -> Iterator[Row | RowRefused]:
        """The rows; `number`: of the file, among those read."""
        width, mapping = len(self._header), self._mapping
        builder = RowBuilder(self._name, number, self._header, mapping)
        read = [self._header.index(column) for column in mapping.columns()]
        empty, has_header = frozenset(mapping.file.empty), not mapping.file.columns
        for row, found in self._sheet.rows(read, has_header=has_header, width=width, empty=empty):
            where = f"{self._name}:{row}"
            if isinstance(found, Unreadable):
                yield RowRefused(where, f"{self._header[found.column]}: {found.why}")
            elif any(found[width:]):
                last = max(at for at, text in enumerate(found, 1) if text)
                yield RowRefused(where, f"{last} cells where the mapping's file.columns has {width}")
            else:
                yield builder.row(row, [text if isinstance(text, DateText) else text.strip() for text in found[:width]])
