"""One partition while Redis goes away, hangs, goes back or refuses: each event counts once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import pytest

from tests.flow.servers import RedisServer, pause, resume
from tests.fold.said import at
from tests.intake.one_partition import FORCE, NOW_MS, OnePartition, batch, queued, record
from tests.store.steps import content
from watchroom.errors import Moved, OtherDefinitions, StoreUnavailable, WorkFailed
from watchroom.store import write
from watchroom.store.keys import Keys

pytestmark = pytest.mark.real
KEYS = Keys(FORCE)
VOLUME = "call_volume|line=999|count"
CALLS = [record(n, "call.queued", "09:00:00", f"call-{n}", line="999") for n in range(6)]
ANSWERS = [record(6 + n, "call.answered", "09:00:08", f"call-{n}") for n in range(6)]
ALL = batch(0, *CALLS, *ANSWERS)
EXPECTED = {
    **queued(6), "call_answer_time|line=999|observations": 6, "call_answer_time|line=999|sum_ms": 48_000,
    "call_answer_time|line=999|within": 6, "call_answer_time|line=999|bin:7962": 6,
    "call_answer_time_presented|line=999|missing_start": 6, "call_abandonment|line=999|whole": 6,
    "call_abandonment_less_short|line=999|whole": 6, "call_abandonment_without_short|line=999|whole": 6,
}  # fmt: skip


@pytest.fixture
async def one(redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[OnePartition]:
    """One partition, with steps of at most four records and short timeouts."""
    monkeypatch.setattr(write, "ANSWER_WITHIN_S", 0.3)
    worker = OnePartition(redis_server.url, step_events=4)
    yield worker
    await worker.close()


async def test_a_batch_continues_after_a_redis_outage(one: OnePartition, redis_server: RedisServer) -> None:
    """Nobody has to restart it: the same call is repeated until it succeeds."""
    applier = await one.started()
    redis_server.kill()
    for _ in range(2):
        with pytest.raises(StoreUnavailable):
            await applier.apply(ALL, NOW_MS, NOW_MS)
    redis_server.start()
    await applier.apply(ALL, NOW_MS, NOW_MS)
    assert one.month() == EXPECTED


async def test_a_redis_that_came_back_empty_is_filled_from_the_beginning(
    one: OnePartition, redis_server: RedisServer
) -> None:
    """It has no fingerprint: nothing is written before a worker has opened it, and nothing is remembered."""
    applier = await one.started()
    await applier.apply(batch(0, *CALLS), NOW_MS, NOW_MS)
    with redis_server.client() as client:
        client.flushall()
    with pytest.raises(Moved) as moved:
        await applier.apply(batch(6, *ANSWERS), NOW_MS, NOW_MS)
    assert moved.value.stored_offset is None
    assert await applier.start() is None
    await applier.apply(ALL, NOW_MS, NOW_MS)
    assert one.month() == EXPECTED


async def test_a_batch_counts_once_if_redis_dies_between_two_of_its_steps(
    one: OnePartition, redis_server: RedisServer
) -> None:
    """The first step is written, the second one's letter is sent, then Redis is gone: everything counts once."""
    applier = await one.started()
    late = record(6, "call.queued", "-1 08:00:00", "18", arrived=at("09:00:00"))
    broken = batch(0, *CALLS, late)
    one.letters.before = redis_server.kill
    with pytest.raises(StoreUnavailable):
        await applier.apply(broken, NOW_MS, NOW_MS)
    one.letters.before = lambda: None
    redis_server.start()
    assert one.next_offset() == 4
    assert one.reader.partitions()["watchroom.calls", 0].fresh_ms is None  # not all of the batch is applied
    await applier.apply(broken, NOW_MS, NOW_MS)
    assert one.month() == queued(6)
    assert one.reader.dead_letters() == {("watchroom.calls", "late"): 1}
    assert set(one.letters.sent) == {(6, "late")}


async def test_a_step_whose_reply_was_lost_is_sent_again_unchanged(
    one: OnePartition, redis_server: RedisServer
) -> None:
    """Redis was paused, then applied the step: it is found applied, and its entities are known as it left them."""
    applier = await one.started()
    await applier.begin(0, NOW_MS)  # now Redis knows the script
    late = record(3, "call.queued", "-1 08:00:00", "18", arrived=at("09:00:00"))
    one.letters.before = partial(pause, redis_server.server)  # after the states were read, before the step
    with pytest.raises(StoreUnavailable):
        await applier.apply(batch(0, *CALLS[:3], late), NOW_MS, NOW_MS)
    resume(redis_server.server)
    async with asyncio.timeout(5):
        while one.next_offset() != 4:  # noqa: ASYNC110  # Redis sends no event
            await asyncio.sleep(0.01)
    await applier.apply(batch(0, *CALLS[:3], late), NOW_MS, NOW_MS)
    await applier.apply(batch(4, *ANSWERS[:3]), NOW_MS, NOW_MS)
    assert one.month() == {name: n // 2 for name, n in EXPECTED.items()}
    assert one.letters.sent == [(3, "late")]
    assert one.reader.dead_letters() == {("watchroom.calls", "late"): 1}


async def test_a_lost_reply_is_settled_by_the_next_freshness_heartbeat_too(
    one: OnePartition, redis_server: RedisServer
) -> None:
    """The timer may come first; it neither loses nor repeats the step."""
    applier = await one.started()
    first = batch(0, *CALLS[:2])
    redis_server.kill()
    with pytest.raises(StoreUnavailable):
        await applier.apply(first, None, NOW_MS)
    redis_server.start()
    await applier.write_freshness(NOW_MS, NOW_MS)
    await applier.apply(first, NOW_MS, NOW_MS)
    assert one.month() == queued(2)
    assert one.reader.partitions()["watchroom.calls", 0].fresh_ms == NOW_MS


async def test_a_cancelled_step_is_not_assumed_to_be_applied(one: OnePartition, redis_server: RedisServer) -> None:
    """A worker that is stopped during a step discards its memory and asks Redis when it starts again."""
    applier = await one.started()
    await applier.apply(batch(0, *CALLS), NOW_MS, NOW_MS)
    pause(redis_server.server)
    task = asyncio.create_task(applier.apply(batch(6, *ANSWERS), NOW_MS, NOW_MS))
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    resume(redis_server.server)
    stored = await applier.start()
    await applier.apply(batch(stored or 0, *ANSWERS), NOW_MS, NOW_MS)
    assert one.month() == EXPECTED


async def test_a_redis_that_went_back_is_noticed_by_the_heartbeat_and_recovers(
    one: OnePartition, redis_server: RedisServer
) -> None:
    """After a failover to a late replica, offset and figures went back together, so reading continues from there."""
    applier = await one.started()
    await applier.apply(batch(0, *CALLS), NOW_MS, NOW_MS)
    older = redis_server.snapshot()
    await applier.apply(batch(6, *ANSWERS), NOW_MS, NOW_MS)
    with redis_server.client() as client:
        before = content(client, KEYS)
    redis_server.restore(older)
    with pytest.raises((StoreUnavailable, Moved)):
        await applier.write_freshness(NOW_MS, NOW_MS)
    with pytest.raises(Moved) as moved:
        await applier.write_freshness(NOW_MS, NOW_MS)
    assert moved.value.stored_offset == await applier.start() == 6
    await applier.apply(batch(6, *ANSWERS), NOW_MS, NOW_MS)
    assert one.month() == EXPECTED
    with redis_server.client() as client:
        assert content(client, KEYS).keys() == before.keys()


async def test_nothing_of_a_refused_step_is_remembered(one: OnePartition, redis_server: RedisServer) -> None:
    """A key of another type ends the worker with 1; the same process may also retry."""
    applier = await one.started()
    with redis_server.client() as client:
        client.set(KEYS.bucket("month:2021-11"), "not ours")
        with pytest.raises(WorkFailed, match="nothing was written"):
            await applier.apply(ALL, NOW_MS, NOW_MS)
        client.delete(KEYS.bucket("month:2021-11"))
    await applier.apply(ALL, NOW_MS, NOW_MS)
    assert one.month() == EXPECTED


async def test_a_rebuild_under_other_definitions_refuses_the_partitions_of_its_stream(
    one: OnePartition, redis_server: RedisServer
) -> None:
    """While the worker runs, and when it starts; those of other streams continue."""
    applier, other = await one.started(), await one.started("incidents")
    await applier.apply(batch(0, *CALLS), NOW_MS, NOW_MS)
    with redis_server.client() as client:
        client.hset(KEYS.meta, mapping={"fingerprint:calls": "other", "definition:calls": "{}"})
    for call in (lambda: applier.write_freshness(NOW_MS, NOW_MS), applier.start):
        with pytest.raises(OtherDefinitions) as refused:
            await call()
        assert refused.value.streams.keys() == {"calls"}
    assert await other.start() is None
    await other.begin(0, NOW_MS)
    assert one.next_offset("incidents") == 0


@pytest.mark.parametrize("step_events", [1, 2, 5, 100])
async def test_the_size_of_steps_does_not_change_the_figures(step_events: int, redis_server: RedisServer) -> None:
    """Nor does it change open sets, restatements and dead letters."""
    one = OnePartition(redis_server.url, step_events=step_events)
    applier = await one.started()
    december = 1_640_000_000_000
    ended = [record(12 + n, "call.ended", "09:05:00", f"call-{n % 3}", arrived=at("09:05:00")) for n in range(4)]
    late = record(16, "call.queued", "09:00:01", "x", arrived=december)
    await applier.apply(batch(0, *ALL.records, *ended, late), NOW_MS, NOW_MS)
    assert one.month() == EXPECTED
    assert [subject for subject, _ in one.reader.open_members("calls_in_progress|line=999")] == [
        "call-3",
        "call-4",
        "call-5",
    ]
    assert one.reader.dead_letters() == {("watchroom.calls", "late"): 1}
    assert one.next_offset() == 17
    await one.close()
