"""Draws the demo: a live screen in a terminal, plain lines anywhere else (a log, CI)."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import NamedTuple, Self

from rich.columns import Columns
from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from watchroom.command_output import table
from watchroom.demo.view import NO_DATA, NONE, View

PLAIN_EVERY_S = 5.0
FRESH_S = 10.0


class Loaded(NamedTuple):
    """How much of the past is loaded."""

    share: float  # of the simulated span that was sent, 0 to 1
    sent: int
    applied: int


class Loading:
    """Shows how far loading is; a context manager."""

    def __init__(self, console: Console, days: int) -> None:
        self._console = console
        self._days = days
        self._said_s = time.monotonic()
        self._progress: Progress | None = None
        self._sending = self._applying = TaskID(0)

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[state]}"))
            self._progress = Progress(*columns, TimeElapsedColumn(), console=self._console, transient=True)
            self._sending = self._progress.add_task(f"simulating {self._days} days", total=1.0, state="")
            self._applying = self._progress.add_task("applying", total=None, state="")
            self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._progress:
            self._progress.stop()

    def show(self, now: Loaded) -> None:
        """Draw, or say a line every few seconds."""
        if self._progress:
            state = f"{now.sent:,} events sent"
            self._progress.update(self._sending, completed=now.share, state=state)
            known = now.sent if now.share >= 1 else None
            self._progress.update(self._applying, completed=now.applied, total=known, state=f"{now.applied:,} applied")
        elif time.monotonic() - self._said_s >= PLAIN_EVERY_S:
            self._said_s = time.monotonic()
            day = now.share * self._days
            self._console.print(
                f"loading: day {day:.0f} of {self._days}, {now.sent:,} events sent, {now.applied:,} applied"
            )


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
            status = f"live for {live_s:.0f} s, {events:,} events; data age {age_text(seen.data_age_s)}"
            self._live.update(Group(Text(self._heading, style="bold"), tables(seen), status_text(seen, status)))
        elif self._said_s is None or live_s - self._said_s >= PLAIN_EVERY_S:
            self._said_s = live_s
            self._console.print(plain_line(seen, events, live_s), highlight=False, soft_wrap=True)


def tables(seen: View) -> Columns:
    """Calls and incidents, side by side if they fit; without streams that are not fed."""
    parts = (("Calls", seen.calls), ("Incidents", seen.incidents))
    return Columns([_table(title, columns) for title, columns in parts if columns])


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
    begin, age = f"live {live_s:.0f} s, {events:,} events sent", f"data age {age_text(seen.data_age_s)}"
    return "; ".join([begin, *calls, *incidents, age])


def status_text(seen: View, status: str) -> Text:
    """The last line; red when the data is old."""
    old = seen.data_age_s is None or seen.data_age_s > FRESH_S
    return Text(status, style="bold red" if old else "green")


def age_text(age_s: float | None) -> str:
    """Age of the slowest partition."""
    return NO_DATA if age_s is None else f"{age_s:.1f} s"


def _table(title: str, columns: Mapping[str, Mapping[str, str]]) -> Table:
    shown = table("", *columns, title=title, right=columns.keys())
    for name in next(iter(columns.values())):
        shown.add_row(name, *(Text(rows[name], style=_style(rows[name])) for rows in columns.values()))
    return shown


def _style(value: str) -> str:
    return "bold red" if value == NO_DATA else "dim" if value in {NONE, "-"} else ""
