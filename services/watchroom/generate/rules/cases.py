"""Tests for `promtool test rules`, written from the catalogue: they follow a threshold that moves.

For each alert on a measure: it fires after its `for` and not just before, stays silent at its limit, stays
silent with one fewer than its least count, and is kept for its `keep_firing_for` while its number is
withheld. What the texts say is tested with a made-up catalogue and exact words (tests/generate/rules).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from watchroom.catalogue import names
from watchroom.catalogue.model import Catalogue, Measure
from watchroom.catalogue.shown import PERCENTILES, WITH_COUNTS, Alert
from watchroom.generate.rules import alerts, recording
from watchroom.generate.rules.files import COMMENT, shipped_catalogue
from watchroom.generate.rules.limits import EVALUATION_S, miss_limit
from watchroom.generate.yaml_text import yaml_text

PATH: Final = "tests/alerts/measures_test.yml"
QUIET_S: Final = 60
_LITTLE: Final = 1e-9
Values = Mapping[str, float]  # Prometheus series without force -> value


class Level(NamedTuple):
    """How bad, and from how many."""

    beyond: bool  # of the limit, as little as can be
    of: int


def text(root: Path) -> str:
    """The file."""
    return cases_text(shipped_catalogue(root))


def cases_text(catalogue: Catalogue, rule_files: str = "../../deploy/prometheus/rules") -> str:
    """The promtool test file of a catalogue's alerts; `rule_files` is the folder as seen from it."""
    tests = [case for measure, alert in catalogue.alerts() for case in _cases(catalogue, measure, alert)]
    document = {
        "rule_files": [f"{rule_files}/recording.yml", f"{rule_files}/measures.yml"],
        "evaluation_interval": f"{EVALUATION_S}s",
        "group_eval_order": [recording.GROUP, alerts.MEASURES_GROUP],
        "tests": tests,
    }
    return COMMENT + yaml_text(document)


def _cases(catalogue: Catalogue, measure: Measure, alert: Alert) -> Iterator[dict[str, Any]]:
    enough = max(alert.at_least, _least_whole(alert))
    quiet, bad = (_values(catalogue, measure, alert, Level(beyond, enough)) for beyond in (False, True))
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
        f"{alert.name} is silent at its limit",
        {series: _run(value, long_s) for series, value in quiet.items()},
        {long_s - EVALUATION_S: []},
    )
    if alert.at_least:
        few = _values(catalogue, measure, alert, Level(beyond=True, of=alert.at_least - 1))
        yield _case(
            f"{alert.name} is silent with {alert.at_least - 1}, one too few to judge",
            {series: _run(value, long_s) for series, value in few.items()},
            {long_s - EVALUATION_S: []},
        )


def _stays(measure: Measure, alert: Alert, series: Mapping[str, str], lost_s: int) -> dict[str, Any]:
    """Its number is lost for longer than it is kept; another force's outage goes on and says nothing of this one."""
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


def _least_whole(alert: Alert) -> int:
    """How many it takes to be just beyond a limit of whole numbers or of a share."""
    limit = alert.above if alert.above is not None else alert.below
    if alert.burn or alert.shown.what in WITH_COUNTS:
        return 20
    return math.floor(limit or 0) + 1 if alert.shown.what in ("open", "overdue", "due_5m", "due_15m") else 1


def _split_value(measure: Measure, alert: Alert) -> dict[str, str]:
    return {label.name: label.values[0] for label in measure.labels if label.name == alert.shown.split}


def _braces(labels: Mapping[str, str]) -> str:
    return "{" + ",".join(f'{name}="{value}"' for name, value in labels.items()) + "}"


def _values(catalogue: Catalogue, measure: Measure, alert: Alert, level: Level) -> Values:
    """Every series that the alert's expression reads, under the first listed value of each open label."""
    shown = alert.shown
    by = {label.name: shown.where.get(label.name, label.values[0]) for label in measure.labels}
    if alert.burn:
        met = level.of - _part(miss_limit(alert.burn), level, above=True)
        windows = (alert.burn.long, alert.burn.short)
        return _overdue(catalogue, measure, alert, by) | {
            series: value
            for window in windows
            for series, value in (
                (_series(measure, "within", by, window), met),
                (_series(measure, "observations", by, window), level.of),
            )
        }
    if shown.what in WITH_COUNTS:
        return _share(catalogue, measure, alert, level, by)
    value = _number(alert, level)
    suffix = {"number": "", "open": "", "oldest": "oldest_seconds", "mean": "mean_seconds"}.get(shown.what, shown.what)
    base = {"open": "", "duration": "observations"}.get(measure.kind, "")
    found: dict[str, float] = {_series(measure, base, by, shown.window): level.of}
    if shown.what in PERCENTILES:
        suffix, by = "percentile_seconds", {**by, "p": PERCENTILES[shown.what]}
    if shown.what.startswith("due_"):
        suffix, by = "due", {**by, "within": shown.what.removeprefix("due_")}
    return found | {_series(measure, suffix, by, shown.window): value}


def _share(
    catalogue: Catalogue, measure: Measure, alert: Alert, level: Level, by: Mapping[str, str]
) -> dict[str, float]:
    limit = alert.above if alert.above is not None else alert.below or 0
    part = _part(limit, level, above=alert.above is not None)
    window = alert.shown.window
    pair = ("part", "whole") if measure.kind == "share" else ("within", "observations")
    found: dict[str, float] = {
        _series(measure, pair[0], by, window): part,
        _series(measure, pair[1], by, window): level.of,
    }
    return found | _overdue(catalogue, measure, alert, by)


def _overdue(catalogue: Catalogue, measure: Measure, alert: Alert, by: Mapping[str, str]) -> dict[str, float]:
    """Nobody is overdue now; hand-written cases say what happens when somebody is."""
    if alert.shown.what != "live_within":
        return {}
    return {_series(catalogue.measures[measure.display.overdue_from], "overdue", by, ""): 0}


def _part(limit: float, level: Level, *, above: bool) -> int:
    """The whole number of `of` that is just beyond the share, or just not."""
    if above:
        return min(level.of, math.floor(limit * level.of + _LITTLE) + level.beyond)
    return max(0, math.ceil(limit * level.of - _LITTLE) - level.beyond)


def _number(alert: Alert, level: Level) -> float:
    limit, sign = (alert.above, 1) if alert.above is not None else (alert.below or 0, -1)
    return (limit or 0) + sign * level.beyond


def _series(measure: Measure, suffix: str, by: Mapping[str, str], window: str) -> str:
    labels = {"force": "here", **by, **({"window": window} if window else {})}
    return f"{names.metric(measure.id, suffix)}{_braces(labels)}"


OUTPUTS: Final[Mapping[str, Callable[[Path], str]]] = {PATH: text}
