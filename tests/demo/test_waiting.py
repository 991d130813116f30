"""Waiting for the pipeline has a time limit, and says what it is waiting for."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.flow.servers import RedisServer
from tests.reports.redis_months import Happened, fill, settings_on
from watchroom.demo import waiting
from watchroom.demo.waiting import missing_records, wait_applied, worker_runs
from watchroom.errors import StoreUnavailable, WorkFailed
from watchroom.store.read import Reader

pytestmark = pytest.mark.real
TOPIC_PARTITION = ("watchroom.calls", 0)


@pytest.fixture
def reader(redis_server: RedisServer) -> Reader:
    """A Redis in which two calls are applied."""
    settings = settings_on(redis_server.url)
    fill(settings, [Happened("call.presented", subject, "2021-11-27T20:00:00Z") for subject in "ab"])
    return Reader(settings.redis_url, settings.force)


def nothing(*_: object) -> None:
    """Check or progress that does nothing."""


def test_it_returns_when_every_end_offset_is_reached(reader: Reader) -> None:
    """Not before: a figure that is read too early is wrong."""
    seen: list[int] = []
    wait_applied(reader, {TOPIC_PARTITION: 2}, nothing, seen.append)
    assert seen == [0]
    assert missing_records(reader, {TOPIC_PARTITION: 5, ("watchroom.calls", 1): 3}) == 6


def test_it_gives_up_when_there_is_no_progress(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stuck worker must not keep an analyst waiting."""
    monkeypatch.setattr(waiting, "STALLED_AFTER_S", 0.3)
    with pytest.raises(WorkFailed, match="no events were applied for 0 s; 3 events have not been applied yet"):
        wait_applied(reader, {TOPIC_PARTITION: 5}, nothing, nothing)


def test_it_gives_up_when_redis_stays_away(
    reader: Reader, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not give up at the first missing answer."""
    monkeypatch.setattr(waiting, "REDIS_PATIENCE_S", 0.5)
    looks: list[None] = []
    redis_server.stop()
    with pytest.raises(StoreUnavailable):
        wait_applied(reader, {TOPIC_PARTITION: 5}, lambda: looks.append(None), nothing)
    assert len(looks) > 2


def test_it_ends_if_the_worker_ends(reader: Reader) -> None:
    """The reason is what `check` reports."""

    def dead() -> None:
        raise WorkFailed("the worker has ended")

    with pytest.raises(WorkFailed, match="the worker has ended"):
        wait_applied(reader, {TOPIC_PARTITION: 5}, dead, nothing)


def test_a_worker_that_has_just_stopped_does_not_count_as_running(redis_server: RedisServer, reader: Reader) -> None:
    """Its last times are recent, but they do not change."""
    with redis_server.client() as redis:
        now_ms = int(redis.time()[0]) * 1000
        redis.hset("{force}:partition:watchroom.calls:0", "fresh_ms", now_ms)
        assert not worker_runs(reader, touch_s=0.2)
    assert not worker_runs(Reader(redis_server.url, "nobody"), touch_s=0.2)


def test_a_worker_that_has_just_started_counts_as_running(redis_server: RedisServer, reader: Reader) -> None:
    """It is ready once it has its partitions; its first times may come one freshness heartbeat later."""
    with redis_server.client() as redis, ThreadPoolExecutor(1) as other:
        redis.hdel("{force}:partition:watchroom.calls:0", "fresh_ms")
        looking = other.submit(worker_runs, reader, touch_s=5)
        now_ms = int(redis.time()[0]) * 1000
        redis.hset("{force}:partition:watchroom.calls:0", "fresh_ms", now_ms)
        moves = iter(range(1, 100_000))
        while not looking.done():
            redis.hset("{force}:partition:watchroom.calls:0", "fresh_ms", now_ms + next(moves))
        assert looking.result()
