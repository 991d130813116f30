"""Rows as a table for people, JSON and CSV for programs.

The table shows less than JSON and CSV, and never contradicts them: durations are cut, and only a full share is 100 %.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import assert_never, cast

from rich.console import Console
from rich.table import Table
from rich.text import Text

from watchroom import command_output
from watchroom.command_output import Format, as_csv, as_json, print_table
from watchroom.kinds.columns import FIGURES, HEAD
from watchroom.kinds.kind import Reads, Unit
from watchroom.reports.figure_rows import early_text
from watchroom.reports.report_text import restated_text
from watchroom.reports.rows import Row
from watchroom.wording import duration, percent


def write(rows: Sequence[Row], form: Format, console: Console) -> None:
    """Print the rows.

    Args:
        rows: From `collect`.
        form: `table` for people; `json` and `csv` go out untouched, whatever the width of the terminal.
        console: Where to print them.
    """
    if form == "table":
        print_table(table(rows), console)
    else:
        console.file.write(as_json(rows) if form == "json" else rows_csv(rows))


def rows_csv(rows: Sequence[Row]) -> str:
    """A header and one line per row. Each label and figure has a column, which is empty if a row has none."""
    flat = [_flat(row) for row in rows]
    given = dict.fromkeys(name for row in flat for name in row)
    labels = [name for name in given if name not in (*HEAD, *FIGURES)]
    columns = ["measure", "period", *labels, *(name for name in FIGURES if name in given or not rows)]
    return as_csv(flat, columns)


def table(rows: Sequence[Row]) -> Table:
    """A table for a terminal."""
    numbers = ("month", "value")
    shown = command_output.table("measure and labels", *numbers, "details", right=("value",), unbroken=numbers)
    # an id that is wrapped cannot be copied
    shown.columns[0].min_width = max((len(str(row["measure"])) for row in rows), default=0)
    above = None
    for row in rows:
        if row["measure"] != above:
            above = row["measure"]
            shown.add_row(Text(str(above), style="bold", no_wrap=True, overflow="ignore"))
        by = row["by"]
        labels = " ".join(f"{name}={value}" for name, value in by.items()) if isinstance(by, dict) else ""
        shown.add_row(Text(f"  {labels}"), str(row["period"] or "now"), _figure(row, row["value"]), _details(row))
    return shown


def _flat(row: Row) -> dict[str, object]:
    by = row["by"]
    labels = by if isinstance(by, dict) else {}
    return {**labels, **{name: value for name, value in row.items() if name != "by"}}


def _figure(row: Row, value: object) -> str:
    """The value of a row, or another value of its kind."""
    if value is None:
        return "none"
    unit = row.kind.unit
    match unit:
        case Unit.SECONDS:
            return duration(cast("float", value), tenths=True)
        case Unit.SHARE:
            return percent(cast("float", value))
        case Unit.NUMBER:
            return f"{value:,}"
        case _:
            assert_never(unit)


def _details(row: Row) -> str:
    return " · ".join(part for part in (*row.kind.details(row), *_finality(row)) if part)


def _finality(row: Row) -> Iterator[str]:
    """How final a month's row is. What was published is known only once everything before the closing is applied."""
    if isinstance(restated := row.get("restatements"), int) and restated:
        reads, value, closed = row.kind.reads, row["published_value"], row["closed"] is True
        is_known = closed and not (reads is Reads.FIGURES and value is None)
        yield restated_text(restated, _figure(row, value) if is_known else "", reads, closed=closed)
    if isinstance(period := row["period"], str) and isinstance(as_at := row.get("as_at"), str):
        yield "before the period ends" if early_text(period, as_at[:10]) else ""
    if "closed" not in row:
        return
    if row["as_of"] is None:
        yield "completeness unknown"
    elif not row["closed"]:
        yield "not closed"
