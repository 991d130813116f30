"""The exporter's copy follows Redis: changed buckets, those that left a window, and a Redis that went back in time."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.exporter.store import NOON, ExporterStore
from tests.flow.servers import RedisServer
from watchroom.exporter.mirror import REREAD_EACH_REFRESH, Mirror
from watchroom.rolling.windows import Window
from watchroom.store.clear import clear

CALL = {"call_volume|line=999|count": 1}


def calls(mirror: Mirror, window: str = "5m") -> int:
    """999 calls in a window."""
    return mirror.sums.series(Window(window), "call_volume|line=999").get("count", 0)


def test_changes_arrive_and_old_events_leave_without_reading_everything(
    store: ExporterStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refresh reads only the changed and the new buckets, and a few of the others in turn."""
    mirror = store.mirror()
    read: list[str] = []
    plain = mirror._reader.buckets

    def noted(names: Sequence[str]) -> list[dict[str, int]]:
        read.extend(names)
        return plain(names)

    monkeypatch.setattr(mirror._reader, "buckets", noted)
    store.add(NOON, CALL)
    mirror.refresh(NOON)
    assert calls(mirror) == 1
    everything = len(read)
    read.clear()
    store.add(NOON + 12_000, CALL)
    mirror.refresh(NOON + 12_000)
    assert calls(mirror) == 2
    assert len(read) <= 5 + REREAD_EACH_REFRESH < everything
    mirror.refresh(NOON + 300_000)
    assert (calls(mirror), calls(mirror, "1h")) == (1, 2)
    mirror.refresh(NOON + 312_000)
    assert (calls(mirror), calls(mirror, "1h")) == (0, 2)


def test_a_retracted_contribution_leaves_every_figure(store: ExporterStore) -> None:
    """An incident that is linked later no longer counts; its bucket then holds less, or the field is gone."""
    mirror = store.mirror()
    store.add(NOON, CALL)
    mirror.refresh(NOON)
    store.add(NOON, {"call_volume|line=999|count": -1})
    mirror.refresh(NOON + 1_000)
    assert calls(mirror) == 0


def test_a_redis_that_went_back_in_time_is_read_again(store: ExporterStore, redis_server: RedisServer) -> None:
    """After a failover to an older copy, that copy's figures are shown until events have been applied again."""
    mirror = store.mirror()
    store.add(NOON, CALL)
    older = redis_server.snapshot()
    store.add(NOON, CALL)
    mirror.refresh(NOON)
    assert calls(mirror) == 2
    redis_server.restore(older)
    mirror.refresh(NOON + 1_000)
    assert calls(mirror) == 1


def test_a_redis_that_went_back_and_caught_up_is_read_again(store: ExporterStore, redis_server: RedisServer) -> None:
    """The step numbers alone would not reveal it; the different process id does."""
    mirror = store.mirror()
    older = redis_server.snapshot()
    store.add(NOON - 60_000, CALL)
    mirror.refresh(NOON)
    redis_server.restore(older)
    store.add(NOON - 120_000, CALL)
    mirror.refresh(NOON + 1_000)
    assert (calls(mirror), mirror.redis_answers) == (1, True)


def test_an_unannounced_change_is_found_within_a_minute(store: ExporterStore) -> None:
    """The safety net: every held bucket is read again in turn."""
    mirror = store.mirror()
    mirror.refresh(NOON)
    store.client.hset(store.keys.bucket(f"10s:{NOON // 1000}"), "call_volume|line=999|count", 4)
    for second in range(1, 61):
        mirror.refresh(NOON + second * 1000)
    assert calls(mirror) == 4


def test_a_refresh_that_fails_half_way_changes_nothing(store: ExporterStore, redis_server: RedisServer) -> None:
    """The next successful refresh brings what was missed."""
    mirror = store.mirror()
    mirror.refresh(NOON)
    store.add(NOON, CALL)
    redis_server.kill()
    mirror.refresh(NOON + 1_000)
    assert (calls(mirror), mirror.redis_answers) == (0, False)
    redis_server.start()
    mirror.refresh(NOON + 2_000)
    assert (calls(mirror), mirror.redis_answers) == (1, True)


def test_keys_that_were_cleared_and_filled_beyond_the_old_step_are_read_again(store: ExporterStore) -> None:
    """An exporter that was disconnected during a rebuild would otherwise mix old and new figures."""
    mirror = store.mirror()
    for _ in range(3):
        store.add(NOON, CALL)
    mirror.refresh(NOON)
    assert calls(mirror) == 3
    clear(store.settings.redis_url, store.settings.force)
    store.begin(NOON)
    for _ in range(5):
        store.add(NOON - 60_000, {"call_volume|line=101|count": 1})
    mirror.refresh(NOON + 1_000)
    assert calls(mirror) == 0


def test_a_copy_read_from_two_servers_is_not_used(
    store: ExporterStore, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a failover during a refresh, the old primary's T would vouch for data that the new one lacks."""
    mirror = store.mirror()
    store.add(NOON, CALL)
    older = redis_server.snapshot()
    store.add(NOON, CALL)
    mirror.refresh(NOON)
    assert calls(mirror) == 2
    plain = mirror._reader.partitions

    def then_failed_over() -> object:
        found = plain()
        redis_server.restore(older)
        return found

    with monkeypatch.context() as patched:
        patched.setattr(mirror._reader, "partitions", then_failed_over)
        mirror.refresh(NOON + 1_000)
    assert calls(mirror) == 2
    assert mirror.reading is not None
    assert mirror.reading.read_at_ms == NOON
    mirror.refresh(NOON + 2_000)
    assert calls(mirror) == 1


def test_a_copy_read_while_the_keys_were_cleared_is_not_used(
    store: ExporterStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The T from before would vouch for the emptied buckets: 0 calls, and fresh."""
    mirror = store.mirror()
    store.add(NOON, CALL)
    mirror.refresh(NOON)
    plain = mirror._reader.partitions

    def then_cleared() -> object:
        found = plain()
        clear(store.settings.redis_url, store.settings.force)
        return found

    monkeypatch.setattr(mirror._reader, "partitions", then_cleared)
    mirror.refresh(NOON + 1_000)
    assert calls(mirror) == 1
    assert mirror.reading is not None
    assert mirror.reading.read_at_ms == NOON
