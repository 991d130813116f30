"""Lanes: where each assigned partition stands, and what may be applied to it next.

A lane is *placed* when it has read Redis's offset and the consumer was told to fetch from there.
Each placing begins a new epoch; a batch carries the epoch it was fetched in. On a rebalance, a
`Moved` or any disagreement the lane is *displaced*: what is queued no longer counts, and the
consumer places it again before its next fetch. That is the only way back, and it is always safe,
because Redis compares the offset in every step.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from watchroom.intake.applier import Applier, MakeApplier
from watchroom.intake.batch import RecordBatch
from watchroom.intake.freshness import Answer, Freshness

PAUSE_FIRST_S, PAUSE_MOST_S = 0.05, 2.0
REFUSED_FIRST_S, REFUSED_MOST_S = 2.0, 16.0
MOST_QUEUED = 2  # batches of one lane between fetch and apply


class Place(NamedTuple):
    """A partition of a topic; compares equal to Faust's and aiokafka's topic-partition tuples."""

    topic: str
    partition: int


class Fetched(NamedTuple):
    """A batch, and the epoch of its lane when it was fetched."""

    batch: RecordBatch
    epoch: int


class Lane:
    """One assigned partition. Offsets are next offsets: the first one not yet fetched or applied."""

    def __init__(self, place: Place, applier: Applier) -> None:
        self.place = place
        self.applier = applier
        self.lock = asyncio.Lock()  # one apply, touch or placing at a time
        self.epoch = 0
        self.placed = False
        self.fetched = 0  # handed out by the consumer up to here
        self.stands = 0  # applied up to here
        self.queued = 0
        self.end: int | None = None  # the log's end in the latest answer
        self.stable: int | None = None  # up to here the latest answer lets us read
        self.open_since_ms: int | None = (
            None  # when answers began to show this end of what may be read, below the log's
        )
        self.answered_ms: int | None = None  # when the latest answered fetch was sent
        self.moved_at_s = time.monotonic()  # when it last made progress, or had nothing to do
        self.touched_at_s = 0.0
        self.placed_at_s = 0.0
        self._pause_s = 0.0  # between the latest tries to place it
        self._place_after_s = 0.0
        self.refused_at: int | None = None  # offset of the latest fetch, if the broker refused it as out of range
        self.counted_ms: int | None = None  # when Kafka was last asked and answered that the topic has the known count
        self._short_since_s: float | None = None  # since when answers show an end below `stands`
        self.freshness = Freshness()
        self._answers: deque[Answer] = deque(maxlen=1024)  # appended by the consumer's thread

    def place_at(self, next_offset: int) -> None:
        """A new epoch from `next_offset`; what was fetched before no longer counts."""
        self.epoch += 1
        self.placed = True
        self.queued = 0
        self.fetched = self.stands = next_offset
        self.placed_at_s = self.moved_at_s = time.monotonic()
        self.touched_at_s = 0.0
        self._short_since_s = None
        self._pause_s = self._place_after_s = 0.0
        self._answers.clear()
        self.freshness.forget()

    def due_for_placing(self) -> bool:
        """Whether it is to be placed, and the pause since the latest try is over."""
        return not self.placed and time.monotonic() >= self._place_after_s

    def pause(self) -> None:
        """Try to place it again only after a while, which grows from try to try."""
        self._pause_s = min(max(2 * self._pause_s, PAUSE_FIRST_S), PAUSE_MOST_S)
        self._place_after_s = time.monotonic() + self._pause_s

    def displace(self) -> None:
        """Nothing more is applied until the lane is placed again."""
        self.epoch += 1
        self.placed = False
        self.queued = 0

    def hand_out(self, batch: RecordBatch) -> Fetched | None:
        """The batch with its epoch, to be queued; None if it does not begin where the last one ended."""
        if not self.placed or batch.base != self.fetched:
            self.displace()
            return None
        self.fetched = batch.next_offset
        self.queued += 1
        return Fetched(batch, self.epoch)

    def applied(self, next_offset: int) -> None:
        """Everything below `next_offset` is in Redis."""
        self.stands = next_offset
        self.moved_at_s = self.touched_at_s = time.monotonic()

    def note(self, answer: Answer) -> None:
        """A fetch answer; called from the consumer's thread."""
        self._answers.append(answer)

    def fresh_ms(self, next_offset: int) -> int | None:
        """T when everything below `next_offset` is applied; never later than `counted_ms`.

        From then on there may be a partition that nobody reads, with records that count.
        """
        self._take_answers()
        fresh_ms = self.freshness.as_of(next_offset)
        return fresh_ms if fresh_ms is None or self.counted_ms is None else min(fresh_ms, self.counted_ms)

    def _take_answers(self) -> None:
        while self._answers:
            answer = self._answers.popleft()
            self.freshness.answered(answer)
            self._take_stable(answer)
            self.end, self.answered_ms = answer.end, answer.sent_ms
            self.refused_at = None
            if answer.end >= answer.position:
                self._short_since_s = None
            elif self._short_since_s is None:
                self._short_since_s = time.monotonic()

    def _take_stable(self, answer: Answer) -> None:
        stable = answer.end if answer.stable is None else min(answer.stable, answer.end)
        if stable >= answer.end:
            self.open_since_ms = None
        elif self.open_since_ms is None or stable != self.stable:
            self.open_since_ms = answer.sent_ms
        self.stable = stable

    def held_up_ms(self, now_ms: int) -> int:
        """How long all that may be read has been applied while an open transaction hides the rest; 0: it is not so."""
        self._take_answers()
        if self.open_since_ms is None or not self.placed or self.stable is None or self.stands < self.stable:
            return 0
        return now_ms - self.open_since_ms

    def silent_s(self, now_ms: int) -> float:
        """How long ago the latest answered fetch was sent, seconds; since the placing if there was none."""
        self._take_answers()
        return time.monotonic() - self.placed_at_s if self.answered_ms is None else (now_ms - self.answered_ms) / 1000

    def short_for_s(self) -> float:
        """How long answers have shown an end below the offset asked for, seconds."""
        return 0.0 if self._short_since_s is None else time.monotonic() - self._short_since_s

    def touched(self) -> None:
        """Redis was told of our freshness, and stands where we do."""
        self.touched_at_s = time.monotonic()

    def due(self, after_s: float) -> bool:
        """Whether Redis is to be told of our freshness: at first as soon as there is any, then `after_s` later."""
        if not self.placed or self.lock.locked():
            return False
        if not self.touched_at_s:
            return self.fresh_ms(self.stands) is not None
        return time.monotonic() - self.touched_at_s >= after_s

    def behind(self) -> bool:
        """Whether the log is known to hold more to read than is applied; while not, the clock of progress starts anew.

        Called with every touch, so that an event after a quiet hour does not look like an hour's stall.
        """
        self._take_answers()
        behind = not self.placed or (self.stable is not None and self.stable > self.stands)
        if not behind:
            self.moved_at_s = time.monotonic()
        return behind


class Lanes:
    """The lanes of all partitions assigned to this worker; `left` has those topics that it leaves from the start."""

    def __init__(self, make_applier: MakeApplier, left: Iterable[str] = ()) -> None:
        self._make_applier = make_applier
        self._lanes: dict[tuple[str, int], Lane] = {}
        self.left: frozenset[str] = frozenset(left)  # topics of which nothing is applied; they are unsubscribed from
        self._refused: dict[str, tuple[float, float]] = {}  # by topic: how long it is not fetched, and until when
        self._counted_ms: dict[str, int] = {}  # by topic: see `Lane.counted_ms`
        self.joined = False  # whether the group has ever given us an assignment, were it an empty one

    def assign(self, places: Iterable[tuple[str, int]]) -> None:
        """This is our assignment now: every lane of it starts over, the others go; a topic that was left has none."""
        for lane in self._lanes.values():
            lane.displace()
        self.joined = True
        ours = [place for place in map(Place._make, places) if place.topic not in self.left]
        self._lanes = {place: self._lanes.get(place) or self._new(place) for place in ours}

    def counted(self, topic: str, asked_ms: int) -> None:
        """Kafka, asked at `asked_ms`, has answered that the topic has as many partitions as we know."""
        self._counted_ms[topic] = asked_ms
        for lane in self.where(lambda lane: lane.place.topic == topic):
            lane.counted_ms = asked_ms

    def counted_ms(self, topic: str) -> int | None:
        """When Kafka was last asked and answered that the topic has as many partitions as we know."""
        return self._counted_ms.get(topic)

    def refuse(self, topic: str) -> None:
        """Kafka does not let us read this topic: fetch it again after 2, 4, 8, then every 16 s."""
        wait_s = min(2 * self._refused.get(topic, (REFUSED_FIRST_S / 2, 0.0))[0], REFUSED_MOST_S)
        self._refused[topic] = wait_s, time.monotonic() + wait_s

    def is_refused(self, topic: str) -> bool:
        """Whether it is too early to fetch this topic again."""
        return topic in self._refused and time.monotonic() < self._refused[topic][1]

    def read(self, topic: str) -> bool:
        """Kafka lets us read this topic; whether it had refused before."""
        return self._refused.pop(topic, None) is not None

    def leave(self, topic: str) -> None:
        """Apply nothing of this topic any more, whatever is assigned."""
        self.left |= {topic}
        for lane in self.where(lambda lane: lane.place.topic == topic):
            lane.displace()
        self._lanes = {place: lane for place, lane in self._lanes.items() if lane.place.topic != topic}

    def _new(self, place: Place) -> Lane:
        lane = Lane(place, self._make_applier(place.topic, place.partition))
        lane.counted_ms = self._counted_ms.get(place.topic)
        return lane

    def get(self, place: tuple[str, int]) -> Lane | None:
        """The lane of an assigned partition."""
        return self._lanes.get(place)

    def __iter__(self) -> Iterator[Lane]:
        return iter(tuple(self._lanes.values()))

    def __len__(self) -> int:
        return len(self._lanes)

    def where(self, wanted: Callable[[Lane], bool]) -> list[Lane]:
        """The lanes for which `wanted` is true."""
        return [lane for lane in self._lanes.values() if wanted(lane)]
