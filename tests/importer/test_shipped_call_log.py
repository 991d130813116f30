"""The mapping for a plain call log."""

from __future__ import annotations

import tomllib

from tests.importer.extracts import MapText
from tests.parts import ROOT
from watchroom.importer.local_time import rfc3339

MAPPING = ROOT / "schemas" / "mappings" / "acd-call-log.toml"
HEADER = "call_id,line,presented_at,queued_at,answered_at,abandoned_at,ended_at\n"


def test_a_row_becomes_the_events_of_its_call(map_text: MapText) -> None:
    """Presented, queued, answered or abandoned, ended; a step that did not happen makes no event."""
    made = map_text(
        tomllib.loads(MAPPING.read_text(encoding="utf-8")),
        HEADER
        + "17,999,2021-11-30 17:45:00,2021-11-30 17:45:02,2021-11-30 17:45:09,,2021-11-30 17:49:40\n"
        + "18,101,30/11/2021 17:46:00,30/11/2021 17:46:00,,30/11/2021 17:51:30,\n"
        + "19,0300,2021-11-30T17:47:00,,,,\n"
        + ",,,,,,\n",
    )
    assert made.refused == []
    assert made.tally.skipped == {"no call id (a total or an empty row)": 1}
    assert [(event.subject, event.type, rfc3339(event.time_ms)[11:19]) for event in made.events] == [
        ("17", "call.presented", "17:45:00"),
        ("17", "call.queued", "17:45:02"),
        ("17", "call.answered", "17:45:09"),
        ("17", "call.ended", "17:49:40"),
        ("18", "call.presented", "17:46:00"),
        ("18", "call.queued", "17:46:00"),
        ("18", "call.abandoned", "17:51:30"),
        ("18", "call.ended", "17:51:30"),
        ("19", "call.presented", "17:47:00"),
    ]
    assert [event.data["line"] for event in made.events] == ["999"] * 4 + ["101"] * 4 + ["other"]


def test_the_example_in_the_mapping_file_can_be_mapped(map_text: MapText) -> None:
    """An analyst starts from the example in the comment."""
    example = [line.removeprefix("#").strip() for line in MAPPING.read_text(encoding="utf-8").splitlines()[2:4]]
    made = map_text(tomllib.loads(MAPPING.read_text(encoding="utf-8")), "\n".join(example) + "\n")
    assert len(made.events) == 4


def test_a_time_in_an_ambiguous_hour_is_refused_until_the_analyst_decides(map_text: MapText) -> None:
    """Only somebody who knows the switch can say which of the two hours it means."""
    made = map_text(
        tomllib.loads(MAPPING.read_text(encoding="utf-8")),
        HEADER + "17,999,2021-10-31 01:30:00,,,,\n18,999,2021-10-31 02:30:00,,,,\n",
    )
    assert [event.subject for event in made.events] == ["18"]
    assert "happens twice in Europe/London" in made.refused[0]
