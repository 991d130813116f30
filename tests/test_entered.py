"""What people enter: numbers in plain decimal notation only, and CSV files whose faults are reported by line."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchroom.entered import csv_rows, csv_text, month_faults, name_faults, plain_number, plain_whole_number
from watchroom.errors import ConfigurationInvalid, Fault

NOT_PLAIN: Final = ("1_000", "١٢", "１２", "1e3", "+5", ".5", "5.", "nan", "inf", "0x10", "²", "1 0", "--1")


@pytest.mark.parametrize("text", [*NOT_PLAIN, "", "-", "5\n", " 5", "9" * 101])
def test_texts_that_are_not_plain_numbers_are_refused(text: str) -> None:
    """Python's own functions accept most of these, but not with the value that the writer means."""
    assert plain_number(text) is None
    assert plain_whole_number(text) is None


@given(st.integers(-(10**20), 10**20), st.integers(0, 6))
def test_a_plain_number_is_read_exactly(units: int, decimals: int) -> None:
    """Whatever its sign and decimals."""
    number = Decimal(units).scaleb(-decimals)
    assert plain_number(f"{number:f}") == number
    assert plain_whole_number(str(units)) == units
    assert plain_whole_number("1.0") is None


@given(st.lists(st.lists(st.text(st.characters(exclude_categories=["C", "Z"])), min_size=2, max_size=2)))
def test_rows_are_read_as_they_were_written(rows: list[list[str]]) -> None:
    """Quotes, commas and characters of every script; empty rows are left out."""
    quoted = [",".join('"{}"'.format(cell.replace('"', '""')) for cell in row) for row in rows]
    found = list(csv_rows("f.csv", "\n".join(["a,b", *quoted]), ["a"], ["a", "b"]))
    filled = [(line, dict(zip("ab", row, strict=True))) for line, row in enumerate(rows, 2) if any(row)]
    assert found == filled


def test_a_fault_names_the_line_on_which_its_row_begins() -> None:
    """A cell may hold line breaks."""
    (_, first), (line, fault) = csv_rows("f.csv", 'a,b\n1,"x\ny"\n1,2,3\n', ["a"], ["a", "b"])
    assert first == {"a": "1", "b": "x\ny"}
    assert isinstance(fault, Fault)
    assert (line, fault.where, fault.found) == (4, "f.csv:4", "3 cells")


def test_a_header_that_is_not_csv_is_reported() -> None:
    """A quote that is not closed makes the whole file one cell."""
    with pytest.raises(ConfigurationInvalid, match=r"f\.csv: header: found invalid CSV"):
        list(csv_rows("f.csv", 'a,"b\n1,2\n', ["a"], ["a", "b"]))


def test_a_file_that_cannot_be_read_is_reported(tmp_path: Path) -> None:
    """A folder is not a file, and Windows-1252 is not UTF-8; a byte order mark is not part of the text."""
    with pytest.raises(ConfigurationInvalid, match="write the path of a CSV file"):
        csv_text(tmp_path)
    file = tmp_path / "f.csv"
    file.write_bytes("naïve".encode("cp1252"))
    with pytest.raises(ConfigurationInvalid, match="bytes that are not UTF-8"):
        csv_text(file)
    file.write_text("a,b\n", encoding="utf-8-sig")
    assert csv_text(file) == "a,b\n"


def test_a_month_or_name_that_cannot_be_used_is_reported_with_what_can() -> None:
    """A mistyped name must not print a report without its comparison."""
    assert [str(fault) for fault in month_faults("--to", ["2021-04", "2021-13"])] == [
        "--to: found '2021-13'; write a month such as 2021-04"
    ]
    assert [str(fault) for fault in name_faults("--section", ["contacts", "contact"], ("contact", "finance"))] == [
        "--section: found 'contacts'; write one of contact, finance"
    ]
