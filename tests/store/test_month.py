"""A month and its log are read at one moment."""

from __future__ import annotations

import threading

from tests.store.steps import CHANGE, NOW_MS, full, step
from watchroom.rolling.buckets import Bucket
from watchroom.store.read import Reader
from watchroom.store.write import Store

FIELD = "call_volume|line=999|count"
STEPS = 200


async def test_the_month_and_its_log_are_never_read_at_different_moments(
    store: Store, redis_url: str, force: str
) -> None:
    """The published figure stays 0 while each step adds 1 to the month and 1 to its log."""
    await store.step(full(None, 1, buckets=(), restatements=()), again=False)
    torn: list[tuple[int, int]] = []
    done = threading.Event()

    def read() -> None:
        reader = Reader(redis_url, force)
        while not done.is_set():
            fields, log = reader.month("2021-10")
            if fields.get(FIELD, 0) != sum(entry.delta for entry in log):
                torn.append((fields.get(FIELD, 0), len(log)))
        reader.close()

    reading = threading.Thread(target=read)
    reading.start()
    for number in range(STEPS):
        one = Bucket("month:2021-10", None, {FIELD: 1})
        entry = CHANGE._replace(delta=1, arrival_ms=NOW_MS + number)
        await store.step(step(number + 1, number + 2, buckets=[one], restatements=[entry]), again=False)
    done.set()
    reading.join()
    assert torn == []
    reader = Reader(redis_url, force)
    assert len(reader.month("2021-10")[1]) == STEPS
    reader.close()
