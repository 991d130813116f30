"""Sends events to Kafka; returns where each partition's log then ends, by the broker's own answers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka.errors import BrokerResponseError, KafkaError

from watchroom.errors import BrokerUnavailable, WorkFailed
from watchroom.kafka import clients
from watchroom.settings import Settings

TIMEOUT_MS = 15_000  # for one request, and for the acknowledgement of a batch
LINGER_MS = 5
BATCH_BYTES = 128 * 1024
PROGRESS_EVERY = 500
_SILENT = logging.NullHandler()

Ends = dict[tuple[str, int], int]
"""(topic, partition) -> next offset after the last record that we sent there."""


class Outgoing(NamedTuple):
    """One record to send; its key chooses the partition (murmur2, Kafka's default)."""

    topic: str
    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = ()


class Sender:
    """Sends records in order; `ends` grows as the broker acknowledges them."""

    def __init__(self, kafka: str, producer: AIOKafkaProducer, progress: Callable[[int], None]) -> None:
        self._kafka = kafka
        self._producer = producer
        self._progress = progress
        self._failed: BaseException | None = None
        self.sent = 0
        self.acknowledged = 0
        self.ends: Ends = {}

    async def send(self, record: Outgoing) -> None:
        """Queue one record; waits while the producer's buffer is full.

        Raises:
            BrokerUnavailable: This record or an earlier one was not acknowledged in time.
            WorkFailed: The broker refuses such records.
        """
        with as_ours(self._kafka):
            future = await self._producer.send(record.topic, record.value, key=record.key, headers=list(record.headers))
        self.sent += 1
        future.add_done_callback(self._acknowledge)
        self._raise_failed()

    async def flush(self) -> Ends:
        """Wait until everything is acknowledged; raises as `send` does."""
        with as_ours(self._kafka):
            await self._producer.flush()
        await asyncio.sleep(0)  # the callbacks of the last acknowledgements run now
        self._raise_failed()
        self._progress(self.acknowledged)
        return dict(self.ends)

    def _acknowledge(self, future: asyncio.Future[Any]) -> None:
        if future.cancelled():
            return
        if (error := future.exception()) is not None:
            self._failed = self._failed or error
            return
        answer = future.result()
        topic_partition = (answer.topic, answer.partition)
        self.ends[topic_partition] = max(self.ends.get(topic_partition, 0), answer.offset + 1)
        self.acknowledged += 1
        if self.acknowledged % PROGRESS_EVERY == 0:
            self._progress(self.acknowledged)

    def _raise_failed(self) -> None:
        if self._failed is not None:
            raise _refusal(self._kafka, self._failed) from self._failed


@asynccontextmanager
async def sender(settings: Settings, progress: Callable[[int], None] = lambda _: None) -> AsyncIterator[Sender]:
    """A connected sender; records get the present time, so that the broker's log is in order of sending.

    Args:
        settings: The brokers, with TLS and credentials.
        progress: Called now and then with the number of acknowledged records.

    Raises:
        BrokerUnavailable: No broker answered.
    """
    async with connected(settings, linger_ms=LINGER_MS) as producer:
        yield Sender(settings.kafka, producer, progress)


@asynccontextmanager
async def connected(settings: Settings, **options: Any) -> AsyncIterator[AIOKafkaProducer]:  # noqa: ANN401 - aiokafka's
    """A started producer, stopped afterwards.

    Raises:
        BrokerUnavailable: No broker answered.
    """
    logging.getLogger("aiokafka").addHandler(_SILENT)  # its errors reach the caller as ours
    producer = clients.producer(
        settings, acks="all", max_batch_size=BATCH_BYTES, request_timeout_ms=TIMEOUT_MS, **options
    )
    try:
        with as_ours(settings.kafka):
            await asyncio.wait_for(clients.start(producer, settings), TIMEOUT_MS / 1000)
        yield producer
    finally:
        async with asyncio.timeout(TIMEOUT_MS / 1000):
            with suppress(KafkaError, OSError):  # the caller already has the error that matters
                await producer.stop()


def produce(settings: Settings, records: Iterable[Outgoing], progress: Callable[[int], None] = lambda _: None) -> Ends:
    """Send all records in their order and wait until the broker has them.

    Returns:
        The next offset of every partition that got a record.

    Raises:
        BrokerUnavailable: No broker answered, or not in time; what was sent so far is in the log.
        WorkFailed: The broker refuses such records.
    """

    async def work() -> Ends:
        async with sender(settings, progress) as out:
            for record in records:
                await out.send(record)
            return await out.flush()

    return asyncio.run(work())


@contextmanager
def as_ours(kafka: str) -> Iterator[None]:
    """Turn errors of aiokafka into ours."""
    try:
        yield
    except (KafkaError, OSError) as error:
        raise _refusal(kafka, error) from error


def _refusal(kafka: str, error: BaseException) -> BrokerUnavailable | WorkFailed:
    name = type(error).__name__
    if isinstance(error, BrokerResponseError) and not error.retriable:
        return WorkFailed(f"Kafka at {kafka} refused the events ({name}); check the topic and this user's rights")
    return BrokerUnavailable(
        f"no answer from Kafka at {kafka} ({name}); "
        "check that it is running and that host and port are correct (--kafka)"
    )


def check_topics(settings: Settings, topics: Iterable[str]) -> None:
    """Check that topics exist: the workers create them with the settings that figures need, and sending must not.

    Raises:
        BrokerUnavailable: Kafka did not answer.
        WorkFailed: One of these topics is missing.
    """
    if missing := sorted({*topics} - asyncio.run(_topics(settings))):
        found = f"Kafka at {settings.kafka} has no topic {', '.join(missing)}"
        raise WorkFailed(f"{found}; start `watchroom worker` first: it creates them")


async def _topics(settings: Settings) -> set[str]:
    admin = clients.admin(settings, TIMEOUT_MS)
    try:
        with as_ours(settings.kafka):
            await clients.start(admin, settings)
            return set(await admin.list_topics())
    finally:
        await admin.close()
