"""A stream that Redis holds under another definition is left out and named; the others are printed unchanged."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.flow.commands import watchroom
from tests.flow.servers import RedisServer
from tests.reports.conftest import EVENTS
from tests.reports.redis_months import NOW_MS, Happened, fill, months, settings_on
from watchroom.demo.processes import environment
from watchroom.errors import OtherDefinitions, RebuildNeeded
from watchroom.reports.months import moved_rows, read_months, restatements
from watchroom.settings import Settings
from watchroom.streams import STREAMS

pytestmark = pytest.mark.real
SAID = (
    "crimes is left out because Redis holds its figures under a different definition: measure crime_recorded changed. "
    "Use the catalogue and settings of the workers, or run `watchroom rebuild`"
)
ORPHAN = Happened("crime.outcome_assigned", "z", "2021-11-12T10:00:00Z", {"outcome": "1"})
TOPIC = {"topic": "watchroom.crimes"}


@pytest.fixture
def before(redis_server: RedisServer) -> Settings:
    """The settings under which Redis was filled; its events include an orphan of crimes."""
    settings = settings_on(redis_server.url)
    fill(settings, [*EVENTS, ORPHAN])
    return settings


@pytest.fixture
def changed(before: Settings, tmp_path: Path) -> Settings:
    """The settings of a command with a changed entry for crimes."""
    shutil.copytree(before.schemas, tmp_path / "schemas")
    file = tmp_path / "schemas" / "measures" / "crimes.toml"
    file.write_text(file.read_text().replace('at = "recorded"', 'at = "outcome_assigned"', 1))
    return before.model_copy(update={"schemas": tmp_path / "schemas"})


def test_months_of_the_other_streams_are_unchanged(before: Settings, changed: Settings) -> None:
    """Nothing about crimes is printed, not even orphans and freshness."""
    told: list[str] = []
    found, all_of_them = read_months(changed, warn=told.append), read_months(before)
    (line,) = told
    assert line == SAID
    crimes = [row for row in all_of_them.rows if str(row["measure"]).startswith("crime") or row["by"] == TOPIC]
    assert {"orphans", "crime_recorded"} <= {row["measure"] for row in crimes}
    assert found.rows == [row for row in all_of_them.rows if row not in crimes]
    assert found.rows
    assert found.as_of == {stream: NOW_MS for stream in STREAMS if stream != "crimes"}


def test_a_measure_of_a_refused_stream_is_refused(changed: Settings) -> None:
    """An empty list would mean that nothing happened."""
    assert months(changed, measures=["call_volume"])
    for request in (["crime_recorded"], ["crime_resolved"], ["call_volume", "crime_resolved"]):
        with pytest.raises(OtherDefinitions, match="crimes: measure crime_recorded changed; run `watchroom rebuild`"):
            months(changed, measures=request)


def test_the_log_of_restatements_leaves_out_a_refused_stream(before: Settings, changed: Settings) -> None:
    """An entry shows how a published figure changed under the old definition."""
    told: list[str] = []
    assert {entry["topic"] for entry in restatements(before)} == {"watchroom.crimes"}
    assert restatements(changed, warn=told.append) == []
    assert told == [SAID]


def test_when_every_stream_is_refused_nothing_is_printed(before: Settings) -> None:
    """In another zone, all months are different."""
    other = before.model_copy(update={"zone": "UTC"})
    for call in (months, restatements):
        with pytest.raises(RebuildNeeded, match=f"{', '.join(STREAMS)}: reporting zone changed"):
            call(other)


def test_a_replay_into_a_refused_stream_is_refused(changed: Settings) -> None:
    """Its changes would be read under the wrong definition."""
    assert moved_rows(changed, ["calls"], ["2021-11"], NOW_MS)
    with pytest.raises(OtherDefinitions, match="crimes"):
        moved_rows(changed, ["calls", "crimes"], ["2021-11"], NOW_MS)


def test_the_command_names_a_refused_stream_on_stderr_and_exits_with_0(before: Settings, changed: Settings) -> None:
    """Programs read standard output; people read there why something is missing."""
    done = watchroom("months", "--format", "csv", environment=environment(changed))
    assert (done.code, [line for line in done.lines if "left out" in line]) == (0, [SAID])
    assert b"call_volume" in done.out
    assert b"crime" not in done.out
    log = watchroom("months", "--log", environment=environment(changed))
    assert (log.code, log.out, log.lines) == (0, b"", [SAID])
    refused = watchroom("months", "--measure", "crime_resolved", environment=environment(changed))
    assert (refused.code, refused.out) == (2, b"")
    assert "run `watchroom rebuild`" in refused.said
    whole = watchroom("months", "--format", "csv", environment=environment(before))
    assert (whole.code, b"crime_recorded" in whole.out) == (0, True)
