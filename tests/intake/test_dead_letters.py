"""Dead letters: original bytes, reason and origin, all stored before `send` returns."""

from __future__ import annotations

import hashlib
import os

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from tests.flow.servers import KafkaServer, Stack
from watchroom.demo.server import free_port
from watchroom.errors import BrokerUnavailable, ConfigurationInvalid, EventRefused
from watchroom.events import headers
from watchroom.events.record import Headers, Record
from watchroom.intake.admission import Refused
from watchroom.intake.dead_letters import (
    ARRIVED_MOST_BYTES,
    HEADERS_MOST_BYTES,
    KEY_MOST_BYTES,
    VALUE_MOST_BYTES,
    DeadLetters,
    headers_of,
    letter_for,
    portions,
)
from watchroom.intake.health import Status
from watchroom.kafka.topic_settings import LETTER_MOST_BYTES
from watchroom.kafka.topics import ensure_topics
from watchroom.settings import Settings, read_settings

LATE = EventRefused("late", "2 days after it happened")


def refused(value: bytes | None, key: bytes | None = b"17", headers: Headers = ()) -> Refused:
    """A record at offset 7 that arrived at 1,000 ms."""
    return Refused(Record(7, 1_000, key, value, headers), LATE)


async def sent(settings: Settings, *letters: Refused, ensure: bool = True) -> list[Record]:
    """Send letters, and read them back."""
    if ensure:
        await ensure_topics(settings)
    dead_letters = DeadLetters(settings, Status())
    try:
        await dead_letters.send("watchroom.calls", 3, letters)
    finally:
        await dead_letters.stop()
    topic = settings.dead_letter_topic
    async with AIOKafkaConsumer(topic, bootstrap_servers=settings.kafka, auto_offset_reset="earliest") as consumer:
        found = [await consumer.getone() for _ in letters]
    return [Record(r.offset, r.timestamp, r.key, r.value, tuple(r.headers)) for r in found]


async def test_nothing_that_may_name_a_person_is_in_a_letter(stack: Stack) -> None:
    """Neither value nor key is kept, nor the key's SHA-256: a telephone number is easily guessed from it."""
    value, key = b'{"data": {"caller_token": "01632 960001"}}', b"01632 960001"
    why = EventRefused("raw_identifier", "caller_token may hold something other than a token")
    (letter,) = await sent(stack.settings(partitions=1), Refused(Record(7, 1_000, key, value), why))
    assert (letter.key, letter.value) == (b"", None)
    assert dict(letter.headers) == {
        "watchroom-reason": b"raw_identifier",
        "watchroom-detail": why.detail.encode(),
        "watchroom-topic": b"watchroom.calls",
        "watchroom-partition": b"3",
        "watchroom-offset": b"7",
        "watchroom-arrived": b"1000",
        "watchroom-length": str(len(value)).encode(),
        "watchroom-sha256": hashlib.sha256(value).hexdigest().encode(),
    }


async def test_a_letter_is_the_original_record_with_headers_that_give_the_reason(stack: Stack) -> None:
    """Key and bytes are unchanged, so that it can be sent again after a fix."""
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


async def test_bytes_beyond_1_mib_are_cut_and_the_letter_has_length_and_digest(real_stack: Stack) -> None:
    """The letter must fit into its topic, and the whole record must still be identifiable."""
    whole = b"x" * (VALUE_MOST_BYTES + 5)
    (letter,) = await sent(real_stack.settings(partitions=1), refused(whole))
    assert letter.value == whole[:VALUE_MOST_BYTES]
    said = dict(letter.headers)
    assert said["watchroom-length"] == str(len(whole)).encode()
    assert said["watchroom-sha256"] == hashlib.sha256(whole).hexdigest().encode()


async def test_a_key_and_an_arrival_header_that_are_too_long_are_cut_too(real_stack: Stack) -> None:
    """A compressed key of 3 MB fits into its topic; a letter that cannot be sent would block its partition for ever."""
    key = b"k" * 3_000_000
    (letter,) = await sent(
        real_stack.settings(partitions=1), refused(b"{", key, headers=((headers.ARRIVED, b"1" * 3_000_000),))
    )
    said = dict(letter.headers)
    assert (letter.key, letter.value) == (key[:KEY_MOST_BYTES], b"{")
    assert said[headers.KEY_LENGTH] == b"3000000"
    assert said[headers.KEY_SHA256] == hashlib.sha256(key).hexdigest().encode()
    assert said[headers.ARRIVED] == b"1" * ARRIVED_MOST_BYTES
    assert headers.LENGTH not in said


MANY: list[Headers] = [
    (("", b""),) * 100_000,
    (("x", None),) * 100_000,
    (("n" * 100, b"v" * 900),) * 100,
    (("n" * 9_000_000, b""),),
]


@pytest.mark.parametrize("own", MANY, ids=["without names", "short", "of 1,000 bytes", "a long name"])
def test_the_largest_possible_letter_fits_the_limit_of_its_topic(own: Headers) -> None:
    """Every part of it is bounded, whatever the record holds, and however many headers it has."""
    ours = ((headers.ARRIVED, b"1" * 9_000_000), (headers.LATEST, b"1" * 9_000_000))
    long = Refused(
        Record(2**62, 2**62, b"k" * 9_000_000, b"v" * 9_000_000, ours + own),
        EventRefused("wrong_partition", "\U0001f600" * 9_000_000),
    )
    key, value, said, _ = letter_for("t" * 249, 2**31 - 1, long)
    batch = DefaultRecordBatchBuilder(2, 0, 0, -1, -1, -1, 2 * LETTER_MOST_BYTES)
    batch.append(0, 2**62, key, value, list(said))
    assert len(batch.build()) < LETTER_MOST_BYTES


OWN = (("ce_specversion", b"1.0"), ("ce_id", "Zoë".encode()), ("traceparent", None), ("traceparent", b"\xff"))


async def test_a_letter_also_has_the_headers_of_its_record(stack: Stack) -> None:
    """In binary mode they are half of the event. Our own appear once, even if the record already had them."""
    ours = ((headers.REASON, b"late"), ("watchroom-other", b"x"), (headers.LATEST, b"500"), (headers.LATEST, b"600"))
    (letter,) = await sent(stack.settings(partitions=1), refused(b"{}", headers=(*OWN[:2], *ours, *OWN[2:])))
    assert letter.headers[-4:] == OWN
    assert [name for name, _ in letter.headers[:-4]] == [
        *(headers.REASON, headers.DETAIL, headers.TOPIC, headers.PARTITION, headers.OFFSET, headers.ARRIVED),
        headers.LATEST,
    ]
    assert dict(letter.headers)[headers.LATEST] == b"500"


def test_own_headers_are_kept_up_to_16_kib_in_total() -> None:
    """A cut is reported; the two headers that mark binary mode are kept before others."""
    mark, content_type = ("ce_specversion", b"1.0"), ("content-type", b"application/json")
    rest = HEADERS_MOST_BYTES - sum(len(name) + len(value) for name, value in (mark, content_type, ("t", b"")))
    for more, kept in ((0, (("t", b"x" * rest), mark, content_type)), (1, (mark, content_type))):
        given = (("t", b"x" * (rest + more)), mark, content_type)
        said = letter_for("watchroom.calls", 0, refused(b"{}", headers=given)).headers
        assert tuple(header for header in said if not header[0].startswith("watchroom-")) == kept
        assert dict(said).get(headers.HEADERS_LENGTH) == (str(HEADERS_MOST_BYTES + 1).encode() if more else None)


def test_headers_of_a_record_that_may_name_a_person_are_not_kept() -> None:
    """The subject is one of them."""
    why = EventRefused("raw_identifier", "caller_token may hold something other than a token")
    record = Record(7, 1_000, b"17", b"{}", (*OWN, ("ce_subject", b"01632 960001")))
    letter = letter_for("watchroom.calls", 0, Refused(record, why))
    assert all(name.startswith("watchroom-") for name, _ in letter.headers)


def test_many_large_letters_are_sent_in_portions() -> None:
    """A step of 2,000 of them is 2 GB: sent at once, it would time out at each attempt, for ever."""
    letters = [refused(b"x" * size) for size in (9_000_000, 5, *[VALUE_MOST_BYTES] * 7, 0)]
    parts = list(portions(letters))
    assert [letter for part in parts for letter in part] == letters
    assert [len(part) for part in parts] == [4, 3, 3]
    with_headers = [refused(b"{}", headers=(("h", b"x" * HEADERS_MOST_BYTES),)) for _ in range(500)]
    assert len(list(portions(with_headers))) == 3
    assert list(portions([])) == []


async def limit(settings: Settings, most_bytes: int) -> None:
    """Set the largest record that the dead-letter topic accepts."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka)
    await admin.start()
    changed = {"max.message.bytes": str(most_bytes)}
    await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, settings.dead_letter_topic, changed)])
    await admin.close()


async def test_a_letter_too_large_for_its_topic_is_kept_as_headers_only(real_stack: Stack) -> None:
    """Somebody may lower the limit at runtime: the letter is counted, identified, and blocks nothing."""
    settings = real_stack.settings(partitions=1)
    await ensure_topics(settings)
    await limit(settings, 50_000)
    whole = os.urandom(100_000)  # what the broker compresses well would fit
    small, bare = await sent(settings, refused(b"{"), refused(whole), ensure=False)
    if small.value != b"{":  # the first failure may have moved the small one behind
        small, bare = bare, small
    assert (small.key, small.value) == (b"17", b"{")
    assert (bare.key, bare.value) == (b"", b"")
    said = dict(bare.headers)
    assert (said[headers.LENGTH], said[headers.KEY_LENGTH]) == (b"100000", b"2")
    assert said[headers.SHA256] == hashlib.sha256(whole).hexdigest().encode()


async def test_a_topic_that_accepts_no_letter_at_all_is_a_configuration_fault(real_stack: Stack) -> None:
    """Retrying for ever would look like a Kafka that does not answer."""
    settings = real_stack.settings(partitions=1)
    await ensure_topics(settings)
    await limit(settings, 50)
    with pytest.raises(ConfigurationInvalid, match=r"max\.message\.bytes.*write 2097152"):
        await sent(settings, refused(b"{"), ensure=False)
    with pytest.raises(ConfigurationInvalid, match=rf"{settings.dead_letter_topic}: max\.message\.bytes: found 50; "):
        await ensure_topics(settings)


async def test_a_record_without_a_value_or_a_key_is_kept_too(stack: Stack) -> None:
    """A tombstone is refused as well, and a missing key is a producer's most common fault."""
    settings = stack.settings(partitions=1)
    tombstone, keyless, nothing = await sent(settings, refused(None), refused(b"{}", None), refused(None, None))
    assert (tombstone.key, tombstone.value) == (b"17", None)
    assert (keyless.key, keyless.value) == (None, b"{}")
    assert (nothing.key, nothing.value) == (b"", None)


def test_a_replayed_letter_keeps_its_first_arrival() -> None:
    """When it is refused again, lateness is still decided by its first arrival."""
    again = refused(b"{}", headers=(("watchroom-arrived", b"500"),))
    assert dict(headers_of("watchroom.calls", 0, again))["watchroom-arrived"] == b"500"


async def test_without_a_broker_sending_raises_an_error_that_can_be_retried() -> None:
    """The atomic step must not count a letter that nobody can read."""
    settings = read_settings(kafka=f"127.0.0.1:{free_port()}")
    with pytest.raises(BrokerUnavailable, match=settings.dead_letter_topic):
        await DeadLetters(settings, Status()).send("watchroom.calls", 0, [refused(b"{}")])


async def test_letters_are_sent_again_after_a_broker_outage(own_kafka: KafkaServer) -> None:
    """The same sender continues: an idempotent producer that failed is replaced by a new one."""
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
