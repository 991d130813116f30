"""Alert drills: something really breaks, and the right people get the right alert, or none at all.

One control room for the whole module (real Kafka, Redis, worker, exporter, Prometheus, Alertmanager, webhook, and the
built-in board open in Chromium). The tests run in this order; each leaves the room quiet and fresh.
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


def surge_alert(room: Deployment) -> Alert:
    """The shipped alert that a queue of 999 calls must raise."""
    return next(alert for _, alert in room.catalogue.alerts() if alert.name == SURGE)


def start_surge(room: Deployment) -> list[str]:
    """More calls than the alert requires, each in the queue for longer than it allows."""
    alert = surge_alert(room)
    return room.surge(max(5, alert.at_least), (alert.above or 0) + 20)


def alerts_since(room: Deployment, since: int) -> list[Notice]:
    """What the webhook has received since then, except the Watchdog."""
    return [notice for notice in room.webhook.notices[since:] if notice.name != "Watchdog"]


def resolved(room: Deployment, since: int) -> set[str]:
    """The alerts that have resolved since then."""
    return {notice.name for notice in alerts_since(room, since) if notice.status == "resolved"}


def until_quiet(room: Deployment) -> None:
    """Wait until every stream is shown and nothing fires."""
    until("every stream is shown", lambda: room.shown(f"count(watchroom_stream_withheld == 0) == {len(SOURCE_OF)}"), 60)
    until(f"nothing fires: {room.monitoring.firing()}", lambda: not room.monitoring.firing(), 150)


def until_panels_are_empty(room: Deployment, streams: frozenset[str], limit_s: float) -> None:
    """Every panel of these streams becomes empty within 30 s of the limit; every other one still answers."""
    asked = [(panel, streams_of(panel.expression, room.catalogue)) for panel in panels(room.settings.force)]
    touched = [panel for panel, of in asked if of & streams]
    others = [panel for panel, of in asked if of and not of & streams]
    assert touched

    def is_of_theirs(row: dict[str, Any]) -> bool:
        """A table over all streams names the measure of each row."""
        measure = room.catalogue.measures.get(row["metric"].get("measure", ""))
        return measure is None or bool(streams.intersection(measure.streams))

    def still_showing() -> list[str]:
        return [
            f"{panel.board}: {panel.title}: {panel.expression}"
            for panel in touched
            if any(map(is_of_theirs, room.monitoring.query(panel.expression)))
        ]

    with suppress(AssertionError):  # the list says more
        until("panels of dead streams are empty", lambda: not still_showing(), limit_s + WITHIN_S, every_s=1)
    assert still_showing() == []
    assert empty_panels(room, others) == []


@contextmanager
def drill(room: Deployment, expected: set[str]) -> Iterator[int]:
    """Exactly these alerts fire and resolve, and everything is quiet again at the end."""
    since = len(room.webhook.notices)
    yield since
    until_quiet(room)
    firing = {notice.name for notice in alerts_since(room, since) if notice.status == "firing"}
    assert firing == expected
    until("all of them resolve", lambda: firing <= resolved(room, since), 60)


def test_every_panel_shows_something(room: Deployment) -> None:
    """A panel that never has data looks like a dead feed for ever."""
    room.work()
    asked = list(panels(room.settings.force))
    assert {panel.board for panel in asked} == {path.stem for path in (ROOT / "grafana" / "dashboards").glob("*.json")}

    def empty() -> list[str]:
        return empty_panels(room, asked)

    with suppress(AssertionError):  # the list says more than "not within 60 s"
        until("every panel shows something", lambda: not empty(), 60, every_s=2)
    assert empty() == []


def empty_panels(room: Deployment, asked: Sequence[Panel]) -> list[str]:
    """Queries without an answer; of the queries behind a single number (short waits, long waits) one must have one."""
    must = [panel for panel in asked if not asks_who_feeds(panel) and panel.nothing != NO_FIGURE]
    silent = [panel for panel in must if not room.monitoring.query(panel.expression)]
    answered = {(panel.board, panel.title) for panel in asked if panel not in silent}
    of_stats = {panel for panel in silent if panel.kind == "stat" and (panel.board, panel.title) in answered}
    return [f"{p.board}: {p.title}: {p.expression}" for p in silent if p not in of_stats]


def asks_who_feeds(panel: Panel) -> bool:
    """A query that answers only where the stream is not fed."""
    return panel.expression.count("watchroom_") == panel.expression.count("watchroom_stream_fed")


def in_redis(room: Deployment) -> dict[str, tuple[float, str]]:
    """One figure of each kind, added up here from Redis, keyed by what the panel's query must contain."""
    reader = Reader(room.settings.redis_url, room.settings.force)
    days = reader.buckets(buckets_of("28d", now_ms(), Calendar(room.settings.zone)))
    areas = room.catalogue.areas.values
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


def test_a_panel_of_each_kind_shows_what_redis_holds(room: Deployment) -> None:
    """A count, a share, a duration and an open measure, from the board's own query to the bucket's integers."""
    asked = list(panels(room.settings.force))
    for pattern, (expected, row) in in_redis(room).items():
        panel = next(panel for panel in asked if re.search(pattern, panel.expression))
        assert expected > 0
        until_it_shows(room, panel, row, expected)


def until_it_shows(room: Deployment, panel: Panel, row: str, expected: float) -> None:
    """The panel's row shows the number after the next scrapes at the latest."""
    name, value = row.split("=")

    def shown() -> float:
        (found,) = [each for each in room.monitoring.query(panel.expression) if each["metric"].get(name) == value]
        return float(found["value"][1])

    with suppress(AssertionError):  # the two numbers say more
        until("the same", lambda: shown() == pytest.approx(expected), 15)
    assert shown() == pytest.approx(expected), panel


def test_a_surge_of_999_calls_alerts_in_time_and_resolves(room: Deployment) -> None:
    """The page has a real cause, says how many calls and for how long, and resolves when the surge is over."""
    with drill(room, {SURGE}) as since:
        waiting = start_surge(room)
        began_s = time.monotonic()
        until("the surge alert fires", lambda: room.webhook.of(SURGE), 60)
        notice = room.webhook.of(SURGE)[-1]
        assert notice.at_s - began_s < surge_alert(room).for_s / FACTOR + 15
        assert notice.labels["severity"] == "page"
        assert notice.labels["force"] == room.settings.force
        assert f"({len(waiting)} open now; threshold: above 2 min)" in notice.annotations["summary"]
        assert notice.annotations["runbook_url"].endswith(f"/runbook/{SURGE}")
        assert "/d/watchroom-live" in notice.annotations["dashboard_url"]
        assert empty_panels(room, list(panels(room.settings.force))) == []  # waits of minutes are another query
        room.answered(waiting)
        until("the surge is resolved", lambda: room.webhook.of(SURGE, "resolved"), 120)
        assert [each.status for each in alerts_since(room, since)][-1] == "resolved"


def test_a_killed_redis_raises_exactly_one_alert(room: Deployment) -> None:
    """Nothing can be evaluated without Redis: one page, not nine."""
    with drill(room, {"RedisDown"}):
        room.redis.kill()
        until_panels_are_empty(room, EVERYTHING, FRESH_LIMIT_S)
        until("the alert fires", lambda: room.webhook.of("RedisDown"), 60)
        room.board_says_no_data(EVERYTHING)
        room.redis.start()


def test_a_killed_exporter_raises_exactly_one_alert(room: Deployment) -> None:
    """Without the exporter every board is blank; Prometheus itself must notice."""
    with drill(room, {"ExporterAbsent"}):
        os.kill(room.exporter.pid, signal.SIGKILL)
        until_panels_are_empty(room, EVERYTHING, FRESH_LIMIT_S)
        until("the alert fires", lambda: room.webhook.of("ExporterAbsent"), 60)
        room.board_says_no_data(EVERYTHING)
        room.exporter.stop()
        room.exporter.start()


def test_a_surge_does_not_resolve_when_the_worker_is_killed(room: Deployment) -> None:
    """The queue is still there when nothing counts it: "resolved" would be false."""
    with drill(room, {SURGE, "WorkerStuck"}) as since:
        waiting = start_surge(room)
        until("the surge alert fires", lambda: SURGE in {notice.name for notice in alerts_since(room, since)}, 60)
        os.kill(room.worker.pid, signal.SIGKILL)
        until_panels_are_empty(room, EVERYTHING, FRESH_LIMIT_S)
        until("the alert fires", lambda: room.webhook.of("WorkerStuck"), 60)
        room.board_says_no_data(EVERYTHING)
        wait_past_keep_firing(room)
        assert SURGE not in resolved(room, since)
        until("the last heartbeat in Redis is too old", lambda: last_seen_s_ago(room) > SILENT_LIMIT_S + WITHIN_S, 150)
        assert "SourceSilent" not in room.monitoring.firing(), "what the sources send waits in Kafka"
        room.worker.stop()
        room.answered(waiting)
        room.worker.start()
        until("the surge alert resolves", lambda: SURGE in resolved(room, since), 150)


def test_a_surge_does_not_resolve_when_its_feed_dies(room: Deployment) -> None:
    """One silent source blanks its own stream and nothing else, and resolves no alert that has fired."""
    with drill(room, {SURGE, "SourceSilent"}) as since:
        waiting = start_surge(room)
        until("the surge alert fires", lambda: SURGE in {notice.name for notice in alerts_since(room, since)}, 60)
        room.feed.silent.add("calls")
        until_panels_are_empty(room, frozenset({"calls"}), SILENT_LIMIT_S)
        until("the alert fires", lambda: room.webhook.of("SourceSilent"), 60)
        assert room.webhook.of("SourceSilent")[-1].labels["source"] == "acd"
        room.board_says_no_data(frozenset({"calls"}))
        wait_past_keep_firing(room)
        assert SURGE not in resolved(room, since)
        room.answered(waiting)
        room.feed.silent.discard("calls")
        until("the surge alert resolves", lambda: SURGE in resolved(room, since), 150)


def last_seen_s_ago(room: Deployment) -> float:
    """How long ago any source was last seen, as far as Redis knows."""
    ((_, value),) = [
        each["value"] for each in room.monitoring.query("time() - max(watchroom_feed_last_heartbeat_timestamp_seconds)")
    ]
    return float(value)


def wait_past_keep_firing(room: Deployment) -> None:
    """Wait so long that an alert kept firing only for a time would have ended and sent "resolved"."""
    time.sleep(surge_alert(room).keep_s / FACTOR + 15)  # evaluation and the group's interval, divided, are shorter
    assert SURGE in room.monitoring.firing()
