"""CloudEvents in binary mode: both modes give the same event, and every refusal names the header."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.admission.made import ABSENT, NOON, NOON_MS, admission, fields, parsed, record, refused_record, value_of
from watchroom.admission.binary_mode import attributes_of, parse_record, structured
from watchroom.admission.parse import parse
from watchroom.errors import EventRefused
from watchroom.events import reasons
from watchroom.events.record import Event, Headers, Record

TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)
JSON = ("content-type", b"application/json")
BATCH = ("content-type", b"application/cloudevents-batch+json; charset=utf-8")
SCENARIOS = "cloudevents_kafka_scenarios.json"
# The same scenarios with an event of our own, for machines that do not have the file.
ATTRIBUTES = {"specversion": "1.0", "id": "1", "type": "com.example.opened", "source": "/a", "time": NOON}
WORDS = {"words": "good morning"}
WHOLE = {**ATTRIBUTES, "datacontenttype": "application/json", "data": WORDS}
OWN: list[dict[str, Any]] = [
    {
        "mode": "binary",
        "headers": [*([f"ce_{name}", said] for name, said in ATTRIBUTES.items()), ["content-type", "application/json"]],
        "value": json.dumps(WORDS),
    },
    *(
        {"mode": "structured", "headers": [["content-type", said]], "value": json.dumps(WHOLE)}
        for said in ("application/cloudevents+json", "application/cloudevents+json; charset=utf-8")
    ),
]


def binary(**changed: Any) -> tuple[Headers, bytes | None]:
    """Headers and value of a valid event in binary mode."""
    event = fields(datacontenttype="application/json", **changed)
    data = event.pop("data", ABSENT)
    content_type = event.pop("datacontenttype")
    headers = [(f"ce_{name}", said if isinstance(said, bytes) else said.encode()) for name, said in event.items()]
    return (*headers, ("content-type", content_type.encode())), None if data is ABSENT else json.dumps(data).encode()


def sent(headers: Headers, value: bytes | None, arrival_ms: int = NOON_MS) -> Record:
    """A record of call 17."""
    return Record(5, arrival_ms, b"17", value, headers)


def refusal_of(headers: Headers, value: bytes | None = b"{}") -> EventRefused:
    """Why a record is refused."""
    return refused_record(admission(), sent(headers, value))


def with_header(name: str, value: bytes | None) -> Headers:
    """The headers of a valid event in binary mode, with this one instead of its own."""
    headers, _ = binary()
    return (*(header for header in headers if header[0] != name), (name, value))


def test_a_binary_event_is_admitted_like_the_same_event_in_structured_mode() -> None:
    """The mode that a producer's library uses by default is no reason to lose its events."""
    assert admission().admit(sent(*binary())) == admission().admit(record(datacontenttype="application/json"))


NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zs", "Zl", "Zp"]), min_size=1, max_size=20)
DATA = st.fixed_dictionaries({}, optional={"line": TEXTS | st.none() | st.integers(), "more": st.lists(TEXTS)})


@given(
    changed=st.fixed_dictionaries(
        {"subject": NAMES, "traceid": TEXTS},
        optional={
            "recordedtime": st.sampled_from([NOON, "2021-10-30T13:00:00.250+01:00", "yesterday"]),
            "data": st.just(ABSENT) | st.none() | DATA,
        },
    ),
    content_type=st.sampled_from(["application/json", "application/json; charset=utf-8", "text/json", ""]),
    more=st.lists(st.tuples(st.sampled_from(["traceparent", "tenant", "watchroom-latest"]), st.none() | st.binary())),
)
def test_both_modes_give_exactly_the_same_event(changed: dict[str, Any], content_type: str, more: list[Any]) -> None:
    """Or the same refusal: the mode of an event must not affect any figure."""
    headers, value = binary(**changed)
    headers = (*more, *headers[:-1], ("content-type", content_type.encode()))

    def found(read: Callable[[], Event | None]) -> object:
        try:
            return read()
        except EventRefused as error:
            return error.reason, error.detail.partition(". The record is in binary mode")[0]

    event = value_of(datacontenttype=content_type, **changed)
    assert found(lambda: parse_record(headers, value)) == found(lambda: parse(event))


@pytest.mark.parametrize("value", [None, b""], ids=["null", "empty"])
def test_a_binary_event_without_a_value_has_no_data(value: bytes | None) -> None:
    """For example a heartbeat; a record with neither `ce_specversion` nor a value stays a tombstone."""
    headers, _ = binary(data=ABSENT)
    assert parse_record(headers, value) == parsed(data=ABSENT)
    error = refused_record(admission(), Record(5, NOON_MS, b"17", None, (("ce_id", b"1"), JSON)))
    assert (error.reason, "tombstone" in error.detail) == (reasons.BAD_JSON, True)


@pytest.mark.parametrize("content_type", [JSON, ("content-type", b"text/plain"), ("tenant", b"a")])
def test_a_whole_event_in_the_value_of_a_binary_record_is_refused(content_type: tuple[str, bytes]) -> None:
    """Its line would be dropped, and the call counted as one without a line."""
    headers, _ = binary()
    error = refusal_of((*headers[:-1], content_type), value_of())
    assert error.reason == reasons.BAD_DATA
    assert "data holds a whole event; write only that event's data" in error.detail
    assert "its data is the value" in error.detail


@pytest.mark.parametrize(
    "content_type",
    [b"application/cloudevents+json", b"application/cloudevents", b" Application/CloudEvents+JSON; charset=utf-8"],
)
@pytest.mark.parametrize("name", ["content-type", "Content-Type"])
def test_a_record_whose_content_type_is_cloudevents_is_structured_whatever_its_headers(
    name: str, content_type: bytes
) -> None:
    """A producer may copy the attributes into headers for routing: the value is the event."""
    headers = ((name, content_type), ("ce_specversion", b"1.0"), ("ce_id", b"another"), ("ce_id", None))
    assert admission().admit(record(headers=headers)) == admission().admit(record())


@pytest.mark.parametrize("headers", [(JSON,), (("ce_id", b"2"), JSON), (("content-type", None),), (("ce_", b"\xff"),)])
def test_a_record_without_specversion_in_its_headers_is_structured(headers: Headers) -> None:
    """As all records were before binary mode was supported."""
    assert admission().admit(record(headers=headers)) == admission().admit(record())


@pytest.mark.parametrize("marked", [True, False])
def test_a_batch_is_refused_and_named(marked: bool) -> None:
    """All its events would be admitted, or sent again, under one offset."""
    headers = (BATCH, *((("ce_specversion", b"1.0"),) if marked else ()))
    error = refusal_of(headers, b"[]")
    assert error.reason == reasons.BAD_ENVELOPE
    assert (
        "'application/cloudevents-batch+json; charset=utf-8', which is a batch of events; write one event"
        in error.detail
    )


@pytest.mark.parametrize("name", ["ce_id", "ce_specversion", "ce_subject", "ce_anything", "content-type"])
def test_a_header_for_an_attribute_must_occur_once_and_be_text(name: str) -> None:
    """Of two ids, the order in which a library writes them would choose one."""
    headers = with_header(name, b"x")
    error = refusal_of((*headers, (name, b"x")))
    assert (error.reason, error.detail) == (reasons.BAD_ENVELOPE, f"the header '{name}' occurs twice; write it once")
    error = refusal_of(with_header(name, None))
    assert error.detail == f"the header '{name}' is null; write a string, or leave it out"
    error = refusal_of(with_header(name, b"caf\xe9"))
    assert error.detail == f"the header '{name}' is 'caf\\\\xe9', which is not UTF-8; write it in UTF-8"


@pytest.mark.parametrize("name", ["ce_data", "ce_data_base64"])
def test_data_in_a_header_is_refused(name: str) -> None:
    """A call would be counted without its line, as if it had none."""
    assert "write the data as the record's value" in refusal_of(with_header(name, b"{}")).detail


def test_a_header_named_datacontenttype_is_not_read() -> None:
    """In binary mode, the content-type header is used instead."""
    headers = (*binary()[0], ("ce_datacontenttype", None))
    assert attributes_of(headers)["datacontenttype"] == "application/json"


def test_the_message_about_a_missing_attribute_says_where_it_belongs() -> None:
    """Somebody who reads `id is missing` would otherwise look in the value."""
    headers, value = binary(id=ABSENT)
    error = refusal_of(headers, value)
    assert error.reason == reasons.BAD_ENVELOPE
    assert error.detail.startswith("id is missing;")
    assert "in binary mode: its attributes are headers such as ce_id, and its data is the value" in error.detail


@pytest.mark.parametrize("name", ["ce-specversion", "ce_id", "cloudEvents:id", "cloudEvents_type"])
def test_headers_that_look_like_binary_mode_are_named(name: str) -> None:
    """With names from HTTP or AMQP, or complete except for the one that marks the mode."""
    error = refusal_of(((name, b"1.0"),), b'{"line": "999"}')
    assert error.reason == reasons.BAD_ENVELOPE
    assert f"Its header {name!r} looks like binary mode, but the header ce_specversion is missing" in error.detail


def test_structured_events_in_another_format_are_named() -> None:
    """Avro and Protobuf are formats of CloudEvents too, but only JSON is read."""
    error = refusal_of((("content-type", b"application/cloudevents+avro"),), b"\2\6")
    assert error.reason == reasons.BAD_JSON
    assert "'application/cloudevents+avro'; only application/cloudevents+json is read" in error.detail


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (b"\0\0\0\0\x0c{}", "5-byte prefix from Confluent's schema registry"),
        (b"\x1f\x8b", "gzip"),
        (b"line=999", "not JSON"),
        (b'{"line":"999"},"subject":"18"', "after its JSON object"),
        (b'{"line":"999"},"subject":"18"}', "after its JSON object"),
    ],
)
def test_a_value_that_is_not_json_is_named_and_never_sets_an_attribute(value: bytes, says: str) -> None:
    """Attributes come only from headers: a value that ends its object early must not add others."""
    error = refusal_of(binary()[0], value)
    assert error.reason == reasons.BAD_JSON
    assert says in error.detail
    assert "its content-type is 'application/json'" in error.detail


@given(
    st.lists(st.tuples(st.sampled_from(["ce_id", "ce_x", "content-type"]) | TEXTS, st.none() | st.binary())),
    st.binary(),
)
def test_any_headers_with_any_value_are_refused_without_another_exception(headers: list[Any], value: bytes) -> None:
    """Another exception would blame a fault of our own code on the record."""
    error = refusal_of((("ce_specversion", b"1.0"), *headers), value)
    assert error.reason in reasons.REASONS


def scenarios_are_read(scenarios: list[dict[str, Any]]) -> None:
    """Checks that attributes and data are read; such an event is then refused because its type is not ours."""
    for scenario in scenarios:
        headers = tuple((name, said.encode()) for name, said in scenario["headers"])
        value, expected = scenario["value"].encode(), scenario["expected"]
        read = json.loads(structured(attributes_of(headers), value) if scenario["mode"] == "binary" else value)
        assert read == {**expected["attributes"], "data": expected["data"]}
        error = refused_record(admission(), Record(0, NOON_MS, scenario["key"], value, headers))
        assert error.reason == reasons.UNKNOWN_TYPE
        assert repr(expected["attributes"]["type"]) in error.detail


def test_the_scenarios_of_the_conformance_suite_are_read(real_data: Path) -> None:
    """Binary, structured, and structured with parameters after the content type."""
    scenarios = json.loads((real_data / SCENARIOS).read_text(encoding="utf-8"))["scenarios"]
    assert {scenario["mode"] for scenario in scenarios} == {"binary", "structured"}
    scenarios_are_read(scenarios)


def test_our_own_scenarios_are_read() -> None:
    """The same three."""
    expected = {"attributes": {name: said for name, said in WHOLE.items() if name != "data"}, "data": WORDS}
    scenarios_are_read([{**scenario, "key": None, "expected": expected} for scenario in OWN])
