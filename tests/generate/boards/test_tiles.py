"""What the wall's queries return, from Prometheus's own rule tester with samples as the exporter writes them."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.exporter.store import LONDON, NOON
from tests.generate.boards.made import boards, panels, promtool
from watchroom.catalogue.load import load_catalogue
from watchroom.exporter.mirror import Reading
from watchroom.exporter.numbers import Number, Numbers
from watchroom.exporter.platform import months_text, rows_text, tiles_text
from watchroom.exporter.rows import MeasureRows
from watchroom.exporter.sums import WindowSums, by_area_of, windows_of
from watchroom.exporter.wall import DataAge, Silence, data_age, tile_views
from watchroom.generate.boards import palette, queries
from watchroom.kinds.measure import Measure
from watchroom.kinds.shown import Shown
from watchroom.rolling.windows import windows_at
from watchroom.settings import read_settings
from watchroom.streams import STREAMS

FORCE = 'force="north"'
SETTINGS = read_settings()
CATALOGUE = load_catalogue(SETTINGS.schemas / "measures", SETTINGS.areas)
PUBLISHED: dict[str, list[str]] = {stream: [] for stream in STREAMS}
NO_AGE = DataAge("nodata", "NO DATA", None, "")


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


def _series(text: str, instance: str = "a") -> dict[str, str]:
    """A page of an exporter as the rule tester's input."""
    return {
        f"{sample.name}{{{_written({**sample.labels, 'force': 'north', 'instance': instance})}}}": f"{sample.value}x10"
        if sample.value == sample.value
        else "NaN NaN NaN NaN NaN NaN NaN"
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def _written(labels: Mapping[str, str]) -> str:
    return ", ".join(f'{name}="{value}"' for name, value in labels.items())


def _tiles(numbers: Mapping[tuple[str, str], Sequence[Number]], instance: str = "a") -> dict[str, str]:
    """What an exporter publishes for tiles with these numbers, by measure and quantity; all others show 0."""

    def ask(measure: Measure, shown: Shown) -> Sequence[Number]:
        return numbers.get((measure.id, shown.what), [Number("", 0, None, None)])

    return _series(tiles_text(tile_views(CATALOGUE, PUBLISHED, ask), NO_AGE), instance)


def _rows(fields: Mapping[str, int]) -> dict[str, str]:
    """What an exporter publishes for rows after a step at NOON with these fields."""
    sums = WindowSums(windows_of(CATALOGUE), by_area_of(CATALOGUE.measures.values()))
    sums.move(windows_at(NOON, ["5m"], LONDON))
    sums.replace(f"10s:{NOON // 1000}", fields)
    numbers = Numbers(CATALOGUE, sums, Reading(NOON, None, {}, {}, {}, {}), NOON)
    shown = [CATALOGUE.measures[name] for name in ("call_volume", "call_abandonment")]
    return _series(rows_text(MeasureRows(CATALOGUE, measure).text(numbers) for measure in shown))


def _labels(tile: str, word: str = "", split: str = "", **more: str) -> str:
    """Labels of the result of a tile's query."""
    labels = {"force": "north", "instance": "a", "tile": tile, "split": split, "state": word, **more}
    return f"{{{_written({name: value for name, value in labels.items() if value})}}}"


@pytest.mark.parametrize(("seconds", "state"), [(9.9, "NORMAL"), (10.0, "HIGH"), (59.9, "HIGH"), (60.0, "CRITICAL")])
def test_the_longest_wait_has_its_state(seconds: float, state: str, tmp_path: Path) -> None:
    """A value at the limit has reached it, and a wait is truncated: 9.9 s must not read as 10 s."""
    series = _tiles({("calls_waiting", "oldest"): [Number("", seconds, None, None)]})
    title = "Longest 999 wait"
    _answers(tmp_path, _tile(title), series, {_labels(title, state): seconds // 1})


@pytest.mark.parametrize("seconds", [99, 100, 383])
def test_a_long_wait_is_shown_in_minutes_and_seconds(seconds: int, tmp_path: Path) -> None:
    """The second query is in ms, for a unit that writes "6 min 23 s"; exactly one of the two has a result."""
    series = _tiles({("calls_waiting", "oldest"): [Number("", seconds, None, None)]})
    (panel,) = [panel for panel in panels(boards()["watchroom-live"]) if panel["title"] == "Longest 999 wait"]
    by = _labels("Longest 999 wait", "CRITICAL")
    short, long, _not_fed = (target["expr"] for target in panel["targets"])
    _answers(tmp_path, short, series, {by: seconds} if seconds < 100 else {})
    _answers(tmp_path, long, series, {} if seconds < 100 else {by: seconds * 1000})
    config = panel["fieldConfig"]
    overrides = {each["matcher"]["options"]: each["properties"] for each in config["overrides"]}
    assert overrides["B"] == [{"id": "unit", "value": "time:m [min] ss [s]"}]
    assert overrides["/CRITICAL/"][0]["value"]["fixedColor"] == palette.CRITICAL
    assert not [each for each in config["defaults"]["mappings"] if each["type"] == "range"], "in s, for a number of ms"


def test_a_grade_that_is_due_says_so_and_the_others_say_nothing(tmp_path: Path) -> None:
    """One look must show which grade is about to miss its target."""
    title, words = "Deadline within 5 min", {"1": "", "2": "DUE", "3": "DUE"}
    found = {"1": 0, "2": 3, "3": 7}
    numbers = [Number(grade, number, None, None) for grade, number in found.items()]
    series = _tiles({("incidents_unattended", "due_5m"): numbers})
    (panel,) = [panel for panel in panels(boards()["watchroom-live"]) if panel["title"] == title]
    assert [target["legendFormat"] for target in panel["targets"]][:3] == [
        f"Grade {grade}  {{{{state}}}}" for grade in found
    ]
    for target, (grade, number) in zip(panel["targets"][:3], found.items(), strict=True):
        _answers(tmp_path, target["expr"], series, {_labels(title, words[grade], grade): number})


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
def test_the_running_month_is_that_of_the_reporting_zone(at: str, running: str, tmp_path: Path) -> None:
    """In summer a month ends an hour before it does in UTC; a complete month must not be called incomplete."""
    sums = WindowSums(windows_of(CATALOGUE))
    sums.move(windows_at(int(datetime.fromisoformat(at).timestamp()) * 1000, ["month"], LONDON))
    expected = {f'{{{FORCE}, month="{running}"}}': 1}
    _answers(tmp_path, f"{queries.MONTH_RUNNING} == 1", _series(months_text(sums)), expected)


def test_rows_are_listed_in_the_order_of_the_catalogue(tmp_path: Path) -> None:
    """999 before 101, and the total last."""
    panel = next(p for p in panels(boards()["watchroom-demand"]) if p["title"] == "Calls presented: number, by line")
    expected = {
        f'{{{FORCE}, line="999", order="00"}}': 2,
        f'{{{FORCE}, line="101", order="01"}}': 2,
        f'{{{FORCE}, line="Unknown or other", order="zzy"}}': 0,
        f'{{{FORCE}, line="All", order="zzz"}}': 4,
    }
    fields = {f"call_volume|line={line}|count": 2 for line in ("999", "101")}
    _answers(tmp_path, panel["targets"][0]["expr"], _rows(fields), expected)
    steps = {each["id"]: each["options"] for each in panel["transformations"]}
    assert steps["sortBy"] == {"sort": [{"desc": False, "field": "order"}]}
    assert steps["organize"]["excludeByName"]["order"]


def test_the_longest_wait_in_an_empty_queue_is_0(tmp_path: Path) -> None:
    """An empty queue is good news, not NO DATA."""
    title = "Longest 999 wait"
    _answers(tmp_path, _tile(title), _tiles({}), {_labels(title, "NORMAL"): 0})


def test_a_queue_that_is_not_published_has_no_series(tmp_path: Path) -> None:
    """It must say The tile must say NO DATA, whatever another force has."""
    series = {name.replace("north", "south"): values for name, values in _tiles({}).items()}
    _answers(tmp_path, _tile("Longest 999 wait"), series, {})


@pytest.mark.parametrize(
    ("met", "of", "state"),
    [(19, 20, "NORMAL"), (18, 20, "NORMAL"), (17, 21, "LOW"), (3, 5, "LOW"), (11, 20, "CRITICAL")],
)
def test_a_share_has_its_counts_and_its_state(met: int, of: int, state: str, tmp_path: Path) -> None:
    """81 % of 21 calls is not the same as 81 % of 2,100; two exporters publish the same counts."""
    title, numbers = "999 below 10 s, last 15 min", [Number("", met / of, met, of)]
    found = {("call_answer_time", "live_within"): numbers}
    series = _tiles(found, "a") | _tiles(found, "b")
    expr = f"max by (part, whole, state) ({_tile(title)})"
    _answers(tmp_path, expr, series, {f'{{part="{met}", whole="{of}", state="{state}"}}': met / of})
    _answers(tmp_path, f"count({_tile(title)})", series, {"{}": 1})


def test_the_value_and_counts_of_a_share_always_come_from_the_same_exporter(tmp_path: Path) -> None:
    """One has read one more call than the other: 17 of 20 and 18 of 21 are right, 18 of 20 is not."""
    title = "999 below 10 s, last 15 min"
    series = _tiles({("call_answer_time", "live_within"): [Number("", 17 / 20, 17, 20)]}, "a")
    series |= _tiles({("call_answer_time", "live_within"): [Number("", 18 / 21, 18, 21)]}, "b")
    _answers(
        tmp_path, _tile(title), series, {_labels(title, "LOW", instance="b", part="18", whole="21"): 18 / 21}
    )  # fmt: skip


def test_a_share_of_no_calls_is_not_a_number(tmp_path: Path) -> None:
    """Grafana writes NONE for it: no calls is neither 0 % nor missing data."""
    series = _tiles({("call_answer_time", "live_within"): [Number("", None, 0, 0)]})
    expr = _tile("999 below 10 s, last 15 min")
    is_nan = f"({expr}) != ({expr})"
    _answers(tmp_path, f"count by (part, whole, state) ({is_nan})", series, {'{part="0", whole="0"}': 1})


def test_a_share_of_nothing_is_none_and_not_no_data(tmp_path: Path) -> None:
    """At night there may be no calls for an hour: the feed is alive, so the board must not say NO DATA."""
    expr = next(
        target["expr"]
        for panel in panels(boards()["watchroom-demand"])
        if panel["title"] == "Calls abandoned: share, by line"
        for target in panel["targets"]
    )
    _answers(tmp_path, f"count(({expr}) != ({expr}))", _rows({}), {"{}": 4})


def test_each_month_has_its_own_row(tmp_path: Path) -> None:
    """Adding months up, or taking the highest, would give a figure that belongs to no month."""
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


def test_a_past_hour_is_the_median_of_the_available_weeks(tmp_path: Path) -> None:
    """Week 0 is the hour that is compared, not part of the baseline."""
    numbers = {0: 99, 1: 10, 2: 20, 3: 60}
    series = {
        f'watchroom_call_volume_local_hour{{{FORCE}, line="999", weeks_ago="{week}"}}': f"{number}x10"
        for week, number in numbers.items()
    }
    (panel,) = [
        each for each in panels(boards()["watchroom-demand"])
        if each["title"] == "Calls presented: last complete hour, compared with the last 6 weeks"
    ]  # fmt: skip
    for target, value in zip(panel["targets"], (99, 20, 60, 10, 3), strict=True):
        _answers(tmp_path, target["expr"], series, {f'{{{FORCE}, line="999"}}': value})


@pytest.mark.parametrize(
    ("age_s", "withheld", "silence", "answer"),
    [
        (5, set(), None, ("NORMAL", 5)),
        (10.5, set(), None, ("OLD", 10)),
        (10.5, {"calls", "incidents", "crimes"}, Silence(("cad",), 10_000), ("OLD", 10)),
        (5, {"calls"}, Silence(("calls",), 28_000), ("FEED SILENT", 28)),
        (5, {"calls", "crimes"}, Silence(("calls", "crimes"), 28_000), ("FEED SILENT", 28)),
        (5, {"crimes"}, Silence(("crimes",), None), ("FEED SILENT", 5)),
        (5, {"crimes"}, None, ("WITHHELD", 5)),
    ],
)
def test_data_age_is_normal_only_while_every_stream_is_published(
    age_s: float, withheld: set[str], silence: Silence | None, answer: tuple[str, int], tmp_path: Path
) -> None:
    """A dead feed leaves nothing to apply: by its age alone, all of it is fresh."""
    faults = {stream: ["why"] if stream in withheld else [] for stream in STREAMS}
    age = data_age(round(age_s * 1000), 10_000, faults, silence)
    word, seconds = answer
    _answers(tmp_path, _tile("Data age"), _series(tiles_text((), age)), {_labels("Data age", word): seconds})


def test_the_worse_of_two_exporters_decides_the_data_age(tmp_path: Path) -> None:
    """An exporter that cannot see the silence must not hide it."""
    normal = data_age(6_000, 10_000, {"calls": []}, None)
    silent = data_age(5_000, 10_000, {"calls": ["why"]}, Silence(("calls",), None))
    series = _series(tiles_text((), normal), "b") | _series(tiles_text((), silent), "a")
    _answers(tmp_path, _tile("Data age"), series, {_labels("Data age", "FEED SILENT"): 5})


def test_an_exporter_that_is_gone_has_no_data_age_series(tmp_path: Path) -> None:
    """The tile must say NO DATA, whatever another force has."""
    found = _series(tiles_text((), data_age(5_000, 10_000, {}, None)))
    series = {name.replace("north", "south"): values for name, values in found.items()}
    _answers(tmp_path, _tile("Data age"), series, {})


def test_a_bad_data_age_is_filled_whatever_its_number() -> None:
    """WITHHELD next to an age of 2 s must not look like NORMAL."""
    for board in boards().values():
        first = panels(board)[0]
        (override,) = first["fieldConfig"]["overrides"]
        assert first["title"] == "Data age"
        assert override["matcher"] == {"id": "byRegexp", "options": "/OLD|FEED SILENT|WITHHELD/"}
        assert {each["id"]: each["value"] for each in override["properties"]} == {
            "color": {"mode": "fixed", "fixedColor": palette.CRITICAL},
            "unit": "dthms",  # a feed may be silent for a weekend
        }


def test_ungraded_incidents_have_a_number_of_their_own(tmp_path: Path) -> None:
    """Graded, ungraded and unknown grades add up to the list behind the tile."""
    title = "Not attended yet"
    numbers = [Number("1", 2, None, None), Number("ungraded", 12, None, None)]
    (panel,) = [each for each in panels(boards()["watchroom-live"]) if each["title"] == title]
    names = {target.get("legendFormat"): target["expr"] for target in panel["targets"]}
    series = _tiles({("incidents_unattended", "open"): numbers})
    _answers(tmp_path, names["Ungraded"], series, {_labels(title, split="ungraded"): 12})
    _answers(tmp_path, names["Grade 1"], series, {_labels(title, split="1"): 2})
