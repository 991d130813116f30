"""Hashes of token counts in a real Redis: written as differences, ended by a step, never restated afterwards."""

from __future__ import annotations

from redis import Redis

from tests.store.steps import NOW_MS, step
from watchroom.fold.batch import TokenChange
from watchroom.rolling.buckets import DAY_MS, TOKENS_UNCHANGED_MS
from watchroom.rolling.calendar import Calendar
from watchroom.store.keys import Keys
from watchroom.store.read import Reader
from watchroom.store.step import TokenHash, token_hashes
from watchroom.store.write import Store

NAME = "callers:month:2021-11"
LONDON = Calendar("Europe/London")
FAR_MS = NOW_MS + 400 * DAY_MS


def change(keep_until_ms: int = FAR_MS, events: int = 1, **deltas: int) -> list[TokenHash]:
    """A change of one hash."""
    return [TokenHash(NAME, keep_until_ms, events, deltas)]


async def test_counts_are_added_and_a_token_whose_count_reaches_0_is_removed(store: Store, reader: Reader) -> None:
    """A token must not stay when nothing refers to it any more."""
    await store.step(step(None, 1, tokens=change(a=2, b=1)), again=False)
    await store.step(step(1, 2, tokens=change(a=1, b=-1)), again=False)
    assert reader.token_hash(NAME) == {"a": 3}
    assert reader.token_versions() == {NAME: 2}


async def test_a_step_that_was_already_applied_changes_no_count(store: Store, reader: Reader) -> None:
    """A step whose reply was lost is sent again: its tokens must not count twice."""
    first = step(None, 1, tokens=change(a=2))
    await store.step(first, again=False)
    await store.step(first, again=True)
    assert reader.token_hash(NAME) == {"a": 2}


async def test_a_step_ends_a_hash_and_later_writes_are_counted_and_dropped(
    store: Store, reader: Reader, client: Redis, keys: Keys
) -> None:
    """Written again it would hold only some of its counts, and nobody could tell."""
    await store.step(step(None, 1, tokens=change(NOW_MS, a=1)), again=False)
    later_ms = NOW_MS + TOKENS_UNCHANGED_MS
    await store.step(step(1, 2, now_ms=later_ms - 1), again=False)
    assert reader.token_hash(NAME) == {"a": 1}
    await store.step(step(2, 3, now_ms=later_ms), again=False)
    assert (reader.token_hash(NAME), reader.token_versions()) == ({}, {})
    await store.step(step(3, 4, now_ms=later_ms, tokens=change(NOW_MS, 3, a=1, b=1)), again=False)
    assert reader.token_hash(NAME) == {}
    assert reader.held_tokens().not_restated == {NAME: 3}
    assert client.exists(keys.tokens(NAME)) == 0


async def test_a_write_postpones_the_end_by_a_day(store: Store, reader: Reader) -> None:
    """A rebuild writes years of old hashes; their bands are computed before the hashes are gone."""
    await store.step(step(None, 1, tokens=change(NOW_MS, a=1)), again=False)
    half_ms = NOW_MS + TOKENS_UNCHANGED_MS // 2
    await store.step(step(1, 2, now_ms=half_ms, tokens=change(NOW_MS, a=1)), again=False)
    await store.step(step(2, 3, now_ms=NOW_MS + TOKENS_UNCHANGED_MS), again=False)
    assert reader.token_hash(NAME) == {"a": 2}
    await store.step(step(3, 4, now_ms=half_ms + TOKENS_UNCHANGED_MS), again=False)
    assert reader.token_hash(NAME) == {}


async def test_no_hash_of_tokens_expires_by_a_redis_timeout(store: Store, client: Redis, keys: Keys) -> None:
    """A Redis that was restored late would expire it without a record, and a later write would begin it again."""
    await store.step(step(None, 1, tokens=change(a=1)), again=False)
    assert client.pttl(keys.tokens(NAME)) == -1


def test_a_day_is_kept_60_days_and_a_month_13_months() -> None:
    """28 days need 28 hashes, 12 months 12, and a month that closes late needs those before it."""
    changed = {
        "callers:day:2021-10-31": TokenChange("2021-10-31", {"a": 1, "b": 0}, 1),
        "callers:month:2021-10": TokenChange("2021-10-31", {"+a": 1}, 1),
        "callers:day:2021-11-01": TokenChange("2021-11-01", {"a": 0}, 2),
    }
    day, month = token_hashes(changed, LONDON)
    assert day == ("callers:day:2021-10-31", LONDON.day_end_ms("2021-10-31") + 60 * DAY_MS, 1, {"a": 1})
    assert month == ("callers:month:2021-10", LONDON.month_end_ms("2022-11"), 1, {"+a": 1})
