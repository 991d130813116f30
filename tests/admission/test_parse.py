"""From bytes to events: what is read, what is tolerated, and that nothing else ever happens."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.admission.made import ABSENT, NOON_MS, fields, outcome, parsed, refused, value_of
from watchroom.admission.models import MODELS, OF_STREAM, STREAM_OF
from watchroom.admission.parse import parse
from watchroom.errors import EventRefused
from watchroom.events import reasons
from watchroom.events.record import Event
from watchroom.streams import STREAMS

PARSE_REASONS = {
    reasons.RAW_IDENTIFIER,
    reasons.TOO_LARGE, reasons.BAD_JSON, reasons.BAD_ENVELOPE, reasons.UNKNOWN_TYPE, reasons.BAD_TIME, reasons.BAD_DATA,
}  # fmt: skip
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from([*fields(), "recordedtime", "datacontenttype", "data_base64"])


def test_an_event_becomes_its_fields_with_times_in_milliseconds() -> None:
    """Everything that the fold reads, and nothing else."""
    event = parsed(recordedtime="2021-10-30T12:00:00.250Z", datacontenttype="application/json")
    assert event == Event("call.answered", "acd-1", "acd", "17", NOON_MS, NOON_MS + 250, {"line": "999"})


def test_every_event_type_of_the_first_issue_is_known() -> None:
    """A forgotten type would turn a whole feed into dead letters."""
    assert STREAM_OF.keys() >= {
        *(f"call.{what}" for what in ("presented", "queued", "answered", "abandoned", "transferred", "ended")),
        *(f"incident.{what}" for what in ("created", "graded", "resource_assigned", "resource_unassigned")),
        *(f"incident.{what}" for what in ("resource_on_scene", "cancelled", "linked", "closed", "reopened")),
        *(f"crime.{what}" for what in ("recorded", "reclassified", "cancelled", "outcome_assigned")),
    }
    assert list(MODELS) == [*STREAM_OF, "feed.heartbeat"]
    assert list(OF_STREAM) == list(STREAMS)


@pytest.mark.parametrize("data", [ABSENT, {}, {"note": "specversion"}])
def test_an_event_without_known_data_may_mention_specversion_elsewhere(data: Any) -> None:
    """Only an event inside another is refused, because its data would be lost."""
    with_it = {"note": "specversion", "data": data}
    assert parsed(**with_it).data == {}


def test_unknown_fields_are_tolerated_at_every_level() -> None:
    """A producer may send more than we read, and before we know about it."""
    more = {"traceparent": "00-1", "partitionkey": 17, "deep": {"list": [1, 2.5, None]}}
    assert parsed(**more) == parsed()
    assert parsed(data={"line": "999", **more}) == parsed()


@pytest.mark.parametrize("name", ["recordedtime", "datacontenttype", "data", "data_base64"])
def test_null_means_absent(name: str) -> None:
    """CloudEvents' JSON format allows it, and many serialisers write it."""
    assert parsed(**{name: None}) == parsed(**{name: ABSENT})


def test_a_null_in_data_is_read_as_absent() -> None:
    """Readers use `.get`, so that None and absent are the same to them."""
    assert parsed(data={"line": None}).data.get("line") is None


def test_data_may_be_absent_if_the_type_requires_none() -> None:
    """An event from an ACD that only says "answered" is still useful."""
    assert dict(parsed(data=ABSENT).data) == {}


@pytest.mark.parametrize("text", ["Ünité 7", "名", "😀", "a|b=c,d", "a b", "17}"])
def test_any_printable_text_may_be_an_identifier(text: str) -> None:
    """Call signs and ids are the force's business; they only must be texts that UTF-8 can encode."""
    event = parsed(id=text, source=text, subject=text)
    assert (event.id, event.source, event.subject) == (text, text, text)


@pytest.mark.parametrize("name", ["id", "source", "subject"])
@pytest.mark.parametrize(
    "text",
    ["", " ", " 17", "17 ", "17\n", "\t17", "1\x007", "1\x7f7", "1\x857", "\u00a017", "x" * 257, 17, True, ["17"]],
)
def test_an_identifier_must_be_a_clean_text(name: str, text: Any) -> None:
    """One call under two ids, or two calls under one, would give a wrong figure."""
    error = refused(value_of(**{name: text}))
    assert error.reason == reasons.BAD_ENVELOPE
    assert error.detail.startswith(name)
    assert "; write " in error.detail


def test_an_identifier_may_have_256_characters() -> None:
    """Characters, not bytes."""
    assert parsed(subject="é" * 256).subject == "é" * 256


def test_256_kib_is_the_largest_accepted_size() -> None:
    """262,144 bytes are accepted, one more is refused."""
    room = 262_144 - len(value_of(note=""))
    assert parse(value_of(note="x" * room)) == parsed()
    assert refused(value_of(note="x" * (room + 1))).reason == reasons.TOO_LARGE


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("where", ["envelope", "data"])
def test_numbers_that_json_does_not_have_are_bad_json_wherever_they_are(number: float, where: str) -> None:
    """Python's json module writes them; the next reader of the topic would fail on them."""
    value = value_of(x=number) if where == "envelope" else value_of(data={"x": number})
    assert refused(value).reason == reasons.BAD_JSON


def test_the_words_nan_and_infinity_are_harmless_in_texts() -> None:
    """A unit may be called NaN."""
    assert parsed(subject="NaN", id="Infinity").subject == "NaN"


@pytest.mark.parametrize("name", ["id", "source", "subject", "type", "time", "extra"])
def test_half_a_surrogate_pair_is_bad_json(name: str) -> None:
    """Such a text cannot be encoded as UTF-8: it would fail later, far from its cause."""
    assert refused(value_of(**{name: "\ud800"})).reason == reasons.BAD_JSON


def test_if_a_key_occurs_twice_the_last_counts_or_the_event_is_refused() -> None:
    """JSON leaves this open; here it must be one of the two, and never a crash."""
    text = value_of().decode()[:-1]
    assert parse(f'{text},"subject":"18"}}'.encode()).subject == "18"
    for extra in ('"time":"x"', '"type":"x"', '"data":7', '"id":null'):
        assert refused(f"{text},{extra}}}".encode()).reason in PARSE_REASONS


def test_an_incident_cannot_be_linked_to_itself() -> None:
    """It would vanish from every measure for good."""
    error = refused(value_of(type="incident.linked", data={"parent": "17"}))
    assert error.reason == reasons.BAD_DATA
    assert "the incident itself" in error.detail
    assert parsed(type="incident.linked", data={"parent": "18"}).data == {"parent": "18"}


@pytest.mark.parametrize(
    "data", [{}, {"area": "stoke"}, {"group": None}, {"group": ""}, {"category": "", "group": None}]
)
def test_a_reclassified_crime_needs_a_class(data: dict[str, Any]) -> None:
    """Without one, the event would erase the known class."""
    assert refused(value_of(type="crime.reclassified", data=data)).reason == reasons.BAD_DATA


@pytest.mark.parametrize("word", ["offence_code", "group", "category"])
def test_any_one_field_of_a_class_is_enough(word: str) -> None:
    """Sources differ in which of them they know."""
    assert parsed(type="crime.reclassified", data={word: "x"}).data == {word: "x"}


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("incident.graded", "grade"),
        ("incident.resource_assigned", "unit"),
        ("incident.resource_unassigned", "unit"),
        ("incident.resource_on_scene", "unit"),
        ("incident.linked", "parent"),
        ("crime.outcome_assigned", "outcome"),
    ],
)
@pytest.mark.parametrize("data", [ABSENT, None, {}, "null", "", 7, [], "number"])
def test_a_required_field_must_be_present_as_text(name: str, word: str, data: Any) -> None:
    """An unreadable grade must not pass as "some grade"."""
    given_data = (
        {"null": {word: None}, "": {word: ""}, "number": {word: 1}}.get(data, data) if isinstance(data, str) else data
    )
    error = refused(value_of(type=name, data=given_data))
    assert error.reason == reasons.BAD_DATA
    assert name in error.detail


@given(st.binary(max_size=400))
def test_any_bytes_give_an_event_or_a_refusal(value: bytes) -> None:
    """Any other exception would end the worker: one bad record would stop a control room's board."""
    assert refused(value).reason in {reasons.BAD_JSON, reasons.BAD_ENVELOPE}


@given(JSON_VALUES)
def test_any_json_gives_an_event_or_a_refusal(found: object) -> None:
    """Including NaN and half surrogate pairs, both of which Python's json module writes."""
    assert refused(json.dumps(found).encode()).reason in {reasons.BAD_JSON, reasons.BAD_ENVELOPE}


@given(st.dictionaries(NAMES, JSON_VALUES, min_size=1, max_size=3), st.sampled_from([*MODELS, "call.lost"]))
def test_any_change_to_a_valid_event_gives_an_event_or_a_refusal(changed: dict[str, Any], name: str) -> None:
    """An accepted event is clean: texts that UTF-8 can encode, whole milliseconds."""
    event = outcome(json.dumps({**fields(type=name), **changed}).encode())
    if isinstance(event, EventRefused):
        assert event.reason in PARSE_REASONS
        assert event.detail.encode()
        return
    assert type(event.time_ms) is int
    for text in (event.id, event.source, event.subject, *(text for text in event.data.values() if text is not None)):
        assert isinstance(text, str)
        assert text.encode().decode() == text


@given(st.integers(0, 400), st.binary(min_size=1, max_size=3))
def test_a_damaged_event_gives_an_event_or_a_refusal(at: int, noise: bytes) -> None:
    """Bytes also get damaged on their way."""
    value = value_of(recordedtime="2021-10-30T13:00:00+01:00")
    found = outcome(value[:at] + noise + value[at + len(noise) :])
    assert isinstance(found, Event) or found.reason in PARSE_REASONS


@pytest.mark.parametrize(
    "value", [b"[" * 100_000, b'{"a":' * 40_000, b"1" * 262_144, b'{"a":1' + b"0" * 250_000 + b"}"]
)
def test_deep_and_long_input_is_bad_json(value: bytes) -> None:
    """A sender must not be able to exhaust the stack or take up the worker's time."""
    assert refused(value).reason == reasons.BAD_JSON


@pytest.mark.parametrize("wrong", [7, 1.5, True, ["mobile"], {"is": "mobile"}, "m" * 257])
def test_a_loose_field_with_an_invalid_form_is_absent_and_named(wrong: object) -> None:
    """Such fields came after the first events did: an old log stays readable, whatever it has there."""
    event = parsed(data={"line": "999", "cli_type": wrong, "more": 7})
    assert (dict(event.data), event.ignored) == ({"line": "999"}, ("cli_type",))


def test_a_loose_field_with_a_valid_form_is_kept_and_nothing_is_ignored() -> None:
    """Null means absent, and is valid."""
    for right in ("mobile", "anything", "", None):
        event = parsed(data={"cli_type": right})
        assert (dict(event.data), event.ignored) == ({"cli_type": right}, ())


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"data": {"cli_type": 7, "line": 999}}, reasons.BAD_DATA),
        ({"data": {"cli_type": 7, "caller_token": "01632 960001"}}, reasons.RAW_IDENTIFIER),
        ({"data": {"cli_type": 7}, "time": "yesterday"}, reasons.BAD_TIME),
        ({"data": {"cli_type": 7}, "id": ABSENT}, reasons.BAD_ENVELOPE),
        ({"data": {"cli_type": float("nan")}}, reasons.BAD_JSON),
        ({"data": {"cli_type": 7}, "type": "incident.graded"}, reasons.BAD_DATA),
    ],
)
def test_a_loose_field_does_not_excuse_other_faults(changed: dict[str, Any], reason: str) -> None:
    """The event is refused as if the field were valid; with a NaN, the whole value is not JSON."""
    assert refused(value_of(**changed)).reason == reason


def test_an_ignored_field_does_not_change_what_else_is_read() -> None:
    """The second reading is as strict as the first, and gives the same event."""
    right, wrong = parsed(data={"line": "999"}), parsed(data={"line": "999", "cli_type": 7})
    assert wrong == right._replace(ignored=("cli_type",))
