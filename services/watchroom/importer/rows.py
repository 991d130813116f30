"""Rows of text files and workbooks, one at a time: the only part of a conversion that reads files."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from watchroom.errors import ConfigurationInvalid, Fault, RowRefused
from watchroom.importer.csv_table import CsvTable
from watchroom.importer.mapping_model import MappingConfig
from watchroom.importer.row import Row
from watchroom.importer.sheets import SheetTable
from watchroom.importer.text_files import Opened, open_file
from watchroom.importer.workbook import read_sheet

Kept = Mapping[int, CsvTable | SheetTable]
"""Files that can be read only once, such as pipes, and a workbook that is the only file, by their number.

`check_files` has read their header lines."""


def check_files(paths: Sequence[Path], mapping: MappingConfig) -> Kept:
    """Check that every file can be opened and has every column that the mapping names.

    Returns:
        Open files for `read_rows`.

    Raises:
        ConfigurationInvalid: Something is missing; every fault of every file is listed.
    """
    faults: list[Fault] = []
    kept: dict[int, CsvTable | SheetTable] = {}
    for number, path in enumerate(paths):
        try:
            table = _open(path, mapping)
        except OSError as error:
            faults.append(Fault(str(path), "", error.strerror or str(error), "the path of a readable file"))
        except csv.Error as error:
            faults.append(Fault(str(path), "line 1", str(error), "a header line, or set file.columns in the mapping"))
        except ConfigurationInvalid as error:
            faults += error.faults
        else:
            faults += table.header_faults()
            if path.is_file() and not (isinstance(table, SheetTable) and len(paths) == 1):
                table.close()
            else:
                kept[number] = table
    if faults:
        raise ConfigurationInvalid(faults)
    return kept


def read_rows(paths: Iterable[Path], mapping: MappingConfig, kept: Kept | None = None) -> Iterator[Row | RowRefused]:
    """The rows of all files in order; a row that cannot be read comes as `RowRefused`, and reading continues.

    Raises:
        ConfigurationInvalid: A file cannot be read on: a packed one is broken, or it is in another encoding.
    """
    for number, path in enumerate(paths):
        table = (kept or {}).get(number) or _open(path, mapping)
        yield from table.rows(number)


def _open(path: Path, mapping: MappingConfig) -> CsvTable | SheetTable:
    """Raises csv.Error: there is no header line; and what `open_file` raises."""
    name, opened = str(path), open_file(path, mapping.file.encoding)
    return CsvTable(name, opened, mapping) if isinstance(opened, Opened) else read_sheet(name, opened.file, mapping)
