"""Tests for `promtool test rules`, written from the catalogue: they follow a threshold that moves.

For each alert on a measure: it fires after its `for` and not just before, does not fire at its limit, does not fire
with one entity fewer than `at_least`, and is kept for its `keep_firing_for` while its number is withheld.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple

from tests.generate.rules.limits import EVALUATION_S
from watchroom.catalogue.model import Catalogue
from watchroom.catalogue.shares import PART, WHOLE, labels
from watchroom.generate.rules import alerts, recording
from watchroom.generate.yaml_text import yaml_text
from watchroom.kinds import kind_of, names, quantity_of
from watchroom.kinds.kind import Unit
from watchroom.kinds.measure import Measure
from watchroom.kinds.shown import Alert

QUIET_S: Final = 60
_LITTLE: Final = 1e-9
Values = Mapping[str, float]  # Prometheus series without force -> value


class Level(NamedTuple):
    """Whether the figure is beyond its limit, and how many entities are behind it."""

    beyond: bool  # of the limit, as little as can be
    of: int


def cases_text(catalogue: Catalogue, rule_files: str) -> str:
    """The promtool test file of a catalogue's alerts; `rule_files` is the folder of the rules as seen from it."""
    tests = [case for measure, alert in catalogue.alerts() for case in _cases(measure, alert)]
    document = {
        "rule_files": [f"{rule_files}/recording.yml", f"{rule_files}/measures.yml"],
        "evaluation_interval": f"{EVALUATION_S}s",
        "group_eval_order": [recording.GROUP, alerts.MEASURES_GROUP],
        "tests": tests,
    }
    return yaml_text(document)


def _cases(measure: Measure, alert: Alert) -> Iterator[dict[str, Any]]:
    enough = max(alert.at_least, _least_whole(measure, alert))
    quiet, bad = (_values(measure, alert, Level(beyond, enough)) for beyond in (False, True))
    for_s = math.ceil(alert.for_s / EVALUATION_S) * EVALUATION_S
    fires_s, ends_s = QUIET_S + for_s, QUIET_S + for_s + 30
    firing = _firing(measure, alert)
    yield _case(
        f"{alert.name} fires after {alert.for_s} s, not just before, and is kept while its number is withheld",
        {series: f"{_run(quiet[series], QUIET_S)} {_run(bad[series], for_s + 30)} stale" for series in bad},
        {
            **({fires_s - EVALUATION_S: []} if for_s else {QUIET_S - EVALUATION_S: []}),
            fires_s: firing,
            ends_s + alert.keep_s - 2 * EVALUATION_S: firing,
            ends_s + alert.keep_s + 2 * EVALUATION_S: [],
        },
    )
    yield _stays(measure, alert, {series: f"{_run(bad[series], for_s + 30)} stale" for series in bad}, for_s + 30)
    long_s = for_s + 10 * EVALUATION_S
    yield _case(
        f"{alert.name} does not fire at its limit",
        {series: _run(value, long_s) for series, value in quiet.items()},
        {long_s - EVALUATION_S: []},
    )
    if alert.at_least:
        few = _values(measure, alert, Level(beyond=True, of=alert.at_least - 1))
        yield _case(
            f"{alert.name} does not fire with {alert.at_least - 1}, one too few",
            {series: _run(value, long_s) for series, value in few.items()},
            {long_s - EVALUATION_S: []},
        )


def _stays(measure: Measure, alert: Alert, series: Mapping[str, str], lost_s: int) -> dict[str, Any]:
    """Its number is missing for longer than the alert is kept; an ongoing outage of another force has no effect."""
    muting = {"alertname": "SourceSilent", "alertstate": "firing", "mutes": "stream", "stream": measure.stream}
    outage_s = alert.keep_s + 60
    outages = {
        f"ALERTS{_braces({**muting, 'force': 'here'})}": f"{_run(0, lost_s)} {_run(1, outage_s)} stale",
        f"ALERTS{_braces({**muting, 'force': 'there'})}": _run(1, lost_s + 2 * outage_s),
    }
    return _case(
        f"{alert.name} stays while its feed is dead, and ends {alert.keep_s} s after",
        {**series, **outages},
        {
            lost_s + outage_s + alert.keep_s - 2 * EVALUATION_S: _firing(measure, alert),
            lost_s + outage_s + alert.keep_s + 2 * EVALUATION_S: [],
        },
    )


def _case(name: str, series: Mapping[str, str], expected: Mapping[int, list[dict[str, Any]]]) -> dict[str, Any]:
    alert = name.split(" ", 1)[0]
    return {
        "name": name,
        "interval": f"{EVALUATION_S}s",
        "input_series": [{"series": each, "values": values} for each, values in series.items()],
        "promql_expr_test": [
            {
                "expr": f'ALERTS{{alertname="{alert}",alertstate="firing"}}',
                "eval_time": f"{at_s}s",
                "exp_samples": samples,
            }
            for at_s, samples in expected.items()
        ],
    }


def _firing(measure: Measure, alert: Alert) -> list[dict[str, Any]]:
    labels = {"alertname": alert.name, "alertstate": "firing", "force": "here"}
    labels |= alerts.labels_of(measure, alert) | _split_value(measure, alert)
    return [{"labels": f"ALERTS{_braces(labels)}", "value": 1}]


def _run(value: float, length_s: int) -> str:
    return f"{value:g}+0x{length_s // EVALUATION_S - 1}"


def _least_whole(measure: Measure, alert: Alert) -> int:
    """The smallest number of entities with which the figure can be just beyond its limit."""
    limit = alert.above if alert.above is not None else alert.below
    quantity = quantity_of(measure, alert.shown)
    if quantity.counts:
        return 20
    return math.floor(limit or 0) + 1 if quantity.unit is Unit.NUMBER else 1


def _split_value(measure: Measure, alert: Alert) -> dict[str, str]:
    return {label.name: label.values[0] for label in measure.labels if label.name == alert.shown.split}


def _braces(labels: Mapping[str, str]) -> str:
    return "{" + ",".join(f'{name}="{value}"' for name, value in labels.items()) + "}"


def _values(measure: Measure, alert: Alert, level: Level) -> Values:
    """Every series that the alert's expression reads, under the first listed value of each open label."""
    shown = alert.shown
    by = {label.name: shown.where.get(label.name, label.values[0]) for label in measure.labels}
    kind, quantity = kind_of(measure), quantity_of(measure, shown)
    if quantity.counts:
        counted = _part(*_share_limit(alert), level)
        windows = (alert.burn.long, alert.burn.short) if alert.burn else (shown.window,)
        return {
            series: value
            for window in windows
            for series, value in (
                (_share(PART, measure, alert, window), level.of - counted if alert.burn else counted),
                (_share(WHOLE, measure, alert, window), level.of),
            )
        }
    base = _series(measure, kind.quantities[kind.base].suffix, by, shown.window)
    return {
        base: level.of,
        _series(measure, quantity.suffix, {**by, **quantity.labels}, shown.window): _number(alert, level),
    }


def _share_limit(alert: Alert) -> tuple[float, bool]:
    """The limit of a share, and whether it is bad above it; for a burn, of the share that misses the target."""
    if alert.burn:
        return alert.burn.miss_limit, True
    return (alert.above, True) if alert.above is not None else (alert.below or 0, False)


def _share(metric: str, measure: Measure, alert: Alert, window: str) -> str:
    shown = replace(alert.shown, window=window)
    split = _split_value(measure, alert).get(shown.split, "")
    return f"{metric}{_braces({'force': 'here', **labels(measure, shown, split)})}"


def _part(limit: float, above: bool, level: Level) -> int:
    """How many of `of` are just beyond the share, or just short of it."""
    if above:
        return min(level.of, math.floor(limit * level.of + _LITTLE) + level.beyond)
    return max(0, math.ceil(limit * level.of - _LITTLE) - level.beyond)


def _number(alert: Alert, level: Level) -> float:
    limit, sign = (alert.above, 1) if alert.above is not None else (alert.below or 0, -1)
    return (limit or 0) + sign * level.beyond


def _series(measure: Measure, suffix: str, by: Mapping[str, str], window: str) -> str:
    labels = {"force": "here", **by, **({"window": window} if window else {})}
    return f"{names.metric(measure.id, suffix)}{_braces(labels)}"
