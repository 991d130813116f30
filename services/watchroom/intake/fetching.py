"""The thread that owns the aiokafka consumer: fetches batches, notes the broker's answers, seeks.

With `batches`, `header_names` and `watching` the only module that touches Faust's and aiokafka's private
names; see there.
"""

# ruff: noqa: SLF001, ANN401, ARG002, ASYNC109 - private names, their untyped arguments and the driver's own
# signatures are what this module is about.

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from typing import Any, Protocol, cast

import structlog
from aiokafka.errors import ConsumerStoppedError, KafkaError
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from faust.transport.drivers.aiokafka import AIOKafkaConsumerThread
from faust.types import TP

from watchroom.events.record import Record
from watchroom.intake.batch import RecordBatch
from watchroom.intake.freshness import Answer
from watchroom.intake.header_names import accept_any_header_name
from watchroom.intake.lanes import MOST_QUEUED, Lanes
from watchroom.intake.watching import BROKER_WAIT_S, LogsSeen, look_at_logs, refuse_dead_tasks

FETCH_WAIT_MS = 500  # the driver's own 1,500 would make every T a second older
MOST_RECORDS = 4_000  # in one batch: a fetched megabyte may hold 50,000 compressed records
FULL_WAIT_S = 0.005  # next look at a lane whose queue is full
BEGIN_WAIT_S = 0.5  # a leader answers in milliseconds; meanwhile no partition is fetched
LOOK_S = 1.0  # how often to look whether the logs are still those that we began with

log = structlog.get_logger("watchroom.intake")


class Owner(Protocol):
    """What the thread needs of the consumer that started it."""

    @property
    def lanes(self) -> Lanes:
        """The lanes of our assignment."""

    def logs_seen(self, seen: LogsSeen) -> None:
        """Called in the main loop with every look at the logs."""

    def may_read(self, topic: str) -> None:
        """Called in the main loop when Kafka lets us read a topic again."""

    def failed(self, error: Exception) -> None:
        """Called in the main loop when the consumer cannot go on."""


class BatchThread(AIOKafkaConsumerThread):
    """The thread that owns the aiokafka consumer: fetches, watches the answers, seeks."""

    _watching: asyncio.Task[None] | None = None
    _begins: dict[TP, asyncio.Task[int]]  # asked for and not fetched yet

    @property
    def _owner(self) -> Owner:
        return cast("Owner", self.consumer)

    @property
    def _lanes(self) -> Lanes:
        return self._owner.lanes

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
        self._watching = asyncio.create_task(self._watch())

    async def on_thread_stop(self) -> None:
        """Look no more; see the driver's own for the rest."""
        if self._watching is not None:
            self._watching.cancel()
        await super().on_thread_stop()

    async def _watch(self) -> None:
        """Look again and again whether aiokafka still works, and whether the logs are still ours.

        A topic that is quickly deleted and created again continues at offsets that look like ours, and
        changes nothing else.
        """
        tell = self.parent_loop.call_soon_threadsafe
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                refuse_dead_tasks(self._ensure_consumer())
                tell(self._owner.logs_seen, await self.look_at_logs())
            except (KafkaError, OSError, TimeoutError):
                continue  # that Kafka does not answer is for the fetches to say
            except Exception as error:  # noqa: BLE001  # nobody awaits this task
                tell(self._owner.failed, error)
                return

    async def look_at_logs(self) -> LogsSeen:
        """Which logs the subscribed topics have now; raises as `watching.look_at_logs`."""
        return await look_at_logs(self._ensure_consumer())

    def _noting(self, fetch: Callable[..., Awaitable[bool]]) -> Callable[..., Awaitable[bool]]:
        """A fetch that also tells each lane (when it was sent, from where, which end it showed).

        aiokafka sets a partition's `highwater` and `timestamp` on every good answer, empty ones
        included, and on no other occasion; answers to a position that was left are not counted.
        """

        async def noting(assignment: Any, node_id: Any, request: Any) -> bool:
            asked = [(TopicPartition(topic, p[0]), p[1]) for topic, parts in request.topics for p in parts]
            for tp, _ in asked:
                assignment.state_value(tp).timestamp = None
            sent_ms = int(time.time() * 1000)
            wake = await fetch(assignment, node_id, request)
            if assignment.active:
                for tp, position in asked:
                    state, lane = assignment.state_value(tp), self._lanes.get(tp)
                    if lane is not None and state.timestamp is not None:
                        if self._lanes.read(tp.topic):
                            self.parent_loop.call_soon_threadsafe(self._owner.may_read, tp.topic)
                        stable = state.lso if state.lso is not None and state.lso >= 0 else None
                        lane.note(Answer(sent_ms, position, state.highwater, stable))
            return wake

        return noting

    async def _fetch_records(  # type: ignore[override]  # batches where the driver gives lists of records
        self, consumer: Any, active_partitions: Any, timeout: float | None = None, max_records: int | None = None
    ) -> dict[TP, RecordBatch]:
        """What was fetched for the lanes that can take a batch, waiting up to `timeout` seconds for some."""
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
        """Subscribe no more to topics that were left: the group gives their partitions to workers that serve them.

        aiokafka drops the assignment at once, with what was fetched, and joins the group anew, as in any rebalance.
        """
        subscribed = consumer.subscription()
        staying = set(subscribed - self._lanes.left)
        if staying and staying != subscribed and not consumer._fetcher._subscriptions.reassignment_in_progress:
            consumer.subscribe(topics=staying, listener=self._rebalance_listener)

    def share_out_anew(self, assigned: Iterable[TP]) -> None:
        """Called with the first assignment: if it has nothing of a topic that we subscribe to, join once more.

        A static member that is back within its session is given what its last process had, whatever it subscribes
        to now: of a stream that was left before, nothing. When it joins again, the group shares out anew.
        """
        consumer = self._ensure_consumer()
        if consumer.subscription() - self._lanes.left - {tp.topic for tp in assigned}:
            self.thread_loop.call_soon_threadsafe(consumer._coordinator.request_rejoin)

    def _wanted(self, active: Iterable[TP]) -> tuple[set[TP], bool]:
        """The partitions whose lanes can take a batch now; whether some cannot because they are full."""
        lanes = [
            (tp, lane)
            for tp in tuple(active or ())
            if (lane := self._lanes.get(tp)) and lane.placed and not self._lanes.is_refused(tp.topic)
        ]
        wanted = {tp for tp, lane in lanes if lane.queued < MOST_QUEUED}
        return wanted, len(wanted) < len(lanes)

    async def _drain(self, fetcher: Any, wanted: set[TP]) -> dict[TP, RecordBatch]:
        """What is buffered, by partition; also where only the position moved (markers, compacted tails)."""
        subscriptions = fetcher._subscriptions
        if subscriptions.reassignment_in_progress or subscriptions.subscription.assignment is None:
            return {}
        assignment = subscriptions.subscription.assignment
        bases = {tp: state._position for tp in wanted if (state := assignment.state_value(tp)) is not None}
        drained = await fetcher.fetched_records(wanted, timeout=0, max_records=MOST_RECORDS)
        if subscriptions.subscription is None or subscriptions.subscription.assignment is not assignment:
            return {}  # every lane of a new assignment is placed anew
        batches = {}
        for tp, base in bases.items():
            position = assignment.state_value(tp)._position
            if base is not None and position is not None and position != base:
                batches[tp] = RecordBatch(tp.topic, tp.partition, base, _records(drained.get(tp, ())), position)
        return batches

    async def begins(self, tps: Collection[TP]) -> dict[TP, int]:
        """The first offset that each partition's log still holds, of those whose leader says it at once.

        Each is asked for alone, and the others stay asked for a later call: one without a leader stops none.

        Raises:
            KafkaError, TimeoutError: No answer at all, and no lane is placed either.
        """
        for tp in self._begins.keys() - self._ensure_consumer().assignment():
            self._begins.pop(tp).cancel()
        new = {tp: asyncio.create_task(self._begin(tp)) for tp in tps if tp not in self._begins}
        self._begins |= new
        await asyncio.wait([self._begins[tp] for tp in tps], timeout=BEGIN_WAIT_S if new else 0)
        done = {tp: self._begins.pop(tp) for tp in tps if self._begins[tp].done()}
        errors = {tp: error for tp, task in done.items() if (error := task.exception()) is not None}
        for tp, error in errors.items():
            if len(errors) == len(done) and not any(lane.placed for lane in self._lanes):
                raise error
            place = {"topic": tp.topic, "partition": tp.partition, "error": repr(error)}
            log.warning("Kafka does not say where a log begins, its partition stands still: has it a leader?", **place)
        return {tp: task.result() for tp, task in done.items() if tp not in errors}

    async def _begin(self, tp: TP) -> int:
        place = TopicPartition(*tp)
        async with asyncio.timeout(BROKER_WAIT_S):
            return int((await self._ensure_consumer().beginning_offsets([place]))[place])

    async def fetch_from(self, offsets: Mapping[TP, int]) -> set[TP]:
        """Fetch from these offsets next; what is not ours any more is left out of the answer."""
        consumer = self._ensure_consumer()
        ours: set[TP] = offsets.keys() & consumer.assignment()
        for tp in ours:
            consumer.seek(TopicPartition(*tp), offsets[tp])
        return ours

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        """Tell Kafka how far we are: a hint for lag tools, whose failure harms nothing."""
        consumer = self._ensure_consumer()
        hint = {TopicPartition(*tp): OffsetAndMetadata(o, "") for tp, o in offsets.items() if tp in self.assignment()}
        try:
            async with asyncio.timeout(BROKER_WAIT_S):
                await consumer.commit(hint)
        except (KafkaError, TimeoutError):
            return False
        return True

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Faust's livelock log lines fire on idle partitions; our health page judges progress instead."""


def _records(fetched: Iterable[Any]) -> list[Record]:
    return [Record(r.offset, r.timestamp, r.key, r.value, tuple(r.headers)) for r in fetched]
