"""`watchroom measures`: the catalogue for programs and people."""

from __future__ import annotations

import io
import json

from rich.console import Console

from tests.flow.commands import watchroom
from tests.parts import ROOT
from watchroom.catalogue.load import load_catalogue
from watchroom.reports.measures import measures_table

CATALOGUE = load_catalogue(ROOT / "schemas" / "measures", ["stoke", "county"])

COLUMNS = ("id", "rows", "kind", "stream", "fed_by", "definition", "unit", "target", "windows", "source")


def test_json_has_every_measure_with_the_keys_that_others_rely_on() -> None:
    """One object per entry, in the order of the catalogue."""
    done = watchroom("measures", "--format", "json", environment={})
    found = json.loads(done.out)
    assert (done.code, done.lines) == (0, [])
    assert [each["id"] for each in found] == [*CATALOGUE.measures]
    assert {tuple(each) for each in found} == {COLUMNS}
    answer = next(each for each in found if each["id"] == "call_answer_time")
    said = {"kind": "duration", "stream": "calls", "fed_by": "events", "unit": "s",
            "target": "line 999 below 10 s, by 90%"}  # fmt: skip
    assert {name: answer[name] for name in said} == said
    assert answer["windows"][-1] == "12mo"
    assert {each["fed_by"] for each in found} <= {"events", "figures"}
    attendance = next(each for each in found if each["id"] == "incident_attendance_time")
    assert attendance["target"] == "grade 1 within 15 min; grade 2 within 1 h; grade 3 within 24 h"
    assert next(each for each in found if each["id"] == "call_volume")["target"] is None


def test_the_table_shows_the_same_for_every_measure() -> None:
    """People need definition, rows, target and source of each."""
    console = Console(file=io.StringIO(), width=300)
    console.print(measures_table(CATALOGUE))
    text = str(console.file.getvalue())  # type: ignore[attr-defined]  # the StringIO above
    for measure in CATALOGUE.measures.values():
        assert measure.id in text
        assert f"source: {measure.source}"[:80] in text
    assert "target: line 999 below 10 s, by 90%" in text
    assert "duration of calls · fed by events · unit s" in text
