"""Files in `tests/fuzz/seeds` that other tools are publicly known to misread: what each must give.

Their kinds are tested more widely in `test_time_forms.py`, `test_text_files.py` and `test_convert.py`.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.fuzz.targets import SEEDS
from watchroom.errors import ConfigurationInvalid, RowRefused
from watchroom.events.times import to_text
from watchroom.importer.convert import Conversion
from watchroom.importer.mapped import Mapped
from watchroom.importer.mapping import load_mapping
from watchroom.importer.rows import check_files, read_rows

NOW_MS = 1_795_737_600_000  # 2026-11-27, when they were collected


class Made(NamedTuple):
    """The result of a file: events, refused rows as `line: why`; used, skipped, refused rows and swallowed lines."""

    events: list[Mapped]
    refused: list[str]
    rows: tuple[int, int, int, int]

    @property
    def types(self) -> Counter[str]:
        """How many events of each type, without the stream's name."""
        return Counter(event.type.partition(".")[2] for event in self.events)


def made(case: str, file: str = "calls.csv", map_file: str = "map.toml", change: tuple[str, str] = ("", "")) -> Made:
    """Convert a case's file under its mapping, in which one text may be changed; every row is accounted for."""
    (folder,) = SEEDS.glob(f"{case}-*")
    mapping = load_mapping(folder / map_file)
    if change[0]:
        mapping = mapping.model_copy(update={"file": mapping.file.model_copy(update={change[0]: change[1]})})
    refused: list[RowRefused] = []
    conversion = Conversion(mapping, refused.append, now_ms=NOW_MS)
    path = folder / file
    kept = check_files([path], mapping)
    events = list(conversion.events(read_rows([path], mapping, kept)))
    tally = conversion.tally
    assert tally.rows == tally.used + tally.skipped.total() + tally.refused
    rows = (tally.used, tally.skipped.total(), tally.refused, tally.swallowed_lines)
    return Made(events, [str(row).removeprefix(f"{path}:") for row in refused], rows)


def fault_of(case: str, file: str, map_file: str = "map.toml") -> str:
    """The one fault that stops the conversion of a file."""
    with pytest.raises(ConfigurationInvalid) as caught:
        made(case, file, map_file)
    (fault,) = caught.value.faults
    return str(fault)


def test_the_name_of_a_zone_is_honoured() -> None:
    """12:00 GMT in June used to be read as 11:00, and a call at midnight was in the wrong month."""
    queued = [event for event in made("01").events if event.type == "call.queued"]
    assert {event.subject: to_text(event.time_ms)[:16] for event in queued} == {
        "a1": "2021-06-30T12:00", "a2": "2021-06-30T12:00", "a3": "2021-06-30T23:30", "a4": "2021-12-31T12:00",
    }  # fmt: skip
    for zone in ("UTC", "Europe/London", "America/New_York"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TZ", zone)
            java = made("01", "java.csv", "java.toml")
        assert ([to_text(event.time_ms)[:16] for event in java.events], java.rows) == (
            ["2021-06-30T12:00"],
            (1, 0, 1, 0),
        )


def test_a_pattern_that_confuses_morning_and_afternoon_is_refused() -> None:
    """PM after %H, and %I alone, were half a day off."""
    assert "write %I instead of %H" in fault_of("02", "calls.csv")
    assert "write %H instead of %I, or %p after it" in fault_of("02", "no-p.csv", "no-p.toml")


def test_a_zero_is_not_read_as_the_time_of_a_call() -> None:
    """Two abandoned calls used to be answered in 1970."""
    found = made("04")
    assert found.types == {"queued": 3, "answered": 1, "abandoned": 2, "ended": 3}
    assert found.rows == (3, 0, 0, 0)


@pytest.mark.parametrize("mapping", ["map.toml", "map-9.toml"])
def test_lines_of_a_log_may_have_fewer_fields_than_columns(mapping: str) -> None:
    """Each kind of event uses some of the nine columns: one mapping reads all lines."""
    found = made("06", "queue_log", "map-9.toml", ("short_rows", "fill"))
    assert found.types == {"queued": 2, "transferred": 1, "answered": 1, "ended": 1, "abandoned": 1}
    assert found.rows == (6, 1, 0, 0)
    refused = made("06", "queue_log", mapping).refused
    assert all('set file.short_rows = "fill" in the mapping' in row for row in refused if " 6 " in row)
    assert len(refused) in (4, 5)


@pytest.mark.parametrize(
    ("case", "file", "mapping", "events"),
    [
        ("03", "small.csv", "map.toml", 10),
        ("05", "calls.csv", "map.toml", 10),
        ("07", "calls.csv", "map.toml", 3),
        ("08", "excel.txt", "map-utf16.toml", 3),
        ("24", "calls.csv", "map.toml", 2),
        ("24", "calls.csv", "map-comma.toml", 2),
    ],
)
def test_files_from_spreadsheets_and_editors_are_read(case: str, file: str, mapping: str, events: int) -> None:
    """Byte order marks, columns without a name, UTF-16 and the line `sep=;`."""
    found = made(case, file, mapping)
    assert (len(found.events), found.refused) == (events, [])


def test_headers_that_do_not_match_give_a_one_line_fault() -> None:
    """UTF-16 with tabs is recognised, and escape sequences never reach the terminal."""
    assert "found only one column, 'call\\tline" in fault_of("08", "excel.txt")
    assert "\\x1b[2J\\x1b[1;31mqueued" in fault_of("32", "escape-in-header.csv")


def test_rows_that_a_quote_swallows_are_counted() -> None:
    """Four calls used to be lost, with only one refused row reported."""
    found = made("09")
    assert found.rows == (2, 0, 1, 3)
    assert "3 lines swallowed, up to line 6" in found.refused[0]


def test_a_row_with_a_number_from_another_column_is_refused() -> None:
    """400,000,000,000 s of waiting used to end the command."""
    found = made("10")
    assert found.rows == (2, 0, 1, 0)
    assert found.refused[0].startswith("3: wait: '400000000000' seconds is more than 400 days")


def test_rows_with_ids_that_a_spreadsheet_rounded_are_refused() -> None:
    """Four calls used to count as one."""
    assert made("16").rows == (0, 0, 4, 0)


@pytest.mark.parametrize(
    ("file", "refused"),
    [("incidents.csv", 1), ("right.csv", 0), ("this-month.csv", 1), ("right-month.csv", 0), ("next-day.csv", 0)],
)
def test_a_row_with_a_time_in_the_future_is_refused(file: str, refused: int) -> None:
    """It became the replay's present; `tests/flow/test_replay.py` sends such files to given servers."""
    found = made("19", file)
    assert found.rows[2] == refused
    assert [row.partition(", ")[0] for row in found.refused] == [
        f"5: time: '{year}' is {year}.000Z" for year in ("2121-11-30T11:45:00", "2126-11-20T11:45:00")
        if year[:4] == {"incidents.csv": "2121", "this-month.csv": "2126"}.get(file)
    ]  # fmt: skip


def test_a_cell_as_long_as_a_narrative_is_accepted(tmp_path: Path) -> None:
    """The original file of the case has 155 kB; this one has its form."""
    (folder,) = SEEDS.glob("21-*")
    mapping = load_mapping(folder / "map.toml")
    log = "".join(f"10:{minute % 60:02} still, looking\n" for minute in range(8_000))
    path = tmp_path / "f.csv"
    path.write_text(
        "id,grade,created,log\n" + "".join(f'i{n},1,2021-11-30T10:0{n}:00,"{log}"\n' for n in range(3)),
        encoding="utf-8",
    )
    rows = list(read_rows([path], mapping, check_files([path], mapping)))
    assert [isinstance(row, RowRefused) for row in rows] == [False] * 3
