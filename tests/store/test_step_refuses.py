"""What the step refuses before its first write, because Redis does not undo a script that failed half-way."""

from __future__ import annotations

from typing import Any

import pytest
from redis import Redis

from tests.store.steps import TOPIC, VOLUME, WAITING, content, full, step
from watchroom.errors import WorkFailed
from watchroom.rolling.buckets import Bucket
from watchroom.store.keys import Keys
from watchroom.store.write import Store

KEYS = {
    f"partition:{TOPIC}:0": "hash", "changed": "zset", "open-until": "zset", "dead-letters": "hash",
    "ignored-fields": "hash", "raw-identifiers": "hash",
    f"sources:{TOPIC}": "hash", "10s:1637971200": "hash", "month:2021-11": "hash", f"open:{WAITING}": "zset",
    "open:calls_in_progress|line=999": "zset", "restatements:2021-10": "list",
}  # fmt: skip


async def refused(store: Store, client: Redis, keys: Keys, **more: Any) -> str:
    """The message of a step that must be refused and must write nothing."""
    before = content(client, keys)
    with pytest.raises(WorkFailed) as failed:
        await store.step(full(None, 10, **more), again=False)
    assert content(client, keys) == before
    assert failed.value.exit_code == 1
    return str(failed.value)


@pytest.mark.parametrize("key", KEYS)
async def test_a_key_of_another_type_is_refused_before_anything_is_written(
    key: str, store: Store, client: Redis, keys: Keys
) -> None:
    """Whoever put it there: half a step would be counted twice after a restart."""
    client.set(keys.prefix + key, "not mine")
    said = await refused(store, client, keys)
    assert TOPIC in said
    if not key.startswith("partition:"):  # the comparison itself reads that one, so the message is Redis's own
        assert f"{key} is a string, not a {KEYS[key]}; nothing was written" in said


async def test_every_key_that_a_step_writes_is_checked(store: Store, client: Redis, keys: Keys) -> None:
    """The table above is complete: states may have any type, since SET replaces it."""
    await store.step(full(None, 10), again=False)
    written = {key for key in content(client, keys) if not key.startswith("state:")} - {"meta"}
    assert written <= set(KEYS)
    client.delete(keys.state(TOPIC, "17"))
    client.rpush(keys.state(TOPIC, "17"), "x")
    await store.step(full(10, 20), again=False)
    assert client.get(keys.state(TOPIC, "17")) == b"\x93\x01\x02\x03"


@pytest.mark.parametrize(
    "delta", [0.5, -1.25, float("nan"), float("inf"), "1", None, True, [1], 2**53, 2**53 + 1, 2**53 + 2, -(10**17)]
)
async def test_a_delta_that_is_not_a_whole_number_is_refused(
    delta: Any, store: Store, client: Redis, keys: Keys
) -> None:
    """Also beyond 2^53, where Lua's numbers are no longer exact; HINCRBY would fail half-way."""
    bad = [Bucket("month:2021-11", None, {VOLUME: 1}), Bucket("day:2021-11-27", None, {VOLUME: 1, "x": delta})]
    said = await refused(store, client, keys, buckets=bad)
    assert "a delta is" in said
    assert "not a whole number; nothing was written" in said


async def test_the_same_step_passes_once_the_fault_is_gone(store: Store, client: Redis, keys: Keys) -> None:
    """A refused step leaves nothing behind that would count twice."""
    client.set(keys.dead_letters, "not mine")
    await refused(store, client, keys)
    client.delete(keys.dead_letters)
    await store.step(full(None, 10), again=False)
    assert client.hgetall(keys.bucket("month:2021-11")) == {VOLUME.encode(): b"1"}


async def test_a_step_is_not_blocked_by_faulty_keys_that_it_does_not_write(
    store: Store, client: Redis, keys: Keys
) -> None:
    """Freshness must continue for a partition without records, whatever other keys contain."""
    client.set(keys.bucket("month:2021-11"), "not mine")
    client.set(keys.open_set(WAITING), "not mine")
    await store.step(step(None, 10, fresh_ms=1), again=False)
    assert await store.next_offset(TOPIC, 0) == 10
