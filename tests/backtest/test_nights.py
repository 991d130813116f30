"""Small numbers must not page: 28 simulated nights, and made-up counts just below each minimum count.

A real Prometheus evaluates the shipped rule files, and the same files without the minimum counts. So it is the count,
and not a quiet night, that keeps an alert from firing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml

from tests.fold.pipeline import SETTINGS, catalogue
from tests.parts import ROOT, missing
from watchroom.backtest import blocks
from watchroom.backtest.evaluate import AlertResult, Span, evaluate
from watchroom.backtest.prometheus import program_path
from watchroom.backtest.run import Samples, read_rules
from watchroom.errors import WorkFailed
from watchroom.kinds import names
from watchroom.kinds.measure import Measure
from watchroom.kinds.shown import Alert
from watchroom.rolling.calendar import Calendar
from watchroom.simulator import simulate

RULES = sorted((ROOT / "deploy" / "prometheus" / "rules").glob("*.yml"))
COUNT = re.compile(r"\s+and on \([^)]*\) \(?(?:max|sum) by [^>]*>= \d+(?=\n\) or |$)")
LONDON = ZoneInfo("Europe/London")
FIRST = datetime(2026, 10, 2, 3, tzinfo=LONDON)
NIGHTS = 28
HOUR_MS, STEP_MS = 3_600_000, 60_000
MEASURES = catalogue().alerts()
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]  # 15 s; the first test waits for the nights
COUNTED = [pytest.param(measure, alert, id=alert.name) for measure, alert in MEASURES if alert.at_least]


@dataclass(frozen=True, slots=True)
class Nights:
    """Every alert by name: with the rules as shipped, and without the minimum counts."""

    shipped: dict[str, AlertResult]
    uncounted: dict[str, AlertResult]


def ms(moment: datetime) -> int:
    """Milliseconds since the epoch."""
    return int(moment.astimezone(UTC).timestamp()) * 1000


def uncounted(folder: Path) -> list[Path]:
    """The shipped files without minimum counts."""
    folder.mkdir()
    files, cut = [], set()
    for path in RULES:
        content = yaml.safe_load(path.read_text())
        for rule in (rule for group in content["groups"] for rule in group["rules"]):
            shorter = COUNT.sub("", rule["expr"])
            if shorter != rule["expr"]:
                cut.add(rule["alert"])
                rule["expr"] = shorter
        files.append(folder / path.name)
        files[-1].write_text(yaml.safe_dump(content))
    assert cut == {alert.name for _, alert in MEASURES if alert.at_least}
    return files


def results_of(rules: list[Path], spans: list[Span], folder: Path) -> dict[str, AlertResult]:
    """Every alert, evaluated over the blocks in a folder."""
    inputs = read_rules(rules, catalogue(), folder / f"rules-of-{rules[0].parent.name}")
    return {each.rule.name: each for each in evaluate(inputs, spans, folder, catalogue())}


@pytest.fixture(scope="module", autouse=True)
def _prometheus() -> None:
    """Both programs are installed."""
    try:
        program_path("prometheus")
        program_path("promtool")
    except WorkFailed as error:
        missing(str(error))


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Nights:
    """28 nights of the default force, each evaluated from 03:00 to 04:00."""
    folder = tmp_path_factory.mktemp("nights")
    starts_ms = [ms(FIRST + timedelta(days=night)) for night in range(NIGHTS)]
    spans = [Span(start_ms, start_ms + HOUR_MS, STEP_MS) for start_ms in starts_ms]
    inputs = read_rules(RULES, catalogue(), folder / "rules")
    samples = Samples(SETTINGS, inputs, catalogue(), Calendar(SETTINGS.zone))
    events = simulate(seed=1, start_ms=ms(FIRST - timedelta(hours=27)), end_ms=spans[-1].last_ms + 1)
    blocks.write(samples.lines(events, spans, lambda *_: None), folder)
    without = uncounted(folder / "without")
    return Nights(results_of(RULES, spans, folder), results_of(without, spans, folder))


@pytest.mark.parametrize("name", [alert.name for _, alert in MEASURES])
def test_an_alert_on_a_measure_does_not_fire_in_28_nights(nights: Nights, name: str) -> None:
    """About a dozen calls come between three and four: three late ones must not get anybody out of bed."""
    assert nights.shipped[name].fired == ()


def test_the_platform_alerts_do_not_fire_while_nothing_is_broken(nights: Nights) -> None:
    """All except the Watchdog, which always fires: its absence is the alarm."""
    measures = {alert.name for _, alert in MEASURES}
    fired = {name: len(each.fired) for name, each in nights.shipped.items() if each.fired and name not in measures}
    assert fired == {"Watchdog": NIGHTS}


def test_it_is_the_minimum_count_that_keeps_the_nights_silent(nights: Nights) -> None:
    """Without the minimum counts a few waiting callers would page, so the nights are not simply empty."""
    fired = {name for name, each in nights.uncounted.items() if each.fired} - {"Watchdog"}
    assert "LongestWait999" in fired
    assert fired <= {alert.name for _, alert in MEASURES if alert.at_least}


@pytest.mark.parametrize(("measure", "alert"), COUNTED)
def test_one_fewer_than_the_minimum_count_does_not_fire_but_would_without_the_minimum(
    measure: Measure, alert: Alert, tmp_path: Path
) -> None:
    """An hour with the worst possible figure, from one entity too few."""
    span = Span(ms(FIRST), ms(FIRST) + HOUR_MS, STEP_MS)
    blocks.write(
        (f"{line} {at_ms / 1000}\n" for at_ms in span.moments_ms() for line in worst(measure, alert)), tmp_path
    )
    assert results_of(RULES, [span], tmp_path)[alert.name].fired == ()
    assert len(results_of(uncounted(tmp_path / "without"), [span], tmp_path)[alert.name].fired) == 1


def worst(measure: Measure, alert: Alert) -> Iterator[str]:
    """Samples of a small count at its worst: all late, all abandoned, or one entity that has waited far too long."""
    few = alert.at_least - 1

    def line(name: str, value: float, **more: str) -> str:
        text = ",".join(f'{key}="{said}"' for key, said in {"force": "here", **alert.shown.where, **more}.items())
        return f"{name}{{{text}}} {value}"

    def share(part: float, window: str) -> Iterator[str]:
        for name, count in (("watchroom_share_part", part), ("watchroom_share_whole", few)):
            yield line(name, count, measure=measure.id, quantity=alert.shown.what, window=window)

    if alert.burn:
        for window in (alert.burn.long, alert.burn.short):
            yield from share(0, window)
    elif measure.kind == "share":
        yield from share(few, alert.shown.window)
    else:
        yield line(names.metric(measure.id, ""), few)
        yield line(names.metric(measure.id, "oldest_seconds"), (alert.above or 0) * 10)
