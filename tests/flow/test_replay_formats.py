"""Shipped mappings of other systems' files through the whole pipeline: the figures come out of Redis."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.flow.servers import Stack
from tests.replay.test_shipped_queue_log import LINES
from tests.replay.test_shipped_queue_log import MAPPING as QUEUE_LOG
from tests.replay.test_shipped_queue_log import OWN as OWN_LOG
from watchroom.replay.command import Request, replay
from watchroom.replay.summary import Outcome
from watchroom.reports.replayed import moved_rows

pytestmark = pytest.mark.timeout(300)


def replayed(stack: Stack, mapping: Path, file: Path) -> tuple[Outcome, list[Any]]:
    """A replay of one file onto a stack, and its rows; no row may be refused, and no event."""
    request = Request(mapping, (file,), kafka=stack.kafka, redis_url=stack.redis_url)
    with replay(stack.settings(), request, refused=lambda row: pytest.fail(str(row))) as outcome:
        rows: list[Any] = moved_rows(outcome.settings, outcome.streams, outcome.months, outcome.now_ms)
    assert outcome.dead_letters == {}
    return outcome, rows


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
