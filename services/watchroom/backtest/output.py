"""A back-test's result: a table for people, JSON and CSV for programs. Times are local to the reporting zone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table

from watchroom.backtest.evaluate import AlertResult
from watchroom.backtest.firing import Firing
from watchroom.command_output import Format, as_csv, as_json, print_table, table
from watchroom.wording import duration, exact_duration

COLUMNS = (
    *("alert", "severity", "firings", "from", "to", "pending_s", "seconds", "value"),
    *("part", "whole", "base", "labels"),
)
MOST_SHOWN = 20  # firings of one alert in the table; JSON and CSV have all


def write(results: Sequence[AlertResult], form: Format, zone: str, console: Console) -> None:
    """Print the results; the width of the terminal does not change `json` and `csv`."""
    local = ZoneInfo(zone)
    if form == "table":
        print_table(summary(results, local), console)
        print_table(firings(results, local), console)
    else:
        console.file.write(
            as_json(alerts(results, local)) if form == "json" else as_csv(fired(results, local), COLUMNS)
        )


def summary(results: Sequence[AlertResult], local: ZoneInfo) -> Table:
    """One line for each alert."""
    numbers = ("for", "fired", "total", "longest")
    shown = table("alert", "severity", *numbers, "first", "last", right=numbers, unbroken=["alert"])
    for result in results:
        ends = [_minute(each.firing.from_ms, local) for each in (result.fired[:1] + result.fired[-1:])] or ["", ""]
        times = (duration(result.total_ms / 1000), duration(result.longest_ms / 1000)) if result.fired else ("", "")
        rule = result.rule
        shown.add_row(rule.name, rule.severity, exact_duration(rule.for_s), str(len(result.fired)), *times, *ends)
    return shown


def firings(results: Sequence[AlertResult], local: ZoneInfo) -> Table:
    """One line for each firing: when it was, how long it lasted, and the counts behind it."""
    columns = ("alert", "from", "lasted", "value", "counts", "labels")
    shown = table(*columns, right=("lasted", "value"), unbroken=["alert"])
    for result in results:
        for each in result.fired[:MOST_SHOWN]:
            shown.add_row(
                result.rule.name,
                _minute(each.firing.from_ms, local),
                duration((each.firing.to_ms - each.firing.from_ms) / 1000),
                f"{each.firing.value:.4g}",
                _counts(each.counts),
                " ".join(f"{name}={text}" for name, text in each.labels.items() if name != "force"),
            )
        if len(result.fired) > MOST_SHOWN:
            shown.add_row(result.rule.name, f"and {len(result.fired) - MOST_SHOWN} more", "", "", "", "")
    return shown


def alerts(results: Sequence[AlertResult], local: ZoneInfo) -> list[dict[str, object]]:
    """One object for each alert, with its firings."""
    return [
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
                {**_firing(each.firing, local), "counts": dict(each.counts), "labels": dict(each.labels)}
                for each in result.fired
            ],
        }
        for result in results
    ]


def fired(results: Sequence[AlertResult], local: ZoneInfo) -> Iterator[dict[str, object]]:
    """One line for each firing; an alert that never fired has one line with empty times."""
    for result in results:
        head = {"alert": result.rule.name, "severity": result.rule.severity, "firings": len(result.fired)}
        for each in result.fired:
            labels = ",".join(f"{name}={text}" for name, text in each.labels.items())
            yield {**head, **_firing(each.firing, local), **each.counts, "labels": labels}
        if not result.fired:
            yield head


def _firing(firing: Firing, local: ZoneInfo) -> dict[str, object]:
    return {
        "from": _local(firing.from_ms, local).isoformat(),
        "to": _local(firing.to_ms, local).isoformat(),
        "pending_s": (firing.from_ms - firing.pending_ms) / 1000,
        "seconds": (firing.to_ms - firing.from_ms) / 1000,
        "value": firing.value,
    }


def _counts(counts: Mapping[str, float]) -> str:
    if "whole" in counts:
        return f"{counts.get('part', 0):g} of {counts['whole']:g}"
    return f"of {counts['base']:g}" if "base" in counts else ""


def _local(at_ms: int, local: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(local)


def _minute(at_ms: int, local: ZoneInfo) -> str:
    return f"{_local(at_ms, local):%a %d %b %H:%M}"
