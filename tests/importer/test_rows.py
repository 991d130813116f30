"""Files as they come: whatever is wrong with a row is reported with its line, and the other rows are used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from watchroom.errors import ConfigurationInvalid, RowRefused
from watchroom.importer.mapping import check_mapping
from watchroom.importer.mapping_model import MappingConfig
from watchroom.importer.row import Row
from watchroom.importer.rows import check_files, read_rows


def words(**file: Any) -> MappingConfig:
    """A mapping over columns `id` and `at`."""
    document = {
        "source": "log", "about": "A log.", "time": {"zone": "UTC"}, "entity": {"key": "id"}, "file": file,
        "event": [{"type": "call.queued", "time": "at"}],
    }  # fmt: skip
    return check_mapping(document, "m.toml")


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files then have short names, like those that a person would type."""
    monkeypatch.chdir(tmp_path)


def read(path: Path, content: bytes, **file: Any) -> list[Row | RowRefused]:
    """The rows of a file with this content."""
    path.write_bytes(content)
    return list(read_rows([path], words(**file)))


def lines_and_ids(rows: list[Row | RowRefused]) -> list[object]:
    """Line and id of each row; the message of a refused one."""
    return [str(row) if isinstance(row, RowRefused) else (row.line, row.cells["id"]) for row in rows]


def test_rows_keep_their_line_numbers_after_quoted_line_breaks() -> None:
    """The line in a message is the one that an editor shows."""
    rows = read(Path("f.csv"), b'id,at\n1,"a\nb"\n\n 2 ,c\n')
    assert lines_and_ids(rows) == [(2, "1"), (5, "2")]


def test_a_byte_order_mark_is_not_part_of_the_first_column() -> None:
    """Spreadsheets write one."""
    assert lines_and_ids(read(Path("f.csv"), b"\xef\xbb\xbfid,at\n1,a\n")) == [(2, "1")]


def test_a_row_with_more_or_fewer_fields_than_the_header_is_refused() -> None:
    """An extra comma would move every later value into another column."""
    rows = read(Path("f.csv"), b"id,at\n1,a,b\n2,c\n3\n")
    first, second, third = lines_and_ids(rows)
    assert first == "f.csv:2: 3 fields where the header has 2; check the delimiter ',' and the quotes"
    assert second == (3, "2")
    assert third == (
        "f.csv:4: 1 field where the header has 2; check the delimiter ',' and the quotes, "
        'or set file.short_rows = "fill" in the mapping'
    )


def test_a_row_whose_quote_is_never_closed_is_refused() -> None:
    """It swallows the rest of the file, which must not pass as one long cell."""
    rows = lines_and_ids(read(Path("f.csv"), b'id,at\n1,a\n2,"b\n3,c\n'))
    assert rows[0] == (2, "1")
    assert str(rows[1]).startswith("f.csv:3: invalid CSV: unexpected end of data")
    assert len(rows) == 2


def test_files_with_the_same_name_are_kept_apart() -> None:
    """Every month's export has the same name; a refusal that names only `calls.csv` does not help."""
    paths = [Path("oct/calls.csv"), Path("nov/calls.csv")]
    for path in paths:
        path.parent.mkdir()
        path.write_text("id,at\n1\n")
    places = [row.where for row in read_rows(paths, words()) if isinstance(row, RowRefused)]
    assert places == ["oct/calls.csv:2", "nov/calls.csv:2"]
    assert Row("oct/calls.csv", 3, {}).where == "oct/calls.csv:3"


def test_bytes_in_another_encoding_refuse_only_their_row() -> None:
    """One `é` from an old export must not end the replay of a year, and is not guessed either."""
    content = ("id,at\n1,café\n" + "2,b\n" * 99).encode("cp1252")
    *kept, refused = lines_and_ids(read(Path("f.csv"), content))
    assert refused == 'f.csv:2: byte 0xe9 is not valid UTF-8; set file.encoding in the mapping, for example "cp1252"'
    assert kept == [(line, "2") for line in range(3, 102)]
    assert lines_and_ids(read(Path("f.csv"), content, encoding="cp1252")) == [(2, "1"), *kept]


def test_another_delimiter_and_a_file_without_a_header_are_read_as_the_mapping_says() -> None:
    """The mapping supplies what the file does not contain."""
    rows = read(Path("f.csv"), b"1;a\n2;b\n", delimiter=";", columns=["id", "at"])
    assert lines_and_ids(rows) == [(1, "1"), (2, "2")]


def test_missing_files_and_columns_are_all_listed_together(tmp_path: Path) -> None:
    """With what the file has instead, so that the right name can be copied."""
    (tmp_path / "a.csv").write_text("ID,at\n")
    (tmp_path / "b.csv").write_text("id,at,at\n")
    (tmp_path / "c.csv").write_text("")
    with pytest.raises(ConfigurationInvalid) as caught:
        check_files([tmp_path / name for name in ("a.csv", "b.csv", "c.csv", "d.csv")], words())
    faults = [str(fault).removeprefix(f"{tmp_path}/") for fault in caught.value.faults]
    assert faults[0] == (
        "a.csv: header: found no column 'id' (entity.key in the mapping); the file has: ID, at; "
        "write one of these in the mapping"
    )
    assert faults[1].startswith("b.csv: header: found two columns named 'at'")
    assert faults[2] == "c.csv: line 1: found nothing; write a header line, or set file.columns in the mapping"
    assert faults[-1].startswith("d.csv: found No such file or directory")


def test_a_header_that_did_not_split_is_one_fault(tmp_path: Path) -> None:
    """The delimiter is wrong, not every column."""
    path = tmp_path / "a.csv"
    path.write_text("id;at;x,y\n")
    with pytest.raises(ConfigurationInvalid) as caught:
        check_files([path], words(delimiter="|"))
    (fault,) = caught.value.faults
    assert "only one column, 'id;at;x,y', which does not contain the delimiter '|'" in fault.found
    assert fault.write == 'file.delimiter = ";" in the mapping'
    path.write_text("only\n")
    with pytest.raises(ConfigurationInvalid, match=r"write the correct file\.delimiter in the mapping$"):
        check_files([path], words())


def test_usable_files_pass(tmp_path: Path) -> None:
    """The check reports nothing about a file that has what the mapping needs, and more."""
    (tmp_path / "a.csv").write_text("x,at,id\n")
    check_files([tmp_path / "a.csv"], words())
