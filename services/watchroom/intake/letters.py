"""Reading the dead letters back, and sending them again after a fix.

A crash may have written a letter twice, so each (topic, partition, offset) is read once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from watchroom.errors import BrokerUnavailable
from watchroom.events import headers
from watchroom.events.times import to_text
from watchroom.intake.topics import DEAD_LETTERS_MOST_BYTES
from watchroom.settings import Settings

FETCH_WITHIN_MS = 500
SILENT_FETCHES = 20  # so many empty fetches below the log's end: the broker does not answer


class Letter(NamedTuple):
    """One dead letter."""

    topic: str
    partition: int
    offset: int
    reason: str
    detail: str
    arrived_ms: int | None  # of the first record; None where the sender's header was unreadable
    is_cut: bool  # only its first 1 MiB was kept
    key: bytes | None
    value: bytes | None

    @property
    def arrived(self) -> str:
        """First arrival for a person."""
        return "" if self.arrived_ms is None else to_text(self.arrived_ms)


Wanted = Callable[[Letter], bool]


def read_letters(settings: Settings, wanted: Wanted) -> list[Letter]:
    """Letters in the order of (topic, partition, offset), each once.

    Raises:
        BrokerUnavailable: Kafka did not answer.
    """
    return asyncio.run(_read(settings, wanted))


def replay_letters(settings: Settings, letters: Sequence[Letter]) -> int:
    """Send letters to their topics again, their first arrival in a header; returns how many.

    The fold knows an event that it has seen, so sending a letter twice changes nothing. A letter
    that was cut cannot be sent and is left out.

    Raises:
        BrokerUnavailable: Not all are known to be stored; sending all again is safe.
    """
    return asyncio.run(_send(settings, [letter for letter in letters if not letter.is_cut]))


async def _read(settings: Settings, wanted: Wanted) -> list[Letter]:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=2 * DEAD_LETTERS_MOST_BYTES,
    )
    found: dict[tuple[str, int, int], Letter] = {}
    async with _told_as_ours(settings):
        try:
            await consumer.start()
            numbers = await _partitions(consumer, settings.dead_letter_topic)
            places = [TopicPartition(settings.dead_letter_topic, number) for number in numbers]
            consumer.assign(places)
            await consumer.seek_to_beginning(*places)
            async for record in _all_records(consumer, places):
                letter = letter_of(record)
                if letter is not None and wanted(letter):
                    found[letter[:3]] = letter
        finally:
            await consumer.stop()
    return [found[place] for place in sorted(found)]


async def _partitions(consumer: AIOKafkaConsumer, topic: str) -> set[int]:
    """Partitions of the topic; none where no worker has made it yet."""
    if topic not in await consumer.topics():
        return set()
    return consumer.partitions_for_topic(topic) or set()


async def _all_records(
    consumer: AIOKafkaConsumer, places: Sequence[TopicPartition]
) -> AsyncIterator[ConsumerRecord[bytes, bytes]]:
    silent = 0
    while silent < SILENT_FETCHES:
        fetched = await consumer.getmany(timeout_ms=FETCH_WITHIN_MS)
        for records in fetched.values():
            for record in records:
                yield record
        ends = [(await consumer.position(place), consumer.highwater(place)) for place in places]
        if all(end is not None and position >= end for position, end in ends):
            return
        silent = 0 if fetched else silent + 1
    raise BrokerUnavailable("Kafka gave no more dead letters although there are some; try again")


def letter_of(record: ConsumerRecord[bytes, bytes]) -> Letter | None:
    """A letter from its record; None for a record that is no letter of ours."""
    said = {name: value.decode(errors="replace") for name, value in reversed(record.headers)}
    try:
        arrived = said.get(headers.ARRIVED, "")
        return Letter(
            topic=said[headers.TOPIC],
            partition=int(said[headers.PARTITION]),
            offset=int(said[headers.OFFSET]),
            reason=said[headers.REASON],
            detail=said.get(headers.DETAIL, ""),
            arrived_ms=int(arrived) if arrived.isascii() and arrived.isdigit() and len(arrived) <= 15 else None,
            is_cut=headers.LENGTH in said,
            key=record.key,
            value=record.value,
        )
    except (KeyError, ValueError):
        return None


async def _send(settings: Settings, letters: Sequence[Letter]) -> int:
    producer = AIOKafkaProducer(bootstrap_servers=settings.kafka, acks="all", enable_idempotence=True)
    async with _told_as_ours(settings):
        try:
            await producer.start()
            for letter in letters:
                arrived = [] if letter.arrived_ms is None else [(headers.ARRIVED, str(letter.arrived_ms).encode())]
                await producer.send_and_wait(letter.topic, letter.value, key=letter.key, headers=arrived)
        finally:
            await producer.stop()
    return len(letters)


@asynccontextmanager
async def _told_as_ours(settings: Settings) -> AsyncIterator[None]:
    try:
        yield
    except (KafkaError, OSError) as error:
        raise BrokerUnavailable(
            f"Kafka at {settings.kafka} did not answer ({type(error).__name__}); check that it runs (--kafka)"
        ) from error
