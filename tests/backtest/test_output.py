"""The three ways to print a result."""

from __future__ import annotations

import csv
import io
import json

from rich.console import Console

from watchroom.backtest.evaluate import AlertResult, Fired
from watchroom.backtest.firing import Firing
from watchroom.backtest.output import write
from watchroom.backtest.rules import Rule
from watchroom.command_output import Format

AT_MS = 1_792_000_000_000  # 2026-10-14 18:46:40 in London
PAGE = Rule("Wait", "x > 120", True, 60, 300, {"severity": "page"})
RESULTS = [
    AlertResult(
        PAGE,
        (
            Fired(Firing(AT_MS - 60_000, AT_MS, AT_MS + 600_000, 130.5), {"force": "f", "area": "stoke"}, {"base": 8}),
            Fired(Firing(AT_MS, AT_MS, AT_MS + 60_000, 0.81), {"force": "f"}, {"part": 4, "whole": 21}),
        ),
    ),
    AlertResult(PAGE._replace(name="Quiet"), ()),
]


def written(form: Format) -> str:
    """What the command prints."""
    text = io.StringIO()
    write(RESULTS, form, "Europe/London", Console(file=text, width=140))
    return text.getvalue()


def test_json_gives_start_length_and_reason() -> None:
    """Times have the zone's offset: 18:46 on a day in October is not 18:46 UTC."""
    first, quiet = json.loads(written("json"))
    assert (first["firings"], first["total_s"], first["longest_s"]) == (2, 660, 600)
    assert first["fired"][0] == {
        "from": "2026-10-14T18:46:40+01:00",
        "to": "2026-10-14T18:56:40+01:00",
        "pending_s": 60,
        "seconds": 600,
        "value": 130.5,
        "counts": {"base": 8},
        "labels": {"force": "f", "area": "stoke"},
    }
    assert quiet["fired"] == []


def test_csv_has_a_line_for_an_alert_that_did_not_fire_too() -> None:
    """Somebody who counts lines by alert must not lose the silent ones."""
    rows = list(csv.DictReader(io.StringIO(written("csv"))))
    assert [(row["alert"], row["firings"], row["seconds"], row["whole"]) for row in rows] == [
        ("Wait", "2", "600.0", ""),
        ("Wait", "2", "60.0", "21"),
        ("Quiet", "0", "", ""),
    ]


def test_a_table_shows_each_alert_and_each_firing() -> None:
    """Times are local, and the counts are written out."""
    said = written("table")
    assert "Wed 14 Oct 18:46" in said
    assert "4 of 21" in said
    assert "of 8" in said
    assert "Quiet" in said
