"""An Excel workbook gives the same events as its table in CSV; cells that cannot be read are reported."""

from __future__ import annotations

import csv
import gzip
import io
import os
import threading
import zipfile
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter
from hypothesis import given, settings
from hypothesis import strategies as st

from watchroom.errors import ConfigurationInvalid, RowRefused
from watchroom.importer import workbook as workbook_module
from watchroom.importer.convert import Conversion
from watchroom.importer.mapped import Mapped
from watchroom.importer.mapping import check_mapping
from watchroom.importer.mapping_model import MappingConfig
from watchroom.importer.rows import check_files, read_rows
from watchroom.importer.sheets import cell_text
from watchroom.importer.tally import Tally

HEADER = ["id", "line", "at", "wait"]
AT = datetime.fromisoformat("2021-11-30T17:45:13")
AS_TIME, AS_DAY, AS_CLOCK, AS_LENGTH = "yyyy-mm-dd hh:mm:ss.000", "dd/mm/yyyy", "hh:mm:ss", "[h]:mm:ss"
Write = Callable[[Any, Any], None]


def words(formats: object = "iso", event: dict[str, object] | None = None, **file: Any) -> MappingConfig:
    """A mapping over columns `id`, `line`, `at` and `wait`."""
    queued = {"type": "call.queued", "time": "at", "data": {"line": "line"}}
    answered = {"type": "call.answered", "time": {"column": "at", "plus_seconds": "wait"}, "optional": True}
    document = {
        "source": "acd", "about": "One row is one call.", "time": {"zone": "Europe/London", "formats": formats},
        "entity": {"key": "id"}, "file": file, "event": [event] if event else [queued, answered],
    }  # fmt: skip
    return check_mapping(document, "m.toml")


def made(path: Path, mapping: MappingConfig) -> tuple[list[Mapped], list[str], Tally]:
    """The events of a file, its refused rows, and the row counts."""
    refused: list[RowRefused] = []
    conversion = Conversion(mapping, refused.append)
    kept = check_files([path], mapping)
    events = list(conversion.events(read_rows([path], mapping, kept)))
    return events, [str(row).removeprefix(f"{path}:") for row in refused], conversion.tally


def workbook(
    path: Path, *rows: Sequence[object], form: str = AS_TIME, more: Write = lambda _book, _sheet: None
) -> Path:
    """A workbook whose first sheet, Calls, has these rows; dates are shown in a number format."""
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet("Calls")
    forms = {datetime: book.add_format({"num_format": form}), time: book.add_format({"num_format": AS_CLOCK})}
    forms |= {date: book.add_format({"num_format": AS_DAY}), timedelta: book.add_format({"num_format": AS_LENGTH})}
    for number, row in enumerate(rows):
        for column, value in enumerate(row):
            sheet.write(number, column, value, forms.get(type(value)))
    more(book, sheet)
    book.close()
    return path


def fault_of(path: Path, mapping: MappingConfig | None = None) -> str:
    """The one fault of a file."""
    with pytest.raises(ConfigurationInvalid) as caught:
        made(path, mapping or words())
    (fault,) = caught.value.faults
    return str(fault).removeprefix(f"{path}: ")


def test_cells_are_read_as_the_text_that_they_stand_for(tmp_path: Path) -> None:
    """Dates as ISO text, whole numbers without a decimal point; the rest as a spreadsheet exports it."""
    for value, text in (
        (AT.replace(microsecond=123_000), "2021-11-30T17:45:13.123"),
        (AT, "2021-11-30T17:45:13"),
        (date(2021, 11, 30), "2021-11-30"),
        (time(17, 45), "17:45:00"),
        (timedelta(hours=30, seconds=1), "108001"),
        (999.0, "999"),
        (-0.25, "-0.25"),
        (0.1 + 0.2, "0.3"),
        (1e-7, "0.0000001"),
        (202_111_000_001.0, "202111000001"),
        (True, "TRUE"),
        (" x ", " x "),
    ):
        assert cell_text(value) == text
    assert cell_text(date(2021, 11, 30), is_day=False) == "2021-11-30T00:00:00"
    path = workbook(tmp_path / "f.xlsx", HEADER, [7, 999, AT, 0.25], [8.0, "101", AT + timedelta(seconds=1), ""])
    events, refused, tally = made(path, words())
    assert [(event.subject, event.data, event.time_ms) for event in events] == [
        ("7", {"line": "999"}, 1638294313000),
        ("7", {}, 1638294313250),
        ("8", {"line": "101"}, 1638294314000),
    ]
    assert (refused, tally.rows, tally.used) == ([], 2, 2)


TEXTS = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs", "Cn"]), max_size=8).map(str.strip)
# Without texts that a writer would interpret as something else: nobody who types them means them as text.
PLAIN = TEXTS.filter(lambda text: not text.startswith(("=", "{", "_x")) and "_x" not in text)
ROWS = st.lists(
    st.tuples(
        st.integers(1, 10**15 - 1) | PLAIN,
        st.sampled_from([999, "101", "", True]) | PLAIN,
        st.datetimes(AT.replace(year=1990), AT.replace(year=2068)).map(
            lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000)
        ),
        st.integers(0, 10**6) | st.just("") | st.integers(0, 10**6).map(lambda hundredths: hundredths / 100),
    ),
    max_size=8,
)


def as_csv(path: Path, rows: Sequence[Sequence[object]]) -> Path:
    """The same table as a CSV file."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(
            [[value.isoformat() if isinstance(value, datetime) else cell_text(value) for value in row] for row in rows]
        )
    return path


def as_openpyxl(path: Path, rows: Sequence[Sequence[object]]) -> Path:
    """A workbook as another library writes it."""
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in rows:
        sheet.append(list(row))
    book.save(path)
    return path


@settings(max_examples=40)
@given(ROWS)
def test_a_sheet_gives_the_same_events_as_its_csv(tmp_path_factory: pytest.TempPathFactory, rows: list[Any]) -> None:
    """Whichever program wrote it; the same rows are refused, for the same reasons."""
    folder = tmp_path_factory.mktemp("sheets")
    table = [HEADER, *rows]
    wanted = made(as_csv(folder / "f.csv", table), words())
    assert made(workbook(folder / "f.xlsx", *table), words()) == wanted
    assert made(as_openpyxl(folder / "g.xlsx", table), words()) == wanted


def test_dates_are_read_whatever_text_formats_the_mapping_names(tmp_path: Path) -> None:
    """The mapping of a CSV export also reads the workbook that the export came from."""
    mapping = words("%d/%m/%Y %H:%M:%S")
    text = AT.strftime("%d/%m/%Y %H:%M:%S")
    wanted = made(as_csv(tmp_path / "f.csv", [HEADER, ["a", "999", text, 5]]), mapping)
    assert len(wanted[0]) == 2
    for at in (AT, text):
        assert made(workbook(tmp_path / "f.xlsx", HEADER, ["a", "999", at, 5], form=AS_DAY), mapping) == wanted


def test_a_day_and_a_clock_time_in_two_columns_are_joined(tmp_path: Path) -> None:
    """Most duty logs are kept this way."""
    event: dict[str, object] = {"type": "call.queued", "time": {"join": ["day", "clock"]}}
    header = ["id", "day", "clock"]
    rows = [[n, date(2021, 11, 28 + n), time(0, n)] for n in (0, 1, 2)]
    path = workbook(tmp_path / "f.xlsx", header, *rows)
    for formats in ("iso", "%d/%m/%Y %H:%M"):
        events, refused, _ = made(path, words(formats, event))
        assert [event.id.split(":", 2)[2] for event in events] == [
            "2021-11-28T00:00:00Z", "2021-11-29T00:01:00Z", "2021-11-30T00:02:00Z",
        ]  # fmt: skip
        assert refused == []


def test_midnight_is_a_time_in_a_column_of_times_but_a_day_in_a_column_of_days(tmp_path: Path) -> None:
    """The cell alone does not show which it is; no time of day is invented."""
    midnight = datetime.fromisoformat("2021-11-30")
    events, refused, _ = made(workbook(tmp_path / "f.xlsx", HEADER, ["a", 1, midnight, ""], ["b", 1, AT, ""]), words())
    assert [event.time_ms for event in events] == [1638230400000, 1638294313000]
    path = workbook(tmp_path / "f.xlsx", HEADER, ["a", 1, midnight, ""])
    assert [event.time_ms for event in made(path, words())[0]] == [1638230400000]
    events, refused, _ = made(workbook(path, HEADER, ["a", 1, midnight, ""], form=AS_DAY), words())
    assert events == []
    assert refused == ["2: time: '2021-11-30' does not match the time format iso"]
    appended: dict[str, object] = {"type": "call.queued", "time": {"column": "at", "append": "T12:00"}}
    events, _, _ = made(path, words("%d/%m/%YT%H:%M", appended))
    assert [event.time_ms for event in events] == [1638273600000]


def test_a_row_with_a_number_that_a_spreadsheet_rounded_is_refused(tmp_path: Path) -> None:
    """It keeps 15 digits, so ids that differ in the sixteenth become one; as text they stay whole."""
    rows = [
        [10**15 - 1, 1, AT, ""],
        [10**15, 1, AT, ""],
        [1234567890123456, 1, AT, ""],
        ["1234567890123456", 1, AT, ""],
    ]
    events, refused, tally = made(workbook(tmp_path / "f.xlsx", HEADER, *rows), words())
    assert [event.subject for event in events] == ["999999999999999", "1234567890123456"]
    assert [row.partition(" has more than 15 digits")[0] for row in refused] == [
        "3: id: 1e+15",
        "4: id: 1.23456789012346e+15",
    ]
    assert tally.rows == tally.used + tally.refused == 4


def test_an_error_or_a_formula_without_a_value_refuses_its_row_if_the_column_is_read(tmp_path: Path) -> None:
    """python-calamine gives both as empty cells, which would mean something else."""

    def more(_: Any, sheet: Any) -> None:
        sheet.write_formula("B2", "=1/0", None, "#DIV/0!")
        sheet.write_formula("E3", "=NA()", None, "#N/A")
        sheet.write_formula("B4", "=900+99", None, 999)
        sheet.write_formula("B5", '=A1&""', None, "")

    path = workbook(tmp_path / "f.xlsx", HEADER, *([name, "", AT, ""] for name in "abcd"), more=more)
    rewritten(path, "xl/worksheets/sheet1.xml", lambda content: content.replace(b'r="B5"', b'r="B5" t="str"'))  # Excel
    events, refused, _ = made(path, words())
    assert [(event.subject, dict(event.data)) for event in events] == [("b", {}), ("c", {"line": "999"}), ("d", {})]
    assert refused == ["2: line: an error (#DIV/0!)"]
    assert made(path, words(empty=["#DIV/0!"]))[1] == []
    book = openpyxl.load_workbook(path)
    book.worksheets[0]["B3"] = "=900+99"
    book.save(path)
    _, refused, _ = made(path, words())
    assert (
        "3: line: a formula whose result is not stored in the file; open it in a spreadsheet program and save it"
        in refused
    )


def test_rows_of_formulas_without_values_are_refused_rather_than_lost(tmp_path: Path) -> None:
    """A program wrote them and no spreadsheet has computed them: the table would seem smaller than it is."""
    path = tmp_path / "f.xlsx"
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for row in (["=A9", "=B9", "=C9", ""], ["=A9", 999, AT, ""], ["=A9", "=B9", "=C9", "=D9"]):
        sheet.append(row)
    book.save(path)
    events, refused, tally = made(path, words(columns=HEADER))
    assert (events, tally.rows, tally.refused) == ([], 3, 3)
    assert [row.partition(" whose")[0] for row in refused] == [f"{row}: id: a formula" for row in (1, 2, 3)]
    sheet.insert_rows(1)
    for column, name in enumerate(HEADER, 1):
        sheet.cell(1, column, name)
    book.save(path)
    assert made(path, words())[2].refused == 3


def test_rows_with_numbers_outside_the_calendar_are_refused(tmp_path: Path) -> None:
    """As a date or duration, they caused an OverflowError or a Rust panic; the next row is read."""
    path = tmp_path / "f.xlsx"
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.append(HEADER)
    for name, number in (("a", 1e16), ("a", -1e16), ("a", 1e300), ("a", 1e9), ("b", 0)):
        sheet.append([name, 999, AT, number])
    for number, form in enumerate((AS_LENGTH, AS_TIME, AS_LENGTH, AS_LENGTH), 2):
        sheet.cell(number, 4).number_format = form
    book.save(path)
    events, refused, tally = made(path, words())
    assert {event.subject for event in events} == {"b"}
    assert tally.rows == tally.used + tally.refused == 5
    assert [row.partition(":")[0] for row in refused] == ["2", "3", "4", "5"]


ODD: tuple[Any, ...] = (
    "x", 5, 1e16, True, AT, AT.date(), AT.replace(hour=0, minute=0, second=0), time(1, 2), timedelta(hours=3), "=A1", 0,
    -1.5, "#N/A",
)  # fmt: skip
CELLS = st.dictionaries(st.tuples(st.integers(1, 9), st.integers(1, 7)), st.sampled_from(ODD), max_size=25)


@settings(max_examples=40)
@given(st.integers(1, 3), st.integers(1, 4), CELLS, st.none() | st.integers(1, 3))
def test_every_row_of_any_sheet_is_used_or_refused(
    tmp_path_factory: pytest.TempPathFactory,
    top: int,
    left: int,
    cells: dict[tuple[int, int], Any],
    high: int | None,
) -> None:
    """Wherever the table begins and whatever surrounds it, as many rows as another library finds."""
    path = tmp_path_factory.mktemp("sheets") / "f.xlsx"
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    for column, name in enumerate(HEADER):
        sheet.cell(top, left + column, name)
    for (row, column), value in cells.items():
        sheet.cell(top + row, column, value)
    if high:
        sheet.merge_cells(start_row=top + 1, start_column=left, end_row=top + high, end_column=left + 1)
    filled = sum(any(cell.value is not None for cell in row) for row in sheet.iter_rows())
    book.save(path)
    tally = made(path, words())[2]
    assert tally.rows == tally.used + tally.refused == filled - 1


def test_rows_that_seem_empty_because_of_merged_cells_are_refused(tmp_path: Path) -> None:
    """Only the first merged cell holds the value, but a person reads it as the value of each."""
    path = workbook(
        tmp_path / "f.xlsx",
        HEADER,
        *([name, "", AT, ""] for name in "abcd"),
        more=lambda _, sheet: sheet.merge_range("B2:B4", 999),
    )
    events, refused, _ = made(path, words())
    assert [(event.subject, dict(event.data)) for event in events] == [("a", {"line": "999"}), ("d", {})]
    assert refused == [
        f"{row}: line: part of a merged cell (rows 2 to 4); unmerge it and fill in each cell" for row in (3, 4)
    ]


def test_the_mapping_chooses_the_sheet(tmp_path: Path) -> None:
    """By its name or its number; by default, the first one."""

    def more(book: Any, _: Any) -> None:
        book.add_chartsheet("Chart")
        for name in ("November", "3"):
            sheet = book.add_worksheet(name)
            sheet.write_row(2, 2, ["id", "line", "at", "wait"])
            sheet.write_row(4, 2, [name, 999, "2021-11-30T17:45:13", ""])

    path = workbook(tmp_path / "f.xlsx", HEADER, ["first", 999, AT, ""], more=more)
    for wanted, subject in ((None, "first"), (1, "first"), ("November", "November"), (2, "November"), ("3", "3")):
        chosen: dict[str, Any] = {} if wanted is None else {"sheet": wanted}
        assert [event.subject for event in made(path, words(**chosen))[0]] == [subject]
    row = made(path, words(sheet=3, columns=["id", "line", "at", "wait"]))[1]
    assert row == ["3: time: 'at' does not match the time format iso"]
    for missing in ("Chart", 4, "2"):
        assert fault_of(path, words(sheet=missing)) == (
            f"found no sheet {missing!r}; the workbook has: 'Calls', 'November', '3'; "
            "write file.sheet in the mapping: one of these, or its number from 1 to 3"
        )
    with pytest.raises(ConfigurationInvalid, match=r"file\.sheet"):
        words(sheet=0)


def test_the_message_about_a_missing_column_names_the_sheet_and_the_other_sheets(tmp_path: Path) -> None:
    """The table is often behind a cover sheet."""
    path = workbook(tmp_path / "f.xlsx", ["About", "", "at", "wait"], more=lambda book, _: book.add_worksheet("Data"))
    with pytest.raises(ConfigurationInvalid) as caught:
        made(path, words())
    assert str(caught.value.faults[0]) == (
        f"{path}: sheet 'Calls' (others: 'Data'): header: found no column 'id' (entity.key in the mapping); "
        "the file has: About, , at, wait; write one of these in the mapping"
    )
    path = workbook(tmp_path / "f.xlsx", more=lambda _book, _sheet: None)
    with pytest.raises(ConfigurationInvalid, match="the file has: none"):
        made(path, words())


def test_rows_without_any_value_are_not_counted_but_no_others_are_lost(tmp_path: Path) -> None:
    """Empty lines of a text file are not counted either."""
    filled: list[list[object]] = [["a", 1, AT, ""], [], ["", "", "", ""], ["", 1, AT, ""], ["b", 1, AT, "", "note"]]
    rows: list[Sequence[object]] = [HEADER, *filled]
    _, refused, tally = made(workbook(tmp_path / "f.xlsx", *rows), words())
    assert (tally.rows, tally.used, tally.refused) == (3, 2, 1)
    assert refused == ["5: the key column 'id' is empty"]
    _, refused, tally = made(tmp_path / "f.xlsx", words(columns=HEADER))
    assert refused[-1] == "6: 5 cells, but the mapping's file.columns has 4"
    assert tally.rows == 4
    wider = made(workbook(tmp_path / "f.xlsx", ["a", 1, AT]), words(columns=HEADER))
    assert (len(wider[0]), wider[1]) == (1, [])


def test_cells_far_outside_the_table_are_reported(tmp_path: Path) -> None:
    """One space in the last cell of a sheet would take 400 GB of memory; a format without a value takes none."""
    path = workbook(tmp_path / "f.xlsx", HEADER, more=lambda _, sheet: sheet.write(1_048_575, 16_383, " "))
    assert fault_of(path) == (
        "found a range of 1,048,576 rows by 16,384 columns in the sheet 'Calls'; "
        "write at most 64,000,000 cells: delete cells far outside the table, or export it as CSV"
    )
    bold = workbook(
        tmp_path / "f.xlsx",
        HEADER,
        ["a", 1, AT, ""],
        more=lambda book, sheet: sheet.write_blank(1_048_575, 16_383, None, book.add_format({"bold": True})),
    )
    assert len(made(bold, words())[0]) == 1


def rewritten(path: Path, part: str, change: Callable[[bytes], bytes]) -> Path:
    """A workbook with one part changed."""
    with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts[part] = change(parts[part])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def test_a_broken_workbook_gives_a_one_line_message(tmp_path: Path) -> None:
    """Whatever part of it is missing."""
    path = workbook(tmp_path / "f.xlsx", HEADER, *([f"a{n}", 1, AT, n] for n in range(500)))
    whole = path.read_bytes()
    for cut in (len(whole) // 2, 600):
        path.write_bytes(whole[:cut])
        assert "found a zip file that cannot be read (" in fault_of(path)
    for part in ("xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/_rels/workbook.xml.rels"):
        for change in (lambda content: content[: len(content) // 2], lambda _: b"", lambda _: b"<a/>"):
            path.write_bytes(whole)
            changed = rewritten(path, part, change)
            if (part, change(b"x")) != ("xl/worksheets/sheet1.xml", b"<a/>"):
                assert "found an Excel workbook that cannot be read (" in fault_of(changed) or "no sheet" in fault_of(
                    path
                )


@pytest.mark.parametrize(
    ("wrong", "said"),
    [(b'r="footer9"', "an invalid cell name 'footer9'"), (b'r="XFE2"', "and column 16385"), (b'r="A1"', "after row 2")],
)
def test_cells_that_no_spreadsheet_program_writes_are_reported(tmp_path: Path, wrong: bytes, said: str) -> None:
    """python-calamine read `footer9` as a column, and allocating 180 million others ended the process."""
    path = workbook(tmp_path / "f.xlsx", HEADER, ["a", 1, AT, 5])
    rewritten(path, "xl/worksheets/sheet1.xml", lambda content: content.replace(b'r="D2"', wrong))
    assert said in fault_of(path)


def test_a_workbook_that_unpacks_without_end_is_refused(tmp_path: Path) -> None:
    """Like any compressed file."""
    path = workbook(tmp_path / "f.xlsx", HEADER)
    rewritten(path, "xl/sharedStrings.xml", lambda content: content + b" " * 10_000_000)
    assert "found a workbook file that unpacks to more than 20 GiB or 200 times its size" in fault_of(path)


def test_a_panic_of_the_library_gives_a_one_line_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Rust panic is not a Python Exception, and Ctrl-C is not a panic."""
    panic = type("PanicException", (BaseException,), {})
    path = workbook(tmp_path / "f.xlsx", HEADER)
    for error in (panic("index out of bounds"), KeyboardInterrupt()):

        def stop(*_: object, error: BaseException = error) -> None:
            raise error

        monkeypatch.setattr(workbook_module, "_read_sheet", stop)
        if isinstance(error, KeyboardInterrupt):
            with pytest.raises(KeyboardInterrupt):
                made(path, words())
        else:
            assert "an Excel workbook that cannot be read (index out of bounds)" in fault_of(path)


def test_a_workbook_can_be_read_from_a_pipe_but_not_inside_a_compressed_file(tmp_path: Path) -> None:
    """It is read only once; the message names a compressed one."""
    content = workbook(tmp_path / "f.xlsx", HEADER, ["a", 1, AT, ""]).read_bytes()
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(content), daemon=True)
    writer.start()
    assert len(made(pipe, words())[0]) == 1
    writer.join(10)
    packed = tmp_path / "f.xlsx.gz"
    packed.write_bytes(gzip.compress(content))
    assert "a workbook or a zip archive inside another compressed file; write the inner file" in fault_of(packed)
