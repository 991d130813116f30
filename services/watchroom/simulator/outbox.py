"""The delivery of events: a short delay, and sometimes a repeat, a detour or a long wait.

Events are put in as they happen (or ahead of time) and come out in arrival order. All rates are in
`levels.Delivery`. A repeat has exactly the same bytes, as a producer's retry would.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from heapq import heappop, heappush
from random import Random

from watchroom.simulator.envelope import Simulated, envelope
from watchroom.simulator.levels import Delivery

USUAL_DELAY_MS = (40, 400)  # assumption: from the switch or terminal to Kafka, uniform


class Outbox:
    """Events on their way to Kafka."""

    def __init__(self, delivery: Mapping[str, Delivery], random: Random) -> None:
        self._delivery = delivery
        self._random = random
        self._waiting: list[tuple[int, int, Simulated]] = []
        self._made = 0
        self._low, high = USUAL_DELAY_MS
        self._span = high - self._low

    def put(  # noqa: PLR0917 - what an event consists of
        self, stream: str, kind: str, subject: str, at_ms: float, data: str = "", chance: Random | None = None
    ) -> None:
        """Send an event that happens at `at_ms`; it arrives then or later.

        `data` is the inside of a JSON object. `chance` decides how the event is delivered. A part that was added later
        has its own, so that the events of the others do not change.
        """
        random = chance or self._random
        draw = random.random
        rates = self._delivery[stream]
        delay_ms = self._low + int(self._span * draw())
        trouble = draw()
        if trouble < rates.troubled:
            delay_ms = _trouble(random, rates, trouble, delay_ms)
        self._made += 1
        time_ms = int(at_ms)
        arrival_ms = time_ms + delay_ms
        event_id = f"{subject}.{self._made}"
        value = envelope(stream, kind, event_id, subject, time_ms=time_ms, arrival_ms=arrival_ms, data=data)
        heappush(self._waiting, (arrival_ms, self._made, Simulated(arrival_ms, stream, subject, value)))
        if draw() < rates.duplicates:
            self._made += 1
            again_ms = arrival_ms + _within(random, rates.repeat_s)
            heappush(self._waiting, (again_ms, self._made, Simulated(again_ms, stream, subject, value)))

    def put_now(self, item: Simulated) -> None:
        """Send a complete event, without any delivery fault."""
        self._made += 1
        heappush(self._waiting, (item.arrival_ms, self._made, item))

    def until(self, now_ms: int) -> Iterator[Simulated]:
        """Everything that arrives up to and including `now_ms`, in arrival order."""
        waiting = self._waiting
        while waiting and waiting[0][0] <= now_ms:
            yield heappop(waiting)[2]


def _trouble(random: Random, rates: Delivery, chance: float, usual_ms: int) -> int:
    """The delay of an event whose delivery went wrong, in milliseconds."""
    if chance < rates.too_late:
        return round(rates.lateness_s * 1000) + _within(random, (60, 3600))
    if chance < rates.too_late + rates.late:
        return _within(random, rates.late_s)
    return usual_ms + _within(random, rates.out_of_order_s)


def _within(random: Random, seconds: tuple[float, float]) -> int:
    return round(random.uniform(*seconds) * 1000)
