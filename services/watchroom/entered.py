"""What people enter: TOML and CSV files, and numbers, months and names in files and options."""

from __future__ import annotations

import csv
import io
import re
import tomllib
from collections.abc import Collection, Iterable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Final

from watchroom import toml_text
from watchroom.errors import ConfigurationInvalid, Fault
from watchroom.rolling.calendar import is_month

_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_LONGEST: Final = 100  # characters; Python refuses to read thousands of digits


def plain_number(text: str) -> Decimal | None:
    """A number in plain decimal notation, such as `5948`, `16.2` or `-3`; None of any other text.

    Python itself would also accept `1_000`, `1e3`, `nan` and digits of other scripts.
    """
    return Decimal(text) if len(text) <= _LONGEST and _NUMBER.fullmatch(text) else None


def plain_whole_number(text: str) -> int | None:
    """A whole number, such as `12` or `-3`; None of any other text."""
    number = plain_number(text)
    return None if number is None or "." in text else int(number)


def month_faults(option: str, given: Iterable[str]) -> list[Fault]:
    """A fault for each text that is not a month."""
    return [Fault(option, "", repr(text), "a month such as 2021-04") for text in given if not is_month(text)]


def name_faults(option: str, given: Iterable[str], known: Collection[str]) -> list[Fault]:
    """A fault for each name that is not a known one."""
    return [Fault(option, "", repr(name), f"one of {', '.join(known)}") for name in given if name not in known]


def toml_tables(path: Path) -> dict[str, object]:
    """The tables of a TOML file.

    Raises:
        ConfigurationInvalid: It does not exist, or is not TOML.
    """
    try:
        return toml_text.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        fault = Fault(str(path), "", error.strerror or str(error), "the path of a TOML file")
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        fault = Fault(str(path), "", f"not readable as TOML ({error})", "valid TOML, saved as UTF-8")
    raise ConfigurationInvalid([fault])


def csv_text(path: Path) -> str:
    """The text of a CSV file.

    Raises:
        ConfigurationInvalid: It cannot be read, or is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        fault = Fault(str(path), "", error.strerror or str(error), "the path of a CSV file")
    except UnicodeDecodeError as error:
        fault = Fault(
            str(path), "", f"bytes that are not UTF-8 ({error})", "the file in UTF-8 (in Excel, save it as CSV UTF-8)"
        )
    raise ConfigurationInvalid([fault])


def csv_rows(
    file: str, text: str, required: Sequence[str], known: Sequence[str]
) -> Iterator[tuple[int, dict[str, str] | Fault]]:
    """The first line of each row, and its cells by column, stripped; a fault instead of a row that cannot be read.

    Args:
        file: The name of the file, for faults.
        text: Its text; the first row is the header. Empty rows are skipped.
        required: Columns that the header must have, in any order.
        known: Columns that it may have.

    Raises:
        ConfigurationInvalid: The header lacks a column, or has an unknown one or one twice.
    """
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
    except csv.Error as error:
        raise ConfigurationInvalid(
            [Fault(file, "header", f"invalid CSV ({error})", "matching pairs of quotes")]
        ) from None
    if faults := list(_header_faults(file, header, required, known)):
        raise ConfigurationInvalid(faults)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield (
                line,
                Fault(f"{file}:{line}", "", f"invalid CSV ({error})", "matching pairs of quotes from this line on"),
            )
            continue
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) == len(header):
            yield line, dict(zip(header, (cell.strip() for cell in cells), strict=True))
        else:
            write = f"{len(header)} cells, as in the header; put a cell that contains a comma in quotes"
            yield line, Fault(f"{file}:{line}", "", f"{len(cells)} cells", write)


def _header_faults(file: str, header: Sequence[str], required: Sequence[str], known: Sequence[str]) -> Iterator[Fault]:
    columns = ", ".join(known)
    lacking = [name for name in required if name not in header]
    yield from (
        Fault(file, "header", f"no column {name!r}", f"all required columns; the known columns are {columns}")
        for name in lacking
    )
    strange = [name for name in header if name not in known]
    yield from (
        Fault(file, "header", f"an unknown column {name!r}", f"only these columns: {columns}") for name in strange
    )
    twice = sorted({name for name in header if header.count(name) > 1})
    yield from (Fault(file, "header", f"the column {name!r} twice", "each column only once") for name in twice)
