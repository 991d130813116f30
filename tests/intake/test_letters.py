"""Reading letters, and replaying those that can be sent, on both brokers."""

from __future__ import annotations

import asyncio
import hashlib

import pytest
from aiokafka import AIOKafkaProducer, ConsumerRecord, TopicPartition

from tests.flow.crash_run import read_all
from tests.flow.servers import Stack
from watchroom.errors import EventRefused
from watchroom.events.record import Record
from watchroom.intake.admission import Refused
from watchroom.intake.dead_letters import HEADERS_MOST_BYTES, VALUE_MOST_BYTES, DeadLetters
from watchroom.intake.health import Status
from watchroom.intake.letters import Letter, Replayed, identities, identity_of, letter_of, read_letters, replay_letters
from watchroom.kafka.topic_settings import EVENTS_MOST_BYTES
from watchroom.kafka.topics import ensure_topics
from watchroom.settings import Settings

pytestmark = pytest.mark.timeout(90)


def refused(offset: int, value: bytes | None, arrived: bytes | None = None) -> Refused:
    """A record of key 17 that arrived at 1,000 ms."""
    headers = () if arrived is None else (("watchroom-arrived", arrived),)
    return Refused(Record(offset, 1_000, b"17", value, headers), EventRefused("bad_json", "not JSON"))


def send(settings: Settings, *letters: Refused) -> None:
    """Write letters of partition 0 of the calls, as a worker does."""

    async def work() -> None:
        await ensure_topics(settings)
        dead_letters = DeadLetters(settings, Status())
        await dead_letters.send(settings.topic("calls"), 0, letters)
        await dead_letters.stop()

    asyncio.run(work())


def test_letters_are_read_once_in_order_and_the_selected_ones_are_replayed(stack: Stack) -> None:
    """A letter written twice is one; a record that came back unchanged is sent once, or replays would double it."""
    settings = stack.settings(partitions=2)
    topic = settings.topic("calls")
    again = refused(9, b"{", arrived=b"1000")  # offset 5, sent again and refused again
    send(settings, refused(7, b"[1"), refused(5, b"{"), refused(5, b"{"), again, refused(6, None))
    found = read_letters(settings, lambda letter: letter.topic == topic)
    assert [(letter.offset, letter.value) for letter in found] == [(5, b"{"), (6, None), (7, b"[1"), (9, b"{")]
    assert {letter.arrived for letter in found} == {"1970-01-01T00:00:01.000Z"}
    known = asyncio.run(identities(settings))
    for one in (refused(7, b"[1"), again):
        assert identity_of(topic, 0, one) in known
    assert identity_of(topic, 0, refused(9, b"{", arrived=b"1001")) not in known  # another log's offset 9
    assert replay_letters(settings, found, now_ms=2_000) == Replayed(3, repeats=1, cut=0, too_large=0, expired=0)


def test_a_letter_is_replayed_with_the_headers_of_its_record(real_stack: Stack) -> None:
    """A binary event needs its headers; when it is refused again, it is the same letter and not a longer one."""
    settings = real_stack.settings(partitions=1)
    own = (("ce_specversion", b"1.0"), ("ce_id", "Zoë".encode()), ("tenant", None), ("tenant", b"\xff"))
    first = Record(5, 1_000, b"17", b"{}", (*own, ("watchroom-latest", b"9000"), ("watchroom-reason", b"mine")))
    why = EventRefused("late", "too late")
    send(settings, Refused(first, why))
    (letter,) = read_letters(settings, lambda _: True)
    assert (letter.own_headers, letter.is_cut) == (own, False)
    assert replay_letters(settings, [letter], now_ms=2_000).sent == 1
    calls = TopicPartition(settings.topic("calls"), 0)
    (again,) = asyncio.run(read_all(settings.kafka, [calls]))[calls]
    assert again.headers == (*own, ("watchroom-arrived", b"1000"), ("watchroom-latest", b"9000"))
    send(settings, Refused(Record(6, 2_000, again.key, again.value, tuple(again.headers)), why))
    found = read_letters(settings, lambda _: True)
    assert [one._replace(offset=5) for one in found] == [letter, letter]
    assert replay_letters(settings, found, now_ms=3_000) == Replayed(1, repeats=1, cut=0, too_large=0, expired=0)


def test_a_binary_letter_is_complete_only_with_all_its_headers(real_stack: Stack) -> None:
    """Without its recorded time it would be another event. A structured event is entirely in its value."""
    settings = real_stack.settings(partitions=1)
    why, long = EventRefused("late", "too late"), ("baggage", b"x" * HEADERS_MOST_BYTES)
    for offset, mark in ((5, "ce_specversion"), (6, "tenant")):
        send(settings, Refused(Record(offset, 1_000, b"17", b"{}", (long, (mark, b"1.0"))), why))
    binary, structured = read_letters(settings, lambda _: True)
    assert (binary.is_cut, structured.is_cut) == (True, False)
    assert (structured.own_headers, structured.own_headers_length) == ((("tenant", b"1.0"),), str(7 + len(long[1]) + 9))
    assert replay_letters(settings, [binary, structured], 2_000) == Replayed(1, 0, cut=1, too_large=0, expired=0)


def test_a_letter_that_cannot_be_sent_is_counted_and_stops_no_other(stack: Stack) -> None:
    """A letter that was cut is not the record; one of its topic's maximum size has no room for the header."""
    settings = stack.settings(partitions=1)
    send(settings, refused(1, b"{"), refused(2, b"x" * (VALUE_MOST_BYTES + 1)))
    small, cut = read_letters(settings, lambda _: True)
    assert cut.is_cut
    full = small._replace(offset=3, value=b"x" * EVENTS_MOST_BYTES)
    done = replay_letters(settings, [small, cut, full], now_ms=2_000)
    assert done == Replayed(1, repeats=0, cut=1, too_large=1, expired=0)


def test_a_letter_stored_without_its_value_is_not_replayed(real_stack: Stack) -> None:
    """An empty record would come back as another letter; a value left out is counted separately from a cut one."""
    settings = real_stack.settings(partitions=1)
    raw = Refused(Record(2, 1_000, b"17", b"01632 960001"), EventRefused("raw_identifier", "caller_token"))
    send(settings, refused(1, b"{"), raw)
    whole, left_out = read_letters(settings, lambda _: True)
    assert (whole.names_a_person, left_out.names_a_person) == (False, True)
    assert (left_out.key, left_out.value, left_out.length) == (b"", None, "12")
    assert left_out.sha256 == hashlib.sha256(b"01632 960001").hexdigest()
    done = replay_letters(settings, [whole, left_out], now_ms=2_000)
    assert done == Replayed(1, repeats=0, cut=0, too_large=0, expired=0, not_kept=1)


def test_a_letter_that_would_be_refused_as_expired_is_not_replayed(real_stack: Stack) -> None:
    """Each replay would bring it back as another letter; what is on time by its stream's own retention is sent."""
    settings = real_stack.settings(partitions=1)
    send(settings, refused(1, b"{"))
    (call,) = read_letters(settings, lambda _: True)
    incident = call._replace(topic=settings.topic("incidents"), offset=2)
    three_days_on_ms = 1_000 + settings.keeping_days.ms("calls")
    assert replay_letters(settings, [call, incident], three_days_on_ms).expired == 0
    done = replay_letters(settings, [call, incident], three_days_on_ms + 1)
    assert done == Replayed(1, repeats=0, cut=0, too_large=0, expired=1)


def test_a_letter_of_a_stream_that_is_not_fed_is_not_replayed(real_stack: Stack) -> None:
    """No worker reads its topic, so the letter would only seem to be dealt with."""
    settings = real_stack.settings(partitions=1)
    send(settings, refused(1, b"{"))
    (call,) = read_letters(settings, lambda _: True)
    without = settings.model_copy(update={"streams": ("incidents", "crimes")})
    assert replay_letters(without, [call], 2_000) == Replayed(0, 0, 0, 0, 0, not_fed=1)
    assert replay_letters(settings, [call], 2_000).sent == 1


def test_a_record_that_is_not_a_letter_is_left_out() -> None:
    """Somebody may have written to the topic by hand."""

    def record(*headers: tuple[str, bytes | None]) -> ConsumerRecord[bytes, bytes]:
        return ConsumerRecord("dead", 0, 0, 0, 0, b"k", b"v", None, 1, 1, headers)

    where = [("watchroom-topic", b"t"), ("watchroom-partition", b"0"), ("watchroom-reason", b"late")]
    assert letter_of(record()) is None
    assert letter_of(record(*where, ("watchroom-offset", b"seven"))) is None
    assert letter_of(record(*where, ("watchroom-offset", None))) is None
    assert letter_of(record(*where, ("watchroom-offset", b"7"), ("watchroom-arrived", b"soon"))) == Letter(
        "t", 0, 7, "late", "", None, is_cut=False, key=b"k", value=b"v"
    )


def test_foreign_records_in_the_dead_letter_topic_do_not_stop_the_reading(real_stack: Stack) -> None:
    """Reading continues to the log's end, whatever is there."""
    settings = real_stack.settings(partitions=1)
    send(settings, refused(1, b"{"))

    async def by_hand() -> None:
        async with AIOKafkaProducer(bootstrap_servers=settings.kafka) as producer:
            await producer.send_and_wait(settings.dead_letter_topic, b"hello")
            await producer.send_and_wait(settings.dead_letter_topic, b"null", headers=[("watchroom-topic", None)])

    asyncio.run(by_hand())
    assert [letter.offset for letter in read_letters(settings, lambda _: True)] == [1]
