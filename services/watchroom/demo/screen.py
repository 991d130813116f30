"""Draws the demo: a live screen in a terminal, plain lines anywhere else (a log, CI)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from rich.columns import Columns
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from watchroom.catalogue.formatting import NO_DATA
from watchroom.command_output import table
from watchroom.demo.view import NONE, View
from watchroom.wording import duration

PLAIN_EVERY_S = 5.0
FRESH_S = 10.0


class Screen:
    """The live part; a context manager."""

    def __init__(self, console: Console, heading: str) -> None:
        self._console = console
        self._heading = heading
        self._live: Live | None = None
        self._said_s: float | None = None

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live = Live(console=self._console, refresh_per_second=4)
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()

    def show(self, seen: View, events: int, live_s: float) -> None:
        """Draw a view; `events` were sent since it is live, `live_s` seconds ago."""
        if self._live:
            status = f"live for {duration(live_s)}, {events:,} events; data age {age_text(seen.data_age_s)}"
            self._live.update(Group(Text(self._heading, style="bold"), tables(seen), status_text(seen, status)))
        elif self._said_s is None or live_s - self._said_s >= PLAIN_EVERY_S:
            self._said_s = live_s
            self._console.print(plain_line(seen, events, live_s), highlight=False, soft_wrap=True)


def tables(seen: View) -> Columns:
    """Calls and incidents, side by side if they fit; without streams that are not fed."""
    parts = (("Calls", seen.calls), ("Incidents", seen.incidents))
    return Columns([_table(title, columns) for title, columns in parts if columns], padding=(0, 3))


def plain_line(seen: View, events: int, live_s: float) -> str:
    """The most important numbers in one line."""
    calls = [
        f"{line}: waiting {row['waiting']}, longest {row['longest wait']}, "
        f"5 min under 10 s {row['5 min: under 10 s']}, 1 h mean {row['1 h: mean']}"
        for line, row in seen.calls.items()
    ]
    incidents = [
        f"{grade}: " + ", ".join(f"{name} {row[name]}" for name in ("not attended", "nobody assigned", "overdue"))
        for grade, row in seen.incidents.items()
    ]
    begin, age = f"live for {duration(live_s)}, {events:,} events sent", f"data age {age_text(seen.data_age_s)}"
    return "; ".join([begin, *calls, *incidents, age])


def status_text(seen: View, status: str) -> Text:
    """The last line; red when the data is old."""
    old = seen.data_age_s is None or seen.data_age_s > FRESH_S
    return Text(status, style="bold red" if old else "green")


def age_text(age_s: float | None) -> str:
    """Age of the slowest partition."""
    return NO_DATA if age_s is None else duration(age_s, tenths=True)


def _table(title: str, columns: Mapping[str, Mapping[str, str]]) -> Table:
    shown = table("", *columns, title=title, right=columns.keys())
    for name in next(iter(columns.values())):
        shown.add_row(name, *(Text(rows[name], style=_style(rows[name])) for rows in columns.values()))
    return shown


def _style(value: str) -> str:
    return "bold red" if value == NO_DATA else "dim" if value in {NONE, "-"} else ""
