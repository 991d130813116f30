"""Our own rules: an old or missing number never looks like a good one, and the wall is readable."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import combinations
from typing import Any, Final

from tests.generate.boards.lint.grafana import Found, panels, title
from watchroom.catalogue.metrics import Family
from watchroom.generate.boards import palette
from watchroom.generate.boards.board import COLUMNS, MOST_OPEN_ROWS
from watchroom.generate.boards.live import MOST_PANELS, MOST_ROWS

VALUE_PANELS: Final = ("stat", "gauge", "bargauge")
ZONE: Final = "Europe/London"
LIVE: Final = "watchroom-live"
_COLOUR: Final = re.compile(r"^#[0-9A-Fa-f]{3,8}$|^rgba?\(|^hsl")
_COLOUR_KEYS: Final = frozenset({"color", "fixedColor", "iconColor", "lineColor", "fillColor", "pointColor"})
_METRIC: Final = re.compile(r"\bwatchroom_[a-z0-9_]+\b")
_MOVED: Final = re.compile(r"\b(?:rate|irate|increase|delta|deriv)\(\s*(watchroom_[a-z0-9_]+)")
_QUOTED: Final = re.compile(r'"[^"]*"')


def _targets(dashboard: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    for panel in panels(dashboard):
        for target in panel.get("targets", ()):
            yield panel, target


def _null_mapping(dashboard: Mapping[str, Any], _: Mapping[str, Family]) -> Found:
    for panel in panels(dashboard):
        defaults = panel.get("fieldConfig", {}).get("defaults", {})
        lists = [defaults.get("mappings", [])]
        for override in panel.get("fieldConfig", {}).get("overrides", ()):
            lists += [each["value"] for each in override["properties"] if each["id"] == "mappings"]
        steps = {step["color"] for step in defaults.get("thresholds", {}).get("steps", ())}
        if panel["type"] == "timeseries":
            yield from _line_mapping(panel)
            continue
        for mappings in lists:
            special = [each["options"] for each in mappings if each["type"] == "special"]
            matches = [each["match"] for each in special]
            if "null+nan" not in matches:
                yield title(panel), "no mapping of null+nan", 'a special mapping of null+nan to "NO DATA"'
                continue
            result = special[matches.index("null+nan")]["result"]
            others = {each["result"].get("color") for each in special if each["match"] != "null+nan"} | steps
            if not result.get("text") or result.get("color") in {None, *others}:
                yield title(panel), f"null+nan is {result}", "a text and a colour that no other state has"
            if "nan" not in matches or matches.index("nan") > matches.index("null+nan"):
                yield title(panel), f"mappings {matches}", '"nan" before "null+nan": a share of nothing is NONE'


def _line_mapping(panel: Mapping[str, Any]) -> Found:
    """A line of NaN is null in the legend; a panel without any series has its own text."""
    defaults = panel.get("fieldConfig", {}).get("defaults", {})
    said = [each["options"]["result"].get("text") for each in defaults.get("mappings", []) if each["type"] == "special"]
    if said != ["NONE"] or defaults.get("noValue") != "NO DATA":
        yield title(panel), f"{said} of a line of NaN", "NONE: there was nothing to measure; noValue is NO DATA"


def _inks(dashboard: Mapping[str, Any], _: Mapping[str, Family]) -> Found:
    for panel in panels(dashboard):
        if panel["type"] not in ("timeseries", "bargauge"):
            continue
        config = {key: value for key, value in panel["fieldConfig"].items() if key == "overrides"}
        for colour in {*_colours_in(config), *_colours_in(panel["fieldConfig"]["defaults"].get("color", {}))}:
            if colour not in palette.INKS:
                yield title(panel), f"a line in {colour}", "an ink: the colours of states belong to states"


def _last_not_null(dashboard: Mapping[str, Any], _: Mapping[str, Family]) -> Found:
    for panel in panels(dashboard):
        options = panel.get("options", {})
        calcs = [*options.get("reduceOptions", {}).get("calcs", ()), *options.get("legend", {}).get("calcs", ())]
        if "lastNotNull" in calcs:
            yield title(panel), "lastNotNull", "last: it does not keep the number of a feed that has stopped"
        if "last" in options.get("legend", {}).get("calcs", ()):
            yield title(panel), "last in the legend", "min and max: the last number stays there when the line has ended"
        if panel["type"] in (*VALUE_PANELS, "table") and not all(t.get("instant") for t in panel.get("targets", ())):
            yield title(panel), "a range query for one number", "instant: true"


def _background(dashboard: Mapping[str, Any], _: Mapping[str, Family]) -> Found:
    for panel in panels(dashboard):
        if panel.get("options", {}).get("colorMode") == "background":
            yield title(panel), "colorMode background", "background_solid: the other shifts the hue"


def _colours(dashboard: Mapping[str, Any], _: Mapping[str, Family]) -> Found:
    for panel in panels(dashboard):
        for colour in sorted(set(_colours_in(panel))):
            if colour not in palette.ALL:
                yield title(panel), f"colour {colour}", "a colour of palette.py"
        mode = panel.get("fieldConfig", {}).get("defaults", {}).get("color", {}).get("mode")
        if mode not in ("thresholds", "fixed"):
            yield title(panel), f"colours by {mode}", "thresholds or fixed: other modes bring colours of their own"


def _colours_in(part: object) -> Iterator[str]:
    if isinstance(part, Mapping):
        for key, value in part.items():
            if isinstance(value, str) and (key in _COLOUR_KEYS or _COLOUR.match(value)):
                yield value
            yield from _colours_in(value)
    elif isinstance(part, list):
        for each in part:
            yield from _colours_in(each)


def _base_step(dashboard: Mapping[str, Any], _: Mapping[str, Family]) -> Found:
    for panel in panels(dashboard):
        steps = panel.get("fieldConfig", {}).get("defaults", {}).get("thresholds", {}).get("steps", [])
        if not steps or steps[0].get("value") is not None:
            yield title(panel), f"threshold steps {steps}", "a first step whose value is null"


def _ids(dashboard: Mapping[str, Any], _: Mapping[str, Family]) -> Found:
    found = Counter(panel.get("id") for panel in (*panels(dashboard), *_rows(dashboard)))
    for number, times in found.items():
        if not number or times > 1:
            yield "board", f"{times} panels with id {number}", "an id for each: give the panel another key"
    for panel in panels(dashboard):
        refs = [target.get("refId") for target in panel.get("targets", ())]
        if len(set(refs)) < len(refs) or not all(refs):
            yield title(panel), f"refIds {refs}", "a refId for each query"


def _rows(dashboard: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [panel for panel in dashboard.get("panels", ()) if panel["type"] == "row"]


def _grid(dashboard: Mapping[str, Any], _: Mapping[str, Family]) -> Found:
    together = [dashboard.get("panels", ()), *(row.get("panels", ()) for row in _rows(dashboard))]
    for panels_ in together:
        yield from _places([(title(panel), panel["gridPos"]) for panel in panels_])


def _places(placed: list[tuple[str, Mapping[str, int]]]) -> Found:
    for where, at in placed:
        if at["x"] + at["w"] > COLUMNS:
            yield where, f"columns {at['x']} to {at['x'] + at['w']}", f"at most {COLUMNS}"
    for (where, one), (other_where, other) in combinations(placed, 2):
        across = one["x"] < other["x"] + other["w"] and other["x"] < one["x"] + one["w"]
        if across and one["y"] < other["y"] + other["h"] and other["y"] < one["y"] + one["h"]:
            yield where, f"an overlap with {other_where}", "places of their own"


def _frame(dashboard: Mapping[str, Any], _: Mapping[str, Family]) -> Found:
    if not dashboard.get("uid"):
        yield "board", "no uid", "a fixed uid: alerts and links name it"
    if dashboard.get("timezone") != ZONE:
        yield "board", f"timezone {dashboard.get('timezone')!r}", ZONE
    if "apiVersion" in dashboard:
        yield "board", "an apiVersion", "classic JSON: file provisioning refuses the newer form"


def _hidden_links(dashboard: Mapping[str, Any], _: Mapping[str, Family]) -> Found:
    if "inControlsMenu" in str(dashboard):
        yield "board", "inControlsMenu", "no placement: behind a menu nobody finds a link"


SHARE: Final = "percentunit"


def _thresholds_named(dashboard: Mapping[str, Any], _: Mapping[str, Family]) -> Found:
    for panel in panels(dashboard):
        about = panel.get("description", "")
        if "**Threshold.**" not in about:
            yield title(panel), "no threshold in the description", "**Threshold.** and which, or that there is none"
        defaults = panel.get("fieldConfig", {}).get("defaults", {})
        limits = [step["value"] for step in defaults.get("thresholds", {}).get("steps", ())]
        for mapping in defaults.get("mappings", ()):
            if mapping["type"] == "range":
                limits += [mapping["options"].get("from"), mapping["options"].get("to")]
        for limit in limits:
            # a limit of a share may be named as a percentage
            named = () if limit is None else (f"{limit:g}", *([f"{100 * limit:g} %"] * (defaults.get("unit") == SHARE)))
            if named and not any(re.search(rf"(?<![\d.]){re.escape(name)}(?![\d])", about) for name in named):
                yield title(panel), f"a threshold of {limit:g} that the description does not name", "its name there"


def _links(dashboard: Mapping[str, Any], _: Mapping[str, Family]) -> Found:
    for panel in panels(dashboard):
        urls = [link.get("url", "") for link in panel.get("links", ())]
        if not any(url.startswith("/d/") for url in urls) or not any("/runbook" in url for url in urls):
            yield title(panel), f"links {urls}", "one to another board, and one to a runbook"


def _known_metrics(dashboard: Mapping[str, Any], families: Mapping[str, Family]) -> Found:
    for panel, target in _targets(dashboard):
        for name in sorted(set(_METRIC.findall(_QUOTED.sub("", target["expr"])))):
            if name not in families:
                yield title(panel), f"the metric {name}", "one of the catalogue"


def _no_stand_in(dashboard: Mapping[str, Any], _: Mapping[str, Family]) -> Found:
    for panel, target in _targets(dashboard):
        if re.search(r"\bor\s+(on\s*\(\s*\)\s*)?(vector|scalar)\s*\(", target["expr"]) or "absent(" in target["expr"]:
            yield title(panel), "a number in the place of a missing one", "nothing: NO DATA is the truth"


def _no_rate(dashboard: Mapping[str, Any], families: Mapping[str, Family]) -> Found:
    for panel, target in _targets(dashboard):
        for name in _MOVED.findall(target["expr"]):
            if name in families and not (families[name].by == "worker" and name.endswith("_total")):
                yield title(panel), f"a rate of {name}", "the measure itself: it is a window, not a counter"


def _wall(dashboard: Mapping[str, Any], _: Mapping[str, Family]) -> Found:
    if dashboard.get("uid") != LIVE:
        return
    found = list(panels(dashboard))
    lowest = max((panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in found), default=0)
    if len(found) > MOST_PANELS:
        yield "board", f"{len(found)} panels", f"at most {MOST_PANELS}: more cannot be read from 3 m"
    if lowest > MOST_ROWS or _rows(dashboard):
        yield "board", f"{lowest} grid rows", f"at most {MOST_ROWS} without headings: the wall does not scroll"


def _screens(dashboard: Mapping[str, Any], _: Mapping[str, Family]) -> Found:
    lowest = max((each["gridPos"]["y"] + each["gridPos"]["h"] for each in dashboard.get("panels", ())), default=0)
    if lowest > MOST_OPEN_ROWS:
        yield "board", f"{lowest} grid rows", f"at most {MOST_OPEN_ROWS} (three screens): close a row over the rest"


RULES: Final[Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Family]], Found]]] = {
    "null-mapping": _null_mapping,
    "no-old-number": _last_not_null,
    "background-solid": _background,
    "palette": _colours,
    "inks": _inks,
    "base-step": _base_step,
    "ids": _ids,
    "grid": _grid,
    "frame": _frame,
    "no-hidden-links": _hidden_links,
    "threshold-named": _thresholds_named,
    "links": _links,
    "known-metrics": _known_metrics,
    "no-stand-in": _no_stand_in,
    "no-rate-of-a-measure": _no_rate,
    "wall": _wall,
    "screens": _screens,
}
