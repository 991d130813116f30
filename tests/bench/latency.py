"""How long an event takes from the producer's `send` until its step is visible in Redis, at a steady rate."""

from __future__ import annotations

import asyncio
import threading
import time
from bisect import bisect_right
from collections.abc import Sequence

from tests.bench.calls import Event
from tests.bench.contenders import Watchroom
from tests.bench.feed import Sent, steady

LOOK_EVERY_S = 0.002
VISIBLE_WITHIN_S = 10.0


class Watch(threading.Thread):
    """Reads Redis's offsets continuously and records when each changed; an answer is at most 2 ms late."""

    def __init__(self, worker: Watchroom) -> None:
        super().__init__(daemon=True)
        self._worker = worker
        self._end = threading.Event()
        self.seen: dict[int, list[tuple[int, float]]] = {}  # partition -> (next offset, when), rising

    def run(self) -> None:
        """Read until asked to end."""
        while not self._end.is_set():
            offsets, at_s = self._worker.offsets(), time.monotonic()
            for partition, offset in enumerate(offsets):
                steps = self.seen.setdefault(partition, [])
                if not steps or steps[-1][0] != offset:
                    steps.append((offset, at_s))
            time.sleep(LOOK_EVERY_S)

    def until(self, sent: Sequence[Sent]) -> None:
        """Wait until everything sent has been seen, and end."""
        deadline_s = time.monotonic() + VISIBLE_WITHIN_S
        while any(self.seen[event.partition][-1][0] <= event.offset for event in sent):
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"events were not in Redis after {VISIBLE_WITHIN_S:g} s")
            time.sleep(LOOK_EVERY_S)
        self._end.set()
        self.join()

    def visible_s(self, event: Sent) -> float:
        """When the step with this event was first seen."""
        steps = self.seen[event.partition]
        return steps[bisect_right(steps, event.offset, key=lambda step: step[0])][1]


def latencies_ms(worker: Watchroom, kafka: str, topic: str, events: Sequence[Event], a_second: int) -> list[float]:
    """Latency of every event, sorted."""
    watch = Watch(worker)
    watch.start()
    sent = asyncio.run(steady(kafka, topic, events, a_second))
    watch.until(sent)
    return sorted(1000 * (watch.visible_s(event) - event.at_s) for event in sent)
