"""Opens Excel workbooks (.xlsx) and finds the sheet that a mapping reads."""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Iterable, Sequence
from typing import IO
from xml.parsers import expat

import python_calamine
from python_calamine import SheetTypeEnum

from watchroom.errors import ConfigurationInvalid, Fault
from watchroom.importer.mapping_model import MappingConfig
from watchroom.importer.sheet_scan import SheetScan, xml_part
from watchroom.importer.sheets import SheetTable, is_panic

MOST_CELLS = 64_000_000
"""In the rectangle around all filled cells of a sheet: python-calamine makes all of them, in 2 GB of memory."""
WORKBOOK = "xl/workbook.xml"
_RELATIONS = "xl/_rels/workbook.xml.rels"
_UNREADABLE = (
    python_calamine.CalamineError, SyntaxError, expat.ExpatError, zipfile.BadZipFile, LookupError, ValueError, OSError,
    EOFError, RuntimeError, ArithmeticError,
)  # fmt: skip


def read_sheet(name: str, file: IO[bytes], mapping: MappingConfig) -> SheetTable:
    """The worksheet of a workbook that a mapping reads.

    Args:
        name: The workbook, for messages.
        file: Its bytes; closed afterwards.
        mapping: The mapping.

    Raises:
        ConfigurationInvalid: The workbook cannot be read, has no such sheet, or the sheet is too large.
    """
    try:
        with file:
            return _read_sheet(name, file, mapping)
    except python_calamine.PasswordError as error:
        raise ConfigurationInvalid([protected(name)]) from error
    except _UNREADABLE as error:
        raise _broken(name, error) from error
    except BaseException as error:
        if not is_panic(error):
            raise
        raise _broken(name, error) from error


def protected(name: str) -> Fault:
    """A workbook that needs a password to be opened."""
    return Fault(
        name, "", "an Excel workbook protected by a password", "a workbook without a password, or the sheet as CSV"
    )


def _broken(name: str, error: BaseException) -> ConfigurationInvalid:
    said = " ".join(str(error).split())[:200] or type(error).__name__
    return ConfigurationInvalid([Fault(name, "", f"an Excel workbook that cannot be read ({said})", "a complete file")])


def _read_sheet(book: str, file: IO[bytes], mapping: MappingConfig) -> SheetTable:
    with zipfile.ZipFile(file) as archive:
        _only_once((name, name) for name in archive.namelist())
        parts = _parts(archive)
        file.seek(0)
        with python_calamine.load_workbook(file) as workbook:
            known = [each.name for each in workbook.sheets_metadata if each.typ == SheetTypeEnum.WorkSheet]
            name = _chosen(book, known, mapping.file.sheet)
            scan = SheetScan.of(archive, parts[name])
            if scan.rows * scan.columns > MOST_CELLS:
                found = f"a range of {scan.rows:,} rows by {scan.columns:,} columns in the sheet {name!r}"
                write = f"at most {MOST_CELLS:,} cells: delete cells far outside the table, or export it as CSV"
                raise ConfigurationInvalid([Fault(book, "", found, write)])
            return SheetTable(book, known, workbook.get_sheet_by_name(name), scan, mapping)


def _chosen(book: str, known: Sequence[str], wanted: str | int | None) -> str:
    if isinstance(wanted, str) and wanted in known:
        return wanted
    number = 1 if wanted is None else wanted
    if isinstance(number, int) and number <= len(known):
        return known[number - 1]
    has = ", ".join(map(repr, known)) or "none"
    write = f"file.sheet in the mapping: one of these, or its number from 1 to {len(known)}"
    raise ConfigurationInvalid(
        [Fault(book, "", f"no sheet {number!r}; the workbook has: {has}", write if known else "a sheet")]
    )


def _parts(archive: zipfile.ZipFile) -> dict[str, str]:
    """The file in the archive of each sheet."""
    targets = _only_once((each.get("Id", ""), each.get("Target", "")) for each in xml_part(archive, _RELATIONS))
    sheets = [each for each in xml_part(archive, WORKBOOK).iter() if each.tag.endswith("}sheet")]
    relations = (next((value for key, value in each.items() if key.endswith("}id")), "") for each in sheets)
    parts = (posixpath.join("/xl", targets.get(relation, "")).lstrip("/") for relation in relations)
    return _only_once((each.get("name", ""), part) for each, part in zip(sheets, parts, strict=True))


def _only_once(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """What these say by name; of two of one name, python-calamine may take the other one."""
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"{name[:100]!r} occurs twice")
        found[name] = value
    return found
