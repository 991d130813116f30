"""What commands print: tables for people, JSON and CSV for programs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Collection, Iterable, Mapping
from typing import Final, Literal

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

Format = Literal["table", "json", "csv"]
WIDEST: Final = 10_000  # characters of a line


def as_json(rows: Iterable[Mapping[str, object]]) -> str:
    """A JSON array, one object a line; characters that a terminal would obey are escaped."""
    lines = ",\n".join(map(json_line, rows))
    return f"[\n{lines}\n]\n" if lines else "[]\n"


def json_line(row: Mapping[str, object]) -> str:
    """A JSON object in one line."""
    text = json.dumps(row, ensure_ascii=False)
    return "".join(char if char.isprintable() else json.dumps(char)[1:-1] for char in text)


def as_csv(rows: Iterable[Mapping[str, object]], columns: Collection[str]) -> str:
    """A header, and one line a row; what a row does not have is empty, and booleans are written as in JSON."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: str(each).lower() if isinstance(each, bool) else each for name, each in row.items()})
    return text.getvalue()


def table(*columns: str, title: str = "", right: Collection[str] = (), unbroken: Collection[str] = ()) -> Table:
    """An empty table in the style of all commands.

    Args:
        columns: Its head. Long cells are folded, never cut.
        title: Above the head; empty for none.
        right: Columns that are aligned to the right, as numbers are.
        unbroken: Columns that are never folded, because their text is typed again or read at a glance.
    """
    made = Table(title=title or None, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for name in columns:
        justify: Literal["left", "right"] = "right" if name in right else "left"
        made.add_column(name, justify=justify, no_wrap=name in unbroken, overflow="fold")
    return made


def print_table(table: Table, console: Console, widest: int = WIDEST) -> None:
    """Print a table so that nothing of it is cut.

    For a terminal it is folded to the width, or wider if it cannot be folded that far. For a file or a pipe it is as
    wide as its content, up to `widest` characters.
    """
    anywhere = Console(width=WIDEST)
    measured = Measurement.get(anywhere, anywhere.options, table)
    before = console.width
    wanted = measured.minimum if console.is_terminal else max(measured.minimum, min(measured.maximum, widest))
    console.width = max(before, wanted)
    try:
        console.print(table, crop=False)
    finally:
        console.width = before


def table_text(table: Table) -> str:
    """A table as text, as wide as its content."""
    console = Console(file=io.StringIO(), width=WIDEST, highlight=False, markup=False, emoji=False)
    with console.capture() as captured:
        print_table(table, console)
    return "".join(f"{line.rstrip()}\n" for line in captured.get().splitlines())
