"""How long each key is kept: as the table in `store/keys.py` says."""

from __future__ import annotations

import asyncio

from redis import Redis

from tests.store.steps import KEEPING_MS, NOW_MS, TOPIC, VOLUME, WAITING, content, full, step
from watchroom.rolling.buckets import Bucket, spread
from watchroom.rolling.calendar import Calendar
from watchroom.store.keys import Keys
from watchroom.store.write import Store

FOR_GOOD = -1
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
START_MS = 1_637_971_200_000  # the 10 s, the hour and the day of NOW_MS begin here
LIVES_MS = {
    "10s:1637971200": START_MS + 10_000 + 2 * HOUR_MS - NOW_MS,
    "hour:1637971200": START_MS + HOUR_MS + 60 * DAY_MS - NOW_MS,
    "day:2021-11-27": START_MS + DAY_MS + 396 * DAY_MS - NOW_MS,
    f"state:{TOPIC}:17": KEEPING_MS,
}
STAY = (
    "meta", "changed", "dead-letters", "ignored-fields", "raw-identifiers",
    f"partition:{TOPIC}:0", f"sources:{TOPIC}", f"open:{WAITING}", "open-until",
    "restatements:2021-10", "month:2021-11",
)  # fmt: skip


def lives_ms(client: Redis, keys: Keys) -> dict[str, int]:
    """How long each key will still be kept; -1 for ever."""
    return {key: int(client.pttl(keys.prefix + key)) for key in content(client, keys)}


async def test_every_key_is_kept_as_long_as_documented(store: Store, client: Redis, keys: Keys) -> None:
    """Buckets until end + retention, counted from the step's `now`; states for their retention; the rest for ever."""
    buckets = spread({START_MS: {VOLUME: 1}}, NOW_MS, Calendar("Europe/London"))
    await store.step(full(None, 10, buckets=buckets), again=False)
    found = lives_ms(client, keys)
    assert set(found) == {*LIVES_MS, *STAY}
    assert {key: found[key] for key in STAY} == dict.fromkeys(STAY, FOR_GOOD)
    for key, expected in LIVES_MS.items():
        assert expected - 5_000 < found[key] <= expected, key


async def test_a_later_step_does_not_extend_the_retention_of_a_bucket(store: Store, client: Redis, keys: Keys) -> None:
    """It expires at the same moment, however often it is written."""
    until_ms = NOW_MS + 2 * HOUR_MS
    await store.step(step(None, 1, buckets=[Bucket("10s:1", until_ms, {VOLUME: 1})]), again=False)
    later = step(1, 2, now_ms=NOW_MS + HOUR_MS, buckets=[Bucket("10s:1", until_ms, {VOLUME: 1})])
    await store.step(later, again=False)
    assert HOUR_MS - 5_000 < lives_ms(client, keys)["10s:1"] <= HOUR_MS


async def test_a_later_event_extends_the_retention_of_a_state(store: Store, client: Redis, keys: Keys) -> None:
    """Retention counts from the last write."""
    await store.step(step(None, 1, states={"17": b"a"}, keeping_ms=1_000), again=False)
    await store.step(step(1, 2, states={"17": b"b"}, keeping_ms=60_000), again=False)
    assert 50_000 < lives_ms(client, keys)[f"state:{TOPIC}:17"] <= 60_000
    assert await store.states(TOPIC, ["17"]) == [b"b"]


async def test_states_and_buckets_expire_by_themselves(store: Store, client: Redis, keys: Keys) -> None:
    """Redis removes them; no process has to."""
    short = [Bucket("10s:1", NOW_MS + 30, {VOLUME: 1}), Bucket("month:2021-11", None, {VOLUME: 1})]
    await store.step(step(None, 1, states={"17": b"a"}, keeping_ms=30, buckets=short), again=False)
    async with asyncio.timeout(5):
        while client.exists(keys.state(TOPIC, "17"), keys.bucket("10s:1")):  # noqa: ASYNC110  # Redis sends no event
            await asyncio.sleep(0.01)
    assert client.exists(keys.bucket("month:2021-11"))
