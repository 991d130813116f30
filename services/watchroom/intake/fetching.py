"""The thread that owns the aiokafka consumer: fetches batches, passes the broker's answers on, seeks.

With `faust_app` the only module of this package that uses private names of Faust and aiokafka; see there.
"""

# ruff: noqa: SLF001, ANN401, ARG002, ASYNC109 - private names and the signatures of the driver are its subject.

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import (
    ConsumerStoppedError,
    GroupAuthorizationFailedError,
    KafkaError,
    TopicAuthorizationFailedError,
)
from aiokafka.structs import OffsetAndMetadata
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread
from faust.types import TP

from watchroom.errors import BrokerRefuses, WorkFailed
from watchroom.intake.assigned_partition import MOST_QUEUED, Answer
from watchroom.intake.assignment import Assignment
from watchroom.intake.batches import RecordBatch, batches_of
from watchroom.intake.intake import Intake
from watchroom.kafka.header_names import accept_any_header_name
from watchroom.kafka.topic_metadata import BROKER_WAIT_S, look_at_logs
from watchroom.timing import now_ms

if TYPE_CHECKING:
    from watchroom.intake.faust_app import BatchConsumer

FETCH_WAIT_MS = 500  # with the driver's own 1,500, freshness would be a second older
MOST_RECORDS = 4_000  # in one batch: a fetched megabyte may hold 50,000 compressed records
FULL_WAIT_S = 0.005  # until the next look at a partition whose queue is full
BEGIN_WAIT_S = 0.5  # a leader answers in milliseconds; meanwhile no partition is fetched
LOOK_S = 1.0  # how often to look whether the logs are still those that we began with

log = structlog.get_logger("watchroom.intake")


class BatchThread(AIOKafkaConsumerThread):
    """The thread that owns the aiokafka consumer: fetches, watches the answers, seeks."""

    _checking: asyncio.Task[None] | None = None
    _begins: dict[TP, asyncio.Task[int]]  # asked for and not fetched yet

    @property
    def _intake(self) -> Intake:
        return cast("BatchConsumer", self.consumer).transport.intake

    @property
    def _assignment(self) -> Assignment:
        return self._intake.assignment

    def _create_consumer(self, loop: asyncio.AbstractEventLoop) -> Any:
        accept_any_header_name()
        consumer = super()._create_consumer(loop)
        consumer._fetch_max_wait_ms = FETCH_WAIT_MS
        consumer._isolation_level = "read_committed"  # an aborted transaction never happened
        return consumer

    async def on_start(self) -> None:
        """Start the consumer, and have every fetch answer noted from then on."""
        await super().on_start()
        fetcher = self._ensure_consumer()._fetcher
        fetcher._proc_fetch_request = self._noting(fetcher._proc_fetch_request)
        self._begins = {}
        self._checking = asyncio.create_task(self._check_forever())

    async def on_thread_stop(self) -> None:
        """Stop looking; see the driver's own for the rest."""
        if self._checking is not None:
            self._checking.cancel()
        await super().on_thread_stop()

    async def _check_forever(self) -> None:
        """Check again and again that aiokafka still works, and that the logs are still those that we began with.

        A topic that is deleted and created again at once continues at offsets that look like ours, and nothing else
        shows it.
        """
        in_main_loop, intake = self.parent_loop.call_soon_threadsafe, self._intake
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                refuse_dead_tasks(self._ensure_consumer())
                in_main_loop(intake.streams.logs_seen, await look_at_logs(self._ensure_consumer()))
            except (KafkaError, OSError, TimeoutError):
                continue  # the fetches report that Kafka does not answer
            except Exception as error:  # noqa: BLE001  # nobody awaits this task
                in_main_loop(intake.fail, error)
                return

    def _noting(self, fetch: Callable[..., Awaitable[bool]]) -> Callable[..., Awaitable[bool]]:
        """A fetch that also passes on each partition's answer: when it was sent, from where, which end it showed.

        aiokafka sets a partition's `highwater` and `timestamp` with every good answer, also an empty one, and at no
        other time. Answers for a position that was left are not counted.
        """

        async def noting(assignment: Any, node_id: Any, request: Any) -> bool:
            asked = [(TopicPartition(topic, p[0]), p[1]) for topic, parts in request.topics for p in parts]
            for tp, _ in asked:
                assignment.state_value(tp).timestamp = None
            sent_ms = now_ms()
            wake = await fetch(assignment, node_id, request)
            if assignment.active:
                answers = []
                for tp, position in asked:
                    state = assignment.state_value(tp)
                    if state.timestamp is not None:
                        stable = state.lso if state.lso is not None and state.lso >= 0 else None
                        answers.append((tp, Answer(sent_ms, position, state.highwater, stable)))
                self.parent_loop.call_soon_threadsafe(self._intake.answered, answers)
            return wake

        return noting

    async def _fetch_records(  # type: ignore[override]  # batches where the driver gives lists of records
        self, consumer: Any, active_partitions: Any, timeout: float | None = None, max_records: int | None = None
    ) -> dict[TP, RecordBatch]:
        """The batches fetched for partitions that can take one; waits up to `timeout` seconds for the first."""
        fetcher = consumer._fetcher
        if consumer._closed or fetcher._closed:
            raise ConsumerStoppedError
        self._unsubscribe_left(consumer)
        deadline = time.monotonic() + (timeout or 0.0)
        while self.consumer.flow_active:
            wanted, full = self._wanted(active_partitions)
            with fetcher._subscriptions.fetch_context():
                if wanted and (batches := await self._drain(fetcher, wanted)):
                    return batches
                left_s = deadline - time.monotonic()
                if left_s <= 0 or not wanted:
                    await asyncio.sleep(FULL_WAIT_S)
                    break
                waiter = fetcher._create_fetch_waiter()
                await asyncio.wait([waiter], timeout=min(left_s, FULL_WAIT_S) if full else left_s)
                if waiter.done():
                    waiter.result()  # authorization errors arrive here
                waiter.cancel()
            if fetcher._closed:
                break
        return {}

    def _unsubscribe_left(self, consumer: Any) -> None:
        """End the subscription to topics that were left: the group gives their partitions to workers that serve them.

        aiokafka then drops the assignment, with what was fetched, and joins the group again, as in any rebalance.
        """
        subscribed = consumer.subscription()
        staying = set(subscribed - self._assignment.left)
        if staying and staying != subscribed and not consumer._fetcher._subscriptions.reassignment_in_progress:
            consumer.subscribe(topics=staying, listener=self._rebalance_listener)

    def rejoin_if_incomplete(self, assigned: Iterable[TP]) -> None:
        """Called with the first assignment: if it has nothing of a topic that we subscribe to, join once more.

        A static member that is back within its session is given what its last process had, whatever it subscribes to
        now: nothing of a stream that was left before. When it joins again, the group assigns all partitions again.
        """
        consumer = self._ensure_consumer()
        if consumer.subscription() - self._assignment.left - {tp.topic for tp in assigned}:
            self.thread_loop.call_soon_threadsafe(consumer._coordinator.request_rejoin)

    def _wanted(self, active: Iterable[TP]) -> tuple[set[TP], bool]:
        """The partitions that can take a batch now, and whether others cannot because their queue is full."""
        assignment = self._assignment
        reading = [
            (tp, partition)
            for tp in tuple(active or ())
            if (partition := assignment.get(tp)) and partition.is_reading and not assignment.is_refused(tp.topic)
        ]
        wanted = {tp for tp, partition in reading if partition.queued < MOST_QUEUED}
        return wanted, len(wanted) < len(reading)

    async def _drain(self, fetcher: Any, wanted: set[TP]) -> dict[TP, RecordBatch]:
        """The buffered records by partition; none where only the position moved (markers, compacted tails)."""
        subscriptions = fetcher._subscriptions
        if subscriptions.reassignment_in_progress or subscriptions.subscription.assignment is None:
            return {}
        assignment = subscriptions.subscription.assignment
        states = {tp: state for tp in wanted if (state := assignment.state_value(tp)) is not None}
        bases = {tp: state._position for tp, state in states.items() if state._position is not None}
        drained = await fetcher.fetched_records(wanted, timeout=0, max_records=MOST_RECORDS)
        if subscriptions.subscription is None or subscriptions.subscription.assignment is not assignment:
            return {}  # every partition of a new assignment starts again
        positions = {tp: states[tp]._position for tp in bases}
        return batches_of(bases, positions, drained)

    async def begins(self, tps: Collection[TP]) -> dict[TP, int]:
        """The first offset in each partition's log, for those whose leader answers at once.

        Each is asked for alone, and a later call gets the others: a partition without a leader delays no other.

        Raises:
            KafkaError, TimeoutError: No answer at all, and no partition is being read either.
        """
        for tp in self._begins.keys() - self._ensure_consumer().assignment():
            self._begins.pop(tp).cancel()
        new = {tp: asyncio.create_task(self._begin(tp)) for tp in tps if tp not in self._begins}
        self._begins |= new
        await asyncio.wait([self._begins[tp] for tp in tps], timeout=BEGIN_WAIT_S if new else 0)
        done = {tp: self._begins.pop(tp) for tp in tps if self._begins[tp].done()}
        errors = {tp: error for tp, task in done.items() if (error := task.exception()) is not None}
        for tp, error in errors.items():
            if len(errors) == len(done) and not any(each.is_reading for each in self._assignment):
                raise error
            where = {**tp._asdict(), "error": repr(error)}
            log.warning(
                "Kafka returned no beginning offset, so the partition is stalled; check that it has a leader", **where
            )
        return {tp: task.result() for tp, task in done.items() if tp not in errors}

    async def _begin(self, tp: TP) -> int:
        async with asyncio.timeout(BROKER_WAIT_S):
            (offset,) = (await self._ensure_consumer().beginning_offsets([TopicPartition(*tp)])).values()
            return int(offset)

    async def fetch_from(self, offsets: Mapping[TP, int]) -> set[TP]:
        """Fetch from these offsets next; returns the partitions that are still ours."""
        consumer = self._ensure_consumer()
        ours: set[TP] = offsets.keys() & consumer.assignment()
        for tp in ours:
            consumer.seek(TopicPartition(*tp), offsets[tp])
        return ours

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        """Tell Kafka how far we are: a hint for tools that show the lag. It may fail."""
        consumer = self._ensure_consumer()
        hint = {TopicPartition(*tp): OffsetAndMetadata(o, "") for tp, o in offsets.items() if tp in self.assignment()}
        try:
            async with asyncio.timeout(BROKER_WAIT_S):
                await consumer.commit(hint)
        except (KafkaError, TimeoutError):
            return False
        return True

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Log nothing: Faust takes an idle partition for a livelock. Our health page checks progress instead."""


def refuse_dead_tasks(consumer: AIOKafkaConsumer) -> None:
    """Raise WorkFailed if a task of aiokafka that should never end has ended: nothing else checks them.

    Raises:
        BrokerRefuses: The task that keeps our membership in the group is stopped, because our user lacks a right.
    """
    pending = consumer._coordinator._pending_exception  # aiokafka waits until a caller of `getmany` has taken it
    if isinstance(pending, (GroupAuthorizationFailedError, TopicAuthorizationFailedError)):
        what = "group" if isinstance(pending, GroupAuthorizationFailedError) else "topic"
        raise BrokerRefuses(
            f"Kafka does not let this user use {what} {pending.args[0] if pending.args else ''}: grant it READ, see"
            " deploy/kafka/rights.md"
        )
    tasks = {
        "fetches records": consumer._fetcher._fetch_task,
        "maintains group membership": consumer._coordinator._coordination_task,
    }
    for what, task in tasks.items():
        if task.done() and not consumer._closed:
            why = "cancelled" if task.cancelled() else repr(task.exception())
            raise WorkFailed(f"the Kafka client's task that {what} has ended ({why}); restart the worker")
