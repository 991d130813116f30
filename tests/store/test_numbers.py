"""Whole numbers stay exact through msgpack, Lua and Redis."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.store.steps import TOPIC, WAITING, step
from watchroom.rolling.buckets import Bucket
from watchroom.store.read import Reader
from watchroom.store.write import Store

SUM = "call_answer_time|line=101|sum_ms"
MONTH = "month:2021-11"
MOST = 2**53 - 1  # above this, a double cannot distinguish neighbours


async def add(store: Store, *deltas: int) -> None:
    """Add each in its own step."""
    for delta in deltas:
        stored = await store.next_offset(TOPIC, 0)
        await store.step(step(stored, (stored or 0) + 1, buckets=[Bucket(MONTH, None, {SUM: delta})]), again=False)


@pytest.mark.parametrize(
    "delta", [1, -1, 2**31 - 1, 2**31, 2**31 + 1, -(2**31) - 1, 2**32, 10**14, 10**15 + 1, MOST - 1, MOST, -MOST]
)
async def test_a_delta_is_added_exactly(delta: int, store: Store, reader: Reader) -> None:
    """A year of long waits is about 10^12 ms; nothing may wrap beyond 2^31 or be rounded beyond 10^14."""
    await add(store, delta)
    assert reader.buckets([MONTH]) == [{SUM: delta}]


async def test_a_sum_may_exceed_the_largest_delta(store: Store, reader: Reader) -> None:
    """Redis counts in 64 bits."""
    await add(store, MOST, MOST, 1)
    assert reader.buckets([MONTH]) == [{SUM: 2 * MOST + 1}]


@given(deltas=st.lists(st.integers(-MOST, MOST), min_size=1, max_size=6))
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_deltas_that_are_added_and_taken_back_leave_no_trace(
    deltas: list[int], store: Store, reader: Reader
) -> None:
    """A retraction ends at exactly 0, not near it."""
    before = reader.buckets([MONTH])[0].get(SUM, 0)
    await add(store, *deltas)
    assert reader.buckets([MONTH])[0][SUM] == before + sum(deltas)
    await add(store, *(-delta for delta in deltas))
    assert reader.buckets([MONTH])[0][SUM] == before


async def test_times_offsets_and_counts_are_exact(store: Store, reader: Reader) -> None:
    """Milliseconds since the epoch, offsets of a long log, and the time since which an entity is open."""
    at_ms, offset = 7_258_118_399_999, MOST - 1  # the last ms of 2199
    heard = {"acd|event": at_ms}
    opened = {"17": {WAITING: at_ms}}
    await store.step(
        step(None, offset, fresh_ms=at_ms, last_seen=heard, opened=opened, lost=MOST, dead_letters={"late": 2**31}),
        again=False,
    )
    state = reader.partitions()[TOPIC, 0]
    assert (state.next_offset, state.fresh_ms, state.lost) == (offset, at_ms, MOST)
    assert reader.sources()[TOPIC, "acd"].event_ms == at_ms
    assert reader.open_members(WAITING) == [("17", at_ms)]
    assert reader.dead_letters() == {(TOPIC, "late"): 2**31}
    await store.step(step(offset, offset + 1), again=False)
    assert reader.partitions()[TOPIC, 0].next_offset == MOST
