"""A back-test's result: a table for people, JSON and CSV for programs. Times are local to the reporting zone."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Literal
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table

from watchroom.backtest.judge import Fired, Judged
from watchroom.reports.output import print_table

Format = Literal["table", "json", "csv"]
COLUMNS = (
    *("alert", "severity", "firings", "from", "to", "pending_s", "seconds", "value"),
    *("part", "whole", "base", "labels"),
)
MOST_SHOWN = 20  # firings of one alert in the table; JSON and CSV have all


def write(results: Sequence[Judged], form: Format, zone: str, console: Console) -> None:
    """Print the results; `json` and `csv` go out untouched, whatever the width of the terminal."""
    local = ZoneInfo(zone)
    if form == "table":
        print_table(summary(results, local), console)
        print_table(firings(results, local), console)
    else:
        console.file.write(as_json(results, local) if form == "json" else as_csv(results, local))


def summary(results: Sequence[Judged], local: ZoneInfo) -> Table:
    """One line an alert."""
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("alert", "severity", "for", "fired", "in all", "longest", "first", "last"):
        justify: Literal["left", "right"] = "left" if name in ("alert", "severity", "first", "last") else "right"
        shown.add_column(name, justify=justify, no_wrap=name == "alert", overflow="fold")
    for result in results:
        ends = [_minute(each.firing.from_ms, local) for each in (result.fired[:1] + result.fired[-1:])] or ["", ""]
        times = (_span(result.total_ms), _span(result.longest_ms)) if result.fired else ("", "")
        rule = result.rule
        shown.add_row(rule.name, rule.severity, f"{rule.for_s:g} s", str(len(result.fired)), *times, *ends)
    return shown


def firings(results: Sequence[Judged], local: ZoneInfo) -> Table:
    """One line a firing: when, how long, and what it rested on."""
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("alert", "from", "how long", "value", "counts", "labels"):
        justify: Literal["left", "right"] = "right" if name in ("how long", "value") else "left"
        shown.add_column(name, justify=justify, no_wrap=name == "alert", overflow="fold")
    for result in results:
        for each in result.fired[:MOST_SHOWN]:
            shown.add_row(
                result.rule.name,
                _minute(each.firing.from_ms, local),
                _span(each.firing.to_ms - each.firing.from_ms),
                f"{each.firing.value:.4g}",
                _counts(each.counts),
                " ".join(f"{name}={text}" for name, text in each.labels.items() if name != "force"),
            )
        if len(result.fired) > MOST_SHOWN:
            shown.add_row(result.rule.name, f"and {len(result.fired) - MOST_SHOWN} more", "", "", "", "")
    return shown


def as_json(results: Sequence[Judged], local: ZoneInfo) -> str:
    """A JSON array, one object an alert."""
    rows = [
        {
            "alert": result.rule.name,
            "severity": result.rule.severity,
            "for_s": result.rule.for_s,
            "keep_firing_for_s": result.rule.keep_s,
            "expression": result.rule.expression,
            "firings": len(result.fired),
            "total_s": result.total_ms / 1000,
            "longest_s": result.longest_ms / 1000,
            "fired": [
                {
                    "from": _iso(each.firing.from_ms, local),
                    "to": _iso(each.firing.to_ms, local),
                    "pending_s": (each.firing.from_ms - each.firing.pending_ms) / 1000,
                    "seconds": (each.firing.to_ms - each.firing.from_ms) / 1000,
                    "value": each.firing.value,
                    "counts": dict(each.counts),
                    "labels": dict(each.labels),
                }
                for each in result.fired
            ],
        }
        for result in results
    ]
    return json.dumps(rows, indent=2, ensure_ascii=False) + "\n"


def as_csv(results: Sequence[Judged], local: ZoneInfo) -> str:
    """One line a firing; an alert that never fired has one line with empty times."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n", restval="")
    writer.writeheader()
    for result in results:
        head = {"alert": result.rule.name, "severity": result.rule.severity, "firings": len(result.fired)}
        writer.writerows({**head, **_flat(each, local)} for each in result.fired)
        if not result.fired:
            writer.writerow(head)
    return text.getvalue()


def _flat(each: Fired, local: ZoneInfo) -> dict[str, object]:
    firing = each.firing
    return {
        "from": _iso(firing.from_ms, local),
        "to": _iso(firing.to_ms, local),
        "pending_s": (firing.from_ms - firing.pending_ms) / 1000,
        "seconds": (firing.to_ms - firing.from_ms) / 1000,
        "value": firing.value,
        **each.counts,
        "labels": ",".join(f"{name}={text}" for name, text in each.labels.items()),
    }


def _counts(counts: Mapping[str, float]) -> str:
    if "whole" in counts:
        return f"{counts.get('part', 0):g} of {counts['whole']:g}"
    return f"of {counts['base']:g}" if "base" in counts else ""


def _local(at_ms: int, local: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(local)


def _iso(at_ms: int, local: ZoneInfo) -> str:
    return _local(at_ms, local).isoformat()


def _minute(at_ms: int, local: ZoneInfo) -> str:
    return f"{_local(at_ms, local):%a %d %b %H:%M}"


def _span(length_ms: int) -> str:
    minutes = round(length_ms / 60_000)
    return f"{minutes} min" if minutes < 120 else f"{minutes / 60:.1f} h"
