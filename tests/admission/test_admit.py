"""Admission: topic, key, partition, and the two clocks."""

from __future__ import annotations

from typing import Any

import pytest
from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given
from hypothesis import strategies as st

from tests.admission.made import (
    ABSENT,
    DAY_MS,
    FUTURE_MS,
    KEEPING_MS,
    NOON_MS,
    admission,
    parsed,
    record,
    refused_record,
)
from watchroom.errors import EventRefused
from watchroom.events import reasons
from watchroom.events.headers import ARRIVED, LATEST
from watchroom.events.partitioner import CountInUse, partition_of
from watchroom.events.record import Arrived, Record
from watchroom.events.times import LATEST_MS, to_ms

HISTORY = "2021-10-29T00:00:00Z"
LATER = "2021-10-31T12:00:00Z"


def arrived_header(ms: int | str) -> tuple[tuple[str, bytes], ...]:
    """Headers as on a dead letter that was sent again."""
    return (("other", b"x"), (ARRIVED, str(ms).encode()))


def test_a_valid_record_is_admitted_with_its_timestamp_as_arrival() -> None:
    """Both times are Kafka's unless a header or source says otherwise."""
    assert admission().admit(record()) == Arrived(parsed(), NOON_MS, NOON_MS, 5)


def test_a_tombstone_is_bad_json_and_the_detail_says_why() -> None:
    """Events are facts; deleting one is not a way to correct it."""
    error = refused_record(admission(), Record(5, NOON_MS, b"17", None))
    assert error.reason == reasons.BAD_JSON
    assert "tombstone" in error.detail


@pytest.mark.parametrize("value", [b"", b"{}", b"\xff"])
def test_a_record_that_parse_refuses_is_refused(value: bytes) -> None:
    """With the reason that parse gives."""
    assert refused_record(admission(), Record(5, NOON_MS, b"17", value)).reason in reasons.REASONS


@pytest.mark.parametrize("stream", ["incidents", "crimes"])
def test_an_event_type_of_another_stream_is_in_the_wrong_topic(stream: str) -> None:
    """Otherwise the same call would have two states, one in each topic."""
    error = refused_record(admission(stream), record())
    assert error.reason == reasons.WRONG_TOPIC
    assert f"the {stream} topic; write it to the calls topic" in error.detail


@pytest.mark.parametrize("key", [None, b"", b"18", b"17 ", b'"17"', b"\x0017", b"\xff\xfe"])
def test_the_key_must_be_the_subject(key: bytes | None) -> None:
    """Another key may be in another partition, out of order with the rest of its call."""
    error = refused_record(admission(), record(key=key))
    assert error.reason == reasons.WRONG_KEY
    assert "write the subject '17'" in error.detail


def test_the_key_is_the_subject_in_utf_8() -> None:
    """Latin-1 would be another key."""
    assert admission().admit(record(key="né".encode(), subject="né")).event.subject == "né"
    assert refused_record(admission(), record(key="né".encode("latin-1"), subject="né")).reason == reasons.WRONG_KEY


@pytest.mark.parametrize("stream", ["calls", "incidents", "crimes"])
def test_a_heartbeat_belongs_to_every_topic(stream: str) -> None:
    """A source sends one to each topic that it feeds."""
    beat = record(key=b"acd", type="feed.heartbeat", subject="acd")
    assert admission(stream).admit(beat).event.type == "feed.heartbeat"


@pytest.mark.parametrize(("key", "subject"), [(b"17", "17"), (b"acd", "17"), (b"17", "acd"), (None, "acd")])
def test_the_key_and_subject_of_a_heartbeat_must_be_its_source(key: bytes | None, subject: str) -> None:
    """It has no entity; under another name it could be mistaken for one."""
    error = refused_record(admission(), record(key=key, type="feed.heartbeat", subject=subject))
    assert error.reason == reasons.WRONG_KEY
    assert "write 'acd' in both" in error.detail


def test_an_event_is_late_only_beyond_the_limit() -> None:
    """Exactly 24 h is accepted; one millisecond more is late."""
    assert admission().admit(record(arrival_ms=NOON_MS + DAY_MS))
    error = refused_record(admission(), record(arrival_ms=NOON_MS + DAY_MS + 1))
    assert error.reason == reasons.LATE
    assert "time 2021-10-30T12:00:00.000Z, arrival 2021-10-31T12:00:00.001Z" in error.detail
    assert ": 24 h and 0.001 s late; the limit for calls is 24 h." in error.detail
    error = refused_record(admission(), record(arrival_ms=NOON_MS + 2 * DAY_MS))
    assert ": 2 d 0 h late; the limit for calls is 24 h." in error.detail


def test_an_event_is_in_the_future_only_if_more_than_five_minutes_ahead() -> None:
    """Exactly 5 min is allowed; one millisecond more is not."""
    assert admission().admit(record(arrival_ms=NOON_MS - FUTURE_MS))
    error = refused_record(admission(), record(arrival_ms=NOON_MS - FUTURE_MS - 1))
    assert error.reason == reasons.FUTURE
    assert ": 5 min and 0.001 s ahead; at most 5 min is allowed." in error.detail


def test_limits_apply_to_the_instant_and_not_to_the_wall_clock() -> None:
    """01:30 in summer time and 01:30 in winter time are an hour apart: only one is too far ahead."""
    at = to_ms("2021-10-31T01:26:00+01:00")
    assert admission().admit(record(arrival_ms=at, time="2021-10-31T01:30:00+01:00"))
    assert refused_record(admission(), record(arrival_ms=at, time="2021-10-31T01:30:00Z")).reason == reasons.FUTURE


def test_recordedtime_is_the_arrival_for_history_sources_only() -> None:
    """Otherwise a live sender could make its own events punctual."""
    old = record(time=HISTORY, recordedtime=HISTORY)
    assert refused_record(admission(), old).reason == reasons.LATE
    ms = to_ms(HISTORY)
    admitted = admission(history=("acd",)).admit(old)
    assert (admitted.arrival_ms, admitted.closing_ms) == (ms, ms)


def test_a_history_event_can_also_be_late_or_in_the_future() -> None:
    """The same limits apply as if it had been live."""
    rules = admission(history=("acd",))
    assert refused_record(rules, record(recordedtime="2021-10-31T12:00:00.001Z")).reason == reasons.LATE
    assert refused_record(rules, record(recordedtime="2021-10-30T11:54:59.999Z")).reason == reasons.FUTURE


def test_no_history_event_is_later_than_its_record() -> None:
    """A wrong year would close a month and open one in 2121; the record's clock decides at each rebuild too."""
    rules = admission(history=("acd",))
    for at, ms in (("2021-10-30T12:05:00Z", NOON_MS), ("2021-10-30T12:05:00.001Z", NOON_MS + 1)):
        told = record(time=at, recordedtime=at)
        assert rules.admit(told._replace(timestamp_ms=ms))
        error = refused_record(rules, told._replace(timestamp_ms=ms - 1))
        assert error.reason == reasons.FUTURE
        assert "no event may be more than 5 min later than its record, even from a history source" in error.detail
    ahead = record(recordedtime="2021-10-30T12:05:00.001Z")
    assert refused_record(rules, ahead).detail.startswith("time or recordedtime is 2021-10-30T12:05:00.001Z, but its")


def test_a_dead_letter_sent_again_is_limited_by_its_first_record() -> None:
    """Otherwise a wrong year would be admitted once that year has come."""
    rules = admission(history=("acd",))
    told = record(time=LATER, recordedtime=LATER, arrival_ms=to_ms(LATER), headers=arrived_header(NOON_MS))
    assert refused_record(rules, told).reason == reasons.FUTURE
    assert rules.admit(told._replace(headers=arrived_header(to_ms(LATER) - FUTURE_MS)))


def test_a_replay_permits_later_times_on_its_own_records_of_history_sources() -> None:
    """A mapping may make up future days; if a live source could do that, its events of any year would be admitted."""
    told = record(time=LATER, recordedtime=LATER)
    rules = admission(history=("acd",))

    def permitting(text: bytes | None) -> Record:
        return told._replace(headers=(("other", b"x"), (LATEST, text)))

    assert rules.admit(permitting(b"%d" % to_ms(LATER))).event.time_ms == to_ms(LATER)
    error = refused_record(rules, permitting(b"%d" % (to_ms(LATER) - 1)))
    assert error.reason == reasons.FUTURE
    assert "2021-10-31T11:59:59.999Z (header watchroom-latest)" in error.detail
    for text in (None, b"", b"soon", b"-1", b"9" * 16):
        assert refused_record(rules, permitting(text)).reason == reasons.FUTURE
    assert refused_record(admission(), permitting(b"%d" % to_ms(LATER))).reason == reasons.FUTURE


@pytest.mark.parametrize(("per_s", "unit"), [(1, "seconds"), (10**6, "microseconds"), (10**9, "nanoseconds")])
@pytest.mark.parametrize("history", [(), ("acd",)], ids=["live", "history"])
def test_the_message_names_the_unit_of_a_record_timestamp_in_the_wrong_scale(
    history: tuple[str, ...], per_s: int, unit: str
) -> None:
    """A topic accepts any timestamp from its producer, unless it is set to LogAppendTime."""
    told = record(arrival_ms=NOON_MS // 1000 * per_s, recordedtime="2021-10-30T12:00:00Z")
    error = refused_record(admission(history=history), told)
    assert f"looks like {unit} since 1970" in error.detail


@pytest.mark.parametrize("arrival_ms", [-1, 0])
def test_the_message_about_a_record_without_a_timestamp_names_the_topic_setting(arrival_ms: int) -> None:
    """Kafka's oldest message format has none: the year in the event is not the fault."""
    for history in ((), ("acd",)):
        told = record(arrival_ms=arrival_ms, recordedtime="2021-10-30T12:00:00Z")
        error = refused_record(admission(history=history), told)
        assert error.reason == reasons.FUTURE
        assert "timestamp is impossible: set message.timestamp.type=LogAppendTime" in error.detail


def test_a_history_event_without_recordedtime_has_kafkas_arrival() -> None:
    """There is no other time to go by."""
    admitted = admission(history=("acd",)).admit(record(arrival_ms=NOON_MS + 7))
    assert (admitted.arrival_ms, admitted.closing_ms) == (NOON_MS + 7, NOON_MS + 7)


def test_a_replayed_letter_is_late_by_its_first_arrival_and_closed_by_its_new_record() -> None:
    """Fixing a letter two days later must neither make it late nor rewrite a month published meanwhile."""
    mended_ms = NOON_MS + 2 * DAY_MS
    admitted = admission().admit(record(arrival_ms=mended_ms, headers=arrived_header(NOON_MS + 3)))
    assert (admitted.arrival_ms, admitted.closing_ms) == (NOON_MS + 3, mended_ms)
    late = record(arrival_ms=mended_ms, headers=arrived_header(NOON_MS + DAY_MS + 1))
    assert refused_record(admission(), late).reason == reasons.LATE


def test_a_letter_replayed_twice_keeps_its_oldest_arrival() -> None:
    """The first header is the oldest: later ones are appended."""
    headers = arrived_header(NOON_MS) + arrived_header(NOON_MS + DAY_MS)
    assert admission().admit(record(arrival_ms=NOON_MS + 2 * DAY_MS, headers=headers)).arrival_ms == NOON_MS


@pytest.mark.parametrize("history", [(), ("acd",)], ids=["live", "history"])
def test_a_letter_is_expired_once_its_entity_may_be_forgotten(history: tuple[str, ...]) -> None:
    """Sent twice, it would count twice: the state that knows it is only kept for the retention and some slack."""
    rules = admission(history=history)
    told = record(recordedtime="2021-10-30T12:00:00Z", headers=arrived_header(NOON_MS))
    assert rules.admit(told._replace(timestamp_ms=NOON_MS + KEEPING_MS))
    error = refused_record(rules, told._replace(timestamp_ms=NOON_MS + KEEPING_MS + 1))
    assert error.reason == reasons.EXPIRED
    assert "sent again 3 d and 0.001 s later" in error.detail


def test_recordedtime_is_both_times_of_a_replayed_history_letter() -> None:
    """Otherwise the day on which the importer was run again would decide."""
    given_record = record(
        arrival_ms=NOON_MS + 99 * DAY_MS,
        recordedtime="2021-10-30T12:00:01Z",
        headers=arrived_header(NOON_MS + 98 * DAY_MS),
    )
    admitted = admission(history=("acd",)).admit(given_record)
    assert (admitted.arrival_ms, admitted.closing_ms) == (NOON_MS + 1000, NOON_MS + 1000)


@pytest.mark.parametrize("text", ["", "x", "-1", "1.5", " 1", "1_0", "9" * 16])
def test_an_unreadable_arrival_header_is_refused(text: str) -> None:
    """If it were ignored, the letter's lateness would depend on another time than the sender meant."""
    error = refused_record(admission(), record(headers=arrived_header(text)))
    assert error.reason == reasons.BAD_ENVELOPE
    assert ARRIVED in error.detail


def test_a_first_arrival_after_its_own_record_is_refused() -> None:
    """Nobody sends a letter again before it has come: such a header could put an event into any month."""
    assert admission().admit(record(headers=arrived_header(NOON_MS))).arrival_ms == NOON_MS
    error = refused_record(admission(), record(headers=arrived_header(NOON_MS + 1)))
    assert error.reason == reasons.BAD_ENVELOPE
    assert "after this record (2021-10-30T12:00:00.000Z)" in error.detail


@pytest.mark.parametrize("arrival_ms", [LATEST_MS, 2**62, 2**63 - 1])
def test_an_impossible_record_timestamp_is_refused_even_if_it_is_not_the_arrival(arrival_ms: int) -> None:
    """Redis would store it as the last seen time: not a whole number, or one that hides all later times."""
    imported = record(recordedtime="2021-10-30T12:00:00Z", arrival_ms=arrival_ms)
    error = refused_record(admission(history=("acd",)), imported)
    assert error.reason == reasons.BAD_TIME
    assert "message.timestamp.type=LogAppendTime" in error.detail
    letter = record(arrival_ms=arrival_ms, headers=arrived_header(NOON_MS))
    assert refused_record(admission(), letter).reason == reasons.BAD_TIME


def test_an_arrival_header_without_a_value_is_refused() -> None:
    """Kafka has null header values; slicing one used to end every worker that met it."""
    error = refused_record(admission(), record(headers=((ARRIVED, None),)))
    assert error.reason == reasons.BAD_ENVELOPE
    assert f"header {ARRIVED} is None" in error.detail


def test_other_headers_do_not_matter() -> None:
    """Tracing tools add theirs."""
    assert admission().admit(record(headers=(("traceparent", b"00-1"),))) == admission().admit(record())


def test_of_several_faults_the_first_in_order_is_the_reason() -> None:
    """Wrong topic, then wrong key, then late: in the order of the list of reasons."""
    wrong = record(key=b"x", arrival_ms=NOON_MS + 2 * DAY_MS)
    assert refused_record(admission("crimes"), wrong).reason == reasons.WRONG_TOPIC
    assert refused_record(admission(), wrong).reason == reasons.WRONG_KEY
    assert refused_record(admission("crimes"), wrong._replace(value=b"{")).reason == reasons.BAD_JSON


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zs", "Zl", "Zp"]), min_size=1, max_size=40))
def test_each_event_is_accepted_only_in_the_partition_that_kafka_gives_it(subject: str) -> None:
    """The default partitioner of aiokafka, like Java's, decides; the three other partitions refuse it."""
    event = parsed(subject=subject)
    belongs = DefaultPartitioner()(subject.encode(), [0, 1, 2, 3], [0, 1, 2, 3])
    for partition in range(4):
        rules = admission(partition=partition)
        if partition == belongs:
            rules.check_partition(event, Record(0, 0, None, None))
        else:
            with pytest.raises(
                EventRefused, match=f"wrong_partition.*belongs in {belongs} of 4; set partitioner=murmur2_random"
            ):
                rules.check_partition(event, Record(0, 0, None, None))


def test_a_partition_is_checked_with_the_partition_counts_of_the_records_time() -> None:
    """A key that moves as 4 becomes 6 is right in its old partition until producers know, then in its new one."""
    counts = [CountInUse(4, 0, 2_000), CountInUse(6, 1_000, 2**63 - 1)]
    moved = next(
        key for number in range(99) if {partition_of(key := f"{number}".encode(), n) for n in (4, 6)} == {3, 1}
    )
    event = parsed(subject=moved.decode())
    old, new = partition_of(moved, 4), partition_of(moved, 6)
    for partition, right in ((old, (0, 999, 1_000, 1_999)), (new, (1_000, 1_999, 2_000, 9_000)), (2, ())):
        rules = admission(partition=partition, counts=counts)
        for at_ms in (0, 999, 1_000, 1_999, 2_000, 9_000):
            if at_ms in right:
                rules.check_partition(event, Record(0, at_ms, None, None))
            else:
                with pytest.raises(EventRefused, match=f"wrong_partition.*of {4 if at_ms < 1_000 else 6}; set"):
                    rules.check_partition(event, Record(0, at_ms, None, None))


def test_a_timestamp_that_goes_back_is_checked_as_no_older_than_the_record_before_it() -> None:
    """Its producer had already learned of the new partitions, whatever time it wrote."""
    counts = [CountInUse(4, 0, 2_000), CountInUse(6, 1_000, 2**63 - 1)]
    key = next(key for number in range(99) if partition_of(key := f"{number}".encode(), 4) != partition_of(key, 6))
    event, rules = parsed(subject=key.decode()), admission(partition=partition_of(key, 6), counts=counts)
    rules.check_partition(event, Record(0, 5, None, None, (), 1_000))
    with pytest.raises(EventRefused, match="wrong_partition"):
        rules.check_partition(event, Record(0, 5, None, None, (), 999))


def test_with_several_counts_the_partition_of_every_event_is_checked() -> None:
    """A known entity may have been first seen in another partition; a heartbeat belongs to none."""
    rules = admission(partition=2, counts=[CountInUse(4, 0, 2**63 - 1)])
    assert refused_record(rules, record()).reason == reasons.WRONG_PARTITION
    beat: dict[str, Any] = {"type": "feed.heartbeat", "subject": "acd", "data": ABSENT}
    assert rules.admit(record(key=b"acd", **beat)).event.subject == "acd"


@given(st.integers(-(2**63), 2**63 - 1) | st.integers(NOON_MS - 2 * FUTURE_MS, NOON_MS + 2 * DAY_MS))
def test_any_timestamp_is_admitted_or_refused(arrival_ms: int) -> None:
    """A producer can write any number there; the message about it must not fail."""
    if -FUTURE_MS <= arrival_ms - NOON_MS <= DAY_MS:
        assert admission().admit(record(arrival_ms=arrival_ms))
    else:
        expected = reasons.LATE if arrival_ms > NOON_MS else reasons.FUTURE
        assert refused_record(admission(), record(arrival_ms=arrival_ms)).reason == expected


@given(
    st.binary(max_size=60),
    st.none() | st.binary(max_size=10),
    st.lists(st.tuples(st.text(max_size=5) | st.just(ARRIVED), st.none() | st.binary(max_size=20))),
)
def test_any_record_is_admitted_or_refused(
    value: bytes, key: bytes | None, headers: list[tuple[str, bytes | None]]
) -> None:
    """There is never another exception: it would end the worker."""
    assert refused_record(admission(), Record(0, 0, key, value, tuple(headers))).reason in reasons.REASONS
