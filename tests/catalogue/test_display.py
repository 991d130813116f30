"""Tiles, alerts and the rest of a display: the message about a wrong one, and the meaning of a valid one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.catalogue.folder import COUNT, DURATION, OPEN, SHARE, faults, load, the_fault
from tests.parts import ROOT
from watchroom.catalogue.display_checks import MOST_TILES
from watchroom.catalogue.load import load_catalogue
from watchroom.catalogue.metrics import all_families, families
from watchroom.kinds import KINDS
from watchroom.kinds.shown import Shown, Tile

WHY = 'meaning = "Some meaning"\nimpact = "Some impact"\naction = ["Do something"]\n'
WITHIN_999 = 'show = "within"\nwhere = { line = "999" }\nwindow = "5m"\n'
BURN = 'burn = { objective = 0.9, factor = 4, long = "5m", short = "5m" }\n'


def tile(entry: str, *lines: str, place: int = 1) -> str:
    """The entry plus one tile."""
    name = entry[1 : entry.index("]")]
    return f'{entry}\n[[{name}.tiles]]\ntitle = "Some title"\nplace = {place}\n' + "\n".join(lines) + "\n"


def alert(entry: str, *lines: str) -> str:
    """The entry plus one alert."""
    name = entry[1 : entry.index("]")]
    head = f'{entry}\n[[{name}.alerts]]\nname = "SomeAlert"\nseverity = "page"\n{WHY}'
    return head + "\n".join(lines) + "\n"


BY_AREA = (
    COUNT.replace('"calls"', '"incidents"').replace("offered", "created").replace('["5m"]', '["1h", "24h", "7d"]')
    + 'by = { area = "area" }\n'
)
TIMES_BY_AREA = (
    DURATION.replace('"calls"', '"incidents"').replace('"queued"', '"created"')
    .replace('"answered"', '"first_on_scene"').replace('{ line = "line" }', '{ area = "area" }')
    .replace('["5m"]', '["24h", "28d"]')
    .replace('targets = [{ where = { line = "999" }, below_s = 10 }]', "targets = [{ within_s = 900 }]")
)  # fmt: skip
NUMBER, OLDEST = 'show = "number"\nwindow = "5m"', 'show = "oldest"\nwhere = { line = "999" }'
TWO_NAMES = alert(COUNT, NUMBER, "above = 1") + alert("[calls_in]", NUMBER, "above = 2").removeprefix("[calls_in]")

# fault: the text; then key, part of what was found, part of what to write
ONE_FAULT = {
    "by area over a window that is not": (
        alert(BY_AREA, 'show = "number"\nwindow = "1h"\nsplit = "area"\nabove = 1'),
        "alerts.0.window", "'1h'", "`number` is published by area: 24h (area_windows)",
    ),
    "one area over a window that is not": (
        tile(BY_AREA, 'show = "number"\nwindow = "7d"\nwhere = { area = "stoke" }'),
        "tiles.0.window", "'7d'", "`number` is published by area: 24h (area_windows)",
    ),
    "ranks by area over a day": (
        alert(TIMES_BY_AREA, 'show = "p90"\nwindow = "24h"\nsplit = "area"\nabove = 1'),
        "alerts.0.window", "'24h'", "`p90` is published by area: 28d (area_windows)",
    ),
    "a burn by area over a window that is not": (
        alert(
            TIMES_BY_AREA.replace('"24h"', '"1h", "24h"'), 'show = "within"\nwindow = "24h"\nsplit = "area"',
            'burn = { objective = 0.9, factor = 4, long = "24h", short = "1h" }',
        ),
        "alerts.0.burn", "'1h'", "`within` is published by area: 24h, 28d (area_windows)",
    ),
    "word of another kind": (tile(COUNT, 'show = "mean"\nwindow = "5m"'), "tiles.0.show", "'mean'", "number"),
    "window it has not": (tile(COUNT, 'show = "number"\nwindow = "1h"'), "tiles.0.window", "'1h'", "5m"),
    "window of an open measure": (tile(OPEN, 'show = "open"\nwindow = "1h"'), "tiles.0.window", "'1h'", "none"),
    "month on a tile": (
        tile(COUNT.replace('"5m"', '"month"'), 'show = "number"\nwindow = "month"'),
        "tiles.0.window", "'month'", "another window",
    ),
    "rest of no split": (tile(OPEN, 'show = "open"\nrest = true'), "tiles.0.rest", "true", "with `split`"),
    "rest with limits": (
        tile(OPEN, 'show = "open"\nsplit = "line"\nrest = true', "warning = 3\ncritical = 9"),
        "tiles.0.rest", "true", "without limits",
    ),
    "year on a tile": (
        tile(COUNT.replace('"5m"', '"12mo"'), 'show = "number"\nwindow = "12mo"'),
        "tiles.0.window", "'12mo'", "another window",
    ),
    "label it has not": (tile(OPEN, 'show = "open"\nsplit = "grade"'), "tiles.0.split", "'grade'", "line"),
    "value it has not": (
        tile(OPEN, 'show = "open"\nwhere = { line = "112" }'), "tiles.0.where.line", "'112'", "999, 101",
    ),
    "rank over many lines": (tile(DURATION, 'show = "p90"\nwindow = "5m"'), "tiles.0.show", "'p90'", "line"),
    "target over many lines": (tile(DURATION, 'show = "within"\nwindow = "5m"'), "tiles.0.show", "'within'", "line"),
    "target where none is": (
        tile(DURATION, WITHIN_999.replace("999", "101")), "tiles.0.where", "101", "values that have a target",
    ),
    "deadline without target": (tile(OPEN, 'show = "overdue"'), "tiles.0.show", "'overdue'", "targets"),
    "overdue from nobody": (
        tile(DURATION, WITHIN_999.replace("within", "live_within", 1)), "tiles.0.show", "live_within", "overdue_from",
    ),
    "one limit only": (tile(COUNT, NUMBER, "warning = 3"), "tiles.0", "Some title", "with different values"),
    "limits that are one": (tile(COUNT, NUMBER, "warning = 3\ncritical = 3"), "tiles.0", "3", "with different values"),
    "judged under another label": (
        tile(OPEN, 'show = "open"\nsplit = "line"\nwarning = 1\ncritical = 2\njudged = { line = "112" }'),
        "tiles.0.judged", "line = '112'", "one of the values listed",
    ),
    "judged without limits": (
        tile(OPEN, 'show = "open"\nsplit = "line"\njudged = { line = "999" }'), "tiles.0.judged", "999", "`critical`",
    ),
    "a place twice": (
        tile(COUNT, NUMBER) + tile("[calls_in]", NUMBER).removeprefix("[calls_in]"), "tiles.1.place", "1",
        "by another tile",
    ),
    "alert without limit": (alert(COUNT, NUMBER), "alerts.0", "SomeAlert", "exactly one of above"),
    "alert with two limits": (alert(COUNT, NUMBER, "above = 1\nbelow = 0"), "alerts.0", "Some", "exactly one of above"),
    "alert name twice": (TWO_NAMES, "alerts.1.name", "'SomeAlert'", "by another alert"),
    "name of an alert on the platform": (
        alert(COUNT, NUMBER, "above = 1").replace("SomeAlert", "RedisDown"), "alerts.0.name", "RedisDown", "another",
    ),
    "alert name of words": (
        alert(COUNT, NUMBER, "above = 1").replace("SomeAlert", "some alert"), "alerts.0.name", "some alert", "CallsUn",
    ),
    "count judged by a count": (alert(COUNT, NUMBER, "above = 1\nat_least = 3"), "alerts.0.at_least", "3", "no base"),
    "burn that cannot be": (
        alert(DURATION, WITHIN_999, BURN.replace("4", "14.4")), "alerts.0.burn", "14.4", "below 10",
    ),
    "burn of a mean": (
        alert(DURATION, WITHIN_999.replace("within", "mean", 1), BURN), "alerts.0.show", "'mean'", "`within` or `live",
    ),
    "burn over a window it has not": (
        alert(DURATION, WITHIN_999, BURN.replace('short = "5m"', 'short = "1h"')), "alerts.0.burn", "'1h'", "5m",
    ),
    "baseline of a share": (SHARE + "baseline = true\n", "baseline", "True", "does not have it; its keys are "),
    "overdue from a count": (
        COUNT + DURATION + 'overdue_from = "calls_in"\n', "overdue_from", "'calls_in'", "an open measure",
    ),
    "overdue after another time": (
        DURATION + 'overdue_from = "calls_now"\n' + OPEN
        + 'targets = [{ where = { line = "999" }, below_s = 9 }]\n', "overdue_from", "'calls_now'", "the same targets",
    ),
    "unused metric that is not": (
        COUNT + 'why_unused = { within = "no reason" }\n', "why_unused.within", "'within'", "suffixes of its metrics",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", ONE_FAULT)
def test_a_wrong_display_is_refused_with_what_to_write(case: str, tmp_path: Path) -> None:
    """A tile for a metric that does not exist would say NO DATA for ever."""
    text, key, found, write = ONE_FAULT[case]
    fault = the_fault(tmp_path, text)
    assert fault.key.partition(".")[2] == key
    assert found in fault.found
    assert write in fault.write


def test_a_twelfth_tile_is_refused(tmp_path: Path) -> None:
    """At most twelve panels, including Data age, can be read from 3 m."""
    more = "".join(tile("[calls_in]", NUMBER, place=n).removeprefix("[calls_in]") for n in range(2, MOST_TILES + 2))
    (fault,) = faults(tmp_path, measures=tile(COUNT, NUMBER) + more)
    assert fault.key.endswith("tiles.11.place")
    assert "at most 11" in fault.write


def test_a_tile_or_an_alert_does_not_change_the_measure(tmp_path: Path) -> None:
    """The display may change every day; what is counted must not change with it."""
    plain = load(tmp_path, measures=OPEN).measures["calls_now"]
    shown = load(tmp_path, measures=alert(tile(OPEN, OLDEST), OLDEST, "above = 9")).measures["calls_now"]
    assert shown.display.tiles[0].shown == Shown("oldest", {"line": "999"})
    assert shown.display.alerts[0].above == 9
    assert replace(shown, display=plain.display) == plain


@pytest.mark.parametrize(
    ("warning", "critical", "states"),
    [
        (10, 60, {9.99: "normal", 10: "warning", 60: "critical"}),
        (0.9, 0.6, {0.9: "normal", 0.89: "warning", 0.6: "warning", 0.59: "critical"}),
        (None, None, {1e9: "normal"}),
    ],
)
def test_a_value_at_an_upper_limit_is_in_the_worse_state_and_at_a_lower_limit_in_the_better(
    warning: float | None, critical: float | None, states: dict[float, str]
) -> None:
    """10 s is not below 10 s; 90 % of the calls meets the objective of 90 %."""
    made = Tile(title="Some title", place=1, show="oldest", warning=warning, critical=critical)
    assert {value: made.state(value) for value in states} == states


def test_only_judged_label_values_of_a_tile_with_limits_have_a_state() -> None:
    """An overdue Grade 1 needs somebody now; fifty overdue Grade 3 incidents are normal."""
    overdue = Tile(
        title="Some title", place=1, show="overdue", split="grade", warning=1, critical=3, judged={"grade": "1"}
    )
    assert overdue.has_limits({"grade": "1"})
    assert not overdue.has_limits({"grade": "3"})
    assert Tile(title="Some title", place=1, show="oldest", warning=10, critical=60).has_limits({})
    assert not Tile(title="Some title", place=1, show="oldest").has_limits({})


def test_only_metrics_that_can_have_samples_are_listed(tmp_path: Path) -> None:
    """A board that queries a metric that nobody publishes would say NO DATA without a cause."""
    found = {family.name for family in families(load(tmp_path, measures=OPEN).measures["calls_now"])}
    assert found == {"watchroom_calls_now", "watchroom_calls_now_oldest_seconds", "watchroom_calls_now_gave_up"}


def test_the_shipped_catalogue_shows_every_kind_and_names_no_metric_twice() -> None:
    """Boards, rules and the built-in page are made from its tiles and alerts."""
    catalogue = load_catalogue(ROOT / "schemas" / "measures", ("stoke", "county"))
    assert [made.place for _, made in catalogue.tiles()] == list(range(1, 12))
    assert {measure.kind for measure, _ in catalogue.tiles()} >= {"count", "duration", "open"}
    assert set(KINDS) == {measure.kind for measure in catalogue.measures.values()}
    names = [family.name for measure in catalogue.measures.values() for family in families(measure)]
    assert len(names) == len(set(names))
    assert set(names) < set(all_families(catalogue))


def test_an_entry_says_in_which_windows_it_is_split_by_area(tmp_path: Path) -> None:
    """By default in few, because each costs one series per area; it may name others, and keeps all its windows."""
    assert load(tmp_path, measures=BY_AREA).measures["calls_in"].area_windows == ("24h",)
    named = alert(
        BY_AREA + 'area_windows = ["7d", "1h"]\n', 'show = "number"\nwindow = "1h"\nsplit = "area"\nabove = 1'
    )
    assert load(tmp_path, measures=named).measures["calls_in"].area_windows == ("1h", "7d")
    unknown = the_fault(tmp_path, BY_AREA + 'area_windows = ["28d"]\n')
    assert (unknown.key, unknown.write) == ("calls_in.area_windows", "one of the measure's windows: 1h, 24h, 7d")
    assert load(tmp_path, measures=COUNT).measures["calls_in"].area_windows == ()
