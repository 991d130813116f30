"""The atomic step: compare-and-set, what it writes, and the retry of a lost reply. On Redis and on Valkey."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from redis import Redis

from tests.flow.servers import RedisServer, pause, resume
from tests.store.steps import CHANGE, DEFINITIONS, KEEPING_MS, NOW_MS, TOPIC, VOLUME, WAITING, content, full, step
from watchroom.errors import Moved, OtherDefinitions, StoreUnavailable
from watchroom.rolling.buckets import Bucket
from watchroom.store import write
from watchroom.store.keys import Keys
from watchroom.store.read import PartitionState, Reader, SourceState
from watchroom.store.write import Store


async def test_a_first_step_starts_without_a_stored_offset(store: Store, reader: Reader) -> None:
    """`base` None means: no offset yet."""
    assert await store.next_offset(TOPIC, 0) is None
    await store.step(step(None, 10, fresh_ms=NOW_MS), again=False)
    assert await store.next_offset(TOPIC, 0) == 10
    assert reader.partitions()[TOPIC, 0].fresh_ms == NOW_MS


async def test_steps_follow_each_other_and_partitions_are_independent(store: Store) -> None:
    """Each partition has its own offset."""
    await store.step(step(None, 10), again=False)
    await store.step(step(10, 12), again=False)
    await store.step(step(None, 3, partition=1), again=False)
    assert [await store.next_offset(TOPIC, n) for n in (0, 1)] == [12, 3]


async def test_everything_is_written_in_one_step(store: Store, reader: Reader) -> None:
    """States, buckets, open sets, restatements, sources, dead letters, losses, freshness and the offset."""
    await store.step(full(None, 10), again=False)
    assert await store.states(TOPIC, ["16", "17"]) == [None, b"\x93\x01\x02\x03"]
    assert reader.buckets(["10s:1637971200", "month:2021-11"]) == [{VOLUME: 1}, {VOLUME: 1}]
    assert reader.open_members(WAITING) == [("17", NOW_MS - 5_000)]
    assert reader.restatements("2021-10") == [CHANGE]
    assert reader.sources() == {(TOPIC, "acd"): SourceState(NOW_MS, NOW_MS - 1)}
    assert reader.dead_letters() == {(TOPIC, "late"): 2}
    assert reader.ignored_fields() == {(TOPIC, "cli_type"): 4}
    assert reader.raw_identifiers() == {(TOPIC, "a|b"): 1}
    assert reader.partitions()[TOPIC, 0] == PartitionState(10, NOW_MS, 3)


async def test_steps_add_up(store: Store, reader: Reader) -> None:
    """Counts and losses are sums, retractions too; the log of restatements keeps its order."""
    await store.step(full(None, 10), again=False)
    other = CHANGE._replace(offset=42, delta=1)
    minus = [Bucket("month:2021-11", None, {VOLUME: -1, "call_volume|line=101|count": 2})]
    await store.step(
        full(10, 20, buckets=minus, restatements=[other], dead_letters={"late": 1, "future": 1}), again=False
    )
    assert reader.buckets(["month:2021-11"]) == [{VOLUME: 0, "call_volume|line=101|count": 2}]
    assert reader.restatements("2021-10") == [CHANGE, other]
    assert reader.dead_letters() == {(TOPIC, "late"): 3, (TOPIC, "future"): 1}
    assert (reader.ignored_fields(), reader.raw_identifiers()) == ({(TOPIC, "cli_type"): 8}, {(TOPIC, "a|b"): 2})
    assert reader.partitions()[TOPIC, 0].lost == 6


@pytest.mark.parametrize("base", [None, 9, 11, 0])
async def test_a_step_from_another_offset_is_refused_as_moved_and_writes_nothing(
    base: int | None, store: Store, client: Redis, keys: Keys
) -> None:
    """Another worker owns the partition, or Redis went back: the answer gives the stored offset."""
    await store.step(full(None, 10), again=False)
    before = content(client, keys)
    with pytest.raises(Moved) as moved:
        await store.step(full(base, 20), again=False)
    assert moved.value.stored_offset == 10
    assert moved.value.went_back == (base == 11)
    assert content(client, keys) == before


async def test_a_step_from_an_offset_is_refused_as_moved_if_none_is_stored(
    store: Store, client: Redis, keys: Keys
) -> None:
    """A Redis that lost the partition answers that nothing is stored."""
    before = content(client, keys)
    with pytest.raises(Moved) as moved:
        await store.step(full(10, 20), again=False)
    assert moved.value.stored_offset is None
    assert moved.value.went_back
    assert content(client, keys) == before


async def test_an_emptied_redis_accepts_no_step(store: Store, client: Redis, keys: Keys) -> None:
    """Without a fingerprint no worker has opened it: the content is gone, and the worker must begin again."""
    await store.step(full(None, 10), again=False)
    for key in client.scan_iter(keys.prefix + "*", count=100_000):
        client.delete(key)
    with pytest.raises(Moved) as moved:
        await store.step(full(10, 20), again=False)
    assert moved.value.stored_offset is None
    assert content(client, keys) == {}


OTHER: dict[Any, Any] = {"fingerprint:calls": "0123456789abcdef", "definition:calls": '{"topic": "watchroom.calls"}'}


async def test_a_step_under_another_definition_of_its_stream_is_refused_and_writes_nothing(
    store: Store, client: Redis, keys: Keys
) -> None:
    """A rebuild under new definitions ran meanwhile: this worker's differences mean nothing there."""
    await store.step(full(None, 10), again=False)
    client.hset(keys.meta, mapping=OTHER)
    before = content(client, keys)
    for again in (False, True):
        with pytest.raises(OtherDefinitions, match=r"calls: bins is new.*watchroom rebuild") as stopped:
            await store.step(full(10, 20), again=again)
    assert stopped.value.exit_code == 2
    assert stopped.value.streams == {"calls": "bins is new, partitions is new, reporting zone is new"}
    assert content(client, keys) == before


async def test_another_definition_of_one_stream_refuses_no_step_of_the_others(
    store: Store, client: Redis, keys: Keys, reader: Reader
) -> None:
    """What changed for calls does not stop incidents."""
    client.hset(keys.meta, mapping=OTHER)
    await store.step(full(None, 10, topic="watchroom.incidents"), again=False)
    assert reader.partitions()["watchroom.incidents", 0].next_offset == 10


async def test_no_step_is_written_while_the_keys_are_cleared(store: Store, client: Redis, keys: Keys) -> None:
    """A rebuild has begun: half of what is written now would be removed; every stream is refused."""
    client.hset(keys.meta, "clearing", 1)
    before = content(client, keys)
    with pytest.raises(OtherDefinitions, match="calls, incidents: a rebuild is running") as stopped:
        await store.step(full(None, 10), again=False)
    assert stopped.value.streams.keys() == {"calls", "incidents"}
    assert content(client, keys) == before


async def test_if_definitions_match_again_the_step_is_only_moved(store: Store, client: Redis, keys: Keys) -> None:
    """Between the answer and the check a rebuild restored our definition: nothing is named, nothing is lost."""
    ours: Any = client.hgetall(keys.meta)
    client.hset(keys.meta, mapping=OTHER)
    script: Any = store._step

    async def and_back(**given: Any) -> Any:
        answer = await script(**given)
        client.hset(keys.meta, mapping=ours)
        return answer

    store._step = and_back  # type: ignore[assignment]  # the script, and then a rebuild
    with pytest.raises(Moved) as moved:
        await store.step(full(None, 10), again=False)
    assert moved.value.stored_offset is None


async def test_a_step_whose_reply_was_lost_counts_as_applied_when_sent_again(
    store: Store, client: Redis, keys: Keys
) -> None:
    """It finds its own new offset; nothing is written twice."""
    await store.step(full(None, 10), again=False)
    before = content(client, keys)
    await store.step(full(None, 10), again=True)
    assert content(client, keys) == before


async def test_a_step_that_never_arrived_is_applied_when_it_is_sent_again(store: Store, reader: Reader) -> None:
    """Only its reply seemed to be lost: it is written now, once."""
    await store.step(full(None, 10), again=True)
    assert reader.buckets(["month:2021-11"]) == [{VOLUME: 1}]


async def test_a_step_sent_again_is_moved_when_another_step_has_followed(store: Store) -> None:
    """Only its own new offset shows that it was applied."""
    await store.step(full(None, 10), again=False)
    await store.step(full(10, 20), again=False)
    with pytest.raises(Moved, match="20"):
        await store.step(full(None, 10), again=True)


async def test_a_first_attempt_that_finds_its_own_new_offset_is_moved(store: Store) -> None:
    """Two workers read the same batch at once: the second one is refused."""
    await store.step(full(None, 10), again=False)
    with pytest.raises(Moved, match="10"):
        await store.step(full(None, 10), again=False)


async def test_freshness_never_goes_back(store: Store, reader: Reader) -> None:
    """An older answer that arrives late does not turn it back, and a step without one leaves it."""
    for base, fresh_ms in ((None, NOW_MS), (10, NOW_MS - 1), (10, None)):
        await store.step(step(base, 10, fresh_ms=fresh_ms), again=False)
        assert reader.partitions()[TOPIC, 0].fresh_ms == NOW_MS
    await store.step(step(10, 10, fresh_ms=NOW_MS + 1), again=False)
    assert reader.partitions()[TOPIC, 0].fresh_ms == NOW_MS + 1


async def test_a_partition_without_freshness_has_none_rather_than_zero(store: Store, reader: Reader) -> None:
    """None is stale; 0 would be a moment in 1970."""
    await store.step(step(None, 10), again=False)
    assert reader.partitions() == {
        (TOPIC, 0): PartitionState(10, None, 0),
        (TOPIC, 1): PartitionState(None, None, 0),
        ("watchroom.incidents", 0): PartitionState(None, None, 0),
    }


async def test_the_last_seen_time_of_a_source_is_the_latest_one(store: Store, reader: Reader) -> None:
    """A partition that is catching up must not make a source look silent."""
    times = ((NOW_MS, NOW_MS), (NOW_MS - 60_000, NOW_MS + 30_000))
    for base, (event_ms, beat_ms) in zip((None, 10), times, strict=True):
        await store.step(step(base, 10, last_seen={"a|b|event": event_ms, "a|b|heartbeat": beat_ms}), again=False)
    assert reader.sources() == {(TOPIC, "a|b"): SourceState(NOW_MS, NOW_MS + 30_000)}


async def test_the_script_is_loaded_again_into_a_redis_that_lost_it(store: Store, client: Redis) -> None:
    """A restart or a failover empties the script cache."""
    await store.step(step(None, 10), again=False)
    client.script_flush()
    await store.step(step(10, 20), again=False)
    assert await store.next_offset(TOPIC, 0) == 20


async def test_a_large_step_is_still_one_step(store: Store, reader: Reader) -> None:
    """More values than Lua can unpack at once."""
    subjects = [str(number) for number in range(9_000)]
    states = {subject: b"\x00\xff\xc1" + subject.encode() for subject in subjects}
    bucket = Bucket("month:2021-11", None, {f"m|line={subject}|count": 1 for subject in subjects})
    opened = {subject: {WAITING: NOW_MS} for subject in subjects}
    await store.step(step(None, 9_000, states=states, buckets=[bucket], opened=opened), again=False)
    assert await store.states(TOPIC, subjects) == list(states.values())
    assert len(reader.open_members(WAITING)) == len(reader.buckets(["month:2021-11"])[0]) == 9_000


async def test_a_step_whose_reply_comes_too_late_is_found_applied(
    redis_server: RedisServer, force: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Redis was paused, applied the step afterwards, and received it again: it counts once."""
    monkeypatch.setattr(write, "ANSWER_WITHIN_S", 0.2)
    store = Store(redis_server.url, force, DEFINITIONS)
    await store.open()
    await store.step(step(None, 5), again=False)  # now Redis knows the script
    pause(redis_server.server)
    try:
        with pytest.raises(StoreUnavailable):
            await store.step(full(5, 10), again=False)
    finally:
        resume(redis_server.server)
    reader = Reader(redis_server.url, force)
    async with asyncio.timeout(5):
        while reader.partitions()[TOPIC, 0].next_offset != 10:  # noqa: ASYNC110  # Redis sends no event
            await asyncio.sleep(0.01)
    await store.step(full(5, 10), again=True)
    await store.close()
    assert reader.buckets(["month:2021-11"]) == [{VOLUME: 1}]
    assert reader.partitions()[TOPIC, 0].lost == 3
    reader.close()


async def test_a_redis_that_is_down_is_reported_as_unavailable(redis_server: RedisServer, force: str) -> None:
    """By every call; all work again when Redis is back with its content."""
    store = Store(redis_server.url, force, DEFINITIONS)
    await store.open()
    await store.step(full(None, 10, keeping_ms=KEEPING_MS), again=False)
    redis_server.written()
    redis_server.kill()
    for call in (
        store.open(),
        store.next_offset(TOPIC, 0),
        store.states(TOPIC, ["17"]),
        store.step(full(10, 20), again=False),
    ):
        with pytest.raises(StoreUnavailable):
            await call
    redis_server.start()
    assert await store.next_offset(TOPIC, 0) == 10
    await store.close()
