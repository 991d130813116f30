"""Files as other programs write them: byte order marks, encodings, compression, pipes, quotes and long cells."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import random
import threading
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from watchroom.errors import ConfigurationInvalid, RowRefused
from watchroom.importer.convert import Conversion
from watchroom.importer.mapping import check_mapping, load_mapping
from watchroom.importer.mapping_model import MappingConfig
from watchroom.importer.row import MOST_OF_A_READ_CELL, Row
from watchroom.importer.rows import check_files, read_rows

HEADER = "id,line,at\n"
AT = "2021-11-30T17:45:00"


def words(**file: Any) -> MappingConfig:
    """A mapping over columns `id`, `line` and `at`."""
    document = {
        "source": "log", "about": "A log.", "time": {"zone": "UTC"}, "entity": {"key": "id"}, "file": file,
        "event": [{"type": "call.queued", "time": "at", "data": {"line": "line"}}],
    }  # fmt: skip
    return check_mapping(document, "m.toml")


def rows_of(path: Path, **file: Any) -> list[Row | RowRefused]:
    """The rows that a replay reads from a file: its header is checked first, then its rows are read."""
    kept = check_files([path], words(**file))
    return list(read_rows([path], words(**file), kept))


def ids(rows: list[Row | RowRefused]) -> list[str]:
    """The id of each row; the message of a refused one."""
    return [str(row) if isinstance(row, RowRefused) else row.cells["id"] for row in rows]


def fault_of(path: Path, **file: Any) -> str:
    """The one fault of a file."""
    with pytest.raises(ConfigurationInvalid) as caught:
        rows_of(path, **file)
    (fault,) = caught.value.faults
    return str(fault).removeprefix(f"{path}: ")


@pytest.fixture
def file(tmp_path: Path) -> Callable[[bytes], Path]:
    """A function that writes a file."""

    def write(content: bytes, name: str = "f.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write


Write = Callable[..., Path]


def zipped(content: bytes, *names: str) -> bytes:
    """A zip archive in which each of these files has this content."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names or ("f.csv",):
            archive.writestr(name, content)
    return out.getvalue()


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstandard.compress,
    "zip": zipped,
}
CONTENT = (HEADER + f"1,999,{AT}\n2,101,{AT}\n").encode()


@pytest.mark.parametrize("form", PACKED)
def test_a_compressed_file_is_read_whatever_its_name(file: Write, form: str) -> None:
    """Exports often come compressed; the content decides, not the name."""
    assert ids(rows_of(file(PACKED[form](CONTENT)))) == ["1", "2"]
    assert ids(rows_of(file(PACKED[form](CONTENT.decode().encode("utf-16"))))) == ["1", "2"]


@pytest.mark.parametrize("form", PACKED)
def test_a_broken_compressed_file_gives_a_one_line_message(file: Write, form: str) -> None:
    """A download that ended early must give neither a traceback nor half a month."""
    rows = "".join(f"{n},999,{AT},{random.Random(n).random()}\n" for n in range(20_000))
    whole = PACKED[form](("id,line,at,x\n" + rows).encode())
    for cut in (whole[: len(whole) // 2], whole[:20]):
        assert f"found a {form} file that cannot be read (" in fault_of(file(cut))


@pytest.mark.parametrize("form", PACKED)
def test_a_compressed_file_that_unpacks_without_end_is_refused(file: Write, form: str) -> None:
    """A few kilobytes can hold gigabytes."""
    path = file(PACKED[form](CONTENT + b"3,999," + (b"x" * 5_000 + b"\n") * 10_000))
    assert f"found a {form} file that unpacks to more than" in fault_of(path)
    assert "write the unpacked file, or a pipe" in fault_of(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            zipped(b"x", "a.csv", "b.csv"),
            "found a zip archive containing 2 files; write a zip archive containing one file",
        ),
        (zipped(b"x", "[Content_Types].xml", "word/a.xml"), "found an Office document; write a text file or"),
        (zipped(b"x", "[Content_Types].xml", "xl/workbook.bin"), "found a binary Excel workbook (.xlsb); write a text"),
        (zipped(b"x", "mimetype", "content.xml"), "found an OpenDocument file; write a text file or an .xlsx"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 600, "found an Excel workbook (.xls); write a text file or an .xlsx"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le"), "protected by a password"),
        (
            gzip.compress(zipped(b"x")),
            "found a workbook or a zip archive inside another compressed file; write the inner",
        ),
        (b"%PDF-1.7\n", "found a PDF document"),
        (b"\x7fELF\x02\x01\x01\0\0\0", "found bytes that are not text (the file begins with 7f 45 4c 46"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "found an image (PNG)"),
        (gzip.compress(b"f.csv" + b"\0" * 252 + b"ustar\x0000" + b"\0" * 240), "found a tar archive"),
        (b"\n<HTML xmlns='x'><table><tr><td>id", "found an HTML page; write a text file or an .xlsx workbook"),
        (b"\xef\xbb\xbf<?xml version='1.0'?><Workbook>", "found an XML document; write a text file or an .xlsx"),
        (b"\x04\x22\x4d\x18\x64\x40", "found an lz4 file; write a text file"),
        (CONTENT.decode().encode("utf-16-le"), 'UTF-16 without a byte order mark; write file.encoding = "utf-16-le"'),
        (CONTENT.decode().encode("utf-16-be"), 'UTF-16 without a byte order mark; write file.encoding = "utf-16-be"'),
    ],
    ids=lambda value: value if isinstance(value, str) else "",  # gzip and zip contain the time of writing
)
def test_the_message_about_a_file_that_is_not_text_names_its_format(file: Write, content: bytes, said: str) -> None:
    """It says what the file is, and what to do."""
    assert said in fault_of(file(content))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_a_byte_order_mark_overrides_the_mapping(file: Write, encoding: str) -> None:
    """Spreadsheets call it "Unicode text"."""
    path = file(CONTENT.decode().replace(",", "\t").encode(encoding))
    assert ids(rows_of(path, delimiter="\t")) == ["1", "2"]
    assert ids(rows_of(path, delimiter="\t", encoding=encoding)) == ["1", "2"]
    said = fault_of(path)
    assert said.startswith("header: found only one column, 'id\\tline\\tat', which does not contain")
    assert f"in a file that is {encoding.upper()} (according to its byte order mark)" in said
    assert said.endswith('write file.delimiter = "\\t" in the mapping')
    other = file("name,number,x\n".encode(encoding))
    assert f"none of the columns 'id', 'at', 'line' in a file that is {encoding.upper()} (according" in fault_of(other)


def test_the_byte_order_mark_of_utf_8_also_overrides_the_mapping(file: Write) -> None:
    """A mapping for old exports must not read `é` in a new one as `Ã©`."""
    rows = rows_of(file("id,line,at\ncafé,999,2021-11-30T17:45:00\n".encode("utf-8-sig")), encoding="cp1252")
    assert ids(rows) == ["café"]


def old(*, bad: int, good: int = 0, text: bytes = b"caf\xe9") -> bytes:
    """A file with rows in UTF-8, followed by rows with a text that is not."""
    row = b"%b,999," + AT.encode() + b"\n"
    return HEADER.encode() + b"".join(row % b"a%d" % n for n in range(good)) + b"".join(row % text for n in range(bad))


def test_rows_in_a_wrong_encoding_give_a_one_line_fault(file: Write) -> None:
    """It must not refuse a row for each `é` and count the others as if they were all; nothing is sent."""
    assert fault_of(file(old(bad=2, good=3))) == (
        "line 5: found byte 0xe9 in column 'id', which is not valid UTF-8; 2 of 5 rows read have such bytes; "
        'write file.encoding = "cp1252" in the mapping, which can read these rows'
    )
    assert 'for example "cp850" or "mac_roman"; "utf-8" and "cp1252" do not' in fault_of(
        file(old(bad=1, text=b"caf\x81"))
    )
    assert 'write file.encoding = "utf-8"' in fault_of(file(old(bad=1, text="ÁÁ".encode())), encoding="cp1252")
    mixed = HEADER.encode() + f"café,999,{AT}\n".encode() + old(bad=1).removeprefix(HEADER.encode())
    assert (
        "1 other rows with non-ASCII text are valid UTF-8: the file mixes encodings; write a file in one"
        in fault_of(file(mixed))
    )
    utf_8 = f"{HEADER}café,999,{AT}\n{'Á,999,' + AT}\n".encode()
    assert "byte 0x81" in fault_of(file(utf_8), encoding="cp1252")
    assert 'write file.encoding = "utf-8" in the mapping' in fault_of(file(utf_8), encoding="cp1252")
    many = utf_8 + f"café,999,{AT}\n".encode() * 200
    assert "found valid UTF-8 in all 201 rows with non-ASCII text, although the mapping says cp1252" in fault_of(
        file(many), encoding="cp1252"
    )


def test_utf_8_read_under_another_encoding_gives_a_one_line_fault(file: Write) -> None:
    """`CafÃ©` would become the label `other` without a warning."""
    assert fault_of(file(old(bad=2, text="café".encode())), encoding="latin-1") == (
        "line 2: found valid UTF-8 in all 2 rows with non-ASCII text, although the mapping says latin-1; "
        'write file.encoding = "utf-8" in the mapping'
    )
    assert len(rows_of(file(old(bad=2)), encoding="latin-1")) == 2


@given(st.integers(0, 102), st.integers(0, 400), st.sampled_from([b"\xe9", b"\x81", b"\xff\xfe", b"\xed\xa0\x80"]))
def test_a_few_rows_in_another_encoding_are_refused_but_many_are_one_fault(
    tmp_path_factory: pytest.TempPathFactory, bad: int, good: int, text: bytes
) -> None:
    """Refused up to 100 rows and 1 % of all rows."""
    path = tmp_path_factory.mktemp("encodings") / "f.csv"
    path.write_bytes(old(bad=bad, good=good, text=text))
    if bad * 100 > bad + good:
        assert "which is not valid UTF-8; " in fault_of(path)
    else:
        assert totals(path)[:2] == (good, bad)


def test_more_than_a_hundred_rows_in_another_encoding_are_one_fault(file: Write) -> None:
    """Even in a very long file."""
    assert totals(file(old(bad=100, good=10_000)))[:2] == (10_000, 100)
    assert "101 of 20,101 rows read have such bytes" in fault_of(file(old(bad=102, good=20_000)))


def test_zstd_is_unpacked_in_pieces(file: Write) -> None:
    """A file may have several frames, one of them large; none is held in memory as a whole."""
    rows = b"".join(b"%d,999,%b\n" % (n, AT.encode()) for n in range(60_000))
    path = file(zstandard.compress(HEADER.encode()) + zstandard.compress(rows) + zstandard.compress(b""))
    tracemalloc.start()
    try:
        assert sum(isinstance(row, Row) for row in read_rows([path], words())) == 60_000
        assert tracemalloc.get_traced_memory()[1] < len(rows) / 2
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "idna", "punycode"])
def test_a_wrong_encoding_gives_a_short_message(file: Write, encoding: str) -> None:
    """No traceback, whatever the mapping says and the file contains."""
    for content in (CONTENT + b"3", "é;\n".encode("cp1252") * 99):
        with pytest.raises(ConfigurationInvalid) as caught:
            rows_of(file(content), encoding=encoding)
        assert len(str(caught.value).splitlines()) <= 3


def test_a_header_in_another_encoding_gives_a_one_line_fault(file: Write) -> None:
    """Not one unreadable line for each column."""
    path = file("id;line;ät\n".encode("cp1252"))
    assert fault_of(path, delimiter=";") == (
        "header: found byte 0xe4, which is not valid UTF-8; "
        'write the correct file.encoding in the mapping, for example "cp1252"'
    )


def test_a_mapping_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    """Some editors write one at the start of every file."""
    path = tmp_path / "m.toml"
    path.write_text(
        '\ufeffsource = "acd"\nabout = "x"\n[time]\nzone = "UTC"\n[entity]\nkey = "id"\n'
        '[[event]]\ntype = "call.queued"\ntime = "at"\n',
        encoding="utf-8",
    )
    assert load_mapping(path).source == "acd"


@pytest.mark.parametrize("size", [5, 400, 3000])
@pytest.mark.parametrize("form", [None, *PACKED])
def test_a_pipe_is_read_like_a_file(tmp_path: Path, size: int, form: str | None) -> None:
    """`<(zcat calls.gz)` cannot be opened twice; its first 8 KiB used to be lost, with exit code 0."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    content = (HEADER + "".join(f"{number},999,{AT}\n" for number in range(size))).encode()
    content = PACKED[form](content) if form else content
    writer = threading.Thread(target=lambda: path.write_bytes(content), daemon=True)
    writer.start()
    assert ids(rows_of(path)) == [str(number) for number in range(size)]
    writer.join(10)


@pytest.mark.parametrize("mark", [";", "\t", "|", ","])
@pytest.mark.parametrize("said", ["sep={}\n", "sep={}\r\n", "SEP={}\n", '"sep={}"\n'])
def test_a_sep_line_that_names_the_delimiter_is_skipped(file: Write, mark: str, said: str) -> None:
    """Spreadsheets write it. It overrides the mapping's delimiter, and lines keep their numbers."""
    path = file((said.format(mark) + f"id,line,at\n1,999,{AT}\n2\n".replace(",", mark)).encode())
    for delimiter in (",", ";"):
        row, short = rows_of(path, delimiter=delimiter)
        assert isinstance(row, Row)
        assert (row.line, row.cells["line"]) == (3, "999")
        assert str(short).startswith(f"{path}:4: 1 field where the header has 3")


@pytest.mark.parametrize("said", ["sep=\r\n", "sep=\n", 'sep="\n', "sep=\r"])
def test_a_sep_line_that_names_no_delimiter_is_read_as_the_header(file: Write, said: str) -> None:
    """From 3.13 on, Python's csv refuses a line break or the quote as delimiter; earlier, it reads nothing."""
    assert "found only one column, 'sep=" in fault_of(file(f"{said}id,line,at\n1,999,{AT}\n".encode()))


@pytest.mark.parametrize(
    ("content", "found"), [(b"\n" + CONTENT, "a blank line"), (b"\r\n", "a blank line"), (b"", "nothing")]
)
def test_a_first_line_without_column_names_is_reported(file: Write, content: bytes, found: str) -> None:
    """A blank first line is not an empty file; the header may be the next line."""
    assert fault_of(file(content)) == f"line 1: found {found}; write a header line, or set file.columns in the mapping"


def test_a_zip_file_with_a_password_is_reported(file: Write) -> None:
    """The message used to be Python's description of the archive member."""
    content = bytearray(zipped(CONTENT))
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    assert fault_of(file(bytes(content))) == "found a zip file protected by a password; write the unpacked file"


@pytest.mark.parametrize("name", [b"BZhours", b"ORCID", b"PAR1", b"Obj", b"LZIP", b"PK", b"Rar", b"ARROW1"])
def test_a_column_name_is_not_mistaken_for_the_start_of_a_compressed_file(file: Write, name: bytes) -> None:
    """Only bytes that cannot occur in a name identify a file format."""
    assert ids(rows_of(file(name + b",id,line,at\nx,7,999," + AT.encode() + b"\n"))) == ["7"]


def test_unnamed_columns_that_the_mapping_does_not_read_do_not_matter(file: Write) -> None:
    """Excel writes them after the last column."""
    assert ids(rows_of(file(f"id,line,at,,\n1,999,{AT},,\n2,999,{AT},x,y\n".encode()))) == ["1", "2"]
    assert "two columns named 'at'" in fault_of(file(b"id,line,at,,at\n"))


@given(st.lists(st.integers(0, 7), max_size=12))
def test_short_rows_are_filled_if_the_mapping_says_so(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int]
) -> None:
    """Lines of a log vary in length; a field too many is refused, and every row is used or reported."""
    path = tmp_path_factory.mktemp("rows") / "f.csv"
    lines = [",".join(["7", "999", AT, "a", "b", "c", "d"][:size]) for size in sizes]
    path.write_text("id,line,at,x,y\n" + "".join(line + "\n" for line in lines))
    rows = rows_of(path, short_rows="fill")
    assert [isinstance(row, Row) for row in rows] == [size <= 5 for size in sizes if size]
    for row, size in zip(rows, [size for size in sizes if size], strict=True):
        if isinstance(row, Row):
            assert list(row.cells.values()) == ["7", "999", AT, "a", "b"][:size] + [""] * (5 - size)
    assert [isinstance(row, Row) for row in rows_of(path)] == [size == 5 for size in sizes if size]


def totals(path: Path) -> tuple[int, int, int, list[str]]:
    """Rows used and refused, lines swallowed, and the subjects of the events."""
    conversion = Conversion(words(), lambda _: None)
    made = [event.subject for event in conversion.events(read_rows([path], words()))]
    tally = conversion.tally
    assert tally.rows == tally.used + tally.refused
    return tally.used, tally.refused, tally.swallowed_lines, made


def test_lines_that_a_quote_swallows_are_counted(file: Write) -> None:
    """Four calls used to be lost, with only one refused row reported."""
    lines = [f"a{number},999,{AT}" for number in range(1, 7)]
    lines[1], lines[4] = f'a2,"999,{AT}', f'a5,"999",{AT}'
    path = file((HEADER + "\n".join(lines) + "\n").encode())
    assert totals(path) == (2, 1, 3, ["a1", "a6"])
    (refused,) = [row for row in read_rows([path], words()) if isinstance(row, RowRefused)]
    assert "3 lines swallowed, up to line 6; check the quotes from line 3 on" in str(refused)


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
@pytest.mark.parametrize("row", ['2,"999,' + AT + ",", '2,999,"' + AT, '"2,999,' + AT, '2,999,"'])
def test_a_file_that_ends_inside_quotes_is_reported(file: Write, row: str, end: str) -> None:
    """No lines follow that could be swallowed, but the file may be cut off: the exit code used to be 0."""
    path = file((HEADER + f"1,999,{AT}\n" + row + end).encode())
    conversion = Conversion(words(), lambda _: None)
    assert len(list(conversion.events(read_rows([path], words())))) == 1
    assert (conversion.tally.refused, conversion.tally.unclosed_files) == (1, 1)
    assert conversion.tally.has_open_quotes


def test_a_misplaced_quote_does_not_count_as_an_open_one(file: Write) -> None:
    """Its row is refused, and nothing else is lost with it."""
    path = file((HEADER + f'1,"9"9,{AT}\n2,999,{AT}\n3,"9"9,{AT}\n').encode())
    conversion = Conversion(words(), lambda _: None)
    assert len(list(conversion.events(read_rows([path], words())))) == 1
    assert not conversion.tally.has_open_quotes


def test_an_open_quote_that_another_rows_quote_closes_is_reported(file: Write) -> None:
    """As CSV it is one valid row with a long cell, and the calls inside it would be lost silently."""
    lines = [f"a{number},999,{AT},ok" for number in range(1, 7)]
    lines[1], lines[4] = f'a2,999,{AT},"hung on', f'a5,999,{AT},second"'
    path = file(("id,line,at,note\n" + "\n".join(lines) + "\n").encode())
    assert totals(path) == (2, 1, 3, ["a1", "a6"])


def test_line_breaks_inside_a_cell_do_not_start_rows(file: Write) -> None:
    """An incident's log also contains commas."""
    path = file(
        f'id,line,at,note\n1,999,{AT},"first, line\nand, a, second, one\n17:45, a, b, c"\n2,999,{AT},\n'.encode()
    )
    assert totals(path) == (2, 0, 0, ["1", "2"])


@settings(max_examples=200)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=10))
def test_whatever_the_quotes_each_line_is_used_refused_or_counted_as_swallowed(
    tmp_path_factory: pytest.TempPathFactory, quotes: list[tuple[bool, bool]]
) -> None:
    """Wherever quotes occur, alone or in pairs, no call vanishes without being counted."""
    path = tmp_path_factory.mktemp("quotes") / "f.csv"
    cells = ['"' * opens + "999" + '"' * closes for opens, closes in quotes]
    lines = [f"{number},{cell},{AT}" for number, cell in enumerate(cells)]
    path.write_text(HEADER + "".join(line + "\n" for line in lines))
    used, refused, swallowed, _ = totals(path)
    assert used + refused + swallowed == len(lines)


def test_a_long_cell_that_the_mapping_does_not_read_is_not_a_fault(file: Write) -> None:
    """An incident's log of 155 kB used to be mistaken for 414 rows."""
    log = "17:00 unit U0 says: still looking, nothing found at the place yet\n" * 5000
    path = file(f'id,line,at,log\n1,999,{AT},short\n2,999,{AT},"{log}"\n3,999,{AT},\n'.encode())
    assert totals(path) == (3, 0, 0, ["1", "2", "3"])


@pytest.mark.parametrize("quote", ["", '"'])
def test_a_too_long_cell_that_the_mapping_reads_refuses_only_its_row(file: Write, quote: str) -> None:
    """An event has at most 256 KiB."""
    for size, refused in ((MOST_OF_A_READ_CELL + 1, 1), (MOST_OF_A_READ_CELL // 2 + 1, 1), (1000, 0)):
        sign = "é" if size == MOST_OF_A_READ_CELL // 2 + 1 else "x"
        path = file(f"{HEADER}1,{quote}{sign * size}{quote},{AT}\n2,999,{AT}\n".encode())
        assert ids(rows_of(path))[1] == "2"
        assert sum(isinstance(row, RowRefused) for row in rows_of(path)) == refused


def test_the_rest_of_a_cell_that_is_too_long_is_not_mistaken_for_rows(file: Write) -> None:
    """A cell of more than 16 MiB refuses its row; the next row is read."""
    log = f"9,999,{AT}\n" * 1_000_000
    path = file(f'id,line,at,log\n1,999,{AT},"{log}"\n2,999,{AT},\n'.encode())
    rows = ids(rows_of(path))
    assert "a cell of more than 16 MiB that ends on line 1000002" in rows[0]
    assert rows[1:] == ["2"]
    open_to_the_end = file(f'id,line,at,log\n1,999,{AT},"{log}\n2,999,{AT},\n'.encode())
    assert totals(open_to_the_end)[:3] == (0, 1, 1_000_001)


def test_the_memory_for_an_endless_line_is_bounded(file: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line of several gigabytes must not fill the memory."""
    monkeypatch.setattr("watchroom.importer.csv_table.MOST_OF_A_LINE", 1000)
    path = file((HEADER + f"1,999,{AT}\n" + "x" * 5000 + f"\n2,999,{AT}\n").encode())
    first, refused, last = ids(rows_of(path))
    assert (first, last) == ("1", "2")
    assert "a line of more than" in refused


def test_a_header_with_control_characters_is_shown_escaped(file: Write) -> None:
    """Escape sequences in a file must not reach the terminal."""
    faults = fault_of(file(b"id,line,\x1b[2J\x1b]0;title\x07at\n"))
    assert "the file has: id, line, \\x1b[2J\\x1b]0;title\\x07at" in faults


def test_a_header_with_very_many_columns_is_read_quickly(file: Write) -> None:
    """A file that is not a table can have 300,000: comparing each with all others used to take a minute."""
    content = b"id,line,at" + b",x" * 300_000 + b"\n"
    began_s = time.process_time()
    rows_of(file(content))
    assert time.process_time() - began_s < 10


@settings(max_examples=300)
@given(st.binary(max_size=600), st.sampled_from([b"", CONTENT, b"\x1f\x8b", b"PK\x03\x04", b"\xff\xfe", b"\xfd7zXZ\0"]))
def test_no_bytes_cause_a_traceback(tmp_path_factory: pytest.TempPathFactory, content: bytes, start: bytes) -> None:
    """Any file gives rows, refused rows, or faults."""
    path = tmp_path_factory.mktemp("bytes") / "f.csv"
    path.write_bytes(start + content)
    with suppress(ConfigurationInvalid):
        rows_of(path)
