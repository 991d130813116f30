"""What python-calamine does not report about a sheet, or reports too late. Reads the sheet's XML."""

from __future__ import annotations

import re
import zipfile
from functools import lru_cache
from typing import NamedTuple, NoReturn
from xml.etree import ElementTree as ET
from xml.parsers import expat

STYLES = "xl/styles.xml"
MOST_ROWS, MOST_COLUMNS = 1_048_576, 16_384  # of any sheet
_BUILT_IN_WITH_HOURS = ("18", "19", "20", "21", "22")
_NO_LETTERS_OF_A_FORM = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]')
_ROW = re.compile(r"[1-9][0-9]{0,6}", re.ASCII)
_REFERENCE = re.compile(r"([A-Z]{1,3})([1-9][0-9]{0,6})", re.ASCII)

Position = tuple[int, int]
"""Row and column in the sheet, both from 0."""


class Faulty(NamedTuple):
    """A cell whose value cannot be read, and why."""

    text: str
    why: str


class SheetScan:
    """How far a sheet reaches, and which of its cells are errors.

    It refuses what no spreadsheet writes: cells out of order, or with names that only python-calamine would read.
    python-calamine would run out of memory on a sheet that reaches too far.

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
    def of(cls, archive: zipfile.ZipFile, part: str) -> SheetScan:
        """Scan the XML of a sheet, which is a part of the workbook."""
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
            raise ValueError(f"a cell in row {row + 1} and column {column + 1} after row {self._row + 1}")
        self._row, self._column = row, column

    def _begin_cell(self, attributes: dict[str, str]) -> None:
        said = attributes.get("r")
        if said is None:
            self._go_to(self._row, self._column + 1)
        elif found := _REFERENCE.fullmatch(said):
            self._go_to(_row(found[2]), _column(found[1]))
        else:
            raise ValueError(f"an invalid cell name {said[:20]!r}")
        self._kind, self._formula, self._text = attributes.get("t", ""), False, ""
        if attributes.get("s") in self._styles_with_hours:
            self.columns_with_hours.add(self._column)

    @staticmethod
    def _refuse_doctype(*_: object) -> NoReturn:
        raise ValueError("a document type declaration")

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
    root = xml_part(archive, STYLES)
    forms = set(_BUILT_IN_WITH_HOURS)
    for each in root.iterfind("{*}numFmts/{*}numFmt"):
        if "h" in _NO_LETTERS_OF_A_FORM.sub("", each.get("formatCode", "")).lower():
            forms.add(each.get("numFmtId", ""))
    styles = enumerate(root.iterfind("{*}cellXfs/{*}xf"))
    return frozenset(str(number) for number, each in styles if each.get("numFmtId") in forms)


@lru_cache(maxsize=1000)  # each row is named by all of its cells
def _row(digits: str) -> int:
    if not _ROW.fullmatch(digits):
        raise ValueError(f"an invalid row number {digits[:20]!r}")
    return int(digits) - 1


@lru_cache(maxsize=MOST_COLUMNS)
def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number - 1


def xml_part(archive: zipfile.ZipFile, part: str) -> ET.Element:
    """A part of a workbook."""
    return ET.fromstring(archive.read(part))  # noqa: S314  # expat itself bounds what entities grow to
