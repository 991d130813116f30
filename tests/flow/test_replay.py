"""`watchroom replay` through the whole pipeline: Redis gives the figures that others computed."""

from __future__ import annotations

import asyncio
import csv
import http.client
import json
import math
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.events.test_tokeniser import KEY
from tests.flow.rebuilt_force import RebuiltForce
from tests.flow.servers import RedisServer, Stack
from tests.flow.servers.kafka import end_offsets
from tests.importer.extracts import DISPATCH, DISPATCH_MAPPING
from watchroom.demo.processes import Process
from watchroom.demo.server import free_port
from watchroom.demo.stack import running_stack
from watchroom.errors import BrokerUnavailable, ConfigurationInvalid, RebuildNeeded, RowRefused, StoreUnavailable
from watchroom.events.times import to_text
from watchroom.importer.command import Request, replay
from watchroom.importer.local_time import ms_of
from watchroom.importer.summary import Outcome
from watchroom.intake.rebuild import Rebuilt, rebuild
from watchroom.reports.months import moved_rows
from watchroom.reports.rows import Row
from watchroom.settings import Settings, SourceRule
from watchroom.store.read import Reader

Figures = dict[str, Any]
CRIME_TABLE = "crime_homeoffice_staffordshire_2017-18.csv"
STREET_CRIME = "crime_policeuk_wakefield_2017-07_2018-07.csv"
HISTORY = {"incidents": {"sffd": SourceRule(heartbeats=False, history=True)}}
pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="session")
def expected(real_data: Path) -> Figures:
    """What others computed from the dispatch file."""
    figures: Figures = json.loads((real_data / "expected.json").read_text())[DISPATCH]
    return figures


@contextmanager
def replayed(
    stack: Stack, file: Path, as_of: str | None = None, **settings: Any
) -> Iterator[tuple[Outcome, list[Row]]]:
    """A replay of the dispatch extract onto a stack, and its rows."""
    request = Request(DISPATCH_MAPPING, (file,), as_of=as_of, kafka=stack.kafka, redis_url=stack.redis_url)
    refused: list[RowRefused] = []
    with replay(stack.settings(**settings), request, refused=refused.append) as outcome:
        assert refused == []
        yield outcome, moved_rows(outcome.settings, outcome.streams, outcome.months, outcome.now_ms)


def by_grade(rows: list[Row], measure: str) -> dict[str, Any]:
    """The rows of a measure by their grade; each grade has one."""
    found = {}
    for row in rows:
        if row["measure"] == measure:
            by: Any = row["by"]
            assert by["area"] == "unknown"
            assert by["grade"] not in found
            found[by["grade"]] = row
    return found


def test_the_dispatch_extract_gives_the_figures_that_others_computed(
    stack: Stack, real_data: Path, expected: Figures
) -> None:
    """Through broker, worker and store, on both stacks, at the printed rounding."""
    with replayed(stack, real_data / DISPATCH) as (outcome, rows):
        volume = by_grade(rows, "incident_volume")
        assert sum(row["value"] for row in volume.values()) == expected["calls"] == 5292
        waits = by_grade(rows, "incident_assignment_time").values()
        mean_s = sum(row["numerator"] for row in waits) / sum(row["denominator"] for row in waits)
        assert round(mean_s, 1) == expected["mean_received_to_dispatch_s"]
        attended = by_grade(rows, "incident_attendance_time")
        for grade, priority, within in (("1", "final_3", "le15_pct_attended"), ("2", "final_2", "le60_pct_attended")):
            row, figures = attended[grade], expected[priority]
            # The file ends on 20 April: at the replay's now its month is not over.
            assert (row["period"], row["unit"], row["closed"]) == ("2020-04", "s", False)
            assert row["as_of"] == to_text(outcome.now_ms)
            assert volume[grade]["value"] == figures["calls"]
            assert row["count"] == row["denominator"] == figures["attended"]
            assert round(row["mean_s"], 1) == round(row["value"], 1) == figures["mean_s"]
            assert round(row["within_target"] * 100, 2) == figures[within]
            times_s = response_times_s(real_data / DISPATCH, priority.removeprefix("final_"))
            for name, percent in (("p50_s", 50), ("p90_s", 90), ("p95_s", 95), ("max_s", 100)):
                rank = math.ceil(len(times_s) * percent / 100)
                assert row[name] == pytest.approx(times_s[rank - 1], rel=0.01), (grade, name)
            assert times_s[-1] == figures["max_s"]
        assert outcome.dead_letters == {}


def response_times_s(file: Path, priority: str) -> list[float]:
    """Received to first on scene, straight from the file, ascending: `expected.json` interpolates its percentiles."""
    first: dict[str, float] = {}
    with file.open(newline="", encoding="utf-8") as text:
        for row in csv.DictReader(text):
            if row["final_priority"] == priority and row["on_scene_dttm"]:
                on_scene, received = (datetime.fromisoformat(row[at]) for at in ("on_scene_dttm", "received_dttm"))
                took_s = (on_scene - received).total_seconds()
                first[row["call_number"]] = min(took_s, first.get(row["call_number"], took_s))
    return sorted(first.values())


def test_a_table_of_numbers_gives_every_crime(embedded_stack: Stack, real_data: Path) -> None:
    """Equal rows of one offence code add up; groups and quarters are those that others computed."""
    figures = json.loads((real_data / "expected.json").read_text())[CRIME_TABLE]
    mapping = DISPATCH_MAPPING.with_name("homeoffice-recorded-crime.toml")
    table = (real_data / CRIME_TABLE,)
    request = Request(mapping, table, kafka=embedded_stack.kafka, redis_url=embedded_stack.redis_url)
    with replay(embedded_stack.settings(), request, refused=lambda row: pytest.fail(str(row))) as outcome:
        rows: list[Any] = moved_rows(outcome.settings, outcome.streams, outcome.months, outcome.now_ms)
    by_group: Counter[str] = Counter()
    by_month: Counter[str] = Counter()
    by_subgroup: Counter[str] = Counter()
    crimes: Counter[str] = Counter()
    for row in rows:
        if row["measure"] == "crime_recorded":
            by_group[row["by"]["group"]] += row["value"]
            by_month[row["period"]] += row["value"]
        elif row["measure"] == "crime_recorded_by_subgroup":
            by_subgroup[row["by"]["subgroup"]] += row["value"]
        elif row["measure"] in ("crime_acquisitive", "crime_robbery", "crime_homicide"):
            crimes[row["measure"]] += row["value"]
    assert by_group.total() == figures["total"] == 83_768
    assert by_group == {name.lower().replace(" ", "_"): count for name, count in figures["by_group"].items()}
    assert [by_month[month] for month in sorted(by_month)] == list(figures["by_quarter"].values())
    assert by_subgroup == {
        name.lower().replace(" ", "_").replace("-", "_"): count for name, count in figures["by_subgroup"].items()
    }
    assert crimes == {"crime_acquisitive": 12_431, "crime_robbery": 858, "crime_homicide": 11}
    assert outcome.dead_letters == {}


def test_street_level_crime_gives_crimes_by_category_and_anti_social_behaviour_as_incidents(
    embedded_stack: Stack, real_data: Path
) -> None:
    """One extract feeds two streams, and each row is in one of them."""
    figures = json.loads((real_data / "expected.json").read_text())[STREET_CRIME]["wakefield 2018-07"]
    mapping = DISPATCH_MAPPING.with_name("policeuk-street-crime.toml")
    files = (real_data / STREET_CRIME,)
    request = Request(mapping, files, kafka=embedded_stack.kafka, redis_url=embedded_stack.redis_url)
    settings = embedded_stack.settings(token_key=KEY.decode())
    with replay(settings, request, refused=lambda row: pytest.fail(str(row))) as outcome:
        rows: list[Any] = moved_rows(outcome.settings, outcome.streams, outcome.months, outcome.now_ms)
    july = [row for row in rows if row["period"] == "2018-07"]
    incidents = sum(row["value"] for row in july if row["measure"] == "incident_volume")
    found = {row["by"]["category"]: row["value"] for row in july if row["measure"] == "crime_recorded_by_category"}
    found["anti_social_behaviour"] = incidents
    expected = {name.lower().replace(" ", "_").replace("-", "_"): count for name, count in figures["types"].items()}
    assert found == expected
    (addresses,) = [row for row in july if row["measure"] == "asb_addresses"]
    assert (incidents, addresses["denominator"]) == (757, 541)
    bands = ("tokens_1", "tokens_2_3", "tokens_4_plus")
    assert [addresses[band] for band in bands] == [413, figures["asb_locations_2_3"], figures["asb_locations_4plus"]]
    assert outcome.dead_letters == {}


@pytest.mark.real
def test_every_event_sent_is_in_the_log_and_applied_once(real_stack: Stack, real_data: Path) -> None:
    """The figures come through the pipeline: broker, acknowledgements and Redis agree on every offset."""
    with replayed(real_stack, real_data / DISPATCH) as (outcome, _):
        topic = outcome.settings.topic("incidents")
        in_log = {
            (topic, partition): end for partition, end in asyncio.run(end_offsets(real_stack.kafka, topic)).items()
        }
        stored = {
            place: state.next_offset
            for place, state in Reader(real_stack.redis_url, real_stack.name).partitions().items()
            if place[0] == topic
        }
    assert in_log == outcome.ends == stored
    assert sum(in_log.values()) == outcome.sent.events == 29_686


@pytest.mark.slow
def test_as_of_gives_every_snapshot_of_open_incidents(
    embedded_stack: Stack, real_data: Path, expected: Figures
) -> None:
    """What a supervisor would have seen at ten moments, by grade; each time all earlier events are sent again.

    One worker runs throughout, as on a force's own servers.
    """
    settings = {"sources": HISTORY, "health_port": free_port()}
    snapshots = sorted(expected["open_incident_snapshots"], key=lambda snapshot: str(snapshot["at"]))
    with running_stack(
        embedded_stack.settings(**settings),
        kafka=embedded_stack.kafka,
        redis_url=embedded_stack.redis_url,
        sources={},
        with_exporter=False,
    ):
        for snapshot in snapshots:
            with replayed(embedded_stack, real_data / DISPATCH, as_of=snapshot["at"], **settings) as (outcome, rows):
                assert snapshot_of(rows) == snapshot["by_grade"], snapshot["at"]
                oldest_s = [row["oldest_s"] for row in by_grade(rows, "incidents_unattended").values()]
                assert max(age_s for age_s in oldest_s if age_s is not None) == snapshot["oldest_unattended_s"]
                assert outcome.dead_letters == {}


@pytest.mark.real
def test_a_stream_under_another_definition_is_refused_before_anything_is_sent(
    real_stack: Stack, redis_server: RedisServer
) -> None:
    """No worker would apply its events: they would stay in Kafka, and the replay would wait for them."""
    given: dict[str, Any] = {"kafka": real_stack.kafka, "redis_url": real_stack.redis_url, "with_exporter": False}
    with running_stack(real_stack.settings(), sources=HISTORY, **given):
        pass
    meta = f"{{{real_stack.name}}}:meta"
    with redis_server.client() as client:
        fields: dict[Any, Any] = {"fingerprint:incidents": "another", "definition:incidents": '{"other": 1}'}
        client.hset(meta, mapping=fields)
    with (
        pytest.raises(RebuildNeeded, match=r"incidents: bins is new.*run `watchroom rebuild`"),
        running_stack(real_stack.settings(), sources=HISTORY, **given),
    ):
        raise AssertionError("it was let in")
    with running_stack(real_stack.settings(), sources={"calls": HISTORY["incidents"]}, **given):
        pass


def snapshot_of(rows: list[Row]) -> dict[str, dict[str, int]]:
    """The open measures under the names of `expected.json`, which leaves out a grade with nobody open."""
    unresourced = by_grade(rows, "incidents_unresourced")
    return {
        grade: {
            "unattended": row["value"],
            "unresourced": unresourced[grade]["value"],
            "overdue": row["overdue"],
            "due_5min": row["due_5min"],
            "due_15min": row["due_15min"],
        }
        for grade, row in by_grade(rows, "incidents_unattended").items()
        if row["value"]
    }


TO_COME = """
source = "planned"
about = "One row is one call, at a day that is invented."
[time]
zone = "UTC"
latest = {latest}
[entity]
key = "call"
[[event]]
type = "call.presented"
time = "at"
data.line = "line"
"""


@pytest.mark.real
def test_events_on_future_days_are_applied_and_a_rebuild_applies_them_again(
    real_stack: Stack, redis_server: RedisServer, tmp_path: Path
) -> None:
    """The permission is in each record, because a worker and a rebuild know nothing of the mapping."""
    tomorrow = date.today() + timedelta(days=1)  # noqa: DTZ011  # any future day
    mapping, file = tmp_path / "map.toml", tmp_path / "calls.csv"
    mapping.write_text(TO_COME.format(latest=tomorrow + timedelta(days=2)), encoding="utf-8")
    file.write_text(f"call,line,at\n1,999,2021-11-30T10:00:00\n2,999,{tomorrow}T12:00:00\n", encoding="utf-8")
    request = Request(mapping, (file,), kafka=real_stack.kafka, redis_url=real_stack.redis_url)
    settings = real_stack.settings(streams=("calls",), partitions=1)
    with replay(settings, request, refused=lambda row: pytest.fail(str(row))) as outcome:
        assert outcome.dead_letters == {}
    with redis_server.client() as client:
        force = RebuiltForce(outcome.settings, client, tmp_path)
        force.half_a_minute_passes()
        asyncio.run(force.until_nobody_is_in_the_group())
        before = force.dump()
        assert {"month:2021-11", f"month:{tomorrow:%Y-%m}"} <= before.keys()
        assert rebuild(outcome.settings, None, lambda *_: None) == Rebuilt(records=2, refused=0)
        assert force.dump() == before


CAD = """
source = "cad"
about = "One row is one incident."
time.zone = "UTC"
entity.key = "id"
[[event]]
type = "incident.created"
time = "created"
data.grade = "grade"
[[event]]
type = "incident.resource_on_scene"
time = "arrived"
optional = true
data.unit.constant = "u"
[[event]]
type = "incident.closed"
time = "closed"
optional = true
"""


def test_one_wrong_year_does_not_shift_the_replay_clock_on_given_servers(real_stack: Stack, tmp_path: Path) -> None:
    """It became the replay's now: open incidents vanished, the month was shown as closed. Later files continue."""
    day = datetime.now(UTC).replace(hour=10, minute=0, second=0, microsecond=0) - timedelta(days=3)

    def at(minutes: int, years: int = 0) -> str:
        return (day.replace(year=day.year + years, day=min(day.day, 28)) + timedelta(minutes=minutes)).isoformat()

    header = "id,grade,created,arrived,closed\n"
    same = f"i1,1,{at(0)},{at(8)},{at(60)}\ni2,1,{at(30)},,\ni3,2,{at(40)},,\ni4,2,{at(45)},{at(50)},"
    files = {
        "this-month.csv": f"{header}{same}{at(105, years=100)}\n",
        "right-month.csv": f"{header}{same}{at(105)}\n",
        "next-day.csv": f"{header}i5,1,{at(24 * 60)},{at(24 * 60 + 8)},\n",
    }
    mapping = tmp_path / "cad.toml"
    mapping.write_text(CAD)
    settings = real_stack.settings(sources={"incidents": {"cad": SourceRule(heartbeats=False, history=True)}})
    found = []
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    for names in (("this-month.csv",), ("right-month.csv", "next-day.csv")):
        paths = tuple(tmp_path / name for name in names)
        request = Request(mapping, paths, kafka=real_stack.kafka, redis_url=real_stack.redis_url)
        refused: list[RowRefused] = []
        with replay(settings, request, refused=refused.append) as outcome:
            rows: list[Any] = moved_rows(outcome.settings, outcome.streams, outcome.months, outcome.now_ms)
        tally = outcome.tally
        assert tally.rows == tally.used + tally.refused
        open_now = sum(row["value"] for row in rows if row["measure"] == "incidents_unattended")
        created = sum(row["value"] for row in rows if row["measure"] == "incident_volume" and row["period"])
        found.append((len(refused), created, open_now, outcome.now_ms < ms_of(datetime.now(UTC))))
        assert outcome.dead_letters == {}
        assert not any(row["closed"] for row in rows if row["measure"] == "incident_volume")
        assert not any(row["measure"] == "orphans" for row in rows)
        if refused:
            assert str(refused[0]).startswith(f"{tmp_path}/this-month.csv:5: time: '{at(105, years=100)}' is")
    assert found == [(1, 3, 2, True), (0, 5, 2, True)]


def test_replaying_the_same_file_again_counts_nothing_twice(embedded_stack: Stack, part_of_extract: Path) -> None:
    """Analysts run things again; overlapping extracts are normal. The first worker has just exited."""
    with replayed(embedded_stack, part_of_extract) as (first, rows):
        kept = [{**row, "as_of": None} for row in rows]
    with replayed(embedded_stack, part_of_extract) as (second, rows):
        assert [{**row, "as_of": None} for row in rows] == kept
    assert second.sent.events == first.sent.events
    assert sum(second.ends.values()) == 2 * sum(first.ends.values())


def test_a_replay_with_times_moved_to_now_shows_on_the_exporter(embedded_stack: Stack, part_of_extract: Path) -> None:
    """The extract is moved to end now; its source is alive, so a board shows it."""
    request = Request(
        DISPATCH_MAPPING,
        (part_of_extract,),
        as_live=True,
        kafka=embedded_stack.kafka,
        redis_url=embedded_stack.redis_url,
    )
    settings = embedded_stack.settings(exporter_port=free_port())
    began_ms = time.time() * 1000
    with replay(settings, request, refused=lambda row: pytest.fail(str(row))) as outcome:
        assert outcome.sent.last_arrival_ms is not None
        assert abs(outcome.sent.last_arrival_ms - began_ms) < 60_000
        total = 'watchroom_incident_volume{grade="1",area="unknown",window="28d"}'
        deadline_s = time.monotonic() + 30
        while float(sample(settings, total) or "0") == 0:
            assert time.monotonic() < deadline_s, "the exporter never showed the replayed incidents"
            time.sleep(0.2)


def sample(settings: Settings, series: str) -> str | None:
    """A sample's value on the exporter's page."""
    connection = http.client.HTTPConnection(settings.exporter_host, settings.exporter_port, timeout=5)
    connection.request("GET", "/metrics")
    page = connection.getresponse().read().decode()
    connection.close()
    return next((line.rpartition(" ")[2] for line in page.splitlines() if line.startswith(series)), None)


@pytest.mark.real
def test_a_redis_that_is_down_is_named_with_what_to_check(
    real_stack: Stack, redis_server: RedisServer, part_of_extract: Path
) -> None:
    """With the store stopped there are no figures to show."""
    redis_server.stop()
    address = re.escape(real_stack.redis_url)
    with (
        pytest.raises(StoreUnavailable, match=rf"{address}.*check"),
        replayed(real_stack, part_of_extract),
    ):
        pytest.fail("a replay without Redis gave figures")
    assert StoreUnavailable.exit_code == 1


def test_a_broker_that_is_down_is_named_with_what_to_check(embedded_stack: Stack, part_of_extract: Path) -> None:
    """One line with the address, before anything is started."""
    nowhere = f"127.0.0.1:{free_port()}"
    request = Request(DISPATCH_MAPPING, (part_of_extract,), kafka=nowhere, redis_url=embedded_stack.redis_url)
    with (
        pytest.raises(BrokerUnavailable, match=rf"{nowhere}.*check"),
        replay(embedded_stack.settings(), request, refused=lambda row: pytest.fail(str(row))),
    ):
        pytest.fail("a replay without a broker gave figures")


def test_a_replay_is_refused_while_a_worker_would_treat_the_events_as_live(
    embedded_stack: Stack, part_of_extract: Path
) -> None:
    """A worker that does not know the source takes every old event for late: all would be dead letters."""
    settings = embedded_stack.settings(health_port=free_port(), worker_name="another")
    with (
        Process("worker", settings, part_of_extract.with_suffix(".log")),
        pytest.raises(ConfigurationInvalid, match=r"WATCHROOM_SOURCES.*history.*stop that worker"),
        replayed(embedded_stack, part_of_extract),
    ):
        pytest.fail("events were sent to a worker that refuses them")


def watchroom(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command line, with no other Watchroom variables in its environment."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("WATCHROOM_")}
    return subprocess.run(
        [sys.executable, "-m", "watchroom", *arguments],
        env={**clean, **environment},
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )


@pytest.mark.embedded
def test_the_command_prints_only_json_on_standard_output(real_data: Path, expected: Figures) -> None:
    """It brings its own stack; progress and summary go to standard error."""
    done = watchroom("replay", "--map", str(DISPATCH_MAPPING), str(real_data / DISPATCH), "--format", "json")
    assert done.returncode == 0, done.stderr
    rows: list[Row] = json.loads(done.stdout)
    assert sum(row["value"] for row in by_grade(rows, "incident_volume").values()) == expected["calls"]
    assert "10,410 read, 10,410 used, 0 skipped, 0 refused" in done.stderr


@pytest.mark.real
def test_the_command_exits_with_1_and_one_line_without_redis(
    real_stack: Stack, redis_server: RedisServer, part_of_extract: Path
) -> None:
    """No figures, no traceback, no list of attempts."""
    redis_server.stop()
    servers = ("--kafka", real_stack.kafka, "--redis", real_stack.redis_url)
    done = watchroom("replay", "--map", str(DISPATCH_MAPPING), str(part_of_extract), *servers, "--format", "json")
    assert (done.returncode, done.stdout) == (1, "")
    said = " ".join(done.stderr.split())
    assert f"no answer from Redis at {real_stack.redis_url}" in said
    assert "Traceback" not in said


def test_the_command_exits_with_2_and_names_all_faults_of_a_mapping(tmp_path: Path, part_of_extract: Path) -> None:
    """Before any server is started."""
    mapping = tmp_path / "m.toml"
    mapping.write_text(
        DISPATCH_MAPPING.read_text(encoding="utf-8").replace("America/", "Amerika/").replace("per =", "pre =")
    )
    done = watchroom("replay", "--map", str(mapping), str(part_of_extract))
    assert (done.returncode, done.stdout) == (2, "")
    assert "time.zone" in done.stderr
    assert "1st [[event]].pre" in done.stderr
    assert "4th [[event]].pre" in done.stderr


@pytest.fixture
def part_of_extract(real_data: Path, tmp_path: Path) -> Path:
    """The first rows of the dispatch file, for tests that need no totals."""
    lines = (real_data / DISPATCH).read_text(encoding="utf-8").splitlines(keepends=True)
    path = tmp_path / "part.csv"
    path.write_text("".join(lines[:600]), encoding="utf-8")
    return path
