"""Alert drills: something really breaks, and the right people get the right alert, or none at all.

One control room for the whole module (real Kafka, Redis, worker, exporter, Prometheus, Alertmanager, webhook, and the
built-in board open in Chromium). The tests run in this order; each leaves it quiet and fresh.
"""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from tests.drills.deployment import Deployment
from tests.drills.feed import SOURCE_OF
from tests.drills.monitoring import FACTOR, Notice, Panel, panels, until
from tests.drills.streams import streams_of
from tests.flow.wall import now_ms
from tests.parts import ROOT
from watchroom.generate.boards.states import NO_FIGURE
from watchroom.kinds.shown import Alert
from watchroom.rolling.calendar import Calendar
from watchroom.rolling.windows import buckets_of
from watchroom.store.read import Reader

pytestmark = [pytest.mark.real, pytest.mark.slow, pytest.mark.timeout(400)]

FRESH_LIMIT_S, SILENT_LIMIT_S, WITHIN_S = 10.0, 90.0, 30.0
SURGE = "LongestWait999"
EVERYTHING = frozenset(SOURCE_OF)


def surge_alert(deployment: Deployment) -> Alert:
    """The shipped alert that a queue of 999 calls must raise."""
    return next(alert for _, alert in deployment.catalogue.alerts() if alert.name == SURGE)


def start_surge(deployment: Deployment) -> list[str]:
    """More calls than the alert requires, each in the queue for longer than it allows."""
    alert = surge_alert(deployment)
    return deployment.surge(max(5, alert.at_least), (alert.above or 0) + 20)


def alerts_since(deployment: Deployment, since: int) -> list[Notice]:
    """What the webhook has received since then, except the Watchdog."""
    return [notice for notice in deployment.webhook.notices[since:] if notice.name != "Watchdog"]


def resolved(deployment: Deployment, since: int) -> set[str]:
    """The alerts that have resolved since then."""
    return {notice.name for notice in alerts_since(deployment, since) if notice.status == "resolved"}


def until_quiet(deployment: Deployment) -> None:
    """Wait until every stream is shown and nothing fires."""
    until(
        "every stream is shown",
        lambda: deployment.shown(f"count(watchroom_stream_withheld == 0) == {len(SOURCE_OF)}"),
        60,
    )
    until(f"nothing fires: {deployment.monitoring.firing()}", lambda: not deployment.monitoring.firing(), 150)


def until_panels_are_empty(deployment: Deployment, streams: frozenset[str], limit_s: float) -> None:
    """Every panel of these streams becomes empty within 30 s of the limit; every other one still answers."""
    asked = [(panel, streams_of(panel.expression, deployment.catalogue)) for panel in panels(deployment.settings.force)]
    touched = [panel for panel, of in asked if of & streams]
    others = [panel for panel, of in asked if of and not of & streams]
    assert touched

    def is_of_theirs(row: dict[str, Any]) -> bool:
        """A table over all streams names the measure of each row."""
        measure = deployment.catalogue.measures.get(row["metric"].get("measure", ""))
        return measure is None or bool(streams.intersection(measure.streams))

    def still_showing() -> list[str]:
        return [
            f"{panel.board}: {panel.title}: {panel.expression}"
            for panel in touched
            if any(map(is_of_theirs, deployment.monitoring.query(panel.expression)))
        ]

    with suppress(AssertionError):  # the list says more
        until("panels of dead streams are empty", lambda: not still_showing(), limit_s + WITHIN_S, every_s=1)
    assert still_showing() == []
    assert empty_panels(deployment, others) == []


@contextmanager
def drill(deployment: Deployment, expected: set[str]) -> Iterator[int]:
    """Exactly these alerts fire and resolve, and everything is quiet again at the end."""
    since = len(deployment.webhook.notices)
    yield since
    until_quiet(deployment)
    firing = {notice.name for notice in alerts_since(deployment, since) if notice.status == "firing"}
    assert firing == expected
    until("all of them resolve", lambda: firing <= resolved(deployment, since), 60)


def test_every_panel_shows_something(deployment: Deployment) -> None:
    """A panel that never has data looks like a dead feed for ever."""
    deployment.work()
    asked = list(panels(deployment.settings.force))
    assert {panel.board for panel in asked} == {path.stem for path in (ROOT / "grafana" / "dashboards").glob("*.json")}

    def empty() -> list[str]:
        return empty_panels(deployment, asked)

    with suppress(AssertionError):  # the list says more than "not within 60 s"
        until("every panel shows something", lambda: not empty(), 60, every_s=2)
    assert empty() == []


def empty_panels(deployment: Deployment, asked: Sequence[Panel]) -> list[str]:
    """Queries without an answer; of the queries behind a single number (short waits, long waits) one must have one."""
    must = [panel for panel in asked if not asks_who_feeds(panel) and panel.nothing != NO_FIGURE]
    silent = [panel for panel in must if not deployment.monitoring.query(panel.expression)]
    answered = {(panel.board, panel.title) for panel in asked if panel not in silent}
    of_stats = {panel for panel in silent if panel.kind == "stat" and (panel.board, panel.title) in answered}
    return [f"{p.board}: {p.title}: {p.expression}" for p in silent if p not in of_stats]


def asks_who_feeds(panel: Panel) -> bool:
    """A query that answers only where the stream is not fed."""
    return panel.expression.count("watchroom_") == panel.expression.count("watchroom_stream_fed")


def in_redis(deployment: Deployment) -> dict[str, tuple[float, str]]:
    """One figure of each kind, added up here from Redis, keyed by what the panel's query must contain."""
    reader = Reader(deployment.settings.redis_url, deployment.settings.force)
    days = reader.buckets(buckets_of("28d", now_ms(), Calendar(deployment.settings.zone)))
    areas = deployment.catalogue.areas.values
    open_now = [
        len(reader.open_members(f"incidents_unattended|grade=1,area={area}")) for area in (*areas, "unknown", "other")
    ]
    reader.close()

    def total(field: str) -> int:
        return sum(day.get(field, 0) for day in days)

    part, whole = total("call_abandonment|line=101|part"), total("call_abandonment|line=101|whole")
    sum_ms, answered = total("call_answer_time|line=101|sum_ms"), total("call_answer_time|line=101|observations")
    return {
        'measure="call_volume",quantity="number",window="28d"': (total("call_volume|line=101|count"), "line=101"),
        'measure="call_abandonment",quantity="share",window="28d"': (part / whole, "line=101"),
        'measure="call_answer_time",quantity="mean",window="28d"': (sum_ms / 1000 / answered, "line=101"),
        'tile="Not attended yet",split="1"': (sum(open_now), "split=1"),
    }


def test_a_panel_of_each_kind_shows_what_redis_holds(deployment: Deployment) -> None:
    """A count, a share, a duration and an open measure, from the board's own query to the bucket's integers."""
    asked = list(panels(deployment.settings.force))
    for pattern, (expected, row) in in_redis(deployment).items():
        panel = next(panel for panel in asked if re.search(pattern, panel.expression))
        assert expected > 0
        until_it_shows(deployment, panel, row, expected)


def until_it_shows(deployment: Deployment, panel: Panel, row: str, expected: float) -> None:
    """The panel's row shows the number after the next scrapes at the latest."""
    name, value = row.split("=")

    def shown() -> float:
        (found,) = [each for each in deployment.monitoring.query(panel.expression) if each["metric"].get(name) == value]
        return float(found["value"][1])

    with suppress(AssertionError):  # the two numbers say more
        until("the same", lambda: shown() == pytest.approx(expected), 15)
    assert shown() == pytest.approx(expected), panel


def test_a_surge_of_999_calls_alerts_in_time_and_resolves(deployment: Deployment) -> None:
    """The page has a real cause, says how many calls and for how long, and resolves when the surge is over."""
    with drill(deployment, {SURGE}) as since:
        waiting = start_surge(deployment)
        began_s = time.monotonic()
        until("the surge alert fires", lambda: deployment.webhook.of(SURGE), 60)
        notice = deployment.webhook.of(SURGE)[-1]
        assert notice.at_s - began_s < surge_alert(deployment).for_s / FACTOR + 15
        assert notice.labels["severity"] == "page"
        assert notice.labels["force"] == deployment.settings.force
        assert f"({len(waiting)} open now; threshold: above 2 min)" in notice.annotations["summary"]
        assert notice.annotations["runbook_url"].endswith(f"/runbook/{SURGE}")
        assert "/d/watchroom-live" in notice.annotations["dashboard_url"]
        assert (
            empty_panels(deployment, list(panels(deployment.settings.force))) == []
        )  # waits of minutes are another query
        deployment.answered(waiting)
        until("the surge is resolved", lambda: deployment.webhook.of(SURGE, "resolved"), 120)
        assert [each.status for each in alerts_since(deployment, since)][-1] == "resolved"


def test_a_killed_redis_raises_exactly_one_alert(deployment: Deployment) -> None:
    """Nothing can be evaluated without Redis: one page, not nine."""
    with drill(deployment, {"RedisDown"}):
        deployment.redis.kill()
        until_panels_are_empty(deployment, EVERYTHING, FRESH_LIMIT_S)
        until("the alert fires", lambda: deployment.webhook.of("RedisDown"), 60)
        deployment.board_says_no_data(EVERYTHING)
        deployment.redis.start()


def test_a_killed_exporter_raises_exactly_one_alert(deployment: Deployment) -> None:
    """Without the exporter every board is blank; Prometheus itself must notice."""
    with drill(deployment, {"ExporterAbsent"}):
        os.kill(deployment.exporter.pid, signal.SIGKILL)
        until_panels_are_empty(deployment, EVERYTHING, FRESH_LIMIT_S)
        until("the alert fires", lambda: deployment.webhook.of("ExporterAbsent"), 60)
        deployment.board_says_no_data(EVERYTHING)
        deployment.exporter.stop()
        deployment.exporter.start()


def test_a_surge_does_not_resolve_when_the_worker_is_killed(deployment: Deployment) -> None:
    """The queue is still there when nothing counts it: "resolved" would be false."""
    with drill(deployment, {SURGE, "WorkerStuck"}) as since:
        waiting = start_surge(deployment)
        until("the surge alert fires", lambda: SURGE in {notice.name for notice in alerts_since(deployment, since)}, 60)
        os.kill(deployment.worker.pid, signal.SIGKILL)
        until_panels_are_empty(deployment, EVERYTHING, FRESH_LIMIT_S)
        until("the alert fires", lambda: deployment.webhook.of("WorkerStuck"), 60)
        deployment.board_says_no_data(EVERYTHING)
        wait_past_keep_firing(deployment)
        assert SURGE not in resolved(deployment, since)
        until(
            "the last heartbeat in Redis is too old",
            lambda: last_seen_s_ago(deployment) > SILENT_LIMIT_S + WITHIN_S,
            150,
        )
        assert "SourceSilent" not in deployment.monitoring.firing(), "what the sources send waits in Kafka"
        deployment.worker.stop()
        deployment.answered(waiting)
        deployment.worker.start()
        until("the surge alert resolves", lambda: SURGE in resolved(deployment, since), 150)


def test_a_surge_does_not_resolve_when_its_feed_dies(deployment: Deployment) -> None:
    """One silent source blanks its own stream and nothing else, and resolves no alert that has fired."""
    with drill(deployment, {SURGE, "SourceSilent"}) as since:
        waiting = start_surge(deployment)
        until("the surge alert fires", lambda: SURGE in {notice.name for notice in alerts_since(deployment, since)}, 60)
        deployment.feed.silent.add("calls")
        until_panels_are_empty(deployment, frozenset({"calls"}), SILENT_LIMIT_S)
        until("the alert fires", lambda: deployment.webhook.of("SourceSilent"), 60)
        assert deployment.webhook.of("SourceSilent")[-1].labels["source"] == "acd"
        deployment.board_says_no_data(frozenset({"calls"}))
        wait_past_keep_firing(deployment)
        assert SURGE not in resolved(deployment, since)
        deployment.answered(waiting)
        deployment.feed.silent.discard("calls")
        until("the surge alert resolves", lambda: SURGE in resolved(deployment, since), 150)


def last_seen_s_ago(deployment: Deployment) -> float:
    """How long ago any source was last seen, as far as Redis knows."""
    ((_, value),) = [
        each["value"]
        for each in deployment.monitoring.query("time() - max(watchroom_feed_last_heartbeat_timestamp_seconds)")
    ]
    return float(value)


def wait_past_keep_firing(deployment: Deployment) -> None:
    """Wait so long that an alert kept firing only for a time would have ended and sent "resolved"."""
    time.sleep(
        surge_alert(deployment).keep_s / FACTOR + 15
    )  # evaluation and the group's interval, divided, are shorter
    assert SURGE in deployment.monitoring.firing()
