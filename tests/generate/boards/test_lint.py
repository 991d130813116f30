"""Each rule, with a board that breaks this rule and no other."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.generate.boards import lint
from tests.generate.boards.made import Dashboard, boards, families, panels
from watchroom.generate.boards.board import uid

Break = Callable[[Dashboard], None]


def _first(board: Dashboard, kind: str = "stat") -> Dashboard:
    return next(panel for panel in panels(board) if panel["type"] == kind)


def _expr(text: str) -> Break:
    def break_it(board: Dashboard) -> None:
        _first(board)["targets"][0]["expr"] = text

    return break_it


def _variable(name: str, key: str, value: object) -> Break:
    def break_it(board: Dashboard) -> None:
        next(v for v in board["templating"]["list"] if v["name"] == name)[key] = value

    return break_it


def _top(key: str, value: object) -> Break:
    def break_it(board: Dashboard) -> None:
        board[key] = value

    return break_it


def _panel(key: str, value: object) -> Break:
    def break_it(board: Dashboard) -> None:
        _first(board)[key] = value

    return break_it


def _default(key: str, value: object) -> Break:
    def break_it(board: Dashboard) -> None:
        _first(board)["fieldConfig"]["defaults"][key] = value

    return break_it


def _option(key: str, value: object) -> Break:
    def break_it(board: Dashboard) -> None:
        _first(board)["options"][key] = value

    return break_it


def _range_query(board: Dashboard) -> None:
    _first(board)["targets"][0]["instant"] = False


def _overlap(board: Dashboard) -> None:
    found = panels(board)
    found[1]["gridPos"] = dict(found[0]["gridPos"])


def _too_wide(board: Dashboard) -> None:
    panels(board)[3]["gridPos"]["w"] += 1


def _same_id(board: Dashboard) -> None:
    found = panels(board)
    found[1]["id"] = found[0]["id"]


def _no_ref(board: Dashboard) -> None:
    del _first(board)["targets"][0]["refId"]


def _hidden(board: Dashboard) -> None:
    board["links"][0]["placement"] = "inControlsMenu"


def _wrong_limit(board: Dashboard) -> None:
    found = (mapping for panel in panels(board) for mapping in panel["fieldConfig"]["defaults"]["mappings"])
    next(each for each in found if each["type"] == "range")["options"]["from"] = 11


def _unnamed_limit(board: Dashboard) -> None:
    panel = _first(board)
    panel["description"] = panel["description"].replace("**Threshold.**", "")


def _same_colour(board: Dashboard) -> None:
    _first(board)["fieldConfig"]["defaults"]["mappings"][-1]["options"]["result"]["color"] = "transparent"


def _order(board: Dashboard) -> None:
    _first(board)["fieldConfig"]["defaults"]["mappings"].reverse()


def _no_text(board: Dashboard) -> None:
    del _first(board)["fieldConfig"]["defaults"]["mappings"][-1]["options"]["result"]["text"]


def _thirteen(board: Dashboard) -> None:
    more = {**_first(board), "id": 7, "gridPos": {"x": 0, "y": 26, "w": 6, "h": 8}}
    board["panels"].append(more)


def _scrolls(board: Dashboard) -> None:
    panels(board)[-1]["gridPos"]["h"] += 1


def _foreign_colour(board: Dashboard) -> None:
    _first(board)["fieldConfig"]["defaults"]["thresholds"]["steps"][0]["color"] = "green"


def _with_line(board: Dashboard) -> Dashboard:
    found = _first(boards()[uid("demand")], "timeseries")
    board["panels"].append(found)
    return found


def _line_of_nan(board: Dashboard) -> None:
    _with_line(board)["fieldConfig"]["defaults"]["mappings"][-1]["options"]["result"]["text"] = "NO DATA"


def _line_over_gaps(board: Dashboard) -> None:
    _with_line(board)["fieldConfig"]["defaults"].setdefault("custom", {})["spanNulls"] = True


def _slow(board: Dashboard) -> None:
    board["refresh"] = "5m"


def _state_as_line(board: Dashboard) -> None:
    override = _with_line(board)["fieldConfig"]["overrides"][0]
    override["properties"] = [{"id": "color", "value": {"mode": "fixed", "fixedColor": "#D55E00"}}]


def _overlap_behind_a_heading(board: Dashboard) -> None:
    found = boards()[uid("demand")]
    row = next(panel for panel in found["panels"] if panel["type"] == "row")
    row["panels"][1]["gridPos"] = dict(row["panels"][0]["gridPos"])
    board["panels"].append(row)


def _long(board: Dashboard) -> None:
    board["panels"][-1]["gridPos"]["y"] = 80


CHOSEN = 'force=~"$force"'
WAITING = f"watchroom_calls_waiting{{{CHOSEN}}}"
SAME_COLOURS = [{"type": "special", "options": {"match": "nan", "result": {"text": "NONE", "color": "transparent"}}}]

BREAKS: list[tuple[str, Break]] = [
    ("number-of-now", _expr(f"max by (force) (last_over_time({WAITING}[1h]))")),
    ("number-of-now", _expr(f"max by (force) ({WAITING} offset 1w)")),
    ("refresh", _slow),
    ("gaps-stay-gaps", _line_over_gaps),
    ("template-datasource", _variable("datasource", "query", "loki")),
    ("template-force", _variable("force", "label", "")),
    ("template-label-promql", _variable("force", "query", "label_values(watchroom_other, force)")),
    ("template-label-promql", _variable("force", "query", "forces")),
    ("template-on-time-change-reload", _variable("force", "refresh", 1)),
    ("panel-datasource", _panel("datasource", {"type": "prometheus", "uid": "prometheus"})),
    ("panel-title-description", _panel("title", "")),
    ("panel-units", _default("unit", "secs")),
    ("panel-units", _default("unit", "")),
    ("panel-no-targets", _panel("targets", [])),
    ("target-promql", _expr(f"sum({WAITING}")),
    ("target-promql", _expr("")),
    ("target-rate-interval", _expr(f"rate(watchroom_worker_events_total{{{CHOSEN}}}[5m])")),
    ("target-force", _expr("watchroom_calls_waiting")),
    ("target-force", _expr('sum(up{job="watchroom-worker"})')),
    ("target-counter-agg", _expr(f"sum(watchroom_worker_events_total{{{CHOSEN}}})")),
    ("uneditable-dashboard", _top("editable", True)),
    ("null-mapping", _default("mappings", SAME_COLOURS)),
    ("null-mapping", _same_colour),
    ("null-mapping", _order),
    ("null-mapping", _no_text),
    ("no-old-number", _option("reduceOptions", {"calcs": ["lastNotNull"]})),
    ("no-old-number", _range_query),
    ("no-old-number", _option("legend", {"calcs": ["last"]})),
    ("background-solid", _option("colorMode", "background")),
    ("palette", _foreign_colour),
    ("palette", _default("color", {"mode": "palette-classic"})),
    ("base-step", _default("thresholds", {"mode": "absolute", "steps": []})),
    ("base-step", _default("thresholds", {"mode": "absolute", "steps": [{"value": 10, "color": "#0072B2"}]})),
    ("ids", _same_id),
    ("ids", _no_ref),
    ("grid", _overlap),
    ("grid", _too_wide),
    ("frame", _top("uid", "")),
    ("frame", _top("timezone", "browser")),
    ("frame", _top("apiVersion", "dashboard.grafana.app/v2")),
    ("no-hidden-links", _hidden),
    ("threshold-named", _wrong_limit),
    ("threshold-named", _unnamed_limit),
    ("links", _panel("links", [])),
    ("links", _panel("links", [{"url": "/d/watchroom-live"}, {"url": "http://127.0.0.1:9464/"}])),
    ("known-metrics", _expr(f"watchroom_calls_wating{{{CHOSEN}}}")),
    ("no-stand-in", _expr(f"{WAITING} or vector(0)")),
    ("no-stand-in", _expr(f"{WAITING} or on() vector(-1)")),
    ("no-stand-in", _expr(f"absent({WAITING})")),
    ("no-rate-of-a-measure", _expr(f"rate({WAITING}[$__rate_interval])")),
    ("no-rate-of-a-measure", _expr(f"increase({WAITING}[1h])")),
    ("null-mapping", _line_of_nan),
    ("inks", _state_as_line),
    ("grid", _overlap_behind_a_heading),
    ("screens", _long),
    ("wall", _thirteen),
    ("wall", _scrolls),
]


@pytest.mark.parametrize(
    ("rule", "break_it"), BREAKS, ids=[f"{rule}-{place}" for place, (rule, _) in enumerate(BREAKS)]
)
def test_a_board_that_breaks_a_rule_is_found(rule: str, break_it: Break) -> None:
    """A rule that cannot fail is useless."""
    board = boards()[uid("live")]
    break_it(board)
    assert rule in {fault.key.split(": ")[0] for fault in lint.faults(board, families())}


def test_every_rule_has_a_board_that_breaks_it() -> None:
    """A new rule needs a board that breaks it."""
    assert {rule for rule, _ in BREAKS} == set(lint.RULES)


def test_a_fault_names_the_board_the_panel_and_what_to_write() -> None:
    """Whoever reads it in CI must find the fault."""
    board = boards()[uid("live")]
    _first(board)["fieldConfig"]["defaults"]["unit"] = "secs"
    assert [str(fault) for fault in lint.faults(board, families())] == [
        "watchroom-live: panel-units: Data age: found unit 'secs'; write a unit that Grafana knows"
    ]


def test_metrics_used_are_names_and_not_quoted_texts() -> None:
    """A label value may look like a metric."""
    board = {"panels": [{"type": "stat", "targets": [{"expr": 'watchroom_redis_up{a="watchroom_x"} > 0'}]}]}
    assert lint.metrics_used(board) == {"watchroom_redis_up"}
