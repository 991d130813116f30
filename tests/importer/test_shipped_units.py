"""The mapping of unit responses, on the real file against independently computed figures, and on a small file."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.importer.extracts import Mapping
from tests.parts import ROOT
from watchroom.errors import RowRefused
from watchroom.importer.convert import Conversion
from watchroom.importer.local_time import rfc3339
from watchroom.importer.mapping import load_mapping
from watchroom.importer.row import Row
from watchroom.importer.rows import check_files, read_rows
from watchroom.importer.summary import missing_times

EXTRACT = "units_rural_ems_2015-2020.csv"
MAPPING = ROOT / "schemas" / "mappings" / "rural-ems-units.toml"
OWN = Path(__file__).parent / "files" / "units.csv"


class Attended(NamedTuple):
    """An incident with a unit on scene, by the definition of `first_unit`."""

    created_ms: int
    took_s: float
    was_among_first_told: bool


def converted(file: Path) -> Mapping:
    """Every event of a file, and the refused rows."""
    words = load_mapping(MAPPING)
    check_files([file], words)
    refused: list[RowRefused] = []
    conversion = Conversion(words, refused.append)
    events = list(conversion.events(read_rows([file], words)))
    return Mapping(events, [str(row) for row in refused], conversion.tally)


def of_incident(made: Mapping, incident: str) -> list[tuple[str, str, str]]:
    """Type, unit and time of an incident's events, in order of time."""
    events = sorted((event for event in made.events if event.subject == incident), key=lambda event: event.time_ms)
    return [(event.type.partition(".")[2], str(event.data.get("unit", "")), rfc3339(event.time_ms)) for event in events]


def attended(made: Mapping) -> list[Attended]:
    """Each incident with an arrival: the time from its creation to the first unit on scene."""
    created = {event.subject: event.time_ms for event in made.events if event.type == "incident.created"}
    told: dict[tuple[str, str], int] = {}
    first: dict[str, tuple[int, set[str]]] = {}
    for event in made.events:
        unit = str(event.data.get("unit", ""))
        if event.type == "incident.resource_assigned":
            told[event.subject, unit] = min(event.time_ms, told.get((event.subject, unit), event.time_ms))
        elif event.type == "incident.resource_on_scene":
            at, units = first.get(event.subject, (event.time_ms, set()))
            if event.time_ms <= at:
                first[event.subject] = (event.time_ms, {unit} | (units if event.time_ms == at else set()))
    return [
        Attended(
            created[subject],
            (at - created[subject]) / 1000,
            any(told.get((subject, unit)) == created[subject] for unit in units),
        )
        for subject, (at, units) in first.items()
    ]


def nearest_rank_s(values_s: Sequence[float], percent: int) -> float:
    """The smallest value that `percent` of all values do not exceed."""
    return sorted(values_s)[math.ceil(len(values_s) * percent / 100) - 1]


@pytest.fixture(scope="module")
def real(real_data: Path) -> Mapping:
    """The whole extract, converted once for this file."""
    return converted(real_data / EXTRACT)


@pytest.fixture(scope="module")
def expected(real_data: Path) -> Any:
    """The figures that others computed from it."""
    return json.loads((real_data / "expected-2.json").read_text())[EXTRACT]


def test_every_row_of_the_extract_is_used(real: Mapping, real_data: Path, expected: Any) -> None:
    """Rows, incidents, units and call types match the counts of others; the rest is counted from the rows."""
    counts = expected["counts"]
    assert (real.refused, real.tally.rows, real.tally.used) == ([], counts["rows"], counts["rows"])
    assert real.tally.entities == counts["incidents"]
    assert len({event.data["unit"] for event in real.events if "unit" in event.data}) == counts["units"]
    assert len({event.data["category"] for event in real.events if "category" in event.data}) == counts["call_types"]
    rows = [row for row in read_rows([real_data / EXTRACT], load_mapping(MAPPING)) if isinstance(row, Row)]
    units = Counter(row.cells["incident"] for row in rows)
    assert sum(count > 1 for count in units.values()) == counts["incidents_with_more_than_one_unit"]
    assert max(units.values()) == counts["largest_number_of_units"]
    assert Counter(row.cells["date"][:4] for row in rows) == counts["rows_by_year"]
    listed_again = sum(bool(row.cells["times_listed"]) for row in rows)
    assert listed_again == counts["rows_whose_unit_is_listed_more_than_once"]


def test_missing_times_match_the_independent_counts(real: Mapping, expected: Any) -> None:
    """For told, en route, on scene and clear; and for the steps that were passed over."""
    missing = expected["missing"]
    assert real.tally.missing == {name: missing[name] for name in ("told", "en_route", "on_scene", "clear")}
    assert real.tally.passed_over["en_route", "on_scene"] == missing["en_route_missing_but_on_scene_known"]
    assert real.tally.passed_over["told", "en_route"] == missing["told_missing_but_en_route_known"]
    assert missing_times(real.tally).startswith("told 253 (252 with en_route), en_route 6,998 (1,225 with on_scene), ")
    types = Counter(event.type for event in real.events)
    assert types["incident.resource_assigned"] == real.tally.rows - missing["told"]
    assert types["incident.resource_on_scene"] == real.tally.rows - missing["on_scene"]


def test_events_give_the_time_to_the_first_unit_on_scene(real: Mapping, expected: Any) -> None:
    """From the first unit dispatched to the first on scene, even across midnight; percentiles by nearest rank."""
    figures = expected["first_unit"]
    found = attended(real)
    took_s = [incident.took_s for incident in found]
    assert len(found) == figures["measured"] == figures["incidents_with_told_and_arrival"]
    assert real.tally.entities - len(found) == figures["incidents_with_told_but_without_arrival"]
    assert sum(s < 0 for s in took_s) == figures["arrival_before_first_told"] == 0
    assert round(sum(took_s) / len(took_s), 3) == figures["mean_s"]
    assert (nearest_rank_s(took_s, 50), nearest_rank_s(took_s, 90)) == (figures["p50_s"], figures["p90_s"])
    assert sum(s <= 900 for s in took_s) == figures["within_900_s"]
    assert sum(s <= 1200 for s in took_s) == figures["within_1200_s"]
    days = [
        (rfc3339(incident.created_ms)[:10], rfc3339(incident.created_ms + int(incident.took_s * 1000))[:10])
        for incident in found
    ]
    assert sum(day != arrived for day, arrived in days) == figures["arrival_after_midnight_of_the_first_told"]
    not_first = sum(not incident.was_among_first_told for incident in found)
    assert not_first == figures["first_arriving_unit_was_not_among_the_first_told"]
    for year, said in figures["by_year"].items():
        of_year = [incident.took_s for incident in found if rfc3339(incident.created_ms).startswith(year)]
        assert {
            "measured": len(of_year),
            "p50_s": nearest_rank_s(of_year, 50),
            "p90_s": nearest_rank_s(of_year, 90),
            "within_900_s": sum(s <= 900 for s in of_year),
        } == said, year


def test_clock_times_of_a_small_file_get_the_right_days() -> None:
    """Midnight at the end of a year and of a leap day, a long job, keys in the wrong order, a unit sent twice."""
    made = converted(OWN)
    assert of_incident(made, "1") == [
        ("created", "", "2019-12-31T23:58:40Z"),
        ("resource_assigned", "M2", "2019-12-31T23:58:40Z"),
        ("resource_assigned", "E3", "2020-01-01T00:02:00Z"),  # its date is not used
        ("resource_on_scene", "M1", "2020-01-01T00:04:10Z"),
        ("resource_on_scene", "M2", "2020-01-01T00:09:30Z"),
        ("closed", "", "2020-01-01T00:51:00Z"),
    ]
    assert of_incident(made, "2") == [
        ("closed", "", "2020-02-29T13:30:00Z"),  # out for 15.5 hours: a day too early, as the mapping says
        ("created", "", "2020-02-29T22:00:00Z"),
        ("resource_assigned", "E1", "2020-02-29T22:00:00Z"),
        ("resource_on_scene", "E1", "2020-02-29T22:10:00Z"),
    ]
    assert of_incident(made, "3") == [
        ("created", "", "2020-02-29T23:57:00Z"),
        ("resource_assigned", "M2", "2020-02-29T23:57:00Z"),
        ("resource_on_scene", "M1", "2020-02-29T23:59:00Z"),  # 4 minutes before it was told, not a day later
        ("resource_assigned", "M1", "2020-03-01T00:03:00Z"),
        ("resource_on_scene", "M2", "2020-03-01T00:10:00Z"),
        ("closed", "", "2020-03-01T00:55:00Z"),
    ]
    assert [(kind, unit) for kind, unit, _ in of_incident(made, "4")] == [
        ("created", ""), ("resource_assigned", "M1"), ("resource_on_scene", "M1"), ("resource_assigned", "M1"),
        ("closed", ""),
    ]  # fmt: skip


def test_missing_times_of_a_small_file_are_counted() -> None:
    """An incident without a dispatched unit has no day and is refused; each row is counted."""
    made = converted(OWN)
    assert len(made.refused) == 1
    assert "units.csv:11: time: '07:10:00' has no day" in made.refused[0]
    tally = made.tally
    assert (tally.rows, tally.used, tally.refused, tally.entities) == (10, 9, 1, 5)
    assert missing_times(tally) == (
        "told 1 (0 with en_route), en_route 5 (2 with on_scene), on_scene 3 (1 with clear), clear 2"
    )
    found = {round(incident.took_s) for incident in attended(made)}
    assert found == {330, 600, 120, 540}
