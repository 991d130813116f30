"""Refusals: the first reason in the order, all its faults, in messages that help."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.admission.made import ABSENT, fields, refused, value_of
from watchroom.events import reasons

WORST: dict[str, Any] = {
    "specversion": "0.3", "type": "call.lost", "time": "2021-10-31", "data": 7,
}  # fmt: skip


def test_of_several_faults_the_first_in_order_is_the_reason() -> None:
    """The reason labels a metric: the same bytes must always get the same one, whichever check runs first."""
    wrong = dict(WORST)
    for reason, mended in [
        (reasons.BAD_ENVELOPE, {"specversion": "1.0"}),
        (reasons.UNKNOWN_TYPE, {"type": "call.queued"}),
        (reasons.BAD_TIME, {"time": "2021-10-31T01:30:00Z"}),
        (reasons.BAD_DATA, {}),
    ]:
        assert refused(value_of(**wrong)).reason == reason
        wrong |= mended


def test_the_size_is_checked_before_everything_else() -> None:
    """Bytes over the limit are not even read."""
    assert refused(b"\xff" * 262_145).reason == reasons.TOO_LARGE


@pytest.mark.parametrize(
    ("changed", "reason", "says"),
    [
        ({"id": ABSENT}, reasons.BAD_ENVELOPE, "id is missing; write the id"),
        (
            {"id": 17},
            reasons.BAD_ENVELOPE,
            'id is the number 17; write the id that the source gave the event, in quotes: "17"',
        ),
        ({"subject": ""}, reasons.BAD_ENVELOPE, "subject is empty; write the call, contact, incident or crime"),
        ({"subject": "x" * 300}, reasons.BAD_ENVELOPE, "subject has 300 characters; write at most 256"),
        (
            {"source": "a\nb"},
            reasons.BAD_ENVELOPE,
            "source is 'a\\nb', which contains a control character, or begins or ends",
        ),
        ({"specversion": "0.3"}, reasons.BAD_ENVELOPE, "specversion is '0.3'; write \"1.0\""),
        ({"type": ABSENT}, reasons.BAD_ENVELOPE, "type is missing; write a type such as"),
        ({"type": 7}, reasons.BAD_ENVELOPE, "type is the number 7; write a type such as"),
        (
            {"datacontenttype": 7},
            reasons.BAD_ENVELOPE,
            'datacontenttype is the number 7; write a string, in quotes: "7"',
        ),
        ({"type": "call.answerd"}, reasons.UNKNOWN_TYPE, "did you mean 'call.answered'?"),
        ({"type": "zzz"}, reasons.UNKNOWN_TYPE, "type is 'zzz', which Watchroom does not know; write a type such as"),
        ({"type": "y" * 9000}, reasons.UNKNOWN_TYPE, "yyy...'"),
        ({"time": ABSENT}, reasons.BAD_TIME, "time is missing; write RFC 3339 with an offset"),
        (
            {"time": 1635640200},
            reasons.BAD_TIME,
            "time is the number 1635640200 (it looks like seconds since 1970)",
        ),
        ({"time": 1635640200_000}, reasons.BAD_TIME, "(it looks like milliseconds since 1970)"),
        (
            {"time": "1635640200"},
            reasons.BAD_TIME,
            "time '1635640200' is a number (it looks like seconds since 1970)",
        ),
        ({"time": "1970-01-19T22:20:40.200Z"}, reasons.BAD_TIME, "it looks like seconds since 1970 that were read"),
        ({"time": 10**400}, reasons.BAD_TIME, "time is a number; write RFC 3339"),
        ({"time": 1.5}, reasons.BAD_TIME, "time is a number; write RFC 3339"),
        ({"time": "2021-10-31T01:30:00"}, reasons.BAD_TIME, "time '2021-10-31T01:30:00' has no offset"),
        ({"recordedtime": "2021-10-31"}, reasons.BAD_TIME, "recordedtime '2021-10-31' is a date without a time"),
        ({"recordedtime": {}}, reasons.BAD_TIME, "recordedtime is an object; write RFC 3339"),
        ({"data": [1]}, reasons.BAD_DATA, "call.answered: data is a list; write an object"),
        ({"data": {"line": 999}}, reasons.BAD_DATA, 'data.line is the number 999; write a string, in quotes: "999"'),
        ({"data": {"line": True}}, reasons.BAD_DATA, "data.line is a boolean; write a string"),
        ({"data": {"line": 10**20}}, reasons.BAD_DATA, "data.line is a number; write a string"),
        ({"data": {"line": "9" * 257}}, reasons.BAD_DATA, "data.line has 257 characters; write at most 256"),
        ({"type": "incident.graded", "data": ABSENT}, reasons.BAD_DATA, "data is missing; write an object"),
        (
            {"type": "incident.graded", "data": ABSENT, "data_base64": "e30="},
            reasons.BAD_DATA,
            "data_base64 is a string; write the data as a JSON object in `data`",
        ),
        (
            {"data": ABSENT, "data_base64": "e30="},
            reasons.BAD_DATA,
            "data_base64 is a string; write the data as a JSON",
        ),
        ({"data_base64": "e30="}, reasons.BAD_DATA, "data_base64 is a string; write the data as a JSON object"),
        ({"type": "feed.heartbeat", "data_base64": {}}, reasons.BAD_DATA, "data_base64 is an object; write the data"),
        ({"data": fields()}, reasons.BAD_DATA, "data holds a whole event; write only that event's data"),
        ({"data": {"payload": fields()}}, reasons.BAD_DATA, "the event is inside the field 'payload'"),
        ({"data": {"payload": json.dumps(fields())}}, reasons.BAD_DATA, "the event is inside the field 'payload'"),
        ({"type": "incident.graded", "data": fields()}, reasons.BAD_DATA, "data holds a whole event; write only"),
        ({"type": "incident.graded", "data": {}}, reasons.BAD_DATA, "data.grade is missing; write a string"),
        ({"type": "crime.reclassified", "data": {}}, reasons.BAD_DATA, "data gives no class; write at least one of"),
    ],
)
def test_a_refusal_names_the_field_what_was_found_and_what_to_write(
    changed: dict[str, Any], reason: str, says: str
) -> None:
    """The person who must fix the feed sees nothing else."""
    error = refused(value_of(**changed))
    assert error.reason == reason
    assert says in error.detail


def test_all_faults_with_the_same_reason_are_listed_at_once() -> None:
    """Fixing a feed should not take one dead letter per field."""
    detail = refused(value_of(id=ABSENT, source=7, subject="")).detail
    assert all(name in detail for name in ("id is missing", "source is the number 7", "subject is empty"))
    detail = refused(value_of(time="x", recordedtime="y")).detail
    assert "time 'x'" in detail
    assert "recordedtime 'y'" in detail


@pytest.mark.parametrize("value", [b"", b"{", b"\xff\xfe", b"\xef\xbb\xbf{}", b"{'id': 1}", b"{} {}", b'{"id":"\xe9"}'])
def test_a_value_that_is_not_json_is_refused_as_bad_json(value: bytes) -> None:
    """The message gives the position at which reading stopped."""
    error = refused(value)
    assert error.reason == reasons.BAD_JSON
    assert "line 1 column" in error.detail


@pytest.mark.parametrize(
    ("value", "kind"), [(b"[]", "a list"), (b'"x"', "a string"), (b"1.5", "a number"), (b"null", "null")]
)
def test_json_that_is_not_an_object_is_a_bad_envelope(value: bytes, kind: str) -> None:
    """CloudEvents' batch format is not the structured format."""
    error = refused(value)
    assert error.reason == reasons.BAD_ENVELOPE
    assert kind in error.detail


def test_messages_stay_short_however_long_the_faulty_text_is() -> None:
    """They are sent in a Kafka header."""
    for changed in (
        {"time": "x" * 200_000},
        {"source": "\n" * 200_000},
        {"type": "x" * 200_000},
        {"data": {"line": [1] * 9999}},
    ):
        assert len(refused(value_of(**changed)).detail) < 500


def test_every_reason_has_a_meaning() -> None:
    """The table is the complete list; it labels metrics and headers, and producers read it on their page."""
    assert len(reasons.REASONS) == 14
    assert all(reasons.MEANINGS[reason] for reason in reasons.REASONS)
    assert {said for name, said in vars(reasons).items() if name.isupper() and isinstance(said, str)} == {
        *reasons.REASONS
    }
