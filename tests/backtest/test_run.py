"""The whole back-test over some hours of a planted bad day, and the faults that stop it before it begins."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.backtest.test_nights import RULES, ms, results_of
from tests.fold.pipeline import SETTINGS, catalogue
from tests.parts import missing
from watchroom.backtest import blocks
from watchroom.backtest.evaluate import AlertResult, Span
from watchroom.backtest.prometheus import Prometheus, program_path
from watchroom.backtest.run import Request, Samples, backtest, bad_day, read_rules
from watchroom.errors import ConfigurationInvalid, WorkFailed
from watchroom.rolling.calendar import Calendar
from watchroom.simulator import Surge, simulate

LONDON = ZoneInfo("Europe/London")
NOON = datetime(2026, 10, 14, 12, tzinfo=LONDON)
AFTERNOON = Span(ms(NOON), ms(NOON) + 6 * 3_600_000, 60_000)


def afternoon(folder: Path, surges: list[Surge]) -> dict[str, AlertResult]:
    """12:00 to 18:00 on 14 October, after twelve hours of warming up."""
    inputs = read_rules(RULES, catalogue(), folder / "rules")
    samples = Samples(SETTINGS, inputs, catalogue(), Calendar(SETTINGS.zone))
    events = simulate(seed=1, start_ms=ms(NOON) - 12 * 3_600_000, end_ms=AFTERNOON.last_ms + 1, surges=surges)
    blocks.write(samples.lines(events, [AFTERNOON], lambda *_: None), folder)
    return results_of(RULES, [AFTERNOON], folder)


@pytest.fixture(autouse=True)
def _prometheus() -> None:
    try:
        program_path("promtool")
    except WorkFailed as error:
        missing(str(error))


def test_a_planted_bad_day_pages_for_the_999_queue(tmp_path: Path) -> None:
    """Four times the calls from 14:00 to 17:00: the queue pages within the surge, with its counts."""
    fired = afternoon(tmp_path, [bad_day("2026-10-14", "Europe/London")])["LongestWait999"].fired
    assert fired
    first = fired[0]
    assert ms(NOON.replace(hour=14)) < first.firing.from_ms < ms(NOON.replace(hour=15))
    assert first.firing.value > 120
    assert first.counts["base"] >= 8
    assert first.labels == {"force": SETTINGS.force}


def test_the_same_afternoon_pages_nobody_without_the_surge(tmp_path: Path) -> None:
    """Even a force that misses most of its targets must not page anybody on a normal day."""
    pages = [name for name, each in afternoon(tmp_path, []).items() if each.rule.severity == "page" and each.fired]
    assert pages == []


def test_an_alert_that_mutes_others_may_not_fire(tmp_path: Path) -> None:
    """A rule that reads `ALERTS` finds nothing here, so its result would be wrong while a muting alert fires."""
    rule = {"alert": "Broken", "expr": "vector(1)", "labels": {"mutes": "all"}}
    other = {"alert": "Kept", "expr": 'up == 0 or ALERTS{mutes="all"}'}
    file = tmp_path / "rules.yml"
    file.write_text(json.dumps({"groups": [{"name": "g", "rules": [rule, other]}]}))
    with pytest.raises(WorkFailed, match="Broken fired in a month in which nothing was broken"):
        results_of([file], [AFTERNOON], tmp_path)


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (Request("2026-10", step_s=1), "--step: found 1; write a number of seconds from 5 to 300"),
        (Request("2026-10", bad_day="2026-11-03"), "--bad-day: found '2026-11-03'; write a day in 2026-10"),
        (Request("2026-10", bad_day="2026-10-32"), "--bad-day: found '2026-10-32'; write a day such as 2026-10-14"),
    ],
)
def test_an_argument_that_cannot_be_used_is_refused_before_the_simulation(request_: Request, message: str) -> None:
    """Nobody should wait a minute for that."""
    with pytest.raises(ConfigurationInvalid) as error:
        backtest(SETTINGS, request_, RULES, lambda *_: None)
    assert str(error.value) == message


def test_a_missing_rule_file_is_reported() -> None:
    """Prometheus would start without it, and the back-test would find silence."""
    with pytest.raises(ConfigurationInvalid, match=r"no file /nowhere\.yml"):
        backtest(SETTINGS, Request("2026-10"), [Path("/nowhere.yml")], lambda *_: None)


def test_without_prometheus_the_message_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """It names the package, not a missing file."""
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(WorkFailed, match="Install the Debian package `prometheus`"):
        backtest(SETTINGS, Request("2026-10"), RULES, lambda *_: None)


def test_a_rule_file_that_prometheus_cannot_read_stops_the_start(tmp_path: Path) -> None:
    """It stops with the message of Prometheus itself, not with a timeout."""
    file = tmp_path / "bad.yml"
    file.write_text("groups: [{name: g, rules: [{alert: A, expr: 'sum('}]}]")
    with (
        pytest.raises(WorkFailed, match=r"(?s)Prometheus exited with code 1 while starting.*bad\.yml"),
        Prometheus(tmp_path / "p", [file]),
    ):
        pass


def test_samples_that_promtool_refuses_are_reported(tmp_path: Path) -> None:
    """A missing block would look like a quiet month."""
    with pytest.raises(WorkFailed, match="promtool could not write"):
        blocks.write(['x{a="b} 1 2\n'], tmp_path)
