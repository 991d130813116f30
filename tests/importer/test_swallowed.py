"""An unclosed quote swallows rows: these are reported, however the mapping reads times; a narrative is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.importer.extracts import MapText
from watchroom.errors import RowRefused
from watchroom.importer.mapping import check_mapping, load_mapping
from watchroom.importer.row import Row
from watchroom.importer.rows import read_rows

MAPPINGS = Path("schemas/mappings").resolve()
HEADER = ["id", "line", "d", "t", "u", "note"]
PATTERN = "%d/%m/%Y %H:%M:%S"
MAP = {"m": {"values": {"07/04/2021 10:15:00": "2021-04-07T10:15:00"}}}
TIMES: dict[str, dict[str, Any]] = {
    "column": {"event": {"column": "t", "append": "Z"}, "time": {"formats": "iso"}, "t": "2021-04-07T10:15:00"},
    "join": {"event": {"join": ["d", "t"]}, "time": {"formats": PATTERN}},
    "first_of": {"event": {"first_of": ["u", "t"]}, "time": {"formats": "epoch_s"}, "t": "1617790500"},
    "map": {"event": {"join": ["d", "t"], "map": "m"}, "map": MAP},
    "map with otherwise": {
        "event": {"join": ["d", "t"], "map": "m"}, "map": {"m": {**MAP["m"], "otherwise": "2021-01-01T00:00"}},
        "t": "10:16:00",
    },
    "constant": {"event": {"constant": "2021-04-07T10:15:00"}},
    "hour that happens twice": {
        "event": {"join": ["d", "t"]}, "time": {"formats": PATTERN, "zone": "Europe/London"},
        "d": "31/10/2021", "t": "01:30:00",
    },
    "year too many": {
        "event": {"join": ["d", "t"]}, "time": {"formats": PATTERN, "latest": "2022-01-01"}, "d": "7/4/2121",
    },
    "no time": {"event": {"join": ["d", "t"]}, "time": {"formats": PATTERN}, "d": "", "t": ""},
    "garbage": {"event": {"join": ["d", "t"]}, "time": {"formats": PATTERN}, "d": "n/a", "t": "?"},
}  # fmt: skip
KEYS = [("id",), ("u", "id"), ("#line",)]


def document(form: str, key: tuple[str, ...] = ("id",), **file: Any) -> dict[str, Any]:
    """A mapping that reads times in this form."""
    said = TIMES[form]
    return {
        "source": "log", "about": "A log.", "entity": {"key": list(key)}, "file": file, "map": said.get("map", {}),
        "time": {"zone": "UTC", **said.get("time", {})},
        "event": [{"type": "call.queued", "time": said["event"], "data": {"line": "line"}}],
    }  # fmt: skip


def cells(form: str, number: int) -> list[str]:
    """The row with this number, without a note."""
    said = TIMES[form]
    unit = "" if form == "first_of" else "U7"
    return [str(number), "999", said.get("d", "07/04/2021"), said.get("t", "10:15:00"), unit, "ok"]


def read(path: Path, lines: list[str], mapping: dict[str, Any]) -> list[Row | RowRefused]:
    """The rows of a file."""
    mark = mapping["file"].get("delimiter", ",")
    path.write_text("\n".join([mark.join(HEADER), *lines]) + "\n")
    return list(read_rows([path], check_mapping(mapping, "m.toml")))


class Opened(NamedTuple):
    """Rows before the one whose quote is left open, rows that it swallows, and the column of the quotes."""

    before: int
    inside: int
    column: int


@settings(max_examples=200)
@given(
    form=st.sampled_from([*TIMES]),
    key=st.sampled_from(KEYS),
    opened=st.builds(Opened, st.integers(0, 2), st.integers(1, 4), st.integers(0, 5)),
    layout=st.fixed_dictionaries(
        {"delimiter": st.sampled_from([",", ";", "\t", "|"]), "short_rows": st.sampled_from(["refuse", "fill"])}
    ),
)
def test_rows_inside_a_cell_are_reported_however_times_are_written(
    tmp_path_factory: pytest.TempPathFactory, form: str, key: tuple[str, ...], opened: Opened, layout: dict[str, str]
) -> None:
    """Rows with joined or mapped times, short rows, and rows to be refused used to be lost without a warning."""
    if "u" in key and form == "first_of":
        key = ("id",)
    if key == ("#line",) and form in ("no time", "garbage"):  # neither key nor time: such a line can be any text
        key = ("id",)
    rows = [cells(form, number) for number in range(1, opened.before + opened.inside + 3)]
    first, last = rows[opened.before], rows[opened.before + opened.inside]
    first[opened.column] = '"' + first[opened.column]
    last[opened.column] += '"'
    lines = [layout["delimiter"].join(row) for row in rows]
    found = read(tmp_path_factory.mktemp("rows") / "f.csv", lines, document(form, key, **layout))
    (refused,) = [row for row in found if isinstance(row, RowRefused)]
    assert refused.swallowed_lines == opened.inside
    assert len(found) == len(rows) - opened.inside


@pytest.mark.parametrize("size", [4, 5])
@pytest.mark.parametrize("form", ["join", "map", "column", "hour that happens twice"])
def test_swallowed_rows_that_are_shorter_than_the_header_are_reported(tmp_path: Path, form: str, size: int) -> None:
    """With `short_rows = "fill"`, the number of cells of a line depends on its event."""
    rows = [cells(form, number)[:size] for number in range(1, 5)]
    rows[0][1], rows[2][1] = '"999', '999"'
    found = read(tmp_path / "f.csv", [",".join(row) for row in rows], document(form, short_rows="fill"))
    assert [isinstance(row, RowRefused) for row in found] == [True, False]
    assert isinstance(found[0], RowRefused)
    assert found[0].swallowed_lines == 2


def test_a_swallowed_row_with_a_quoted_comma_is_reported(tmp_path: Path) -> None:
    """It has more commas than those that separate cells."""
    rows = ['1,999,07/04/2021,10:15:00,U7,"open', '2,"",07/04/2021,10:15:00,",",ok', '3,999,07/04/2021,10:15:00,U7,"']
    found = read(tmp_path / "f.csv", rows, document("join"))
    assert sum(1 + row.swallowed_lines for row in found if isinstance(row, RowRefused)) >= 2


PROSE = st.lists(
    st.sampled_from(
        ["17:45", "unit U7 on scene", "caller left", "07/04/2021 at 10:15:00", "2", "see above", "", "U7 says: still"]
    ),
    max_size=7,
).map(", ".join)


@settings(max_examples=200)
@given(
    form=st.sampled_from([*TIMES]),
    log=st.lists(PROSE, min_size=2, max_size=12),
    mark=st.sampled_from([",", ";", "|"]),
    short=st.sampled_from(["refuse", "fill"]),
)
def test_a_narrative_of_many_lines_stays_one_cell(
    tmp_path_factory: pytest.TempPathFactory, form: str, log: list[str], mark: str, short: str
) -> None:
    """An incident's log has commas, times and numbers, and blank lines."""
    rows = [cells(form, number) for number in (1, 2, 3)]
    rows[1][5] = '"' + "\n".join(log).replace(",", mark) + '"'
    path = tmp_path_factory.mktemp("rows") / "f.csv"
    found = read(path, [mark.join(row) for row in rows], document(form, delimiter=mark, short_rows=short))
    assert [isinstance(row, Row) for row in found] == [True] * 3


def test_crimes_that_a_quote_swallows_are_reported(tmp_path: Path) -> None:
    """7 crimes were counted instead of 32: this table's times come from a map."""
    words = load_mapping(MAPPINGS / "homeoffice-recorded-crime.toml")
    names = [
        "Financial_Year", "Financial_Quarter", "Force_Name", "Offence_Description", "Offence_Group", "Policeuk_Cat",
        "Offence_Code", "Number_of_Offences",
    ]  # fmt: skip
    lines = [f"2017/18,1,Staffordshire,Arson,Criminal damage and arson,Arson,{56 + n},{n}" for n in range(7)]
    lines[0], lines[4] = lines[0].replace(",Arson,C", ',"Arson,C'), lines[4].replace(",Arson,C", ',Arson",C')
    path = tmp_path / "f.csv"
    path.write_text("\n".join([",".join(names), *lines]) + "\n")
    rows = list(read_rows([path], words))
    assert [isinstance(row, RowRefused) for row in rows] == [True, False, False]
    assert isinstance(rows[0], RowRefused)
    assert rows[0].swallowed_lines == 4


def test_swallowed_rows_are_in_the_summary(map_text: MapText) -> None:
    """One refused row and three lines, in a file that reads as two valid rows."""
    rows = [cells("join", number) for number in range(1, 6)]
    rows[0][5], rows[3][5] = '"open', 'end"'
    made = map_text(document("join"), "\n".join([",".join(HEADER), *(",".join(row) for row in rows)]) + "\n")
    assert (made.tally.rows, made.tally.used, made.tally.refused, made.tally.swallowed_lines) == (2, 1, 1, 3)
