"""The boards as Grafana will read them: up to date, valid, and complete without editing anything else."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from tests.generate.boards import lint
from tests.generate.boards.made import boards, families, panels, promtool, texts, with_entry
from tests.parts import ROOT
from watchroom.catalogue.metrics import all_families
from watchroom.catalogue.rows import rows_of, tables
from watchroom.generate.boards.age import OLD_FROM_S
from watchroom.generate.boards.board import NAMES, uid
from watchroom.generate.boards.files import outputs, sources_of
from watchroom.settings import Settings

MOST_CHARACTERS = 400

register_default_plugins()


def test_the_committed_boards_are_up_to_date() -> None:
    """Somebody may have changed the catalogue without `make generate`, or edited a board by hand."""
    stale = [path for path, text in texts().items() if (ROOT / path).read_text(encoding="utf-8") != text]
    assert stale == []


def test_no_committed_board_is_left_that_is_no_longer_derived() -> None:
    """Grafana would keep showing it."""
    assert {f"grafana/dashboards/{path.name}" for path in (ROOT / "grafana" / "dashboards").iterdir()} == set(texts())


def test_every_board_has_the_uid_that_alerts_link_to() -> None:
    """An alert's link would lead nowhere."""
    assert set(boards()) == {uid(name) for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_lost_when_the_sdk_reads_a_board(name: str) -> None:
    """A key that the dashboard's schema does not know is a typing error, at any depth."""
    board = boards()[uid(name)]
    back = json.loads(json.dumps(Dashboard.from_json(board), cls=JSONEncoder))
    assert list(_lost(board, back)) == []


def test_a_key_that_grafana_does_not_know_is_lost() -> None:
    """The check above must be able to fail."""
    board = boards()[uid("live")]
    board["refreshh"] = "10s"
    board["panels"][0]["fieldConfig"]["defaults"]["decimal"] = 1
    back = json.loads(json.dumps(Dashboard.from_json(board), cls=JSONEncoder))
    assert set(_lost(board, back)) == {".refreshh", ".panels[0].fieldConfig.defaults.decimal"}


def _lost(one: Any, other: Any, path: str = "") -> Iterator[str]:
    if isinstance(one, dict):
        for key, value in one.items():
            if not isinstance(other, dict) or (key not in other and value is not None):
                yield f"{path}.{key}"
            elif key in other:
                yield from _lost(value, other[key], f"{path}.{key}")
    elif isinstance(one, list):
        for place, value in enumerate(one):
            yield from _lost(value, other[place], f"{path}[{place}]") if place < len(other) else [f"{path}[{place}]"]
    elif one != other:
        yield path


@pytest.mark.parametrize("name", NAMES)
def test_a_board_follows_every_rule(name: str) -> None:
    """Each rule prevents a way in which a board once misled people or could not be read."""
    assert [str(fault) for fault in lint.faults(boards()[uid(name)], families())] == []


def test_every_query_is_promql(tmp_path: Path) -> None:
    """Prometheus itself parses all of them."""
    file = tmp_path / "boards.yml"
    file.write_text(lint.rules_file(boards()))
    done = subprocess.run([promtool(), "check", "rules", str(file)], capture_output=True, text=True, check=False)
    asked = sum(len(lint.expressions(board)) for board in boards().values())
    assert done.returncode == 0, done.stderr
    assert f"SUCCESS: {asked} rules found" in done.stdout


def test_a_query_that_is_not_promql_is_found(tmp_path: Path) -> None:
    """The check above must be able to fail."""
    board = boards()[uid("live")]
    board["panels"][1]["targets"][0]["expr"] += ")"
    file = tmp_path / "boards.yml"
    file.write_text(lint.rules_file({"live": board}))
    assert subprocess.run([promtool(), "check", "rules", str(file)], capture_output=True, check=False).returncode != 0


def test_every_metric_is_on_a_board_or_has_a_reason_why_not() -> None:
    """Nobody checks a number that is published and never shown."""
    used = set().union(*(lint.metrics_used(board) for board in boards().values()))
    unused = [name for name, family in families().items() if name not in used and not family.why_unused]
    assert unused == []
    assert len([family for family in families().values() if family.why_unused]) <= 8


def test_the_live_board_has_data_age_first_and_then_every_tile_in_order() -> None:
    """The wall follows the catalogue, and freshness comes before all numbers."""
    wall = panels(boards()[uid("live")])
    places = [(panel["gridPos"]["y"], panel["gridPos"]["x"]) for panel in wall]
    assert [panel["title"] for panel in wall] == [
        "Data age",
        *(tile.title for _, tile in sources_of(ROOT).catalogue.tiles()),
    ]
    assert places == sorted(places)


def test_the_columns_of_a_monthly_count_add_up_to_the_total() -> None:
    """Row 7 of the published report has unknown numbers as well as landline, mobile and withheld."""
    (panel,) = (
        each for each in panels(boards()[uid("month")]) if each["title"].startswith("Calls by type of calling number: ")
    )
    asked = [target["expr"] for target in panel["targets"]]
    assert len(asked) == 5
    assert 'cli_type=~"unknown|other"' in asked[3]
    assert "cli_type" not in asked[4].partition("{")[2].partition("}")[0]


def test_no_query_is_too_long_for_a_person_to_read() -> None:
    """The exporter computes anything longer, once for page, boards and alerts."""
    found = [expr for board in boards().values() for expr in lint.expressions(board)]
    assert [expr for expr in found if len(expr) > MOST_CHARACTERS] == []


def test_a_panel_is_half_as_large_as_it_was() -> None:
    """5,256,052 bytes in 702 panels before the exporter published tiles and rows: every wall loads its board."""
    written = texts().values()
    per_panel = sum(len(text.encode()) for text in written) / sum(text.count('"gridPos"') for text in written)
    assert per_panel <= 5_256_052 / 702 / 2


def test_every_row_that_a_board_queries_is_published() -> None:
    """If the board's list of tables differed from the exporter's, a table would say NO DATA for ever."""
    published = {
        (measure.id, table.what, window, *sorted(row.by.keys() - {"order"}))
        for measure in sources_of(ROOT).catalogue.measures.values()
        for table in tables(measure)
        for row in rows_of(measure, table)
        for window in table.windows
    }
    asked = set()
    for expr in (expr for board in boards().values() for expr in lint.expressions(board)):
        for match in re.findall(r"watchroom_row\{([^}]*)\}", expr):
            by = dict(re.findall(r'(\w+)(?:=~|!=|=)"([^"]*)"', match))
            labels = re.findall(r'(\w+)(?:!=""|="[^"]+")', match)
            of = sorted({*labels} - {"measure", "quantity", "window", "force", "order"})
            asked |= {(by.get("measure"), what, by.get("window", ""), *of) for what in by["quantity"].split("|")}
    assert len(asked) > 500
    assert {each for each in asked if each[0]} <= published


def test_a_table_by_label_has_a_row_for_unlisted_values_before_the_total() -> None:
    """Four calls without a class, with all listed classes at 0, would otherwise appear only in the total."""
    measure = sources_of(ROOT).catalogue.measures["call_volume_by_class"]
    (table,) = (each for each in tables(measure) if each.what == "number" and "1h" in each.windows)
    places = {row.by["class"]: row.by["order"] for row in rows_of(measure, table)}
    listed = [place for value, place in places.items() if value not in ("Unknown or other", "All")]
    assert max(listed) < places["Unknown or other"] < places["All"]


def test_every_tile_of_an_open_measure_links_to_its_list() -> None:
    """To act on the number, somebody needs the ids."""
    wall = {panel["title"]: panel for panel in panels(boards()[uid("live")])}
    exporter = sources_of(ROOT).exporter
    for measure, tile in sources_of(ROOT).catalogue.tiles():
        urls = [link["url"] for link in wall[tile.title]["fieldConfig"]["defaults"]["links"]]
        where = f"?{urlencode(tile.shown.where)}" if tile.shown.where else ""
        assert (f"{exporter}/open/{measure.id}{where}" in urls) == (measure.kind == "open")


NEW = {
    "count": """
[calls_ended]
kind = "count"
stream = "calls"
at = "ended"
windows = ["1h", "24h", "month"]
brief = "Calls ended, made up"
definition = "Calls by the moment they ended."
source = "A test"
baseline = true
""",
    "share": """
[calls_left]
kind = "share"
stream = "calls"
at = "left_queue"
part = { left_by = ["answered"] }
by = { line = "line" }
windows = ["1h", "month"]
brief = "Calls left, made up"
definition = "Answered of those that left the queue."
source = "A test"
board = "response"
""",
    "duration": """
[call_talk_time]
kind = "duration"
stream = "calls"
start = "answered"
at = "ended"
targets = [{ within_s = 600, share = 0.5 }]
windows = ["1h", "month"]
brief = "Talk time, made up"
definition = "From answer to end."
source = "A test"
board = "crime"
""",
    "open": """
[calls_talking]
kind = "open"
stream = "calls"
at = "answered"
state = "in_progress"
give_up_s = 3600
brief = "Calls talking, made up"
definition = "Calls answered and not ended."
source = "A test"
""",
}
BOARD_OF = {"count": "demand", "share": "response", "duration": "crime", "open": "demand"}


@pytest.mark.parametrize("kind", NEW)
def test_a_measure_that_is_added_later_appears_on_its_board(kind: str, tmp_path: Path) -> None:
    """One TOML entry and `make generate` are enough, also for a measure without labels."""
    root = with_entry(tmp_path, "calls.toml", NEW[kind])
    made = {path: json.loads(make(root)) for path, make in outputs().items()}
    new = {name for name in made_families(root) if name not in families()}
    expected = {BOARD_OF[kind], "platform", *(["month"] if kind != "open" else [])}
    on = {name for name in NAMES if new & lint.metrics_used(made[f"grafana/dashboards/{uid(name)}.json"])}
    assert on - {"platform"} == expected - {"platform"}
    assert new <= set().union(*(lint.metrics_used(board) for board in made.values()))
    for board in made.values():
        assert [str(fault) for fault in lint.faults(board, made_families(root))] == []
    file = tmp_path / "boards.yml"
    file.write_text(lint.rules_file(made))
    done = subprocess.run([promtool(), "check", "rules", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def made_families(root: Path) -> dict[str, Any]:
    """Metrics of a catalogue that a test made up."""
    return dict(all_families(sources_of(root).catalogue))


def test_other_panels_keep_their_ids_when_a_measure_is_added(tmp_path: Path) -> None:
    """People send links to a panel to each other."""
    root = with_entry(tmp_path, "calls.toml", NEW["count"])
    before = {(p["title"], p["id"]) for p in panels(boards()[uid("demand")])}
    after = {
        (p["title"], p["id"]) for p in panels(json.loads(outputs()[f"grafana/dashboards/{uid('demand')}.json"](root)))
    }
    assert before < after


def test_every_runbook_that_a_panel_links_to_belongs_to_an_alert() -> None:
    """Whoever clicks it is in a hurry."""
    catalogue = sources_of(ROOT).catalogue
    alerts = {alert.name for _, alert in catalogue.alerts()} | catalogue.platform_alerts.keys()
    urls = (link["url"] for board in boards().values() for panel in panels(board) for link in panel["links"])
    assert {url.rpartition("/")[2] for url in urls if "/runbook/" in url} <= alerts


def test_a_stream_that_was_counted_under_another_definition_has_its_own_text() -> None:
    """WITHHELD sends people to the workers, but no worker is at fault: the stream needs a rebuild."""
    (panel,) = [each for each in panels(boards()[uid("platform")]) if each["title"] == "Streams"]
    by = 'max by (force, stream) (watchroom_stream_{}{{force=~"$force"}})'
    assert [target["expr"] for target in panel["targets"]] == [f"{by.format('withheld')} + {by.format('redefined')}"]
    (words,) = [each["options"] for each in panel["fieldConfig"]["defaults"]["mappings"] if each["type"] == "value"]
    assert {number: word["text"] for number, word in words.items()} == {
        "0": "PUBLISHED", "1": "WITHHELD", "2": "OTHER DEFINITION"
    }  # fmt: skip


def test_data_age_warns_from_the_limit_at_which_measures_are_withheld() -> None:
    """A yellow age next to published numbers, or a normal one next to NO DATA, would be confusing."""
    assert Settings.model_fields["fresh_s"].default == OLD_FROM_S
