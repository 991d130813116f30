"""Truth (docs/architecture.md#fresh-alive-absent): what is shown is true now, and what is unknown is not shown.

Real Kafka, real Redis, real worker and exporter processes; limits are scaled down by settings.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tests.conftest import new_name
from tests.flow.servers import KafkaServer, RedisServer, Stack, pause, resume
from tests.flow.wall import WAITED_FOR, Feed, Look, event, now_ms, wall
from watchroom.kafka.produce import Outgoing, produce

pytestmark = pytest.mark.slow

CALLS_5M = 'watchroom_call_volume{line="999",window="5m"}'
LINES = ("999", "101", "unknown", "other")


def vanished(looks: list[Look]) -> list[tuple[int, frozenset[str]]]:
    """Moments (ms since the first look) at which a family of measures was missing that an earlier look had."""
    seen: frozenset[str] = frozenset()
    gone = []
    for look in looks:
        if missing := seen - look.measures():
            gone.append((look.at_ms - looks[0].at_ms, missing))
        seen |= look.measures()
    return gone


def test_heartbeats_alone_show_no_calls_and_no_percentiles(stack: Stack, tmp_path: Path) -> None:
    """Quiet means 0 calls; a call ten minutes ago is in the last 15 minutes and not in the last five."""
    with wall(stack, tmp_path, fresh_s=4, silent_s=4) as deployment, Feed(deployment.settings):
        before = now_ms() - 600_000
        said = [("call.queued", before - 8_000), ("call.answered", before)]
        topic = deployment.settings.topic("calls")
        produce(
            deployment.settings,
            [Outgoing(topic, b"17", event(kind, "17", at_ms, 0, line="999")) for kind, at_ms in said],
        )
        deployment.look_until(
            lambda look: look.number('watchroom_call_volume{line="999",window="15m"}') == 1, 30, "the old call"
        )
        looks = deployment.look_for(8)  # twice the limits
    for look in looks:
        assert all(look.measures(stream) for stream in WAITED_FOR)
        assert look.number('watchroom_call_answer_time_mean_seconds{line="999",window="15m"}') == 8.0
        for line in LINES:
            assert look.number(f'watchroom_call_volume{{line="{line}",window="5m"}}') == 0
            assert look.number(f'watchroom_call_answer_time_observations{{line="{line}",window="5m"}}') == 0
        percentiles = [text for text in look.page.splitlines() if text.startswith("watchroom_call_answer_time_perc")]
        assert percentiles
        assert not [text for text in percentiles if 'window="5m"' in text]


def test_a_silent_feed_makes_its_measures_vanish_and_return(stack: Stack, tmp_path: Path) -> None:
    """Without events and heartbeats it is unknown whether nothing happens or nothing arrives."""
    silent_s = 5
    with wall(stack, tmp_path, fresh_s=4, silent_s=silent_s) as deployment, Feed(deployment.settings) as feed:
        deployment.until_all_is_shown()
        feed.heartbeats = False
        time.sleep(0.2)
        gone = deployment.look_until(lambda look: not look.measures(), silent_s + 5, "no measures")
        assert silent_s * 1000 <= gone.at_ms - feed.last_heartbeat_ms + 200 <= (silent_s + 2) * 1000
        assert gone.number("watchroom_redis_up") == 1
        assert gone.number('watchroom_feed_last_heartbeat_timestamp_seconds{source="desk"}') is not None
        assert now_ms() - gone.oldest_applied_ms() < 4_000  # the worker is healthy: the feed is not
        feed.heartbeats = True
        deployment.until_all_is_shown()


@pytest.mark.real
def test_a_stopped_worker_makes_the_measures_vanish(real_stack: Stack, tmp_path: Path) -> None:
    """Redis still holds the last figures; they are no longer true, so they are not shown."""
    fresh_s = 4
    with wall(real_stack, tmp_path, fresh_s=fresh_s) as deployment, Feed(deployment.settings):
        deployment.until_all_is_shown()
        deployment.worker.stop()
        stopped_ms = now_ms()
        gone = deployment.look_until(lambda look: not look.measures(), fresh_s + 5, "no measures")
        assert gone.at_ms - stopped_ms <= (fresh_s + 1.5) * 1000
        assert now_ms() - gone.oldest_applied_ms() > fresh_s * 1000  # shown however old
        assert gone.number("watchroom_redis_up") == 1
        deployment.worker.start()
        deployment.until_all_is_shown()


@pytest.mark.real
def test_a_steady_load_makes_nothing_vanish(real_stack: Stack, tmp_path: Path) -> None:
    """At 2,000 events a second no partition is ever applied to its end, yet all of them are fresh."""
    with wall(real_stack, tmp_path, fresh_s=5, silent_s=30) as deployment, Feed(deployment.settings) as feed:
        deployment.until_all_is_shown()
        feed.calls_per_s = 2_000
        looks = deployment.look_for(15)
        feed.calls_per_s = 0
        assert feed.calls_sent > 15 * 1_900
        assert vanished(looks) == []
        counts = [look.number(CALLS_5M) or 0 for look in looks]
        assert counts == sorted(counts)
        assert len(set(counts)) > 5  # it changes, so this is not a frozen page
        deployment.look_until(lambda look: look.number(CALLS_5M) == feed.calls_sent, 15, f"{feed.calls_sent} calls")


@pytest.mark.real
def test_a_worker_that_is_killed_and_restarted_at_once_makes_nothing_vanish(real_stack: Stack, tmp_path: Path) -> None:
    """Under its own name it gets its partitions back within the limit of 10 s; a deployment blanks no wall."""
    with wall(real_stack, tmp_path, fresh_s=10, session_timeout_s=10) as deployment, Feed(deployment.settings) as feed:
        feed.calls_per_s = 50
        deployment.look_until(lambda look: (look.number(CALLS_5M) or 0) > 50, 30, "calls")
        looks = deployment.look_for(1)
        os.kill(deployment.worker.pid, signal.SIGKILL)
        until_s = time.monotonic() + 5
        while deployment.worker.running and time.monotonic() < until_s:
            time.sleep(0.01)
        killed_ms = now_ms()
        deployment.worker.start()
        looks += deployment.look_for(12)
        assert vanished(looks) == []
        assert looks[-1].oldest_applied_ms() > killed_ms
        feed.calls_per_s = 0
        deployment.look_until(lambda look: look.number(CALLS_5M) == feed.calls_sent, 15, f"{feed.calls_sent} calls")


@pytest.mark.real
def test_a_worker_cut_off_from_kafka_does_not_stay_fresh(
    own_kafka: KafkaServer, redis_server: RedisServer, tmp_path: Path
) -> None:
    """The worker runs and reaches Redis; without answers from the broker it must not claim to be up to date."""
    stack = Stack("real", own_kafka.address, redis_server.url, new_name())
    fresh_s = 4
    with wall(stack, tmp_path, fresh_s=fresh_s, silent_s=120) as deployment:
        with Feed(deployment.settings):
            deployment.until_all_is_shown()
        pause(own_kafka.server)
        paused_ms = now_ms()
        gone = deployment.look_until(lambda look: not look.measures(), fresh_s + 5, "no measures")
        assert gone.at_ms - paused_ms <= (fresh_s + 2) * 1000
        assert gone.oldest_applied_ms() <= paused_ms + 500
        assert deployment.worker.running
        assert not any(look.measures() for look in deployment.look_for(3))
        resume(own_kafka.server)
        deployment.look_until(lambda look: all(look.measures(stream) for stream in WAITED_FOR), 40, "all streams again")
