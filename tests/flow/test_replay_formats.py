"""Shipped mappings of other systems' files through the whole pipeline: the figures come out of Redis."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest

from tests.flow.servers import Stack
from tests.importer.test_shipped_queue_log import LINES
from tests.importer.test_shipped_queue_log import MAPPING as QUEUE_LOG
from tests.importer.test_shipped_queue_log import OWN as OWN_LOG
from tests.importer.test_shipped_units import EXTRACT as UNITS
from tests.importer.test_shipped_units import MAPPING as UNITS_MAPPING
from watchroom.catalogue.load import load_catalogue
from watchroom.importer.command import Request, replay
from watchroom.importer.summary import Outcome, lines
from watchroom.kinds.duration_figures import BIN, DurationFigures, bins_of
from watchroom.reports.months import moved_rows
from watchroom.store.read import Reader

pytestmark = pytest.mark.timeout(300)


def replayed(stack: Stack, mapping: Path, file: Path) -> tuple[Outcome, list[Any]]:
    """A replay of one file onto a stack, and its rows; no row and no event may be refused."""
    request = Request(mapping, (file,), kafka=stack.kafka, redis_url=stack.redis_url)
    with replay(stack.settings(), request, refused=lambda row: pytest.fail(str(row))) as outcome:
        rows: list[Any] = moved_rows(outcome.settings, outcome.streams, outcome.months, outcome.now_ms)
    assert outcome.dead_letters == {}
    return outcome, rows


def attendance_by_year(stack: Stack, months: Collection[str]) -> dict[str, Counter[str]]:
    """What Redis holds of the attendance time, added up over the months of each year; "" is all of them."""
    head = "incident_attendance_time|grade=ungraded,area=unknown|"
    found: dict[str, Counter[str]] = {"": Counter()}
    reader = Reader(stack.redis_url, stack.name)
    for month in months:
        fields = {name.removeprefix(head): n for name, n in reader.month(month)[0].items() if name.startswith(head)}
        found[""].update(fields)
        found.setdefault(month[:4], Counter()).update(fields)
    return found


def within_900_s(stored: Counter[str]) -> int:
    """Durations of 15 minutes or less, from the bins: a grade's target puts an edge there."""
    return sum(n for name, n in stored.items() if name.startswith(BIN) and int(name.removeprefix(BIN)) <= 900_000)


@pytest.mark.parametrize("whose", ["own", "shared"])
def test_a_queue_log_gives_the_figures_of_each_queue(
    embedded_stack: Stack, whose: str, request: pytest.FixtureRequest
) -> None:
    """Offered, answered, waits, abandoned and still waiting, as counted by hand in the log."""
    file, figures = OWN_LOG, OWN_LOG.with_name("queue_log_expected.json")
    if whose == "shared":
        folder: Path = request.getfixturevalue("real_data")
        file, figures = folder / "queue_log_sample.txt", folder / "queue_log_expected.json"
    expected = json.loads(figures.read_text(encoding="utf-8"))["by_queue"]
    _, rows = replayed(embedded_stack, QUEUE_LOG, file)
    by_line = {(row["measure"], row["by"]["line"]): row for row in rows if "line" in row["by"]}
    assert len(expected) == len({line for measure, line in by_line if measure == "call_volume"}) == 3
    for queue, said in expected.items():
        line = LINES.get(queue, "other")
        waits = by_line["call_answer_time", line]
        left = by_line["call_abandonment", line]
        within_60s = by_line.get(("call_abandoned_within_60s", line))
        assert by_line["call_volume", line]["value"] == said["offered"]
        assert waits["count"] == said["answered"]
        assert waits["mean_s"] == said["mean_wait_of_answered_s"]
        assert waits["under_10"] == said["answered_below_10_s"]
        assert (left["numerator"], left["denominator"]) == (said["abandoned"], said["abandoned"] + said["answered"])
        assert (within_60s["numerator"] if within_60s else 0) == said["abandoned_within_60_s"]
        assert by_line["calls_waiting", line]["value"] == said["waiting_at_the_end"]


def test_unit_responses_give_the_times_to_the_first_unit(embedded_stack: Stack, real_data: Path) -> None:
    """Mean and counts are exact, percentiles within 1 %, over six years and by year; missing times are reported."""
    expected = json.loads((real_data / "expected-2.json").read_text(encoding="utf-8"))[UNITS]
    outcome, rows = replayed(embedded_stack, UNITS_MAPPING, real_data / UNITS)
    volume = [row["value"] for row in rows if row["measure"] == "incident_volume"]
    assert sum(volume) == expected["counts"]["incidents"]
    assert next(line for line in lines(outcome) if "missing times" in line).startswith(
        "  missing times: told 253 (252 with en_route), en_route 6,998 (1,225 with on_scene), on_scene 10,844 ("
    )
    measure = load_catalogue(outcome.settings.schemas / "measures", ()).measures["incident_attendance_time"]
    first_unit = expected["first_unit"]
    by_year = attendance_by_year(embedded_stack, outcome.months)
    assert by_year.keys() == {"", *first_unit["by_year"]}
    for year, said in {"": first_unit, **first_unit["by_year"]}.items():
        found = DurationFigures(by_year[year], bins_of(measure))
        assert (found.observations, found.negative, found.missing_start) == (said["measured"], 0, 0)
        assert found.percentile_s(50) == pytest.approx(said["p50_s"], rel=0.01)
        assert found.percentile_s(90) == pytest.approx(said["p90_s"], rel=0.01)
        assert within_900_s(by_year[year]) == said["within_900_s"]
        if mean_s := said.get("mean_s"):
            assert found.mean_s == pytest.approx(mean_s, abs=0.0005)
