"""Dead letters: refused records, kept where a person can see them and send them again.

A letter is the original key and bytes, untouched, with headers that say why it was refused and
where it came from. It is acknowledged by all brokers before the atomic step that counts it, so a
crash in between repeats it: readers identify a letter by (topic, partition, offset).
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, UnknownError

from watchroom.errors import BrokerUnavailable
from watchroom.events import headers
from watchroom.intake.judging import Refused
from watchroom.intake.status import Status
from watchroom.intake.topics import DEAD_LETTERS_MOST_BYTES
from watchroom.settings import Settings

VALUE_MOST_BYTES = 1024 * 1024
DETAIL_MOST_CHARS = 2000
SEND_WITHIN_S = 10.0
STOP_WITHIN_S = 5.0


def headers_of(topic: str, partition: int, refused: Refused) -> list[tuple[str, bytes]]:
    """Why, from where, and when it first arrived; for a value that is cut, also its length and SHA-256."""
    record, why = refused.record, refused.why
    arrived = next((value or b"" for name, value in record.headers if name == headers.ARRIVED), None)
    said = [
        (headers.REASON, why.reason.encode()),
        (headers.DETAIL, why.detail[:DETAIL_MOST_CHARS].encode(errors="replace")),
        (headers.TOPIC, topic.encode()),
        (headers.PARTITION, str(partition).encode()),
        (headers.OFFSET, str(record.offset).encode()),
        (headers.ARRIVED, arrived if arrived is not None else str(record.timestamp_ms).encode()),
    ]
    if record.value is not None and len(record.value) > VALUE_MOST_BYTES:
        said += [
            (headers.LENGTH, str(len(record.value)).encode()),
            (headers.SHA256, hashlib.sha256(record.value).hexdigest().encode()),
        ]
    return said


class DeadLetters:
    """Sends letters to the dead-letter topic."""

    def __init__(self, settings: Settings, status: Status) -> None:
        self._kafka = settings.kafka
        self._topic = settings.dead_letter_topic
        self._status = status
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()
        self._ending: set[asyncio.Task[None]] = set()

    async def send(self, topic: str, partition: int, refused: Sequence[Refused]) -> None:
        """Send refused records of one partition and wait until every one is stored.

        Raises:
            BrokerUnavailable: Not all are known to be stored; sending all again is safe.
        """
        if not refused:
            return
        try:
            async with asyncio.timeout(SEND_WITHIN_S):
                producer = await self._started()
                stored = [
                    await producer.send(
                        self._topic,
                        value=None if item.record.value is None else item.record.value[:VALUE_MOST_BYTES],
                        # a record with neither key nor value is no record for Kafka: an empty key stands for none
                        key=b"" if item.record.key is None and item.record.value is None else item.record.key,
                        headers=headers_of(topic, partition, item),
                    )
                    for item in refused
                ]
                await asyncio.gather(*stored)
        except (KafkaError, OSError, TimeoutError) as error:
            self._let_go()  # an idempotent producer cannot go on after some errors; the next call makes a new one
            raise BrokerUnavailable(
                f"dead letters cannot be sent to {self._topic} at {self._kafka} ({type(error).__name__}: {error})"
            ) from error
        self._status.count("dead_letters", len(refused))

    async def _started(self) -> AIOKafkaProducer:
        async with self._starting:
            if self._producer is None:
                try:
                    self._producer = await self._start(idempotent=True)
                except UnknownError:
                    # The embedded broker has no producer ids. Without them a retry may store a letter twice,
                    # as a crash may: readers show it once.
                    self._producer = await self._start(idempotent=False)
        return self._producer

    async def _start(self, *, idempotent: bool) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            bootstrap_servers=self._kafka,
            acks="all",
            enable_idempotence=idempotent,
            max_request_size=DEAD_LETTERS_MOST_BYTES,
            request_timeout_ms=int(SEND_WITHIN_S * 1000),
        )
        try:
            await producer.start()
        except BaseException:
            await producer.stop()
            raise
        return producer

    def _let_go(self) -> None:
        """Have the producer end in the background: it waits for what it could not send until that expires."""
        producer, self._producer = self._producer, None
        if producer is not None:
            task = asyncio.create_task(producer.stop())
            self._ending.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._ending.discard(task)
        if not task.cancelled():
            task.exception()  # what it could not send was reported to whoever sent it

    async def stop(self) -> None:
        """Close the connection, within a few seconds."""
        self._let_go()
        if self._ending:
            await asyncio.wait(self._ending, timeout=STOP_WITHIN_S)
