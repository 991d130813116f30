"""The work of a worker: which streams it serves, and how a fetched batch gets into Redis.

No exception leaves `handle`: Faust would acknowledge the batch that failed and go on. A server that does not answer
(Redis, or Kafka for the dead letters) is asked again until it does, or until the partition is taken away. A partition
whose offset in Redis is not the expected one starts again from there. Everything else ends the process.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable

import structlog
from aiokafka import TopicPartition

from watchroom.errors import (
    BrokerUnavailable,
    ConfigurationInvalid,
    Fault,
    Moved,
    OtherDefinitions,
    RebuildNeeded,
    StoreRefuses,
    StoreUnavailable,
    WatchroomError,
)
from watchroom.intake.assigned_partition import Answer, AssignedPartition
from watchroom.intake.assignment import Assignment, AtStart, Membership, ServedStreams
from watchroom.intake.batches import Fetched
from watchroom.intake.health import Status
from watchroom.intake.partition import PartitionApplier
from watchroom.timing import Clock, Pause, insist, now_ms

RETRY_FIRST_S, RETRY_MOST_S = 0.05, 2.0
LETTERS = "dead letters"  # the name in `Status` of the wait for them
SHORT_LOG_S = 5.0  # a new leader may not know its high watermark for a moment; a shorter log stays shorter
FINISH_WITHIN_S = 15.0  # for a step that is under way; a call to Redis gives up after 10 s

log = structlog.get_logger("watchroom.intake")


class Intake:
    """Everything that a worker does with its partitions; `failure` tells how it ended.

    Args:
        make_applier: Called for each partition that is assigned to us.
        status: Counters and waits of the worker.
        at_start: The streams, and what is known of them.
        session_s: Session timeout of the consumer group.
        clock_s: For pauses and ages, seconds.
    """

    def __init__(
        self,
        make_applier: Callable[[str, int], PartitionApplier],
        status: Status,
        at_start: AtStart = AtStart(),  # noqa: B008 - it never changes
        session_s: float = 10.0,
        clock_s: Clock = time.monotonic,
    ) -> None:
        self.status = status
        self.assignment = Assignment(make_applier, clock_s, at_start.topics_left)
        self.streams = ServedStreams(at_start, self.assignment, self.fail)
        self.login_refused: Callable[[], str | None] = lambda: None  # the sentence on a broker that refuses our login
        self.without_letters: set[TopicPartition] = set()  # partitions whose dead letters cannot be sent now
        self.failure: Exception | None = None
        self.failed = asyncio.Event()
        self._clock_s = clock_s
        self._membership = Membership(session_s)
        self._finishing = False
        self._in_hand: set[asyncio.Task[None]] = set()

    def fail(self, error: Exception) -> None:
        """End the process: the first error is its reason, and nothing is applied from here on."""
        if self.failure is None:
            self.failure = error
            if isinstance(error, WatchroomError):
                log.error(str(error))
            else:
                log.error("unexpected error; the worker is stopping", exc_info=error)
        self.failed.set()

    def joined(self, member_id: str, topic_partitions: Iterable[tuple[str, int]]) -> None:
        """The consumer group gave us these partitions, under this id."""
        self.status.count("rebalances")
        if not self._membership.joined(member_id, self._clock_s()):
            found = "a name already used by another running worker in this consumer group"
            self.fail(ConfigurationInvalid([Fault("WATCHROOM_WORKER_NAME", "", found, "a unique name")]))
        self.assign(topic_partitions)

    def assign(self, topic_partitions: Iterable[tuple[str, int]]) -> None:
        """Exactly these partitions are ours now."""
        ours = list(topic_partitions)
        self.streams.assigned(ours)
        try:
            self.assignment.assign(ours)
        except Exception as error:  # noqa: BLE001  # Faust's rebalance must go on, if only to leave the group
            self.fail(error)

    def answered(self, answers: Iterable[tuple[TopicPartition, Answer]]) -> None:
        """Kafka has answered a fetch."""
        for topic_partition, answer in answers:
            if partition := self.assignment.get(topic_partition):
                partition.note(answer)
                if self.assignment.allow(topic_partition.topic):
                    self.status.answered(f"kafka topic {topic_partition.topic}")

    def may_not_read(self, topic: str) -> None:
        """Kafka does not let us read this topic: it is asked for seldom, and the others go on."""
        self.assignment.refuse(topic)
        self.status.count("kafka_retries")
        text = f"Kafka does not let this user read topic {topic}: grant it READ, see deploy/kafka/rights.md"
        self.status.waiting(f"kafka topic {topic}", text, is_whole=True)

    def handle(self, fetched: Fetched) -> None:
        """Apply one batch in its turn, however long Redis takes; drops it if its partition was reset.

        Returns at once: while Redis runs the step of one partition, the batch of another is folded. A partition's
        lock is given in the order of asking, so its batches keep their order.
        """
        task = asyncio.create_task(self._handle(fetched))
        self._in_hand.add(task)
        task.add_done_callback(self._in_hand.discard)

    async def _handle(self, fetched: Fetched) -> None:
        batch = fetched.batch
        partition = self.assignment.get((batch.topic, batch.partition))
        if partition is None:
            self.status.count("stale_batches")
            return
        async with partition.lock:
            if self.failure is not None or not partition.take(fetched):
                self.status.count("stale_batches")
            elif batch.base != partition.next_offset:
                partition.reset()
            elif await self._apply(partition, fetched):
                partition.applied(batch.next_offset)
                self.status.count("batches")
                self.status.count("events", len(batch.records))

    async def _apply(self, partition: AssignedPartition, fetched: Fetched) -> bool:
        """Whether the batch is in Redis; False if the partition was reset before that."""

        async def apply() -> bool:
            await partition.applier.apply(fetched.batch, partition.fresh_ms(fetched.batch.next_offset), now_ms())
            self.status.answered("redis")
            return True

        is_applied = await insist(
            apply,
            lambda error: self.call_failed(partition, error),
            pause=Pause(RETRY_FIRST_S, RETRY_MOST_S),
            refused=Pause(RETRY_MOST_S, RETRY_MOST_S),
            is_wanted=lambda: partition.epoch == fetched.epoch and self.failure is None,
        )
        if partition.topic_partition in self.without_letters:
            self.without_letters.remove(partition.topic_partition)
            if not self.without_letters:
                self.status.answered(LETTERS)
        return is_applied is not None

    async def write_freshness(self, partition: AssignedPartition) -> None:
        """Write the freshness of an idle partition, and compare its offset with Redis's."""
        if partition.lock.locked():
            return  # a batch came meanwhile, and its step does the same
        async with partition.lock:
            if not partition.is_reading:
                return
            try:
                await partition.applier.write_freshness(partition.fresh_ms(partition.next_offset), now_ms())
            except Exception as error:  # noqa: BLE001  # a timer that dies silently would freeze freshness
                self.call_failed(partition, error)
            else:
                partition.freshness_written()
                self.status.answered("redis")
                if partition.short_for_s() > SHORT_LOG_S:
                    self.other_log(partition, partition.next_offset)

    async def start(self, partition: AssignedPartition, begin: int) -> int | None:
        """The offset to fetch from: Redis's, or `begin`, where the log begins. None: not now, ask again later.

        Offsets below the beginning that were not applied are lost: they are counted, and the partition goes on.
        """
        epoch = partition.epoch
        if self._finishing or self.failure is not None:
            return None
        async with partition.lock:
            try:
                stored = await partition.applier.start()
                lost_from = stored or 0
                if lost_from < begin:
                    where = {**partition.topic_partition._asdict(), "lost_from": lost_from, "lost_to": begin}
                    log.error("Kafka deleted records before they were applied", **where)
                if stored is None:
                    await partition.applier.begin(begin, now_ms())
                elif stored < begin:
                    await partition.applier.lost(stored, begin, now_ms())
                self.status.count("lost_offsets", max(0, begin - lost_from))
            except Exception as error:  # noqa: BLE001  # nothing may leave the fetch loop
                self.call_failed(partition, error)
                return None
        self.status.answered("redis")
        return max(lost_from, begin) if partition.epoch == epoch else None

    def call_failed(self, partition: AssignedPartition, error: Exception) -> None:
        """Deal with an error of a partition's applier; nothing was written, or the next call finds that it was."""
        if isinstance(error, Moved):
            where = {**partition.topic_partition._asdict(), "expected": partition.next_offset}
            log.warning("Redis has a different offset; restarting from there", **where, redis=error.stored_offset)
            self.status.count("moved")
            partition.reset()
        elif isinstance(error, StoreUnavailable):
            self.wait_for_redis(error)
        elif isinstance(error, BrokerUnavailable):  # of its dead letters; fetches may be answered meanwhile
            self.without_letters.add(partition.topic_partition)
            self.status.waiting(LETTERS, str(error), is_whole=True)
        elif isinstance(error, OtherDefinitions):
            partition.reset()
            self.streams.leave(error.streams)
        else:
            self.fail(error)

    def wait_for_redis(self, error: StoreUnavailable) -> None:
        """Redis did not answer, and will be asked again."""
        self.status.count("redis_retries")
        self.status.waiting("redis", str(error), is_whole=isinstance(error, StoreRefuses))

    def out_of_range(self, topic_partition: tuple[str, int], offset: int) -> None:
        """The broker refused a fetch as out of range: start again, and end the process if that does not help.

        A start knows where the log begins. If the same offset is refused again, it lies above the log's end. Another
        offset means that retention has deleted more in between.
        """
        partition = self.assignment.get(topic_partition)
        if partition is not None and partition.is_reading:
            partition.reset()
            if partition.refused_at == offset:
                self.other_log(partition, offset)
            partition.refused_at = offset

    def other_log(self, partition: AssignedPartition, offset: int) -> None:
        """The log ends below the offset in Redis; that ends the process."""
        end = "" if partition.end is None else f" ({partition.end})"
        self.fail(
            RebuildNeeded(
                f"{partition.name}: Redis's next offset {offset} is past the end of the log{end};"
                " the topic was created again, or lost its latest records"
            )
        )

    async def finish(self) -> None:
        """Take no more batches, and wait until those in hand are written."""
        self._finishing = True
        await self.let_go()

    async def let_go(self) -> None:
        """Our partitions may go to another worker: drop what is queued, and wait for the batches in hand."""
        for partition in self.assignment:
            partition.reset()
        if self._in_hand:
            await asyncio.wait(self._in_hand, timeout=FINISH_WITHIN_S)
