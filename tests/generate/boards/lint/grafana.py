"""The Prometheus rules of Grafana's dashboard-linter, rewritten: the original is a program in another language."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from grafana_foundation_sdk.models import units

from watchroom.catalogue.metrics import Family

Found = Iterator[tuple[str, str, str]]
UNITS: Final = frozenset(
    value for name in dir(units) if not name.startswith("_") and isinstance(value := getattr(units, name), str)
)
OWN_UNITS: Final = re.compile(r"(suffix|prefix|time):.+")  # Grafana's own way to write a unit that it does not know
_LABEL_VALUES: Final = re.compile(r"label_values\(([a-z_]+), ([a-z_]+)\)")
_COUNTER: Final = re.compile(r"\b([a-z_]+_total)\b")
_COUNTED: Final = re.compile(r"\b(?:rate|increase|irate)\(\s*([a-z_]+_total)\b")
_RATE: Final = re.compile(r"\bi?rate\([^\[]*\[([^\]]+)\]")
_QUOTED: Final = re.compile(r'"[^"]*"')
_SELECTOR: Final = re.compile(r"\b(?:watchroom_[a-z0-9_]+|up|ALERTS)\b(\{[^}]*\})?")


def panels(dashboard: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Every panel that shows something, including those inside rows."""
    for panel in dashboard.get("panels", ()):
        if panel["type"] == "row":
            yield from panel.get("panels", ())
        else:
            yield panel


def variables(dashboard: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The template variables."""
    return list(dashboard.get("templating", {}).get("list", ()))


def title(panel: Mapping[str, Any]) -> str:
    """How a fault names a panel."""
    return panel.get("title") or f"panel {panel.get('id')}"


def _queries(dashboard: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for panel in panels(dashboard):
        for target in panel.get("targets", ()):
            yield title(panel), target.get("expr", "")


def _template_datasource(dashboard: Mapping[str, Any], _: Mapping[str, Family]) -> Found:
    if not any(v.get("name") == "datasource" and v.get("query") == "prometheus" for v in variables(dashboard)):
        yield "variables", "no data source variable", "one named `datasource` of type prometheus"


def _template_force(dashboard: Mapping[str, Any], _: Mapping[str, Family]) -> Found:
    if not any(v.get("name") == "force" and v.get("type") == "query" and v.get("label") for v in variables(dashboard)):
        yield "variables", "no variable for the force", "a query variable named `force` with a label"


def _template_promql(dashboard: Mapping[str, Any], families: Mapping[str, Family]) -> Found:
    for variable in variables(dashboard):
        if variable.get("type") != "query":
            continue
        match = _LABEL_VALUES.fullmatch(str(variable.get("query")))
        if match is None or match[1] not in families:
            yield variable["name"], repr(variable.get("query")), "label_values(<metric of the catalogue>, <label>)"


def _template_reload(dashboard: Mapping[str, Any], _: Mapping[str, Family]) -> Found:
    for variable in variables(dashboard):
        if variable.get("type") == "query" and variable.get("refresh") != 2:
            yield variable["name"], f"refresh {variable.get('refresh')}", "2: read again when the time range changes"


def _panel_datasource(dashboard: Mapping[str, Any], _: Mapping[str, Family]) -> Found:
    for panel in panels(dashboard):
        named = (target["datasource"] for target in panel.get("targets", ()) if "datasource" in target)
        for source in (panel.get("datasource"), *named):  # a query that names none has its panel's
            if (source or {}).get("uid") != "${datasource}":
                yield title(panel), f"data source {source}", "the variable ${datasource}"


def _panel_words(dashboard: Mapping[str, Any], _: Mapping[str, Family]) -> Found:
    for panel in panels(dashboard):
        for key in ("title", "description"):
            if not panel.get(key):
                yield title(panel), f"no {key}", f"a {key}"


def _panel_units(dashboard: Mapping[str, Any], _: Mapping[str, Family]) -> Found:
    for panel in panels(dashboard):
        config = panel.get("fieldConfig", {})
        given = [config.get("defaults", {}).get("unit")]
        for override in config.get("overrides", ()):
            given += [each.get("value") for each in override["properties"] if each["id"] == "unit"]
        for unit in given:
            if unit not in UNITS and not OWN_UNITS.fullmatch(str(unit)):
                yield title(panel), f"unit {unit!r}", "a unit that Grafana knows"


def _panel_targets(dashboard: Mapping[str, Any], _: Mapping[str, Family]) -> Found:
    for panel in panels(dashboard):
        if not panel.get("targets"):
            yield title(panel), "no query", "at least one"


def _target_promql(dashboard: Mapping[str, Any], _: Mapping[str, Family]) -> Found:
    """Finds only what is obviously not a query; `promtool` parses each one in a test."""
    for where, expr in _queries(dashboard):
        plain = _QUOTED.sub("", expr)
        pairs = (("(", ")"), ("{", "}"), ("[", "]"))
        if not plain.strip() or any(plain.count(one) != plain.count(other) for one, other in pairs):
            yield where, repr(expr[-60:]), "an expression with as many closing brackets as opening ones"


def _target_rate_interval(dashboard: Mapping[str, Any], _: Mapping[str, Family]) -> Found:
    for where, expr in _queries(dashboard):
        for interval in _RATE.findall(expr):
            if interval != "$__rate_interval":
                yield where, f"rate over [{interval}]", "[$__rate_interval]"


def _target_force(dashboard: Mapping[str, Any], _: Mapping[str, Family]) -> Found:
    for where, expr in _queries(dashboard):
        for match in _SELECTOR.finditer(expr):
            is_inside_text = expr[: match.start()].count('"') % 2 == 1
            if not is_inside_text and 'force=~"$force"' not in (match[1] or ""):
                yield where, match[0], 'the matcher force=~"$force"'


def _target_counter(dashboard: Mapping[str, Any], _: Mapping[str, Family]) -> Found:
    for where, expr in _queries(dashboard):
        counted = _COUNTED.findall(expr)
        for name in _COUNTER.findall(_QUOTED.sub("", expr)):
            if name not in counted:
                yield where, f"the bare counter {name}", "rate() or increase() around it: a restart sets it to 0"


def _uneditable(dashboard: Mapping[str, Any], _: Mapping[str, Family]) -> Found:
    if dashboard.get("editable") is not False:
        yield "board", f"editable {dashboard.get('editable')}", "editable: false"


RULES: Final[Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Family]], Found]]] = {
    "template-datasource": _template_datasource,
    "template-force": _template_force,
    "template-label-promql": _template_promql,
    "template-on-time-change-reload": _template_reload,
    "panel-datasource": _panel_datasource,
    "panel-title-description": _panel_words,
    "panel-units": _panel_units,
    "panel-no-targets": _panel_targets,
    "target-promql": _target_promql,
    "target-rate-interval": _target_rate_interval,
    "target-force": _target_force,
    "target-counter-agg": _target_counter,
    "uneditable-dashboard": _uneditable,
}
