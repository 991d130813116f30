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
    """As a replayed dead letter carries it."""
    return (("other", b"x"), (ARRIVED, str(ms).encode()))


def test_a_good_record_is_admitted_with_its_timestamp_as_arrival() -> None:
    """Both clocks are Kafka's unless something says otherwise."""
    assert admission().admit(record()) == Arrived(parsed(), NOON_MS, NOON_MS, 5)


def test_a_tombstone_is_bad_json_with_a_reason_why() -> None:
    """Events are facts; deleting one is not a way to correct it."""
    error = refused_record(admission(), Record(5, NOON_MS, b"17", None))
    assert error.reason == reasons.BAD_JSON
    assert "tombstone" in error.detail


@pytest.mark.parametrize("value", [b"", b"{}", b"\xff"])
def test_what_parse_refuses_is_refused(value: bytes) -> None:
    """With parse's reason."""
    assert refused_record(admission(), Record(5, NOON_MS, b"17", value)).reason in reasons.REASONS


@pytest.mark.parametrize("stream", ["incidents", "crimes"])
def test_a_type_of_another_stream_is_in_the_wrong_topic(stream: str) -> None:
    """Otherwise the same call would have two states, one a topic."""
    error = refused_record(admission(stream), record())
    assert error.reason == reasons.WRONG_TOPIC
    assert f"the {stream} topic; write it to the calls topic" in error.detail


@pytest.mark.parametrize("key", [None, b"", b"18", b"17 ", b'"17"', b"\x0017", b"\xff\xfe"])
def test_the_key_must_be_the_subject(key: bytes | None) -> None:
    """Another key may lie in another partition, out of order with the rest of its call."""
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
def test_a_heartbeats_key_and_subject_are_its_source(key: bytes | None, subject: str) -> None:
    """It has no entity; under another name it could be taken for one."""
    error = refused_record(admission(), record(key=key, type="feed.heartbeat", subject=subject))
    assert error.reason == reasons.WRONG_KEY
    assert "write 'acd' in both" in error.detail


def test_late_is_more_than_the_bound() -> None:
    """Exactly 24 h is in time; one millisecond more is late."""
    assert admission().admit(record(arrival_ms=NOON_MS + DAY_MS))
    error = refused_record(admission(), record(arrival_ms=NOON_MS + DAY_MS + 1))
    assert error.reason == reasons.LATE
    assert "time 2021-10-30T12:00:00.000Z, arrival 2021-10-31T12:00:00.001Z" in error.detail
    assert ": 24 h and 0.001 s late; the limit for calls is 24 h." in error.detail
    error = refused_record(admission(), record(arrival_ms=NOON_MS + 2 * DAY_MS))
    assert ": 2 d 0 h late; the limit for calls is 24 h." in error.detail


def test_the_future_is_more_than_five_minutes_ahead() -> None:
    """Exactly 5 min is allowed; one millisecond more is not."""
    assert admission().admit(record(arrival_ms=NOON_MS - FUTURE_MS))
    error = refused_record(admission(), record(arrival_ms=NOON_MS - FUTURE_MS - 1))
    assert error.reason == reasons.FUTURE
    assert ": 5 min and 0.001 s ahead; at most 5 min is allowed." in error.detail


def test_bounds_are_judged_on_the_instant_not_on_the_wall_clock() -> None:
    """01:30 summer time and 01:30 winter time are an hour apart: only one of them is too far ahead."""
    at = to_ms("2021-10-31T01:26:00+01:00")
    assert admission().admit(record(arrival_ms=at, time="2021-10-31T01:30:00+01:00"))
    assert refused_record(admission(), record(arrival_ms=at, time="2021-10-31T01:30:00Z")).reason == reasons.FUTURE


def test_recordedtime_is_the_arrival_of_history_sources_only() -> None:
    """Elsewhere a sender could make its own events punctual."""
    old = record(time=HISTORY, recordedtime=HISTORY)
    assert refused_record(admission(), old).reason == reasons.LATE
    ms = to_ms(HISTORY)
    admitted = admission(history=("acd",)).admit(old)
    assert (admitted.arrival_ms, admitted.closing_ms) == (ms, ms)


def test_a_history_event_can_be_late_and_ahead_too() -> None:
    """It is judged as it would have been judged live."""
    rules = admission(history=("acd",))
    assert refused_record(rules, record(recordedtime="2021-10-31T12:00:00.001Z")).reason == reasons.LATE
    assert refused_record(rules, record(recordedtime="2021-10-30T11:54:59.999Z")).reason == reasons.FUTURE


def test_no_history_event_is_later_than_its_record() -> None:
    """One wrong year would close a month and open another in 2121; the record's clock says so at each rebuild too."""
    rules = admission(history=("acd",))
    for at, ms in (("2021-10-30T12:05:00Z", NOON_MS), ("2021-10-30T12:05:00.001Z", NOON_MS + 1)):
        told = record(time=at, recordedtime=at)
        assert rules.admit(told._replace(timestamp_ms=ms))
        error = refused_record(rules, told._replace(timestamp_ms=ms - 1))
        assert error.reason == reasons.FUTURE
        assert "no event may be more than 5 min later than its record, even from a history source" in error.detail
    ahead = record(recordedtime="2021-10-30T12:05:00.001Z")
    assert refused_record(rules, ahead).detail.startswith("time or recordedtime is 2021-10-30T12:05:00.001Z, but its")


def test_of_a_letter_sent_again_the_first_record_is_the_bound() -> None:
    """Else a wrong year would be admitted once that year has come."""
    rules = admission(history=("acd",))
    told = record(time=LATER, recordedtime=LATER, arrival_ms=to_ms(LATER), headers=arrived_header(NOON_MS))
    assert refused_record(rules, told).reason == reasons.FUTURE
    assert rules.admit(told._replace(headers=arrived_header(to_ms(LATER) - FUTURE_MS)))


def test_a_replay_permits_later_times_on_its_own_records_of_history_sources() -> None:
    """Days that a mapping invents may be to come; a live source that said so would have its events of any year."""
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
def test_a_record_timestamp_of_another_scale_is_named(history: tuple[str, ...], per_s: int, unit: str) -> None:
    """A topic takes whatever its producer writes, unless it is set to LogAppendTime."""
    told = record(arrival_ms=NOON_MS // 1000 * per_s, recordedtime="2021-10-30T12:00:00Z")
    error = refused_record(admission(history=history), told)
    assert f"looks like {unit} since 1970" in error.detail


@pytest.mark.parametrize("arrival_ms", [-1, 0])
def test_a_record_without_a_timestamp_is_said_to_have_none(arrival_ms: int) -> None:
    """Kafka's oldest message format has none: then no year of the event is at fault."""
    for history in ((), ("acd",)):
        told = record(arrival_ms=arrival_ms, recordedtime="2021-10-30T12:00:00Z")
        error = refused_record(admission(history=history), told)
        assert error.reason == reasons.FUTURE
        assert "timestamp is impossible: set message.timestamp.type=LogAppendTime" in error.detail


def test_a_history_event_without_recordedtime_has_kafkas_arrival() -> None:
    """There is nothing else to judge it by."""
    admitted = admission(history=("acd",)).admit(record(arrival_ms=NOON_MS + 7))
    assert (admitted.arrival_ms, admitted.closing_ms) == (NOON_MS + 7, NOON_MS + 7)


def test_a_replayed_letter_is_late_by_its_first_arrival_and_closes_by_its_new_record() -> None:
    """Mending a letter two days later must not make it late, nor rewrite a month that was published meanwhile."""
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
    """Sent twice, it would count twice: the state that knows it is stored for the keeping and some slack."""
    rules = admission(history=history)
    told = record(recordedtime="2021-10-30T12:00:00Z", headers=arrived_header(NOON_MS))
    assert rules.admit(told._replace(timestamp_ms=NOON_MS + KEEPING_MS))
    error = refused_record(rules, told._replace(timestamp_ms=NOON_MS + KEEPING_MS + 1))
    assert error.reason == reasons.EXPIRED
    assert "sent again 3 d and 0.001 s later" in error.detail


def test_of_a_replayed_history_letter_recordedtime_is_both_clocks() -> None:
    """Else a rebuilt importer would be judged by the day on which it ran."""
    given_record = record(
        arrival_ms=NOON_MS + 99 * DAY_MS,
        recordedtime="2021-10-30T12:00:01Z",
        headers=arrived_header(NOON_MS + 98 * DAY_MS),
    )
    admitted = admission(history=("acd",)).admit(given_record)
    assert (admitted.arrival_ms, admitted.closing_ms) == (NOON_MS + 1000, NOON_MS + 1000)


@pytest.mark.parametrize("text", ["", "x", "-1", "1.5", " 1", "1_0", "9" * 16])
def test_an_unreadable_arrival_header_is_refused(text: str) -> None:
    """Ignoring it would judge the letter by another clock than the sender meant."""
    error = refused_record(admission(), record(headers=arrived_header(text)))
    assert error.reason == reasons.BAD_ENVELOPE
    assert ARRIVED in error.detail


def test_a_first_arrival_after_its_own_record_is_refused() -> None:
    """Nobody sends a letter again before it came: such a header would put an event into any month of any year."""
    assert admission().admit(record(headers=arrived_header(NOON_MS))).arrival_ms == NOON_MS
    error = refused_record(admission(), record(headers=arrived_header(NOON_MS + 1)))
    assert error.reason == reasons.BAD_ENVELOPE
    assert "after this record (2021-10-30T12:00:00.000Z)" in error.detail


@pytest.mark.parametrize("arrival_ms", [LATEST_MS, 2**62, 2**63 - 1])
def test_a_record_of_no_time_is_refused_where_its_time_is_not_the_arrival(arrival_ms: int) -> None:
    """Redis would keep it as when the source was last seen: no whole number, or one that hides all later ones."""
    imported = record(recordedtime="2021-10-30T12:00:00Z", arrival_ms=arrival_ms)
    error = refused_record(admission(history=("acd",)), imported)
    assert error.reason == reasons.BAD_TIME
    assert "message.timestamp.type=LogAppendTime" in error.detail
    letter = record(arrival_ms=arrival_ms, headers=arrived_header(NOON_MS))
    assert refused_record(admission(), letter).reason == reasons.BAD_TIME


def test_an_arrival_header_without_a_value_is_refused_too() -> None:
    """Kafka has null header values; a slice of none once ended every worker that met one."""
    error = refused_record(admission(), record(headers=((ARRIVED, None),)))
    assert error.reason == reasons.BAD_ENVELOPE
    assert f"header {ARRIVED} is None" in error.detail


def test_other_headers_do_not_matter() -> None:
    """Tracing tools add theirs."""
    assert admission().admit(record(headers=(("traceparent", b"00-1"),))) == admission().admit(record())


def test_of_several_faults_the_first_in_order_is_the_reason() -> None:
    """Wrong topic, then wrong key, then late: as the list of reasons says."""
    wrong = record(key=b"x", arrival_ms=NOON_MS + 2 * DAY_MS)
    assert refused_record(admission("crimes"), wrong).reason == reasons.WRONG_TOPIC
    assert refused_record(admission(), wrong).reason == reasons.WRONG_KEY
    assert refused_record(admission("crimes"), wrong._replace(value=b"{")).reason == reasons.BAD_JSON


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zs", "Zl", "Zp"]), min_size=1, max_size=40))
def test_each_event_is_accepted_by_the_one_partition_that_kafka_gives_it(subject: str) -> None:
    """The default partitioner of aiokafka, as of Java, decides; in the three others it is refused."""
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


def test_a_partition_is_wrong_only_by_the_counts_of_the_records_time() -> None:
    """A key that moved from 4 to 6 is right in its old partition until producers know, and then in its new one."""
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
    """Its producer had learned of the new partitions, whatever time it wrote."""
    counts = [CountInUse(4, 0, 2_000), CountInUse(6, 1_000, 2**63 - 1)]
    key = next(key for number in range(99) if partition_of(key := f"{number}".encode(), 4) != partition_of(key, 6))
    event, rules = parsed(subject=key.decode()), admission(partition=partition_of(key, 6), counts=counts)
    rules.check_partition(event, Record(0, 5, None, None, (), 1_000))
    with pytest.raises(EventRefused, match="wrong_partition"):
        rules.check_partition(event, Record(0, 5, None, None, (), 999))


def test_with_several_counts_every_event_is_asked_for_its_partition() -> None:
    """An entity that is known may have been first seen in another partition; a heartbeat belongs to none."""
    rules = admission(partition=2, counts=[CountInUse(4, 0, 2**63 - 1)])
    assert refused_record(rules, record()).reason == reasons.WRONG_PARTITION
    beat: dict[str, Any] = {"type": "feed.heartbeat", "subject": "acd", "data": ABSENT}
    assert rules.admit(record(key=b"acd", **beat)).event.subject == "acd"


@given(st.integers(-(2**63), 2**63 - 1) | st.integers(NOON_MS - 2 * FUTURE_MS, NOON_MS + 2 * DAY_MS))
def test_any_timestamp_is_admitted_or_refused(arrival_ms: int) -> None:
    """A producer can write any number there; the message about it must not fail either."""
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
    """Never another exception: it would end the worker."""
    assert refused_record(admission(), Record(0, 0, key, value, tuple(headers))).reason in reasons.REASONS
