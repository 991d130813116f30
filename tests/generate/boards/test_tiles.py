"""What the wall's queries answer: asked of Prometheus's own rule tester, with numbers known by hand."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.generate.boards.made import boards, panels, promtool
from watchroom.generate.boards import month, palette
from watchroom.streams import STREAMS

FORCE = 'force="north"'


def _answers(folder: Path, expr: str, series: Mapping[str, str], expected: Mapping[str, float]) -> None:
    """Fails unless the expression gives exactly these series after half a minute."""
    (folder / "empty.yml").write_text("groups: []\n")
    test: dict[str, Any] = {
        "interval": "5s",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [
            {
                "expr": expr.replace("$force", "north"),
                "eval_time": "30s",
                "exp_samples": [{"labels": labels, "value": value} for labels, value in expected.items()],
            }
        ],
    }
    file = folder / "tile.yml"
    file.write_text(yaml.safe_dump({"rule_files": ["empty.yml"], "evaluation_interval": "5s", "tests": [test]}))
    done = subprocess.run([promtool(), "test", "rules", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def _tile(title: str) -> str:
    (panel,) = [panel for panel in panels(boards()["watchroom-live"]) if panel["title"] == title]
    return str(panel["targets"][0]["expr"])


@pytest.mark.parametrize(("seconds", "state"), [(9.9, "NORMAL"), (10.0, "HIGH"), (59.9, "HIGH"), (60.0, "CRITICAL")])
def test_the_longest_wait_carries_its_state(seconds: float, state: str, tmp_path: Path) -> None:
    """A limit counts as reached, and a wait is cut: 9.9 s must not read as 10 s."""
    series = {
        f'watchroom_calls_waiting_oldest_seconds{{{FORCE}, line="999"}}': f"{seconds}x10",
        f'watchroom_calls_waiting{{{FORCE}, line="999"}}': "2x10",
    }
    _answers(tmp_path, _tile("Longest 999 wait"), series, {f'{{{FORCE}, state="{state}"}}': seconds // 1})


@pytest.mark.parametrize("seconds", [99, 100, 383])
def test_a_long_wait_is_said_in_minutes_and_seconds(seconds: int, tmp_path: Path) -> None:
    """The second query is in ms, for a unit that writes "6 min 23 s"; one of the two answers, never both."""
    series = {
        f'watchroom_calls_waiting_oldest_seconds{{{FORCE}, line="999"}}': f"{seconds}x10",
        f'watchroom_calls_waiting{{{FORCE}, line="999"}}': "2x10",
    }
    (panel,) = [panel for panel in panels(boards()["watchroom-live"]) if panel["title"] == "Longest 999 wait"]
    by = f'{{{FORCE}, state="CRITICAL"}}'
    short, long, _not_fed = (target["expr"] for target in panel["targets"])
    _answers(tmp_path, short, series, {by: seconds} if seconds < 100 else {})
    _answers(tmp_path, long, series, {} if seconds < 100 else {by: seconds * 1000})
    config = panel["fieldConfig"]
    overrides = {each["matcher"]["options"]: each["properties"] for each in config["overrides"]}
    assert overrides["B"] == [{"id": "unit", "value": "time:m [min] ss [s]"}]
    assert overrides["/CRITICAL/"][0]["value"]["fixedColor"] == palette.CRITICAL
    assert not [each for each in config["defaults"]["mappings"] if each["type"] == "range"], "in s, for a number of ms"


def test_a_grade_that_is_due_says_so_and_the_others_stay_quiet(tmp_path: Path) -> None:
    """Which grade is about to breach must be answered by one look."""
    series = {
        f'watchroom_incidents_unattended_due{{{FORCE}, grade="{grade}", area="stoke", within="5m"}}': f"{number}x10"
        for grade, number in {"1": 0, "2": 3, "3": 7}.items()
    }
    expected = {
        f'{{{FORCE}, grade="1"}}': 0,
        f'{{{FORCE}, grade="2", state="DUE"}}': 3,
        f'{{{FORCE}, grade="3", state="DUE"}}': 7,
    }  # fmt: skip
    _answers(tmp_path, _tile("Deadline within 5 min"), series, expected)


@pytest.mark.parametrize(
    ("at", "running"),
    [
        ("2026-01-01T00:00:00Z", "2026-01"),
        ("2026-06-30T22:59:55Z", "2026-06"),
        ("2026-06-30T23:00:00Z", "2026-07"),
        ("2026-10-31T23:59:55Z", "2026-10"),
        ("2026-03-31T23:00:00Z", "2026-04"),
        ("2026-12-31T23:30:00Z", "2026-12"),
    ],
)
def test_the_running_month_is_the_one_of_the_reporting_zone(at: str, running: str, tmp_path: Path) -> None:
    """In summer a month ends an hour before it does in UTC; a complete month must not be called incomplete."""
    at_s = int(datetime.fromisoformat(at).timestamp())
    expr = month.RUNNING.replace("time()", f"({at_s} + 0 * time())").replace("month()", f"month(vector({at_s}))")
    _answers(tmp_path, f"max by (month) ({expr})", {"some": "1x10"}, {f'{{month="{running}"}}': 1})


def test_a_wait_has_an_order_among_rows(tmp_path: Path) -> None:
    """999 before 101, and all of them last: as listed in the catalogue."""
    panel = next(p for p in panels(boards()["watchroom-demand"]) if p["title"] == "Calls presented: number, by line")
    window = 'window="5m"'
    series = {f'watchroom_call_volume{{{FORCE}, line="{line}", {window}}}': "2x10" for line in ("999", "101")}
    expected = {
        f'{{{FORCE}, line="999", place="00"}}': 2,
        f'{{{FORCE}, line="101", place="01"}}': 2,
        f'{{{FORCE}, line="All", place="zzz"}}': 4,
    }
    _answers(tmp_path, panel["targets"][0]["expr"], series, expected)
    steps = {each["id"]: each["options"] for each in panel["transformations"]}
    assert steps["sortBy"] == {"sort": [{"desc": False, "field": "place"}]}
    assert steps["organize"]["excludeByName"]["place"]


def test_the_longest_wait_of_an_empty_queue_is_0(tmp_path: Path) -> None:
    """An empty queue is good news, not NO DATA."""
    series = {f'watchroom_calls_waiting{{{FORCE}, line="999"}}': "0x10"}
    _answers(tmp_path, _tile("Longest 999 wait"), series, {f'{{{FORCE}, state="NORMAL"}}': 0})


def test_a_queue_that_is_not_published_is_no_series(tmp_path: Path) -> None:
    """It must say NO DATA, whatever another force has."""
    series = {'watchroom_calls_waiting{force="south", line="999"}': "0x10"}
    _answers(tmp_path, _tile("Longest 999 wait"), series, {})


@pytest.mark.parametrize(
    ("met", "of", "state"),
    [(19, 20, "NORMAL"), (18, 20, "NORMAL"), (17, 21, "LOW"), (3, 5, "LOW"), (11, 20, "CRITICAL")],
)
def test_a_share_carries_its_counts_and_its_state(met: int, of: int, state: str, tmp_path: Path) -> None:
    """81 % of 21 calls and 81 % of 2,100 are two things; two exporters publish the same ones."""
    series = {}
    for exporter in "ab":
        by = f'{{{FORCE}, instance="{exporter}", line="999", window="15m"}}'
        series[f"watchroom_call_answer_time_within{by}"] = f"{met}x10"
        series[f"watchroom_call_answer_time_observations{by}"] = f"{of - 1}x10"
        late = f'{{{FORCE}, instance="{exporter}", line="999"}}'
        series[f"watchroom_calls_waiting_overdue{late}"] = "1x10"  # waits for longer than 10 s: missed already
    labels = f'{{{FORCE}, part="{met}", whole="{of}", state="{state}"}}'
    _answers(tmp_path, _tile("999 below 10 s, last 15 min"), series, {labels: met / of})


def test_a_share_of_no_calls_is_not_a_number(tmp_path: Path) -> None:
    """Grafana writes NONE for it: no calls is neither 0 % nor missing data."""
    by = f'{{{FORCE}, line="999", window="15m"}}'
    series = {f"watchroom_call_answer_time_{name}{by}": "0x10" for name in ("within", "observations")}
    series[f'watchroom_calls_waiting_overdue{{{FORCE}, line="999"}}'] = "0x10"
    expr = _tile("999 below 10 s, last 15 min")
    is_nan = f"({expr}) != ({expr})"
    _answers(tmp_path, f"count by (part, whole) ({is_nan})", series, {'{part="0", whole="0"}': 1})


def test_a_mean_of_nothing_is_none_and_not_missing(tmp_path: Path) -> None:
    """At night nobody may be attended for an hour: the feed is alive, and the board must not say NO DATA."""
    expr = next(
        target["expr"]
        for panel in panels(boards()["watchroom-demand"])
        if panel["title"] == "Time to answer: mean, by line"
        for target in panel["targets"]
    )
    name = "watchroom_call_answer_time_observations"
    series = {f'{name}{{{FORCE}, line="{line}", window="5m"}}': "0x10" for line in ("999", "101")}
    _answers(tmp_path, f"count(({expr}) != ({expr}))", series, {"{}": 3})


def test_each_month_is_its_own_row(tmp_path: Path) -> None:
    """Months that are added up, or of which the highest is taken, are no months."""
    expr = next(
        panel["targets"][0]["expr"]
        for panel in panels(boards()["watchroom-month"])
        if panel["title"] == "Calls presented: number, by line"
    )
    series = {
        f'watchroom_call_volume{{{FORCE}, line="999", window="month", month="2021-{month}"}}': f"{number}x10"
        for month, number in (("10", 300), ("11", 20))
    }
    expected = {f'{{{FORCE}, month="2021-10"}}': 300, f'{{{FORCE}, month="2021-11"}}': 20}
    _answers(tmp_path, expr, series, expected)


def test_a_past_hour_is_the_median_of_the_weeks_that_are_held(tmp_path: Path) -> None:
    """Week 0 is the hour that is compared, not one of those it is compared with."""
    numbers = {0: 99, 1: 10, 2: 20, 3: 60}
    series = {
        f'watchroom_call_volume_local_hour{{{FORCE}, line="999", weeks_ago="{week}"}}': f"{number}x10"
        for week, number in numbers.items()
    }
    (panel,) = [
        each for each in panels(boards()["watchroom-demand"])
        if each["title"] == "Calls presented: last complete hour against the last 6 weeks"
    ]  # fmt: skip
    for target, value in zip(panel["targets"], (99, 20, 60, 10, 3), strict=True):
        _answers(tmp_path, target["expr"], series, {f'{{{FORCE}, line="999", place="00"}}': value})


APPLIED = f'watchroom_applied_timestamp_seconds{{{FORCE}, topic="calls", partition="0"}}'


@pytest.mark.parametrize(
    ("applied_s", "withheld", "silent", "answer"),
    [
        (25, set(), set(), ("NORMAL", 5)),
        (20, set(), set(), ("OLD", 10)),
        (20, {"calls", "incidents", "crimes"}, {"cad"}, ("OLD", 10)),
        (25, {"calls"}, {"acd"}, ("FEED SILENT", 28)),
        (25, {"calls", "crimes"}, {"acd", "cad"}, ("FEED SILENT", 28)),
        (25, {"crimes"}, {"never heard"}, ("FEED SILENT", 5)),
        (25, {"crimes"}, set(), ("WITHHELD", 5)),
    ],
)
def test_data_age_is_normal_only_while_every_stream_is_published(
    applied_s: int, withheld: set[str], silent: set[str], answer: tuple[str, int], tmp_path: Path
) -> None:
    """A dead feed leaves nothing to apply: by its age alone, all of it is fresh."""
    series = {APPLIED: f"{applied_s}x10"}
    for stream in STREAMS:
        series[f'watchroom_stream_withheld{{{FORCE}, stream="{stream}"}}'] = f"{int(stream in withheld)}x10"
    for source, at_s in {"acd": 2, "cad": 20}.items():
        series[f'watchroom_feed_last_heartbeat_timestamp_seconds{{{FORCE}, source="{source}"}}'] = f"{at_s}x10"
        series[f'watchroom_feed_last_event_timestamp_seconds{{{FORCE}, source="{source}"}}'] = f"{at_s - 1}x10"
    for source in {"acd", "cad", *silent}:
        name = f'watchroom_source_silent{{{FORCE}, stream="calls", source="{source}"}}'
        series[name] = f"{int(source in silent)}x10"
    state, seconds = answer
    _answers(tmp_path, _tile("Data age"), series, {f'{{{FORCE}, state="{state}"}}': seconds})


def test_data_age_of_an_exporter_that_is_gone_is_no_series(tmp_path: Path) -> None:
    """NO DATA, whatever another force has."""
    _answers(tmp_path, _tile("Data age"), {APPLIED.replace("north", "south"): "25x10"}, {})


def test_a_bad_data_age_is_filled_whatever_its_number() -> None:
    """WITHHELD beside an age of 2 s must not look like NORMAL."""
    for board in boards().values():
        first = panels(board)[0]
        (override,) = first["fieldConfig"]["overrides"]
        assert first["title"] == "Data age"
        assert override["matcher"] == {"id": "byRegexp", "options": "/OLD|FEED SILENT|WITHHELD/"}
        assert {each["id"]: each["value"] for each in override["properties"]} == {
            "color": {"mode": "fixed", "fixedColor": palette.CRITICAL},
            "unit": "dthms",  # a feed may be silent for a weekend
        }


def test_what_is_not_graded_has_a_number_of_its_own(tmp_path: Path) -> None:
    """Graded, ungraded and of an unknown grade add up to the list behind the tile."""
    series = {
        f'watchroom_incidents_unattended{{{FORCE}, grade="{grade}", area="{area}"}}': f"{number}x10"
        for grade, area, number in (
            ("1", "stoke", 2), ("ungraded", "stoke", 3), ("ungraded", "unknown", 4), ("other", "county", 5),
        )
    }  # fmt: skip
    (panel,) = [each for each in panels(boards()["watchroom-live"]) if each["title"] == "Not attended yet"]
    graded, rest, _not_fed = (target["expr"].replace("$force", ".*") for target in panel["targets"])
    assert panel["targets"][1]["legendFormat"] == "Ungraded"
    _answers(tmp_path, rest, series, {f"{{{FORCE}}}": 12})
    _answers(tmp_path, graded, series, {f'{{{FORCE}, grade="1"}}': 2})
