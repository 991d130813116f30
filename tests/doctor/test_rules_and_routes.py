"""Rules as Prometheus reports them, and routes as Alertmanager follows them."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.doctor.cases import RULE
from tests.parts import ROOT
from watchroom.backtest.rules import from_api
from watchroom.doctor.routes import Configuration, Reached, configuration
from watchroom.doctor.rules import is_same, key, shipped_rules
from watchroom.generate.rules.files import shipped_catalogue


def test_shipped_rules_are_the_same_however_prometheus_writes_them() -> None:
    """It reports a rule in its own form, and links differ from force to force."""
    ours = shipped_rules(shipped_catalogue(ROOT))
    assert len(ours) > 20
    rules = [
        {
            "type": "alerting" if rule.is_alert else "recording",
            "name": rule.name,
            "query": rule.expression.replace(" == ", "  =="),
            "duration": rule.for_s,
            "keepFiringFor": rule.keep_s,
            "labels": rule.labels,
            "annotations": {**rule.annotations, "runbook_url": "http://elsewhere"},
        }
        for rule in ours
    ]
    loaded = from_api([{"rules": rules}])
    assert len({key(rule) for rule in ours}) == len(ours)
    assert all(is_same(mine, theirs) and key(mine) == key(theirs) for mine, theirs in zip(ours, loaded, strict=True))


@pytest.mark.parametrize(
    "changed",
    [
        {"expression": 'up{job="a b"} == 0'},
        {"expression": '(up{job="ab"}) == 0'},
        {"for_s": 16.0},
        {"keep_s": 0.0},
        {"annotations": {}},
    ],
)
def test_a_rule_that_does_something_different_is_not_the_same(changed: dict[str, Any]) -> None:
    """Spaces inside quotes count."""
    rule = RULE._replace(expression='up{job="ab"} == 0')
    assert not is_same(rule, rule._replace(**changed))


SHIPPED = yaml.safe_load((ROOT / "deploy" / "alertmanager" / "alertmanager.yml").read_text())
PAGES = [
    ({"alertname": "RedisDown", "severity": "page", "force": "f"}, ["platform-on-call"]),
    ({"alertname": "Unanswered999", "severity": "page", "measure": "calls_waiting"}, ["duty-manager"]),
    ({"alertname": "Grade1", "severity": "page", "measure": "m", "area": "stoke"}, ["duty-manager-stoke"]),
    ({"alertname": "Grade1", "severity": "page", "measure": "m", "area": "tamworth"}, ["duty-manager-county"]),
    ({"alertname": "Late", "severity": "ticket", "measure": "m"}, ["ticket-queue", "performance-mail"]),
    ({"alertname": "NotificationsFailing", "severity": "ticket"}, ["platform-on-call", "platform-mail"]),
    ({"alertname": "Watchdog", "severity": "none"}, ["watchdog"]),
    ({"alertname": "Other", "severity": "invented"}, ["platform-mail"]),
]


def receivers_of(config: Configuration, alert: dict[str, str]) -> list[str]:
    """The names of the receivers that an alert is routed to."""
    return [each.receiver for each in config.reached(alert)]


@pytest.mark.parametrize(("alert", "receivers"), PAGES)
def test_routes_are_followed_as_alertmanager_does(alert: dict[str, str], receivers: list[str]) -> None:
    """The first child that matches applies, and later ones while `continue` is set."""
    config = configuration({"config": {"original": yaml.safe_dump(SHIPPED)}})
    assert config is not None
    assert receivers_of(config, alert) == receivers
    assert all(config.integrations(name) for name in receivers)


MATCHERS = [
    ({"matchers": ['severity="page"', "area!=stoke"]}, True),
    ({"matchers": ['{severity="page",area=~"tam.*|stoke"}']}, True),
    ({"matchers": ['severity=~"pag"']}, False),
    ({"matchers": ['severity!~"tick.*"', 'nothing=""']}, True),
    ({"matchers": ['name="a \\"b\\", c"']}, True),
    ({"match": {"severity": "page"}, "match_re": {"area": "tam.*"}}, True),
    ({"match": {"severity": "ticket"}}, False),
    ({"match_re": {"area": "tam"}}, False),
]


@pytest.mark.parametrize(("route", "is_matched"), MATCHERS)
def test_matchers_are_understood_in_every_form(route: dict[str, Any], is_matched: bool) -> None:
    """Configurations from the last five years are in use."""
    given = {"route": {"receiver": "top", "routes": [{**route, "receiver": "it"}]}, "receivers": []}
    config = configuration({"config": {"original": yaml.safe_dump(given)}})
    assert config is not None
    alert = {"severity": "page", "area": "tamworth", "name": 'a "b", c'}
    assert receivers_of(config, alert) == (["it"] if is_matched else ["top"])


FULL = {
    "times": [{"start_time": "00:00", "end_time": "24:00"}],
    "weekdays": ["sunday:saturday"],
    "days_of_month": ["1:31"],
    "months": ["1:12"],
}
MUTED = [
    ({"mute_time_intervals": ["it"]}, [{}], True),
    ({"mute_time_intervals": ["it"]}, [{"weekdays": ["sunday"]}, FULL], True),
    ({"mute_time_intervals": ["it"]}, [FULL | {"weekdays": ["saturday", "sunday"]}], False),
    ({"mute_time_intervals": ["it"]}, [FULL | {"years": ["2026"]}], False),
    ({"mute_time_intervals": ["it"]}, [FULL | {"times": [{"start_time": "09:00", "end_time": "24:00"}]}], False),
    ({"mute_time_intervals": ["it"]}, [], False),
    ({"active_time_intervals": ["it"]}, [], True),
    ({"active_time_intervals": ["it"]}, [{}], False),
    ({"active_time_intervals": ["it"]}, [{"weekdays": ["sunday"]}], False),
    ({}, [{}], False),
]


@pytest.mark.parametrize("section", ["time_intervals", "mute_time_intervals"])
@pytest.mark.parametrize(("route", "times", "is_muted"), MUTED)
def test_a_route_that_never_notifies_is_recognised(
    section: str, route: dict[str, Any], times: list[dict[str, Any]], is_muted: bool
) -> None:
    """A route that is muted at night may be a rota; one that is always muted is a mistake."""
    given = {
        "route": {"receiver": "top", "routes": [{**route, "routes": [{"match": {"area": "stoke"}}]}]},
        section: [{"name": "it", "time_intervals": times}],
        "receivers": [],
    }
    config = configuration({"config": {"original": yaml.safe_dump(given)}})
    assert config is not None
    assert config.reached({}) == [Reached("top", is_muted)]
    assert config.reached({"area": "stoke"}) == [Reached("top", False)]  # routes do not inherit it


@pytest.mark.parametrize("status", [None, [], {"config": None}, {"config": {"original": "route: ["}}, {"config": {}}])
def test_a_response_without_a_configuration_is_recognised(status: object) -> None:
    """Another server may answer at the address."""
    assert configuration(status) is None
