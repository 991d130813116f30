"""The Faust app: one agent over the event topics, which gets one record batch in each iteration.

Faust hands its agents one record at a time, which limits a worker to about 13,000 records a second. Here each fetched
batch of a partition becomes ONE Faust message, whose value is a `Fetched`. Redis owns the offset: where Faust would
seek to Kafka's committed offset, each partition starts at Redis's instead. That happens inside `getmany`, before the
next fetch, when no record can be on its way.

Like `fetching` it uses private names of Faust and aiokafka. So both are pinned, and `tests/intake/test_internals.py`
fails when what we rely on changes. All of this module runs in the main loop.
"""

# ruff: noqa: SLF001, ANN401, ARG001, ASYNC109 - private names and the signatures of the driver are its subject.

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Mapping
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
from faust.auth import SASLCredentials, SSLCredentials
from faust.tables.manager import TableManager
from faust.transport.drivers.aiokafka import Consumer, Transport
from faust.types import TP, ConsumerMessage
from faust.types.auth import CredentialsT

from watchroom.errors import WorkFailed
from watchroom.intake.batches import Fetched, RecordBatch
from watchroom.intake.fetching import BatchThread
from watchroom.intake.intake import Intake
from watchroom.kafka.login import Security, security_of
from watchroom.kafka.topic_metadata import look_at_logs
from watchroom.settings import Settings

REQUEST_TIMEOUT_S = 40.0
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
    """Yields one message per fetched batch, and starts partitions between fetches."""

    transport: BatchTransport
    _thread: BatchThread

    def _new_consumer_thread(self) -> BatchThread:
        return BatchThread(self, loop=self.loop, beacon=self.beacon)

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """A rebalance begins: queued batches no longer count, and the batch in hand is finished."""
        await self.transport.intake.let_go()
        await super().on_partitions_revoked(revoked)

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """A rebalance ends, with these partitions or none."""
        intake = self.transport.intake
        if not intake.assignment.joined:
            self._thread.rejoin_if_incomplete(assigned)
        member_id = self._thread._ensure_consumer()._coordinator.member_id
        intake.joined(member_id, assigned)
        await super().on_partitions_assigned(assigned, generation_id)

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Instead of Kafka's committed offsets: every partition starts at Redis's."""
        self.transport.intake.assign(self.assignment())
        return {}

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, ConsumerMessage]]:
        """Start the partitions that are due, fetch, and yield one message per batch."""
        assignment = self.transport.intake.assignment
        fetched: dict[TP, RecordBatch] = {}
        try:
            await self._start_partitions()
            generation = self.app.consumer_generation_id
            records, _ = await self._wait_next_records(timeout)
            fetched = cast("dict[TP, RecordBatch]", records)
            while fetched and self.flow_active and generation == self.app.consumer_generation_id:
                tp = next(iter(fetched))
                partition = assignment.get(tp)
                batch = fetched.pop(tp)
                if partition is not None and (handed := partition.hand_out(batch)) is not None:
                    yield tp, self._message(tp, handed)
        except (ConsumerStoppedError, asyncio.CancelledError, GeneratorExit):
            raise
        except Exception as error:  # noqa: BLE001  # Faust would retry for ever whatever leaves this generator
            await self._fetch_failed(error)
        finally:
            for tp in fetched:
                if (partition := assignment.get(tp)) is not None:
                    partition.reset()

    async def _start_partitions(self) -> None:
        """Read Redis's offset of every partition that is due, and fetch from there."""
        intake = self.transport.intake
        due = {TP(*each.topic_partition): (each, each.epoch) for each in intake.assignment if each.is_due_to_start()}
        if not due or not self.flow_active:
            return
        for partition, _ in due.values():
            partition.postpone()  # which ends with the start
        begins = await self._thread.call_thread(self._thread.begins, tuple(due))
        if not begins:
            return
        intake.streams.logs_seen(await self._thread.call_thread(look_at_logs, self._thread._ensure_consumer()))
        found = await asyncio.gather(*(intake.start(due[tp][0], begin) for tp, begin in begins.items()))
        offsets = {tp: at for tp, at in zip(begins, found, strict=True) if at is not None}
        for tp in await self._thread.call_thread(self._thread.fetch_from, offsets):
            partition, epoch = due[tp]
            if partition.epoch == epoch:
                self._read_offset[tp] = None
                partition.start_at(offsets[tp])

    async def _fetch_failed(self, error: Exception) -> None:
        """Deal with an error in `getmany`."""
        intake = self.transport.intake
        if isinstance(error, NoOffsetForPartitionError):
            return  # the fetcher looked before the partition started
        if isinstance(error, OffsetOutOfRangeError):
            for tp, offset in error.args[0].items():
                intake.out_of_range(TP(*tp), offset)
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
        value = cast("bytes", handed)  # nothing between here and the agent looks at it: see PassThrough
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
    """Make `app` hand fetched batches to its agents.

    Raises:
        WorkFailed: Faust or aiokafka is another version than this module was written for.
    """
    for package, written_for in (("faust-streaming", FAUST_VERSION), ("aiokafka", AIOKAFKA_VERSION)):
        if (found := version(package)) != written_for:
            raise WorkFailed(f"{package} {found} is installed; this worker requires exactly {written_for}")
    transport = BatchTransport(app.conf.broker_consumer, app)
    transport.intake = intake
    app.transport = transport


def member_name(settings: Settings) -> str:
    """The worker's static name in its consumer group: after a restart it has its partitions again at once.

    The streams are part of it. Under the same name the broker would give a worker that is back within its session what
    it had before, and aiokafka's task ends if it is given a topic that is not subscribed to.
    """
    name = settings.worker_name or f"{socket.gethostname()}-{settings.health_port}"
    return ".".join((name, *settings.streams))


def _credentials(security: Security) -> CredentialsT | None:
    """TLS and credentials in Faust's form; None for plaintext."""
    if security.has_user:
        return SASLCredentials(
            username=security.user,
            password=security.password,
            ssl_context=security.ssl_context,
            mechanism=security.mechanism,
        )
    return SSLCredentials(security.ssl_context) if security.ssl_context else None


def make_app(settings: Settings, intake: Intake, streams: Iterable[str]) -> BatchApp:
    """The app that feeds `intake` with the events of these streams; not started."""
    session_s = settings.session_timeout_s
    app = BatchApp(
        settings.group,
        broker=[f"kafka://{server.strip()}" for server in settings.kafka.split(",")],
        broker_credentials=_credentials(security_of(settings)),
        autodiscover=False,
        value_serializer="raw",
        key_serializer="raw",
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        store="memory://",
        TableManager=NoTables,
        broker_session_timeout=session_s,
        broker_heartbeat_interval=min(3.0, session_s / 4),
        broker_rebalance_timeout=max(30.0, session_s),
        broker_request_timeout=max(REQUEST_TIMEOUT_S, session_s + 5),
        broker_max_poll_interval=300.0,
        broker_commit_interval=1.0,
        producer_request_timeout=30.0,
        # without a reset policy aiokafka raises when an offset is out of range, and never jumps silently
        consumer_auto_offset_reset="none",
        consumer_group_instance_id=member_name(settings),
    )
    consume_batches(app, intake)
    topic = app.topic(*(settings.topic(stream) for stream in streams), schema=PassThrough())

    async def apply_batches(batches: AsyncIterable[Fetched]) -> None:
        async for fetched in batches:
            intake.handle(fetched)

    app.agent(topic, name="watchroom.apply")(apply_batches)
    app.finalize()
    return app
