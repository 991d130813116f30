"""Dead letters: original bytes, why and from where, all stored before `send` returns."""

from __future__ import annotations

import hashlib

import pytest
from aiokafka import AIOKafkaConsumer

from tests.flow.servers import KafkaServer, Stack
from watchroom.errors import BrokerUnavailable, EventRefused
from watchroom.events.record import Record
from watchroom.intake.dead_letters import VALUE_MOST_BYTES, DeadLetters, headers_of
from watchroom.intake.judging import Refused
from watchroom.intake.status import Status
from watchroom.intake.topics import ensure_topics
from watchroom.replay.server import free_port
from watchroom.settings import Settings, read_settings

LATE = EventRefused("late", "2 days after it happened")


def refused(value: bytes | None, key: bytes | None = b"17", headers: tuple[tuple[str, bytes], ...] = ()) -> Refused:
    """A record at offset 7 that arrived at 1,000 ms."""
    return Refused(Record(7, 1_000, key, value, headers), LATE)


async def sent(settings: Settings, *letters: Refused) -> list[Record]:
    """Send letters, and read them back."""
    await ensure_topics(settings)
    dead_letters = DeadLetters(settings, Status())
    await dead_letters.send("watchroom.calls", 3, letters)
    await dead_letters.stop()
    topic = settings.dead_letter_topic
    async with AIOKafkaConsumer(topic, bootstrap_servers=settings.kafka, auto_offset_reset="earliest") as consumer:
        found = [await consumer.getone() for _ in letters]
    return [Record(r.offset, r.timestamp, r.key, r.value, tuple(r.headers)) for r in found]


async def test_a_letter_is_the_original_with_headers_that_say_why(stack: Stack) -> None:
    """Key and bytes are untouched, so that it can be sent again after a fix."""
    (letter,) = await sent(stack.settings(partitions=1), refused(b"\xff\x00not JSON"))
    assert (letter.key, letter.value) == (b"17", b"\xff\x00not JSON")
    assert dict(letter.headers) == {
        "watchroom-reason": b"late",
        "watchroom-detail": b"2 days after it happened",
        "watchroom-topic": b"watchroom.calls",
        "watchroom-partition": b"3",
        "watchroom-offset": b"7",
        "watchroom-arrived": b"1000",
    }


async def test_bytes_beyond_1_mib_are_cut_with_length_and_digest(real_stack: Stack) -> None:
    """The letter itself must fit into its topic, and the whole must still be recognised."""
    whole = b"x" * (VALUE_MOST_BYTES + 5)
    (letter,) = await sent(real_stack.settings(partitions=1), refused(whole))
    assert letter.value == whole[:VALUE_MOST_BYTES]
    headers = dict(letter.headers)
    assert headers["watchroom-length"] == str(len(whole)).encode()
    assert headers["watchroom-sha256"] == hashlib.sha256(whole).hexdigest().encode()


async def test_a_record_without_a_value_or_a_key_is_kept_too(stack: Stack) -> None:
    """A tombstone is refused as well, and a producer that sends no key is the commonest fault."""
    settings = stack.settings(partitions=1)
    tombstone, keyless, nothing = await sent(settings, refused(None), refused(b"{}", None), refused(None, None))
    assert (tombstone.key, tombstone.value) == (b"17", None)
    assert (keyless.key, keyless.value) == (None, b"{}")
    assert (nothing.key, nothing.value) == (b"", None)


def test_a_replayed_letter_keeps_its_first_arrival() -> None:
    """Refused a second time, it is still judged on when it came first."""
    again = refused(b"{}", headers=(("watchroom-arrived", b"500"),))
    assert dict(headers_of("watchroom.calls", 0, again))["watchroom-arrived"] == b"500"


async def test_without_a_broker_the_caller_is_told_to_try_again() -> None:
    """The atomic step must not count a letter that nobody can read."""
    settings = read_settings(kafka=f"127.0.0.1:{free_port()}")
    with pytest.raises(BrokerUnavailable, match=settings.dead_letter_topic):
        await DeadLetters(settings, Status()).send("watchroom.calls", 0, [refused(b"{}")])


async def test_after_the_broker_was_away_letters_are_sent_again(own_kafka: KafkaServer) -> None:
    """The same sender goes on: an idempotent producer that failed is replaced by a new one."""
    settings = read_settings(kafka=own_kafka.address, partitions=1)
    await ensure_topics(settings)
    status = Status()
    dead_letters = DeadLetters(settings, status)
    await dead_letters.send("watchroom.calls", 0, [refused(b"one")])
    own_kafka.kill()
    with pytest.raises(BrokerUnavailable):
        await dead_letters.send("watchroom.calls", 0, [refused(b"two")])
    own_kafka.start()
    await dead_letters.send("watchroom.calls", 0, [refused(b"two")])
    assert status.counts["dead_letters"] == 2
    await dead_letters.stop()
