"""The same rows as a table, JSON and CSV."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from rich.console import Console

from watchroom.catalogue.checks import ROW_COLUMNS
from watchroom.command_output import Format, print_table
from watchroom.kinds import KINDS
from watchroom.kinds.columns import FIGURES
from watchroom.reports.output import table, write
from watchroom.reports.rows import Row

COUNT: dict[str, Any] = {
    "measure": "incident_volume", "by": {"grade": "1", "area": "stoke"}, "period": "2021-11",
    "value": 1234, "numerator": 1234, "denominator": None, "unit": "1",
    "as_of": "2022-02-01T12:00:00.000Z", "closed": True,
}  # fmt: skip
SHARE = COUNT | {
    "measure": "call_abandonment",
    "by": {"line": "999"},
    "value": 0.28,
    "numerator": 28,
    "denominator": 100,
}
DURATION = COUNT | {
    "measure": "call_answer_time", "by": {"line": "999"}, "value": 24.1, "numerator": 24100.0, "denominator": 1000,
    "unit": "s", "count": 1000, "mean_s": 24.1, "p50_s": 8.0, "p90_s": 80.5, "p95_s": 99.0, "max_s": 300.0,
    "within_target": 0.7, "missing_start": 3, "negative": 0, "closed": False,
}  # fmt: skip
OPEN: dict[str, Any] = {
    "measure": "incidents_unattended", "by": {"grade": "1", "area": "stoke"}, "period": None,
    "value": 3, "numerator": 3, "denominator": None, "unit": "1",
    "oldest_s": 1431.0, "due_5min": 1, "due_15min": 2, "overdue": 1, "gave_up": 4,
    "as_of": "2022-02-01T12:00:00.000Z",
}  # fmt: skip
RESTATED = SHARE | {
    "published_value": 0.3,
    "published_numerator": 30,
    "published_denominator": 100,
    "restatements": 2,
}
UNKNOWN: dict[str, Any] = {
    "published_value": None,
    "published_numerator": None,
    "published_denominator": None,
    "closed": False,
}
NOT_CLOSED = RESTATED | UNKNOWN | {"numerator": 40, "value": 0.4, "restatements": 3}
NO_AS_OF = RESTATED | UNKNOWN | {"numerator": 50, "value": 0.5, "restatements": 4, "as_of": None}
NO_AS_OF_NOR_LOG = NO_AS_OF | {"numerator": 60, "value": 0.6, "restatements": 0}
NOTHING = SHARE | {"value": None, "numerator": 0, "denominator": 0}
ROWS = [COUNT, SHARE, DURATION, OPEN, RESTATED, NOTHING, NOT_CLOSED, NO_AS_OF, NO_AS_OF_NOR_LOG]


KIND_OF = {
    "incident_volume": "count",
    "call_volume": "count",
    "call_abandonment": "share",
    "call_answer_time": "duration",
    "complaints": "figure",
}


def row(columns: Mapping[str, Any]) -> Row:
    """The columns as a row of the kind that the measure has."""
    return Row(KINDS[KIND_OF.get(columns["measure"], "open")], columns)


def printed(rows: Sequence[Mapping[str, Any]], form: Format, width: int = 160) -> str:
    """The output of the command."""
    console = Console(file=io.StringIO(), width=width)
    write([row(each) for each in rows], form, console)
    text: Any = console.file
    return str(text.getvalue())


def test_json_holds_the_rows_whatever_the_terminal() -> None:
    """Programs read it, so a narrow terminal must not break its lines."""
    assert json.loads(printed(ROWS, "json", width=20)) == ROWS
    assert json.loads(printed([], "json")) == []


def test_csv_has_a_column_for_each_label_and_figure() -> None:
    """Spreadsheets and pandas read it without any options; null is empty, never 0."""
    rows = list(csv.DictReader(io.StringIO(printed(ROWS, "csv", width=20))))
    assert rows[0]["grade"] == "1"
    assert rows[0]["line"] == rows[0]["denominator"] == ""
    assert (rows[2]["p90_s"], rows[2]["closed"], rows[0]["closed"]) == ("80.5", "false", "true")
    assert (rows[5]["value"], rows[5]["numerator"]) == ("", "0")
    assert rows[3]["period"] == ""


def test_csv_columns_keep_their_order_and_an_empty_result_has_a_header() -> None:
    """A sheet that reads by position must not depend on which row comes first."""
    head = printed(ROWS, "csv").splitlines()[0].split(",")
    assert head == printed(ROWS[::-1], "csv").splitlines()[0].replace("line,grade,area", "grade,area,line").split(",")
    assert printed([], "csv") == ",".join(["measure", "period", *FIGURES]) + "\n"


@pytest.mark.parametrize(
    "words",
    [
        "grade=1 area=stoke 2021-11 1,234",
        "28.00% 28 of 100",
        "24.1 s 700 of 1,000 within target, 70.00% · p50 8.0 s · p90 80.5 s · max 5 min 00 s · 3 missing start",
        "now 3 oldest 23 min 51 s · 1 overdue, 1 due in 5 min, 2 in 15 · 4 not closed by the feed",
        "restated 2 times since closing: 30.00% when closed",
        "40 of 100 · restated 3 times since closing · not closed",
        "50 of 100 · restated 4 times since closing · completeness unknown",
        "60 of 100 · completeness unknown",
        "none 0 of 0",
    ],
)
def test_a_table_shows_the_counts_of_every_share(words: str) -> None:
    """A reader sees the counts, what is provisional, and what was published."""
    assert words in " ".join(printed(ROWS, "table").split())


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [
        (30_000, 30_000, "30,000 of 30,000 within target, 100.00%"),
        (29_999, 30_000, "29,999 of 30,000 within target, >99.99%"),
        (29_997, 30_000, "29,997 of 30,000 within target, 99.99%"),
        (1, 30_000, "1 of 30,000 within target, <0.01%"),
        (0, 30_000, "0 of 30,000 within target, 0.00%"),
    ],
)
def test_100_percent_is_shown_only_for_all_and_0_percent_only_for_none(part: int, whole: int, text: str) -> None:
    """One call that missed its target must stay visible."""
    duration = DURATION | {"count": whole, "denominator": whole, "within_target": round(part / whole, 6)}
    assert text in printed([duration], "table")
    share = SHARE | {"numerator": part, "denominator": whole, "value": round(part / whole, 6)}
    assert f"{text.rpartition(' ')[2]}  {part:,} of {whole:,}" in printed([share], "table")


def test_durations_are_rounded_down() -> None:
    """9.5 s and 9.96 s both met a target of below 10 s; 10 s did not."""
    text = printed([DURATION | {"value": 9.96, "p50_s": 9.5, "p90_s": 9.96, "max_s": 10.0}], "table")
    assert "9.9 s  " in text
    assert "p50 9.5 s · p90 9.9 s · max 10.0 s" in text


def test_a_duration_without_a_target_shows_how_many_were_measured() -> None:
    """A mean of three is not a mean of three thousand."""
    assert "1,000 measured · p50" in printed([DURATION | {"within_target": None}], "table")


def test_an_unknown_published_figure_is_not_shown_as_none() -> None:
    """`none when closed` would mean that nothing had been counted."""
    assert "when closed" not in printed([NOT_CLOSED, NO_AS_OF, NO_AS_OF_NOR_LOG], "table")


def test_a_figure_that_came_after_closing_is_not_shown_as_restated() -> None:
    """Nothing had been published when its month closed."""
    figure = COUNT | {"measure": "complaints", "period": "2021", "span": "year", "as_at": "2022-03-01T00:00:00.000Z"}
    late = figure | {"restatements": 1, "published_value": None}
    assert "published after closing" in printed([late], "table", width=300)
    assert "restated" not in printed([late], "table", width=300)
    assert "restated once since closing: 5 when closed" in printed([late | {"published_value": 5}], "table", width=300)


LONG = COUNT | {"measure": "call_volume", "by": {"grade": "1", "area": "staffordshire_moorlands_" * 4}}


@pytest.mark.parametrize("width", [20, 40, 60, 79, 80, 81, 100, 120, 160, 300])
@pytest.mark.parametrize("is_terminal", [True, False])
def test_no_part_of_a_table_is_cut_off(width: int, is_terminal: bool) -> None:
    """A narrow terminal wraps it; in a pipe or file each row is one line, whatever COLUMNS says."""
    shown = table([row(each) for each in (*ROWS, LONG)])
    console = Console(file=io.StringIO(), width=width, force_terminal=is_terminal, no_color=True, highlight=False)
    print_table(shown, console)
    printed: Any = console.file
    lines = re.sub(r"\x1b\[[0-9;]*m", "", printed.getvalue()).splitlines()
    cells = [column.header for column in shown.columns] + [
        str(cell) for column in shown.columns for cell in column.cells
    ]
    assert Counter("".join("".join(lines).split())) == Counter("".join("".join(map(str, cells)).split()))
    assert is_terminal or len(lines) == 1 + shown.row_count
    assert console.width == width


def test_a_figure_as_at_a_day_before_its_period_ends_is_marked() -> None:
    """It covers only part of the period."""
    figure = COUNT | {"measure": "complaints", "period": "2021", "span": "year", "as_at": "2021-12-30T00:00:00.000Z"}
    said = "as at 2021-12-30T00:00:00.000Z · before the period ends"
    assert said in printed([figure], "table", width=300)
    assert "before" not in printed([figure | {"as_at": "2021-12-31T00:00:00.000Z"}], "table", width=300)


def test_no_label_can_have_the_name_of_a_column() -> None:
    """In CSV, one would overwrite the other."""
    assert {"measure", "period", *FIGURES} <= set(ROW_COLUMNS)
