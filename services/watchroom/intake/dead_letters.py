"""Sends dead letters: refused records, kept where a person can see them and send them again.

A letter has the original key, bytes and headers, and headers of ours that say why it was refused and where it came
from. Anything too large is cut, so that every letter fits into the topic: a record can be larger than its own topic's
limit once it is uncompressed. All brokers acknowledge a letter before the atomic step that counts it, so a crash in
between repeats it. Readers identify a letter by (topic, partition, offset).
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, UnknownError

from watchroom.errors import BrokerRefuses, BrokerUnavailable, ConfigurationInvalid, Fault
from watchroom.events import headers, reasons
from watchroom.events.record import Headers
from watchroom.intake.admission import Refused
from watchroom.intake.health import Status
from watchroom.kafka import clients
from watchroom.kafka.login import Refusals
from watchroom.kafka.topic_settings import DEAD_LETTERS_MOST_BYTES, MOST_BYTES
from watchroom.kafka.topics import NOT_ALLOWED, RIGHTS
from watchroom.settings import Settings

VALUE_MOST_BYTES = 1024 * 1024
KEY_MOST_BYTES = 64 * 1024
HEADERS_MOST_BYTES = 16 * 1024  # of the record's own headers together, names and values
ARRIVED_MOST_BYTES = 40  # longer than any valid number; a longer one is cut and refused again
DETAIL_MOST_CHARS = 2000
PORTION_BYTES = 4 * 1024 * 1024
SEND_WITHIN_S = 10.0  # for each portion
STOP_WITHIN_S = 5.0

log = structlog.get_logger("watchroom.intake")


class Stored(NamedTuple):
    """One letter as it is written."""

    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]
    is_bare: bool  # with our headers only: no key, no value, none of the record's own headers


def headers_of(topic: str, partition: int, refused: Refused) -> list[tuple[str, bytes]]:
    """Headers with the reason, the origin and the first arrival; `letter_for` adds others."""
    record, why = refused.record, refused.why
    arrived = next((value or b"" for name, value in record.headers if name == headers.ARRIVED), None)
    latest = next((value for name, value in record.headers if name == headers.LATEST), None)
    return [
        (headers.REASON, why.reason.encode()),
        (headers.DETAIL, why.detail[:DETAIL_MOST_CHARS].encode(errors="replace")),
        (headers.TOPIC, topic.encode()),
        (headers.PARTITION, str(partition).encode()),
        (headers.OFFSET, str(record.offset).encode()),
        (headers.ARRIVED, str(record.timestamp_ms).encode() if arrived is None else arrived[:ARRIVED_MOST_BYTES]),
        *([] if latest is None else [(headers.LATEST, latest[:ARRIVED_MOST_BYTES])]),
    ]


def letter_for(topic: str, partition: int, refused: Refused, *, is_bare: bool = False) -> Stored:
    """The letter of a refused record, cut to fit; `is_bare`: with our headers only.

    A letter that may name a person is always bare, without a hash of its key: a short text can be found by its SHA-256.
    """
    record, said = refused.record, headers_of(topic, partition, refused)
    if refused.why.reason == reasons.RAW_IDENTIFIER:
        _cut(record.value, 0, (headers.LENGTH, headers.SHA256), said)
        return Stored(b"", None, [*said], is_bare=True)
    value = _cut(record.value, 0 if is_bare else VALUE_MOST_BYTES, (headers.LENGTH, headers.SHA256), said)
    key = _cut(record.key, 0 if is_bare else KEY_MOST_BYTES, (headers.KEY_LENGTH, headers.KEY_SHA256), said)
    own = _own_headers(record.headers, 0 if is_bare else HEADERS_MOST_BYTES, said)
    # Kafka does not accept a record without key and value, so the key is empty then
    return Stored(b"" if key is None and value is None else key, value, [*said, *own], is_bare)


def _own_headers(given: Headers, most_bytes: int, said: list[tuple[str, bytes]]) -> Headers:
    """A record's own headers: all, or as many as fit, beginning with those that mark binary mode."""
    own = [header for header in given if not header[0].startswith(headers.OURS)]
    if sum(map(_size, own)) <= most_bytes:
        return tuple(own)
    said.append((headers.HEADERS_LENGTH, str(sum(map(_size, own))).encode()))
    kept, room = [], most_bytes
    for header in sorted(own, key=lambda header: header[0] not in (headers.SPECVERSION, headers.CONTENT_TYPE)):
        if _size(header) <= room:
            kept.append(header)
            room -= _size(header)
    return tuple(kept)


def _size(header: tuple[str, bytes | None]) -> int:
    """Size in bytes; at least 1, so that the number of headers is limited too."""
    name, value = header
    return max(1, len(name.encode("utf-8", "replace")) + len(value or b""))


def _cut(whole: bytes | None, most_bytes: int, names: tuple[str, str], said: list[tuple[str, bytes]]) -> bytes | None:
    """Returns the whole, or its beginning; then its full length and SHA-256 are added to the headers."""
    if whole is None or len(whole) <= most_bytes:
        return whole
    said += zip(names, (str(len(whole)).encode(), hashlib.sha256(whole).hexdigest().encode()), strict=True)
    return whole[:most_bytes]


def portions(refused: Sequence[Refused]) -> Iterator[list[Refused]]:
    """Splits letters into parts that can be sent in time. The largest ones of a step together never could."""
    part: list[Refused] = []
    part_bytes = 0
    for item in refused:
        value, key = item.record.value or b"", item.record.key or b""
        own_bytes = min(sum(map(_size, item.record.headers)), HEADERS_MOST_BYTES)
        item_bytes = min(len(value), VALUE_MOST_BYTES) + min(len(key), KEY_MOST_BYTES) + own_bytes + DETAIL_MOST_CHARS
        if part and part_bytes + item_bytes > PORTION_BYTES:
            yield part
            part, part_bytes = [], 0
        part.append(item)
        part_bytes += item_bytes
    if part:
        yield part


class DeadLetters:
    """Sends letters to the dead-letter topic."""

    def __init__(self, settings: Settings, status: Status) -> None:
        self._settings = settings
        self._topic = settings.dead_letter_topic
        self._status = status
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()
        self._refusals = Refusals((BrokerRefuses,))
        self._ending: set[asyncio.Task[None]] = set()

    async def send(self, topic: str, partition: int, refused: Sequence[Refused]) -> None:
        """Send refused records of one partition and wait until every one is stored.

        Raises:
            BrokerRefuses: We are not let in, or may not write to the topic; asked again after 2, 4, 8, then every 16 s.
            BrokerUnavailable: Not all are known to be stored; sending all again is safe.
            ConfigurationInvalid: The topic does not even take a letter without its key and value.
        """
        with self._refusals.attempt(self._topic):
            try:
                for some in portions(refused):
                    async with asyncio.timeout(SEND_WITHIN_S):
                        await self._store(topic, partition, some)
            except (KafkaError, OSError, TimeoutError) as error:
                self._drop_producer()  # it may be unusable after an error; the next call makes another
                raise self._unavailable(error) from error
            except BrokerRefuses:
                self._status.count("kafka_retries")
                raise
        self._status.count("dead_letters", len(refused))

    def _unavailable(self, error: Exception) -> BrokerUnavailable:
        self._status.count("kafka_retries")
        if isinstance(error, NOT_ALLOWED):
            return BrokerRefuses(
                f"Kafka does not let this user write to topic {self._topic}: grant it WRITE, see {RIGHTS}"
            )
        return BrokerUnavailable(
            f"dead letters cannot be sent to {self._topic} at {self._settings.kafka} ({type(error).__name__}: {error})"
        )

    async def _store(self, topic: str, partition: int, refused: Sequence[Refused]) -> None:
        """Send them; a letter that is still too large for the topic is sent again with our headers only."""
        waiting = [(item, letter_for(topic, partition, item)) for item in refused]
        while waiting:
            errors = await self._try(letter for _, letter in waiting)
            failed = [(item, letter, error) for (item, letter), error in zip(waiting, errors, strict=True) if error]
            if not any(isinstance(error, MessageSizeTooLargeError) for *_, error in failed):
                for *_, error in failed:
                    raise error
                return
            self._drop_producer()  # later letters may fail only because of the gap in sequence numbers
            waiting = [(item, self._smaller(topic, partition, item, letter, error)) for item, letter, error in failed]

    def _smaller(self, topic: str, partition: int, refused: Refused, letter: Stored, error: BaseException) -> Stored:
        if not isinstance(error, MessageSizeTooLargeError):
            return letter
        if letter.is_bare:
            found = "a limit smaller than the headers of a dead letter"
            fault = Fault(f"Kafka topic {self._topic}", MOST_BYTES, found, str(DEAD_LETTERS_MOST_BYTES))
            raise ConfigurationInvalid([fault]) from error  # waiting would not help
        where = {"topic": topic, "partition": partition, "offset": refused.record.offset}
        log.error("a dead letter is too large for its topic; only Watchroom's headers are kept", **where)
        return letter_for(topic, partition, refused, is_bare=True)

    async def _try(self, letters: Iterable[Stored]) -> list[BaseException | None]:
        """Send the letters; returns the error of each, or None."""
        producer = await self._started()
        sent = [await producer.send(self._topic, value, key=key, headers=said) for key, value, said, _ in letters]
        stored = await asyncio.gather(*sent, return_exceptions=True)
        return [one if isinstance(one, BaseException) else None for one in stored]

    async def _started(self) -> AIOKafkaProducer:
        async with self._starting:
            if self._producer is None:
                try:
                    self._producer = await self._start(idempotent=True)
                except UnknownError:
                    # The embedded broker has no producer ids. Without them a retry may store a letter twice, like a
                    # crash. Readers show it once.
                    self._producer = await self._start(idempotent=False)
        return self._producer

    async def _start(self, *, idempotent: bool) -> AIOKafkaProducer:
        producer = clients.producer(
            self._settings,
            acks="all",
            enable_idempotence=idempotent,
            max_request_size=DEAD_LETTERS_MOST_BYTES,
            request_timeout_ms=int(SEND_WITHIN_S * 1000),
        )
        try:
            await clients.start(producer, self._settings)
        except BaseException:
            await producer.stop()
            raise
        return producer

    def _drop_producer(self) -> None:
        """Stop the producer in the background: it waits until the letters that it could not send expire."""
        producer, self._producer = self._producer, None
        if producer is not None:
            task = asyncio.create_task(producer.stop())
            self._ending.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._ending.discard(task)
        if not task.cancelled():
            task.exception()  # each failed letter was reported to its sender

    async def stop(self) -> None:
        """Close the connection, within a few seconds."""
        self._drop_producer()
        if self._ending:
            await asyncio.wait(self._ending, timeout=STOP_WITHIN_S)
