"""Reads dead letters, and replays them: sends them again after a fix.

A crash may have written a letter twice, so each (topic, partition, offset) is returned once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.errors import MessageSizeTooLargeError

from watchroom.errors import BrokerUnavailable
from watchroom.events import headers, reasons
from watchroom.events.record import Headers
from watchroom.events.times import to_text
from watchroom.intake.admission import Refused
from watchroom.intake.dead_letters import headers_of
from watchroom.kafka import clients
from watchroom.kafka.produce import connected
from watchroom.kafka.topic_settings import DEAD_LETTERS_MOST_BYTES, EVENTS_MOST_BYTES
from watchroom.kafka.topics import partition_counts
from watchroom.settings import Settings
from watchroom.streams import STREAMS

FETCH_WITHIN_MS = 500
SILENT_FETCHES = 20  # after so many empty fetches below the log's end the broker counts as silent
REQUEST_TIMEOUT_MS = 10_000
SENT_AT_ONCE = 500


class Letter(NamedTuple):
    """One dead letter."""

    topic: str
    partition: int
    offset: int
    reason: str
    detail: str
    arrived_ms: int | None  # first arrival; None if the sender's header was unreadable
    is_cut: bool  # its value, its key, or the headers with an event's attributes were not kept in full
    key: bytes | None
    value: bytes | None
    length: str = ""  # in bytes, with the SHA-256 in hexadecimal: of a value that was cut or left out
    sha256: str = ""
    key_length: str = ""  # in bytes: of a key that was cut
    own_headers: Headers = ()  # of the refused record
    own_headers_length: str = ""  # in bytes: of headers that were not all kept
    latest: bytes | None = None  # see events.headers.LATEST

    @property
    def names_a_person(self) -> bool:
        """Whether value and key were left out because they may name a person."""
        return self.reason == reasons.RAW_IDENTIFIER

    @property
    def arrived(self) -> str:
        """First arrival, as text."""
        return "" if self.arrived_ms is None else to_text(self.arrived_ms)


class Replayed(NamedTuple):
    """What happened to the letters that were to be replayed."""

    sent: int
    repeats: int  # the same record was refused more than once, and sent once
    cut: int  # incomplete, so they cannot be sent
    too_large: int  # the topic does not take them
    expired: int  # their entity may be forgotten, so they would be refused
    not_fed: int = 0  # their stream is not fed
    not_kept: int = 0  # may name a person, so nothing was kept that could be sent


Wanted = Callable[[Letter], bool]
Identity = tuple[str, int, int, int | None]
"""Topic, partition and offset of a refused record, and its arrival: a recreated topic counts from 0 again."""


def read_letters(settings: Settings, wanted: Wanted) -> list[Letter]:
    """Letters in the order of (topic, partition, offset), each once.

    Raises:
        BrokerUnavailable: Kafka did not answer.
    """

    async def read() -> list[Letter]:
        found = {letter[:3]: letter async for letter in _letters(settings) if wanted(letter)}
        return [found[position] for position in sorted(found)]

    return asyncio.run(read())


async def identities(settings: Settings) -> set[Identity]:
    """The identities of all letters; raises as `read_letters`."""
    return {(*letter[:3], letter.arrived_ms) async for letter in _letters(settings)}


def identity_of(topic: str, partition: int, refused: Refused) -> Identity:
    """The identity that a refused record's letter will have."""
    said = dict(headers_of(topic, partition, refused))
    return topic, partition, refused.record.offset, _arrived_ms(said[headers.ARRIVED].decode(errors="replace"))


def replay_letters(settings: Settings, letters: Sequence[Letter], now_ms: int) -> Replayed:
    """Send letters to their topics again, with the record's own headers and one with the first arrival.

    The fold knows an event for the stream's retention period, so within that time sending a letter twice changes
    nothing. Older letters are not sent: intake would refuse them. A letter that was replayed before and came back is
    the same record as the first one. Only one of them is sent; otherwise their number would double with every replay.

    Raises:
        BrokerUnavailable: Not all are known to be stored; sending all again is safe.
    """
    since_ms = {settings.topic(stream): now_ms - settings.keeping_days.ms(stream) for stream in STREAMS}
    not_fed = since_ms.keys() - settings.topics.values()
    read = [letter for letter in letters if letter.topic not in not_fed]
    known = [one for one in read if one.arrived_ms is None or one.arrived_ms >= since_ms.get(one.topic, 0)]
    kept = [letter for letter in known if not letter.names_a_person]
    whole = [letter for letter in kept if not letter.is_cut]
    records = {(one.topic, one.key, one.value, one.arrived_ms, one.own_headers): one for one in whole}
    too_large = asyncio.run(_send(settings, list(records.values())))
    return Replayed(
        sent=len(records) - too_large,
        repeats=len(whole) - len(records),
        cut=len(kept) - len(whole),
        too_large=too_large,
        expired=len(read) - len(known),
        not_fed=len(letters) - len(read),
        not_kept=len(known) - len(kept),
    )


async def _letters(settings: Settings) -> AsyncIterator[Letter]:
    """Every letter in the topic, repeated ones too."""
    topic = settings.dead_letter_topic
    async with clients.open_admin(settings, REQUEST_TIMEOUT_MS) as admin:
        counts = await partition_counts(admin)
    partitions = [TopicPartition(topic, number) for number in range(counts.get(topic, 0))]
    if not partitions:  # no worker has created the topic yet
        return
    async with clients.open_consumer(
        settings,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=2 * DEAD_LETTERS_MOST_BYTES,
        request_timeout_ms=REQUEST_TIMEOUT_MS,
    ) as consumer:
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        async for record in _all_records(consumer, partitions):
            if (letter := letter_of(record)) is not None:
                yield letter


async def _all_records(
    consumer: AIOKafkaConsumer, partitions: Sequence[TopicPartition]
) -> AsyncIterator[ConsumerRecord[bytes, bytes]]:
    silent = 0
    while silent < SILENT_FETCHES:
        fetched = await consumer.getmany(timeout_ms=FETCH_WITHIN_MS)
        for records in fetched.values():
            for record in records:
                yield record
        ends = [(await consumer.position(each), consumer.highwater(each)) for each in partitions]
        if all(end is not None and position >= end for position, end in ends):
            return
        silent = 0 if fetched else silent + 1
    raise BrokerUnavailable("Kafka stopped sending dead letters before the end of the topic; try again")


def letter_of(record: ConsumerRecord[bytes, bytes]) -> Letter | None:
    """A letter from its record; None if the record is not one of our letters."""
    headers_said: Sequence[tuple[str, bytes | None]] = record.headers  # aiokafka's own type omits null values
    said = {name: value.decode(errors="replace") for name, value in reversed(headers_said) if value is not None}
    own = tuple(header for header in headers_said if not header[0].startswith(headers.OURS))
    is_binary = any(name == headers.SPECVERSION for name, _ in own)
    try:
        return Letter(
            topic=said[headers.TOPIC],
            partition=int(said[headers.PARTITION]),
            offset=int(said[headers.OFFSET]),
            reason=said[headers.REASON],
            detail=said.get(headers.DETAIL, ""),
            arrived_ms=_arrived_ms(said.get(headers.ARRIVED, "")),
            is_cut=bool({headers.LENGTH, headers.KEY_LENGTH} & said.keys())
            or (is_binary and headers.HEADERS_LENGTH in said),
            key=record.key,
            value=record.value,
            length=said.get(headers.LENGTH, ""),
            sha256=said.get(headers.SHA256, ""),
            key_length=said.get(headers.KEY_LENGTH, ""),
            own_headers=own,
            own_headers_length=said.get(headers.HEADERS_LENGTH, ""),
            latest=said[headers.LATEST].encode() if headers.LATEST in said else None,
        )
    except (KeyError, ValueError):
        return None


def _arrived_ms(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else None


async def _send(settings: Settings, letters: Sequence[Letter]) -> int:
    """Send them; returns how many are too large for their topic."""
    refused = 0
    with clients.errors_as_unavailable(settings):
        async with connected(settings, max_request_size=EVENTS_MOST_BYTES) as producer:
            for begin in range(0, len(letters), SENT_AT_ONCE):
                stored = [_send_one(producer, letter) for letter in letters[begin : begin + SENT_AT_ONCE]]
                refused += (await asyncio.gather(*stored)).count(False)
    return refused


async def _send_one(producer: AIOKafkaProducer, letter: Letter) -> bool:
    sent: list[tuple[str, bytes | None]] = [*letter.own_headers]
    if letter.arrived_ms is not None:
        sent.append((headers.ARRIVED, str(letter.arrived_ms).encode()))
    if letter.latest is not None:
        sent.append((headers.LATEST, letter.latest))
    try:
        await producer.send_and_wait(letter.topic, letter.value, key=letter.key, headers=sent)
    except MessageSizeTooLargeError:
        return False
    return True
