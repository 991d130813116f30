"""Reads for the exporter and reports: what changed, buckets, partitions, months, and a Redis that does not answer."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from redis import Redis

from tests.flow.servers import RedisServer
from tests.store.steps import CHANGE, DEFINITIONS, NOW_MS, PARTITIONS, TOPIC, VOLUME, WAITING, full, step
from watchroom.demo.server import free_port
from watchroom.errors import StoreUnavailable
from watchroom.kinds.open_now import OpenQuestion
from watchroom.rolling.buckets import Bucket
from watchroom.store import step as step_module
from watchroom.store.keys import Keys
from watchroom.store.read import Reader
from watchroom.store.write import Store

MONTHS = [Bucket("month:2021-11", None, {VOLUME: 1})]


def test_before_the_first_worker_every_read_is_empty(reader: Reader) -> None:
    """An exporter that starts first shows nothing, rather than something wrong."""
    assert reader.meta() is None
    assert [reader.partitions(), reader.sources(), reader.dead_letters()] == [{}, {}, {}]
    assert [reader.months(), reader.open_sets(), reader.restatements("2021-10")] == [[], [], []]
    assert reader.changed_since(0) == (0, [])
    assert reader.buckets(["month:2021-11"]) == [{}]
    assert reader.buckets([]) == []


async def test_meta_holds_the_definitions_and_the_step_number(store: Store, reader: Reader) -> None:
    """Fingerprint and partition counts from a worker's start, the step number from its steps."""
    meta = reader.meta()
    assert meta is not None
    assert (meta.seq, meta.partitions) == (0, PARTITIONS)
    await store.step(full(None, 10), again=False)
    after = reader.meta()
    assert after == meta._replace(seq=1)


async def test_buckets_are_returned_in_the_order_requested(store: Store, reader: Reader) -> None:
    """{} for one that does not exist; a bucket may be requested twice."""
    await store.step(step(None, 1, buckets=[*MONTHS, Bucket("day:2021-11-27", None, {VOLUME: 2})]), again=False)
    names = ["day:2021-11-27", "day:2021-11-28", "month:2021-11", "day:2021-11-27"]
    assert reader.buckets(names) == [{VOLUME: 2}, {}, {VOLUME: 1}, {VOLUME: 2}]


async def test_only_the_buckets_changed_after_a_step_are_named(store: Store, reader: Reader) -> None:
    """The exporter reads only what has changed."""
    await store.step(step(None, 1, buckets=MONTHS), again=False)
    first, names = reader.changed_since(0)
    assert (first, names) == (1, ["month:2021-11"])
    await store.step(step(1, 2, buckets=[Bucket("day:2021-11-27", None, {VOLUME: 1})]), again=False)
    assert reader.changed_since(first) == (2, ["day:2021-11-27"])
    assert reader.changed_since(2) == (2, [])
    await store.step(step(2, 3, buckets=MONTHS), again=False)
    assert reader.changed_since(0) == (3, ["day:2021-11-27", "month:2021-11"])


async def test_a_step_without_buckets_is_not_a_change(store: Store, reader: Reader) -> None:
    """Freshness is written every 2 s, and must not cause anything to be read again."""
    await store.step(step(None, 1, fresh_ms=NOW_MS, states={"17": b"s"}), again=False)
    assert reader.changed_since(0) == (0, [])


async def test_a_reader_that_is_too_far_behind_loads_everything(
    store: Store, reader: Reader, client: Redis, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list is trimmed: the answer is all names that changed since, or None."""
    monkeypatch.setattr(step_module, "CHANGES_KEPT", 3)
    monkeypatch.setattr("watchroom.store.read.CHANGES_KEPT", 3)
    for number in range(6):
        bucket = [Bucket(f"10s:{number}", None, {VOLUME: 1})]
        await store.step(step(number or None, number + 1, buckets=bucket), again=False)
    assert [reader.changed_since(seq)[1] for seq in range(7)] == [
        None, None, None, None, ["10s:4", "10s:5"], ["10s:5"], [],
    ]  # fmt: skip
    assert client.zcard(keys.changed) == 3


async def test_a_redis_that_went_back_makes_the_exporter_load_everything(store: Store, reader: Reader) -> None:
    """If the step number is below the known one, the mirror may hold what Redis has lost."""
    await store.step(step(None, 1, buckets=MONTHS), again=False)
    assert reader.changed_since(2) == (1, None)


def test_a_restarted_redis_has_another_run_id(redis_server: RedisServer) -> None:
    """It may have come back with older content and advanced past the known step number."""
    reader = Reader(redis_server.url, "force")
    first = reader.process().run_id
    assert reader.process().run_id == first
    redis_server.restart()
    assert reader.process().run_id != first
    reader.close()


async def test_months_and_open_sets_of_other_forces_are_not_found(
    store: Store, reader: Reader, client: Redis, force: str
) -> None:
    """A force whose name begins like ours, and keys that only look like ours."""
    for name in ("month:2021-11", "month:2020-01"):
        await store.step(
            step(await store.next_offset(TOPIC, 0), 1, buckets=[Bucket(name, None, {"a": 1})]), again=False
        )
    await store.step(step(1, 2, opened={"17": {WAITING: NOW_MS}}), again=False)
    for key in (f"{{{force}2}}:month:2019-01", f"{force}:month:2019-01", f"{{{force}}}:months", f"{{{force}2}}:open:x"):
        client.set(key, "not ours")
    assert reader.months() == ["2020-01", "2021-11"]
    assert reader.open_sets() == [WAITING]
    assert Keys(force).prefix == f"{{{force}}}:"


async def test_a_restatement_is_read_as_it_was_written(store: Store, reader: Reader) -> None:
    """With its labels, in the order of application, and only for its month."""
    odd = CHANGE._replace(by={"group": "robbery", "area": "stoke"}, field="bin:7962", delta=-(2**53), offset=2**40)
    await store.step(step(None, 1, restatements=[CHANGE, odd]), again=False)
    assert reader.restatements("2021-10") == [CHANGE, odd]
    assert reader.restatements("2021-11") == []


async def test_dead_letters_are_counted_by_topic_and_reason(store: Store, reader: Reader) -> None:
    """Two topics with the same reason."""
    await store.step(step(None, 1, dead_letters={"late": 1}), again=False)
    await store.step(step(None, 1, topic="watchroom.incidents", dead_letters={"late": 2}), again=False)
    assert reader.dead_letters() == {(TOPIC, "late"): 1, ("watchroom.incidents", "late"): 2}


READS: dict[str, Callable[[Reader], object]] = {
    "run_id": Reader.process,
    "meta": Reader.meta,
    "buckets": lambda reader: reader.buckets(["month:2021-11"]),
    "changed_since": lambda reader: reader.changed_since(0),
    "open_tiles": lambda reader: reader.open_tiles([OpenQuestion(WAITING, None, 1)], NOW_MS),
    "open_members": lambda reader: reader.open_members(WAITING),
    "open_sets": Reader.open_sets,
    "partitions": Reader.partitions,
    "sources": Reader.sources,
    "dead_letters": Reader.dead_letters,
    "months": Reader.months,
    "restatements": lambda reader: reader.restatements("2021-11"),
}


@pytest.mark.parametrize("read", READS)
def test_every_read_reports_that_redis_does_not_answer(read: str) -> None:
    """One kind of error for all reads, so that an exporter withholds figures instead of showing zeros."""
    reader = Reader(f"redis://127.0.0.1:{free_port()}/0", "force")
    with pytest.raises(StoreUnavailable):
        READS[read](reader)
    reader.close()


async def test_a_reader_continues_when_redis_is_back(redis_server: RedisServer) -> None:
    """It opens a new connection; nobody has to restart the exporter."""
    store, reader = Store(redis_server.url, "force", DEFINITIONS), Reader(redis_server.url, "force")
    await store.open()
    await store.close()
    known = reader.meta()
    redis_server.written()
    redis_server.kill()
    with pytest.raises(StoreUnavailable):
        reader.meta()
    redis_server.start()
    assert reader.meta() == known
    reader.close()
