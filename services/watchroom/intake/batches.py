"""Record batches, by private names of Faust and aiokafka: only `fetching`, `watching`, `header_names` touch more.

Faust hands its agents one record at a time, which caps a worker near 13,000 records a second
whatever it then does. Here each fetched batch of one partition becomes ONE Faust message, whose
value is a `Fetched`. Redis owns the offset: what Faust would do on an assignment (seek to Kafka's
committed offset) is replaced by placing each lane at Redis's, inside `getmany`, before the next
fetch, where no record can be on its way.

Pinned to faust-streaming 0.15.3 and aiokafka 0.14.0; `tests/intake/test_internals.py` fails when
the parts leaned upon change. `fetching` runs in the consumer's own thread, all of this module in the
main loop.
"""

# ruff: noqa: SLF001, ANN401, ARG001, ASYNC109 - the untyped arguments and the signatures of the driver
# are what this module is about.

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from importlib.metadata import version
from typing import Any, cast

import faust
from aiokafka.errors import (
    ConsumerStoppedError,
    KafkaError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
    TopicAuthorizationFailedError,
)
from faust.tables.manager import TableManager
from faust.transport.drivers.aiokafka import Consumer, Transport
from faust.types import TP, ConsumerMessage

from watchroom.errors import WorkFailed
from watchroom.intake.batch import RecordBatch
from watchroom.intake.fetching import BatchThread
from watchroom.intake.intake import Intake
from watchroom.intake.lanes import Fetched, Lanes
from watchroom.intake.watching import LogsSeen

FAUST_VERSION, AIOKAFKA_VERSION = "0.15.3", "0.14.0"


class BatchApp(faust.App):
    """A Faust app that writes nothing to disk (no tables, so no data directory)."""

    def _create_directories(self) -> None:
        return


class NoTables(TableManager):
    """Starts the consumer at once, where Faust waits a second for tables to be declared."""

    async def on_start(self) -> None:
        """See `TableManager.on_start`; the `recovery` service is what resumes the flow after a rebalance."""
        await self._update_channels()
        await self.recovery.start()


class PassThrough(faust.Schema[bytes, Fetched]):
    """Hands a message's value on as it is; there is nothing to decode in a list of records."""

    def compile(self, app: Any, **_: Any) -> Any:
        """The decoder that the topic calls for each message."""
        create_event = app.create_event

        async def decode(message: Any, *, propagate: bool = False) -> Any:
            return create_event(message.key, message.value, message.headers, message)

        return decode


class BatchConsumer(Consumer):
    """Yields one message per fetched batch, and places lanes between fetches."""

    transport: BatchTransport
    _thread: BatchThread

    @property
    def lanes(self) -> Lanes:
        """The lanes of our assignment."""
        return self.transport.intake.lanes

    def logs_seen(self, seen: LogsSeen) -> None:
        """The thread has looked at the logs."""
        self.transport.intake.logs_seen(*seen)

    def may_read(self, topic: str) -> None:
        """Kafka lets us read a topic again."""
        self.transport.intake.status.answered(f"kafka topic {topic}")

    def failed(self, error: Exception) -> None:
        """The thread cannot go on."""
        self.transport.intake.fail(error)

    def _new_consumer_thread(self) -> BatchThread:
        return BatchThread(self, loop=self.loop, beacon=self.beacon)

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """A rebalance begins: what is queued no longer counts, the batch in hand is finished."""
        await self.transport.intake.let_go()
        await super().on_partitions_revoked(revoked)

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """A rebalance ends, with these partitions or none."""
        if not self.lanes.joined:
            self._thread.share_out_anew(assigned)
        member_id = self._thread._ensure_consumer()._coordinator.member_id
        self.transport.intake.joined(member_id, assigned)
        await super().on_partitions_assigned(assigned, generation_id)

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Instead of Kafka's committed offsets: every lane is to be placed at Redis's."""
        self.transport.intake.assign(self.assignment())
        return {}

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, ConsumerMessage]]:
        """Place the lanes that are out of place, fetch, and yield one message per batch."""
        fetched: dict[TP, RecordBatch] = {}
        try:
            await self._place_lanes()
            generation = self.app.consumer_generation_id
            records, _ = await self._wait_next_records(timeout)
            fetched = cast("dict[TP, RecordBatch]", records)
            while fetched and self.flow_active and generation == self.app.consumer_generation_id:
                tp = next(iter(fetched))
                lane = self.lanes.get(tp)
                batch = fetched.pop(tp)
                if lane is not None and (handed := lane.hand_out(batch)) is not None:
                    yield tp, self._message(tp, handed)
        except (ConsumerStoppedError, asyncio.CancelledError, GeneratorExit):
            raise
        except Exception as error:  # noqa: BLE001  # what leaves this generator would be retried by Faust for ever
            await self._fetch_failed(error)
        finally:
            for tp in fetched:
                if (lane := self.lanes.get(tp)) is not None:
                    lane.displace()

    async def _place_lanes(self) -> None:
        """Read Redis's offset of every lane out of place, and fetch from there."""
        out = {TP(*lane.place): (lane, lane.epoch) for lane in self.lanes if lane.due_for_placing()}
        if not out or not self.flow_active:
            return
        for lane, _ in out.values():
            lane.pause()  # until it is placed
        begins = await self._thread.call_thread(self._thread.begins, tuple(out))
        if not begins:
            return
        self.logs_seen(await self._thread.call_thread(self._thread.look_at_logs))
        found = await asyncio.gather(
            *(self.transport.intake.start_lane(out[tp][0], begin) for tp, begin in begins.items())
        )
        offsets = {tp: at for tp, at in zip(begins, found, strict=True) if at is not None}
        for tp in await self._thread.call_thread(self._thread.fetch_from, offsets):
            lane, epoch = out[tp]
            if lane.epoch == epoch and self.lanes.get(tp) is lane:
                self._read_offset[tp] = None
                lane.place_at(offsets[tp])

    async def _fetch_failed(self, error: Exception) -> None:
        """Answer what went wrong in `getmany`; nothing may leave it."""
        intake = self.transport.intake
        if isinstance(error, NoOffsetForPartitionError):
            return  # the fetcher looked before the lane was placed
        if isinstance(error, OffsetOutOfRangeError):
            for tp, offset in error.args[0].items():
                await intake.out_of_range(TP(*tp), offset)
        elif isinstance(error, TopicAuthorizationFailedError):
            for topic in error.args[0] if isinstance(error.args[0], (set, frozenset, list, tuple)) else error.args:
                intake.may_not_read(str(topic))
        elif isinstance(error, (KafkaError, TimeoutError)):
            intake.status.waiting("kafka", f"Kafka did not answer a fetch ({type(error).__name__}: {error})")
            await self.sleep(1.0)
        else:
            intake.fail(error)
            await self.sleep(1.0)

    def _message(self, tp: TP, handed: Fetched) -> ConsumerMessage:
        """A Faust message whose offset is the last one the batch covers."""
        value = cast("bytes", handed)  # nothing between here and the agent looks into it: see PassThrough
        last, generation = handed.batch.next_offset - 1, self.app.consumer_generation_id
        return ConsumerMessage(
            tp.topic, tp.partition, last, time.time(), 1, [], None, value, None, 0, 0, tp, generation_id=generation
        )

    def _new_offset(self, tp: TP) -> int | None:
        """The last acknowledged batch's end; offsets that a batch jumps over are legal gaps."""
        acked = self._acked[tp]
        if not acked:
            return None
        last = max(acked)
        acked.clear()
        self._acked_index[tp].clear()
        return int(last) + 1

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Gaps need no book-keeping: see `_new_offset`."""


class BatchTransport(Transport):
    """Makes the app consume record batches, on behalf of this intake."""

    Consumer = BatchConsumer
    intake: Intake


def consume_batches(app: BatchApp, intake: Intake) -> None:
    """Make `app` hand fetched batches to its agents, lane by lane.

    Raises:
        WorkFailed: Faust or aiokafka is another version than this module was written for.
    """
    for package, written_for in (("faust-streaming", FAUST_VERSION), ("aiokafka", AIOKAFKA_VERSION)):
        if (found := version(package)) != written_for:
            raise WorkFailed(f"{package} {found} is installed; this worker needs {written_for} exactly")
    transport = BatchTransport(app.conf.broker_consumer, app)
    transport.intake = intake
    app.transport = transport
