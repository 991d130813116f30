"""The dispatch mapping, compared with figures that others computed from the same file.

The events are counted here by the definitions alone, without any code of `fold`, `rolling` or `store`: if
the pipeline and `expected.json` differ, this shows whether the mapping or the pipeline is at fault.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.importer.extracts import DISPATCH, DISPATCH_MAPPING
from watchroom.errors import RowRefused
from watchroom.importer.convert import Conversion
from watchroom.importer.mapped import Mapped
from watchroom.importer.mapping import load_mapping
from watchroom.importer.rows import read_rows
from watchroom.importer.tally import Tally

TARGET_MS = {"1": 15 * 60_000, "2": 60 * 60_000}
GRADE_OF_PRIORITY = {"3": "1", "2": "2"}
Figures = dict[str, Any]
Converted = tuple[list[Mapped], Tally]
ZONE = ZoneInfo("America/Los_Angeles")


class Incident:
    """One incident by the definitions of the measures."""

    def __init__(self) -> None:
        self.created_ms = 0
        self.grade = ""
        self.assigned_ms: list[int] = []
        self.on_scene_ms: list[int] = []
        self.closed_ms: list[int] = []

    def hear(self, event: Mapped) -> None:
        """Apply one event."""
        match event.type:
            case "incident.created":
                self.created_ms, self.grade = event.time_ms, str(event.data["grade"])
            case "incident.resource_assigned":
                self.assigned_ms.append(event.time_ms)
            case "incident.resource_on_scene":
                self.on_scene_ms.append(event.time_ms)
            case "incident.closed":
                self.closed_ms.append(event.time_ms)
            case other:
                raise AssertionError(other)


def incidents_of(events: Sequence[Mapped]) -> dict[str, Incident]:
    """The incidents that these events describe."""
    incidents: dict[str, Incident] = defaultdict(Incident)
    for event in events:
        incidents[event.subject].hear(event)
    return incidents


def nearest_rank_s(values_ms: Sequence[int], percent: int) -> float:
    """The smallest value that `percent` of all values do not exceed, in seconds."""
    return sorted(values_ms)[math.ceil(len(values_ms) * percent / 100) - 1] / 1000


@pytest.fixture(scope="module")
def converted(real_data: Path) -> Converted:
    """All events of the extract, once for this file."""
    words = load_mapping(DISPATCH_MAPPING)
    refused: list[RowRefused] = []
    conversion = Conversion(words, refused.append)
    events = list(conversion.events(read_rows([real_data / DISPATCH], words)))
    assert refused == []
    return events, conversion.tally


@pytest.fixture(scope="module")
def expected(real_data: Path) -> Figures:
    """The figures that others computed from the file."""
    figures: Figures = json.loads((real_data / "expected.json").read_text())[DISPATCH]
    return figures


def test_every_row_of_the_extract_is_used(converted: Converted, expected: Figures) -> None:
    """A row dropped silently would make every later figure wrong."""
    events, tally = converted
    assert (tally.rows, tally.used, tally.refused) == (expected["unit_rows"], expected["unit_rows"], 0)
    assert tally.entities == expected["calls"] == len({event.subject for event in events})
    assert tally.events == len(events) == len({event.id for event in events})


def test_events_come_in_order_of_arrival(converted: Converted) -> None:
    """The pipeline gets them as the control room would have sent them."""
    events, _ = converted
    assert [event.arrival_ms for event in events] == sorted(event.arrival_ms for event in events)


def test_events_give_the_published_mean_time_to_assign(converted: Converted, expected: Figures) -> None:
    """From created to first assigned, all grades."""
    events, _ = converted
    waits_ms = [min(i.assigned_ms) - i.created_ms for i in incidents_of(events).values() if i.assigned_ms]
    assert round(sum(waits_ms) / len(waits_ms) / 1000, 1) == expected["mean_received_to_dispatch_s"]


@pytest.mark.parametrize(("priority", "grade"), GRADE_OF_PRIORITY.items())
def test_events_give_the_published_attendance_times(
    converted: Converted, expected: Figures, priority: str, grade: str
) -> None:
    """From created to FIRST on scene, by grade: counts, mean, percentiles, compliance."""
    events, _ = converted
    figures = expected[f"final_{priority}"]
    of_grade = [i for i in incidents_of(events).values() if i.grade == grade]
    times_ms = [min(i.on_scene_ms) - i.created_ms for i in of_grade if i.on_scene_ms]
    assert len(of_grade) == figures["calls"]
    assert len(times_ms) == figures["attended"]
    assert round(sum(times_ms) / len(times_ms) / 1000, 1) == figures["mean_s"]
    assert max(times_ms) / 1000 == figures["max_s"]
    assert sum(ms <= 15 * 60_000 for ms in times_ms) == figures["le15min"]
    assert sum(ms <= 60 * 60_000 for ms in times_ms) == figures["le60min"]
    assert nearest_rank_s(times_ms, 50) == pytest.approx(figures["median_s"], rel=0.01)
    assert nearest_rank_s(times_ms, 90) == pytest.approx(figures["p90_s"], rel=0.01)  # interpolated there


@pytest.mark.parametrize("number", range(10))
def test_events_that_arrived_by_an_instant_give_the_open_incidents_at_that_instant(
    converted: Converted, expected: Figures, number: int
) -> None:
    """What a supervisor would have seen at that moment, by grade, with overdue and due."""
    snapshot = expected["open_incident_snapshots"][number]
    now_ms = int(datetime.fromisoformat(snapshot["at"]).replace(tzinfo=ZONE).timestamp() * 1000)
    known = incidents_of([event for event in converted[0] if event.arrival_ms <= now_ms])
    by_grade: dict[str, dict[str, int]] = {}
    oldest_ms = 0
    for incident in known.values():
        if incident.on_scene_ms or incident.closed_ms:
            continue
        row = by_grade.setdefault(
            incident.grade, {"unattended": 0, "unresourced": 0, "overdue": 0, "due_5min": 0, "due_15min": 0}
        )
        left_ms = incident.created_ms + TARGET_MS[incident.grade] - now_ms
        row["unattended"] += 1
        row["unresourced"] += not incident.assigned_ms
        row["overdue"] += left_ms < 0
        row["due_5min"] += 0 <= left_ms <= 5 * 60_000
        row["due_15min"] += 0 <= left_ms <= 15 * 60_000
        oldest_ms = max(oldest_ms, now_ms - incident.created_ms)
    assert by_grade == snapshot["by_grade"]
    assert sum(row["unattended"] for row in by_grade.values()) == snapshot["unattended"]
    assert sum(row["unresourced"] for row in by_grade.values()) == snapshot["unresourced"]
    assert oldest_ms / 1000 == snapshot["oldest_unattended_s"]
