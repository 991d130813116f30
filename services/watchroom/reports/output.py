"""Rows as a table for people, JSON and CSV for programs.

The table is shorter than the figures and never says otherwise than they do: 100 % and 0 % are said of all and of none
only, and lengths of time are cut, so that 9.96 s is not 10 s beside a target of below 10 s.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from math import floor
from typing import Literal, cast

from rich.console import Console
from rich.table import Table
from rich.text import Text

from watchroom.reports.rows import Row

Format = Literal["table", "json", "csv"]
# Columns of the CSV after the labels, in this order whatever the rows.
FIGURES = (
    *("value", "numerator", "denominator", "unit"),
    *("count", "mean_s", "p50_s", "p90_s", "p95_s", "max_s", "within_target", "missing_start", "negative"),
    *("oldest_s", "due_5min", "due_15min", "overdue", "gave_up"),
    *("as_of", "closed"),
    *("published_value", "published_numerator", "published_denominator", "published_within_target", "restatements"),
)


def write(rows: Sequence[Row], form: Format, console: Console) -> None:
    """Print the rows.

    Args:
        rows: From `collect`.
        form: `table` for people; `json` and `csv` go out untouched, whatever the width of the terminal.
        console: Where to.
    """
    if form == "table":
        console.print(table(rows))
    else:
        console.file.write(as_json(rows) if form == "json" else as_csv(rows))


def as_json(rows: Iterable[Row]) -> str:
    """A JSON array, one row a line."""
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    return f"[\n{lines}\n]\n" if lines else "[]\n"


def as_csv(rows: Sequence[Row]) -> str:
    """A header and one line a row; each label and each figure has its own column, empty where it has none."""
    flat = [_flat(row) for row in rows]
    given = dict.fromkeys(name for row in flat for name in row)
    labels = [name for name in given if name not in ("measure", "period", *FIGURES)]
    columns = ["measure", "period", *labels, *(name for name in FIGURES if name in given or not rows)]
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(flat)
    return text.getvalue()


def table(rows: Sequence[Row]) -> Table:
    """A table for a terminal."""
    shown = Table(box=None, pad_edge=False, header_style="bold")
    shown.add_column("measure and labels", overflow="fold")
    shown.add_column("month", no_wrap=True)
    shown.add_column("value", justify="right", no_wrap=True)
    shown.add_column("of which, and how spread", overflow="fold")
    above = None
    for row in rows:
        if row["measure"] != above:
            above = row["measure"]
            shown.add_row(Text(str(above), style="bold", no_wrap=True, overflow="ignore"))
        by = row["by"]
        labels = " ".join(f"{name}={value}" for name, value in by.items()) if isinstance(by, dict) else ""
        shown.add_row(Text(f"  {labels}"), str(row["period"] or "now"), _value(row), _details(row))
    return shown


def _flat(row: Row) -> Row:
    by = row["by"]
    flat: Row = dict(by) if isinstance(by, dict) else {}
    for name, value in row.items():
        if name != "by":
            flat[name] = str(value).lower() if isinstance(value, bool) else value
    return flat


def _value(row: Row) -> str:
    return _figure(row, row["value"])


def _figure(row: Row, value: object) -> str:
    """The value of a row, or another of the same kind."""
    if value is None:
        return "none"
    if row["unit"] == "s":
        return f"{_tenths(cast('float', value)):,.1f} s"
    return _percent(cast("float", value)) if row["denominator"] is not None else f"{value:,}"


def _details(row: Row) -> str:
    if "oldest_s" in row:
        return _open_details(row)
    parts = []
    if "count" in row:
        parts.append(f"{row['count']:,} measured" if row["within_target"] is None else _target(row))
        parts += [f"{name} {_seconds(row[f'{name}_s'])}" for name in ("p50", "p90", "max")]
        parts += [f"{row[name]:,} {name.replace('_', ' ')}" for name in ("missing_start", "negative") if row[name]]
    elif row["denominator"] is not None:
        parts.append(f"{row['numerator']:,} of {row['denominator']:,}")
    return " · ".join(part for part in (*parts, *_standing(row)) if part)


def _standing(row: Row) -> Iterator[str]:
    """How final a month's row is. What was published is known only once all is in that came before the closing."""
    if restated := row.get("restatements"):
        yield f"restated by {restated:,}" + (
            f": {_figure(row, row['published_value'])} when published" if row["closed"] else ""
        )
    if row["as_of"] is None:
        yield "not known how complete"
    elif not row["closed"]:
        yield "not closed"


def _open_details(row: Row) -> str:
    parts = [f"oldest {_seconds(row['oldest_s'])}"] if row["oldest_s"] is not None else []
    if row["overdue"] is not None:
        parts.append(f"{row['overdue']:,} overdue, {row['due_5min']:,} due in 5 min, {row['due_15min']:,} in 15")
    if row["gave_up"]:
        parts.append(f"{row['gave_up']:,} not closed by the feed")
    return " · ".join(parts)


def _target(row: Row) -> str:
    """How many met it: the row has the share only, and six digits of it give the number back."""
    share, count = cast("float", row["within_target"]), cast("int", row["count"])
    return f"{round(share * count):,} of {count:,} within target, {_percent(share)}"


def _percent(share: float) -> str:
    text = f"{share:.2%}"
    if text == "100.00%" and share < 1:
        return ">99.99%"
    return "<0.01%" if text == "0.00%" and share > 0 else text


def _seconds(value: object) -> str:
    if value is None:
        return "none"
    seconds = cast("float", value)
    return f"{_tenths(seconds):.1f} s" if seconds < 60 else f"{floor(seconds):,} s"


def _tenths(seconds: float) -> float:
    return floor(seconds * 10) / 10
