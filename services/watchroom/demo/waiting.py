"""Waits until what was sent is applied: Redis's stored offsets reach the ends that the broker acknowledged."""

from __future__ import annotations

import time
from collections.abc import Callable

from watchroom.errors import StoreUnavailable, WorkFailed
from watchroom.kafka.produce import Ends
from watchroom.store.freshness import RUNNING_WITHIN_MS
from watchroom.store.read import Reader

POLL_S = 0.1
STALLED_AFTER_S = 60.0
REDIS_PATIENCE_S = 10.0


def wait_applied(reader: Reader, ends: Ends, check: Callable[[], None], progress: Callable[[int], None]) -> None:
    """Return when every partition is applied up to its end.

    Args:
        reader: The force's Redis.
        ends: Next offsets to reach.
        check: Called at each look; raises when the worker has ended.
        progress: Called with the number of records still to be applied.

    Raises:
        StoreUnavailable: Redis did not answer for 10 s.
        WorkFailed: Nothing was applied for 60 s, or `check` says why not.
    """
    moved_at_s = answered_at_s = time.monotonic()
    missing_before: int | None = None
    while True:
        check()
        now_s = time.monotonic()
        try:
            missing = missing_records(reader, ends)
        except StoreUnavailable:
            if now_s - answered_at_s > REDIS_PATIENCE_S:
                raise
        else:
            answered_at_s = now_s
            progress(missing)
            if missing == 0:
                return
            if missing != missing_before:
                missing_before, moved_at_s = missing, now_s
            elif now_s - moved_at_s > STALLED_AFTER_S:
                raise WorkFailed(
                    f"no events were applied for {STALLED_AFTER_S:.0f} s; {missing:,} events have not been applied yet"
                )
        time.sleep(POLL_S)


def missing_records(reader: Reader, ends: Ends) -> int:
    """How many records up to `ends` are not applied yet."""
    states = reader.partitions()
    applied = {partition: state.next_offset or 0 for partition, state in states.items()}
    return sum(max(0, end - applied.get(partition, 0)) for partition, end in ends.items())


def worker_runs(reader: Reader, touch_s: float) -> bool:
    """Whether some worker keeps this force's partitions fresh now; takes up to three touches to find out.

    A worker that stopped a moment ago has left recent times behind, so the times must be seen to change. One that has
    just started may have partitions without a time yet, so those are waited for too.
    """
    before = _fresh(reader)
    oldest_ms = time.time() * 1000 - RUNNING_WITHIN_MS
    if all(fresh_ms is not None and fresh_ms < oldest_ms for fresh_ms in before):
        return False
    until_s = time.monotonic() + 3 * touch_s
    while time.monotonic() < until_s:
        time.sleep(POLL_S)
        if _fresh(reader) != before:
            return True
    return False


def _fresh(reader: Reader) -> list[int | None]:
    return [state.fresh_ms for state in reader.partitions().values()]
