"""The partitions that are assigned to this worker: what is read of each, and what may be applied to it next.

Redis compares the offset in every step, so it is always safe to start again from Redis's offset. That is what happens
after every disagreement.
"""

from __future__ import annotations

import asyncio
from enum import StrEnum
from typing import NamedTuple

from aiokafka import TopicPartition

from watchroom.intake.batches import Fetched, RecordBatch
from watchroom.intake.partition import PartitionApplier
from watchroom.store.open_transactions import OpenTransaction
from watchroom.timing import Clock, Pause

START_FIRST_S, START_MOST_S = 0.05, 2.0
MOST_QUEUED = 2  # batches of one partition between fetch and apply
OPEN_FOR_MS = 5_000  # producers that work commit several times a second
ANSWERED_MS = 5_000  # fetches are answered within half a second
MOST_PAIRS = 64
SLOT_MS = 100  # at most one unmet pair is kept in each slot of this length


class Answer(NamedTuple):
    """One fetch answer of one partition."""

    sent_ms: int  # when the request left, milliseconds since the epoch
    position: int  # offset from which it asked
    end: int  # the log's end that the answer showed
    stable: int | None = None  # readable up to here: below the end while a transaction is open; None: up to the end


class Freshness:
    """Until when one partition is applied (see docs/architecture.md#fresh-alive-absent). It never goes back.

    A fetch answer shows the log's end at some moment between the request and the answer. Only the moment of the request
    is certain, because the answer may have waited in a socket while the process was paused. So a pair is (moment
    when the fetch was SENT, end that its answer showed). Once everything below that end is applied, the partition
    is applied until that moment.

    On a busy partition the applied offset never equals the end, so pairs are kept until they are met. If there are too
    many, they are thinned out, not dropped oldest first: a worker that is always a few answers behind would otherwise
    wait for ever for pairs that were dropped just before they were met.
    """

    def __init__(self) -> None:
        self._unmet: list[tuple[int, int]] = []  # (sent_ms, end), both ascending
        self._fresh_ms: int | None = None

    def answered(self, answer: Answer) -> None:
        """Note an answer.

        An end below the position asked for proves nothing and is ignored: it comes from another log, or from a new
        leader that does not know its high watermark yet.
        """
        if answer.end < answer.position:
            return
        if self._unmet:
            sent_ms, end = self._unmet[-1]
            if answer.sent_ms < sent_ms or answer.end < end:
                return
            if answer.end == end:
                self._unmet[-1] = (answer.sent_ms, end)
                return
            if answer.sent_ms < sent_ms + SLOT_MS:
                return
        self._unmet.append((answer.sent_ms, answer.end))
        if len(self._unmet) > MOST_PAIRS:
            del self._unmet[self._most_crowded()]

    def as_of(self, next_offset: int) -> int | None:
        """Applied up to what time, once everything below `next_offset` is applied; None before any end was met."""
        met = 0
        for sent_ms, end in self._unmet:
            if end > next_offset:
                break
            met += 1
            if self._fresh_ms is None or sent_ms > self._fresh_ms:
                self._fresh_ms = sent_ms
        if met:
            # the last met pair stays: a later answer with the same end makes it younger
            del self._unmet[: met - 1]
        return self._fresh_ms

    def _most_crowded(self) -> int:
        """The pair, neither first nor last, whose neighbours are closest together in time."""
        pairs = self._unmet
        return min(range(1, len(pairs) - 1), key=lambda i: pairs[i + 1][0] - pairs[i - 1][0])

    def forget(self) -> None:
        """The partition starts again: old ends say nothing about what is applied now."""
        self._unmet.clear()
        self._fresh_ms = None


class State(StrEnum):
    """What is done with an assigned partition."""

    WAITING = "waiting"  # for Redis's offset; nothing is fetched
    READING = "reading"
    RELEASED = "released"  # assigned to us no longer, or its stream is withheld


class AssignedPartition:
    """One assigned partition. All methods are called in the main loop; `MOST_QUEUED` is for the fetching thread.

    | state    | call                   | next state | why                                                          |
    |----------|------------------------|------------|--------------------------------------------------------------|
    | waiting  | postpone               | waiting    | Redis or Kafka did not answer; the pause doubles             |
    | waiting  | start_at               | reading    | Redis's offset is known, and the consumer fetches from there |
    | waiting  | reset                  | waiting    | a rebalance, or another error, came in between               |
    | waiting  | release                | released   | assigned to us no longer, or its stream is withheld          |
    | reading  | hand_out               | reading    | a fetched batch begins where the last one ended              |
    | reading  | hand_out another batch | waiting    | a fetched batch begins elsewhere                             |
    | reading  | take                   | reading    | a queued batch is about to be applied                        |
    | reading  | applied                | reading    | Redis has taken its step                                     |
    | reading  | reset                  | waiting    | a rebalance, or Redis has another offset than we expect      |
    | reading  | release                | released   | assigned to us no longer, or its stream is withheld          |
    | released | reset                  | released   | a call made before its release ends                          |
    | released | release                | released   | the same                                                     |

    In any other state `hand_out`, `take` and `applied` do nothing, and `postpone` and `start_at` raise RuntimeError.
    Each call of `start_at`, `reset` and `release` begins a new epoch: batches of an earlier one are never applied.

    Args:
        topic_partition: Which one.
        applier: Writes its batches to Redis.
        clock_s: For pauses and ages.
    """

    def __init__(self, topic_partition: TopicPartition, applier: PartitionApplier, clock_s: Clock) -> None:
        self.topic_partition = topic_partition
        self.applier = applier
        self.lock = asyncio.Lock()  # one call of the applier at a time
        self.state = State.WAITING
        self.epoch = 0
        self.fetched_offset = 0  # everything below it was handed out
        self.next_offset = 0  # everything below it is applied
        self.queued = 0  # batches handed out and not yet taken
        self.end: int | None = None  # end of the log in the latest answer
        self.stable: int | None = None  # the latest answer allows reading up to here
        self.open_since_ms: int | None = None  # since when answers have shown the same `stable` below `end`
        self.answered_ms: int | None = None  # when the latest answered fetch was sent
        self.refused_at: int | None = None  # offset of the latest fetch, if it was refused as out of range
        self.counted_ms: int | None = None  # see `Assignment.counted`
        self.freshness = Freshness()
        self._clock_s = clock_s
        self._progress_at_s = self._started_at_s = clock_s()
        self._written_at_s: float | None = None  # when Redis last took a step; None: not since the start
        self._short_since_s: float | None = None  # since when answers have shown an end below the offset asked for
        self._start_pause = Pause(START_FIRST_S, START_MOST_S)
        self._start_after_s = 0.0

    @property
    def is_reading(self) -> bool:
        """Whether batches are fetched and applied."""
        return self.state is State.READING

    @property
    def name(self) -> str:
        """Topic and partition, for messages."""
        return f"{self.topic_partition.topic} partition {self.topic_partition.partition}"

    def is_due_to_start(self) -> bool:
        """Whether to read Redis's offset now."""
        return self.state is State.WAITING and self._clock_s() >= self._start_after_s

    def postpone(self) -> None:
        """Ask for the offset again after a pause, unless the start succeeds before."""
        self._require_waiting("postpone")
        self._start_after_s = self._clock_s() + self._start_pause.next_s()

    def start_at(self, next_offset: int) -> None:
        """Read from `next_offset`, which Redis has and from which the consumer now fetches."""
        self._require_waiting("start_at")
        self._enter(State.READING)
        self.fetched_offset = self.next_offset = next_offset
        self._started_at_s = self._progress_at_s = self._clock_s()
        self._written_at_s = self._short_since_s = None
        self._start_pause.reset()
        self._start_after_s = 0.0
        self.freshness.forget()

    def reset(self) -> None:
        """Apply nothing more until the partition has started again."""
        self._enter(State.RELEASED if self.state is State.RELEASED else State.WAITING)

    def release(self) -> None:
        """Apply nothing more, for good."""
        self._enter(State.RELEASED)

    def _enter(self, state: State) -> None:
        self.state = state
        self.epoch += 1
        self.queued = 0

    def _require_waiting(self, call: str) -> None:
        if self.state is not State.WAITING:
            raise RuntimeError(f"{self.name} is {self.state}, so {call} is not possible")

    def hand_out(self, batch: RecordBatch) -> Fetched | None:
        """Queue a fetched batch; None if it is not the next one."""
        if not self.is_reading:
            return None
        if batch.base != self.fetched_offset:
            self.reset()
            return None
        self.fetched_offset = batch.next_offset
        self.queued += 1
        return Fetched(batch, self.epoch)

    def take(self, fetched: Fetched) -> bool:
        """Remove a batch from the queue; False if the partition has been reset since it was fetched."""
        if not self.is_reading or fetched.epoch != self.epoch:
            return False
        self.queued -= 1
        return True

    def applied(self, next_offset: int) -> None:
        """Redis holds everything below `next_offset`."""
        if self.is_reading:
            self.next_offset = next_offset
            self._progress_at_s = self._written_at_s = self._clock_s()

    def freshness_written(self) -> None:
        """Redis has our freshness, and the same offset as this worker."""
        self._written_at_s = self._clock_s()

    def note(self, answer: Answer) -> None:
        """Note the answer to a fetch."""
        self.freshness.answered(answer)
        stable = answer.end if answer.stable is None else min(answer.stable, answer.end)
        if stable >= answer.end:
            self.open_since_ms = None
        elif self.open_since_ms is None or stable != self.stable:
            self.open_since_ms = answer.sent_ms
        self.stable = stable
        self.end, self.answered_ms = answer.end, answer.sent_ms
        self.refused_at = None
        if answer.end >= answer.position:
            self._short_since_s = None
        elif self._short_since_s is None:
            self._short_since_s = self._clock_s()

    def fresh_ms(self, next_offset: int) -> int | None:
        """Applied up to what time, once everything below `next_offset` is applied; never later than `counted_ms`."""
        fresh_ms = self.freshness.as_of(next_offset)  # after `counted_ms` there may be a partition that nobody reads
        return fresh_ms if fresh_ms is None or self.counted_ms is None else min(fresh_ms, self.counted_ms)

    def open_transaction(self, now_ms: int) -> OpenTransaction | None:
        """The transaction that hides all that is not applied yet, once it has been open for a while.

        None while Kafka is silent: there is no way to tell then whether the transaction has ended.
        """
        if self.open_since_ms is None or self.stable is None or self.answered_ms is None:
            return None
        is_all_applied = self.is_reading and self.next_offset >= self.stable
        if not is_all_applied or now_ms - self.open_since_ms < OPEN_FOR_MS or now_ms - self.answered_ms > ANSWERED_MS:
            return None
        return OpenTransaction(self.stable, self.open_since_ms, self.answered_ms)

    def silent_s(self, now_ms: int) -> float:
        """Seconds since the latest answered fetch was sent; without an answer, since the start."""
        return self._clock_s() - self._started_at_s if self.answered_ms is None else (now_ms - self.answered_ms) / 1000

    def short_for_s(self) -> float:
        """For how many seconds answers have shown an end below the offset asked for."""
        return 0.0 if self._short_since_s is None else self._clock_s() - self._short_since_s

    def unwritten_s(self) -> float:
        """Seconds since Redis last took a step; if it has taken none, since the start."""
        since_s = self._started_at_s if self._written_at_s is None else self._written_at_s
        return self._clock_s() - since_s

    def is_due(self, after_s: float) -> bool:
        """Whether to write our freshness: for the first time when there is any, then `after_s` after the last step."""
        if not self.is_reading or self.lock.locked():
            return False
        if self._written_at_s is None:
            return self.fresh_ms(self.next_offset) is not None
        return self.unwritten_s() >= after_s

    def stalled_s(self) -> float:
        """For how many seconds there has been something to read and nothing was applied; called every second or so."""
        now_s = self._clock_s()
        if self.is_reading and (self.stable is None or self.stable <= self.next_offset):
            self._progress_at_s = now_s  # so an event after a quiet hour does not look like an hour's stall
        return now_s - self._progress_at_s
