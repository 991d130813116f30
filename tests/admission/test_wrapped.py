"""JSON that arrives wrapped: each kind of wrapping is named, with what the producer should change."""

from __future__ import annotations

import base64
import bz2
import gzip
import json
import lzma
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.admission.made import NOON, fields, outcome, refused
from watchroom.errors import EventRefused
from watchroom.events import reasons

PLAIN = "write one JSON object in UTF-8"
COMPRESS = "let Kafka compress it"
SERIALIZER = "value.serializer"
# Without underscores, so that no text is the name of a token field.
NAMES = st.characters(codec="utf-8", exclude_categories=["Cc", "Zs", "Zl", "Zp"], exclude_characters="_")
EVENTS = st.builds(
    lambda subject, text, more: fields(subject=subject, data={"line": text}, more=more),
    subject=st.text(NAMES, min_size=1, max_size=30),
    text=st.text(st.characters(codec="utf-8", exclude_characters="_"), max_size=30),
    more=st.none() | st.booleans() | st.integers(-(10**9), 10**9),
)

# How the JSON of an event is wrapped, and what its dead letter says: what it looks like, and what to change.
NOT_JSON: dict[str, tuple[Callable[[bytes], bytes], str, str]] = {
    "Confluent": (
        lambda value: b"\0\0\0\0\x0c" + value,
        "Confluent's schema registry (schema 12)",
        SERIALIZER,
    ),
    "Confluent, schema 70,000": (lambda value: b"\0\0\1\x11\x70" + value, "5-byte prefix from Confluent's", SERIALIZER),
    "Confluent, schema 123": (lambda value: b"\0\0\0\0{" + value, "5-byte prefix from Confluent's", SERIALIZER),
    "Confluent, a text": (
        lambda value: b"\0\0\0\0\x0c" + json.dumps(value.decode()).encode(),
        "5-byte prefix from Confluent's schema registry (schema 12), before a string that contains JSON",
        SERIALIZER,
    ),
    "Confluent, a trailing comma": (
        lambda value: b"\0\0\0\0\x0c" + value[:-1] + b",}",
        "(schema 12), before what has a comma before a closing bracket",
        SERIALIZER,
    ),
    "Confluent, single quotes": (
        lambda value: b"\0\0\0\0\x0c" + str(json.loads(value)).encode(),
        "(schema 12), before what has single quotes",
        SERIALIZER,
    ),
    "Apicurio": (lambda value: b"\0" + bytes(7) + b"\x0c" + value, "9-byte prefix from Apicurio Registry", SERIALIZER),
    "AWS Glue": (lambda value: b"\3\0" + bytes(range(16)) + value, "18-byte prefix from the AWS Glue", SERIALIZER),
    "Avro": (
        lambda value: b"\0\0\0\0\x0c\2\6" + value[1:],
        "a schema-registry message in Avro (a zero byte, then schema 12)",
        SERIALIZER,
    ),
    "byte order mark": (lambda value: b"\xef\xbb\xbf" + value, "begins with a byte order mark", f"{PLAIN} without it"),
    "UTF-16": (lambda value: value.decode().encode("utf-16"), "is in UTF-16", PLAIN),
    "UTF-16 BE": (lambda value: b"\xfe\xff" + value.decode().encode("utf-16-be"), "is in UTF-16", PLAIN),
    "UTF-16 BE without a mark": (lambda value: value.decode().encode("utf-16-be"), "is in UTF-16", PLAIN),
    "UTF-16 LE without a mark": (lambda value: value.decode().encode("utf-16-le"), "is in UTF-16", PLAIN),
    "UTF-32": (lambda value: value.decode().encode("utf-32"), "is in UTF-32", PLAIN),
    "UTF-32 BE without a mark": (lambda value: value.decode().encode("utf-32-be"), "is in UTF-32", PLAIN),
    "gzip": (gzip.compress, "is compressed (gzip)", COMPRESS),
    "zlib": (zlib.compress, "is compressed (zlib)", COMPRESS),
    "bzip2": (bz2.compress, "is compressed (bzip2)", COMPRESS),
    "xz": (lzma.compress, "is compressed (xz)", COMPRESS),
    "zstd": (lambda value: b"\x28\xb5\x2f\xfd" + value, "is compressed (zstd)", COMPRESS),  # its magic number
    "snappy": (lambda value: b"\xff\6\0\0sNaPpY" + value, "is compressed (framed snappy)", COMPRESS),
    "snappy-java": (lambda value: b"\x82SNAPPY\0" + value, "is compressed (framed snappy (snappy-java))", COMPRESS),
    "a Java object": (lambda value: b"\xac\xed\0\5t" + value, "a serialised Java object", SERIALIZER),
    "a trailing NUL": (lambda value: value + b"\0", "ends with 1 zero byte;", "without the string terminator"),
    "trailing NULs": (lambda value: value + bytes(7), "ends with 7 zero bytes;", "without the string terminator"),
    "two lines": (lambda value: value + b"\n" + value + b"\n", "holds 2 JSON objects;", "write one event per record"),
    "three, one behind the other": (lambda value: value * 3, "holds 3 JSON objects;", "write one event per record"),
    "with commas between": (lambda value: value + b", " + value, "holds 2 JSON objects;", "write one event per record"),
    "a JSON text sequence": (lambda value: b"\x1e" + value + b"\n" + b"\x1e" + value, "holds 2 JSON objects;", "one"),
    "two and a half": (
        lambda value: value * 2 + value[:-3],
        "holds 2 JSON objects and further text;",
        "one event per record",
    ),
    "a comma after it": (lambda value: value + b",\n", "has 1 character after its JSON object", "nothing after it"),
    "a record separator after it": (lambda value: value + b"\x1e", "has 1 character after its JSON", "nothing after"),
    "two with a comma behind": (lambda value: value + b",\n" + value + b",\n", "holds 2 JSON objects;", "one event"),
    "NaN": (lambda value: value[:-1] + b', "x": NaN}', "contains NaN or Infinity, which JSON does not", "write null"),
    "Infinity": (lambda value: value[:-1] + b', "x": [-Infinity]}', "contains NaN or Infinity", "write null"),
    "a trailing comma": (lambda value: value[:-1] + b", }", "comma before a closing bracket", "write JSON without it"),
    "base64": (base64.b64encode, "is JSON in base64", PLAIN),
    "text after it": (lambda value: value + b" -- sent", "7 characters after its JSON object", "nothing after it"),
    "text before it": (lambda value: b"event: " + value, "7 bytes before its JSON", "nothing before it"),
    "a length before it": (lambda value: len(value).to_bytes(2) + value, "2 bytes before its JSON", PLAIN),
    "XML": (lambda value: b"<event>" + base64.b64encode(value) + b"</event>", "like XML or HTML", PLAIN),
    "nothing": (lambda _: b"", "is empty", PLAIN),
    "zeros": (lambda _: b"\0\0\0", "is empty", PLAIN),
}
NO_EVENT: dict[str, tuple[Callable[[dict[str, Any]], object], str, str]] = {
    "a text": (json.dumps, "is a string that contains JSON: it was serialised twice", "write the object itself"),
    "a text in base64": (
        lambda event: base64.b64encode(json.dumps(event).encode()).decode(),
        "is a string in base64: it was serialised as bytes",
        "write the object itself",
    ),
    "a batch": (lambda event: [event], "is a list of 1 object, which is a batch", "write one event per record"),
    "a batch of two": (
        lambda event: [event, event],
        "is a list of 2 objects, which is a batch",
        "write one event per record",
    ),
    "a batch of texts": (
        lambda event: [json.dumps(event)] * 2,
        "is a list of 2 strings, each JSON serialised twice",
        "write one event per record, as an object",
    ),
    "Kafka Connect": (
        lambda event: {"schema": {"type": "struct"}, "payload": event},
        "the event is inside the field 'payload'",
        "value.converter.schemas.enable=false",
    ),
    "Kafka Connect, as text": (
        lambda event: {"schema": {"type": "string"}, "payload": json.dumps(event)},
        "the event is inside the field 'payload'",
        "value.converter.schemas.enable=false",
    ),
    "an object": (lambda event: {"event": event}, "inside the field 'event'; write only that object;", "specversion"),
}


@pytest.mark.parametrize("name", NOT_JSON)
@settings(max_examples=15)
@given(event=EVENTS)
def test_the_wrapping_around_the_json_is_named(name: str, event: dict[str, Any]) -> None:
    """`expected value at line 1 column 1` made people search for a fault in JSON that had none."""
    wrap, looks_like, write = NOT_JSON[name]
    error = refused(wrap(json.dumps(event, ensure_ascii=False).encode()))
    assert error.reason == reasons.BAD_JSON
    assert looks_like in error.detail
    assert write in error.detail
    assert len(error.detail) < 400


@pytest.mark.parametrize("name", NO_EVENT)
@settings(max_examples=15)
@given(event=EVENTS)
def test_json_that_wraps_the_event_is_named(name: str, event: dict[str, Any]) -> None:
    """A list of missing fields does not show that all of them are one level deeper."""
    wrap, looks_like, write = NO_EVENT[name]
    error = refused(json.dumps(wrap(event)).encode())
    assert error.reason == reasons.BAD_ENVELOPE
    assert looks_like in error.detail
    assert write in error.detail


@pytest.mark.parametrize(
    ("value", "looks_like"),
    [
        (str(fields()), "has single quotes, as Python prints a dict; write double quotes"),
        ("[" + str(fields()) + "]", "has single quotes"),
        ("{specversion=1.0, id=acd-1}", "has names without quotes, as Java and JavaScript print an object"),
        ("{specversion: '1.0'}", "has names without quotes"),
        ('{"data": {"line": "999",},}', "has a comma before a closing bracket"),
        ('{"data": ["a", ]}', "has a comma before a closing bracket"),
        ('{"source": "Caf\u00e9', "is not JSON: EOF while parsing"),
    ],
)
def test_a_value_that_is_almost_json_is_named(value: str, looks_like: str) -> None:
    """Each is how some language prints its own objects; anything else keeps the parser's own message."""
    error = refused(value.encode())
    assert error.reason == reasons.BAD_JSON
    assert looks_like in error.detail


def test_json_in_another_encoding_is_named_with_the_first_invalid_byte() -> None:
    """It may first appear with an accented name, weeks after the feed began."""
    error = refused(json.dumps(fields(subject="Zoë"), ensure_ascii=False).encode("cp1252"))
    assert error.reason == reasons.BAD_JSON
    assert "is JSON, but not in UTF-8 (byte 0xeb at " in error.detail
    assert "Windows-1252" in error.detail


def test_data_that_is_a_string_of_json_is_named() -> None:
    """The most common case of serialising twice."""
    error = refused(json.dumps(fields(data=json.dumps({"line": "999"}))).encode())
    assert error.reason == reasons.BAD_DATA
    assert "data is a string that contains JSON: it was serialised twice; write the object itself" in error.detail


def test_no_message_shows_what_was_sent() -> None:
    """It may be the narrative of an incident."""
    event = fields(data={"line": "Anna Miller"}, id="Anna Miller", time=NOON)
    wrapped = [wrap(json.dumps(event).encode()) for wrap, _, _ in NOT_JSON.values()]
    wrapped += [json.dumps(wrap(event)).encode() for wrap, _, _ in NO_EVENT.values()]
    assert not [value for value in wrapped if "Anna" in refused(value).detail]


@given(st.lists(st.sampled_from([wrap for wrap, _, _ in NOT_JSON.values()]), max_size=3), EVENTS, st.binary(max_size=9))
def test_any_combination_of_wrappings_gives_an_event_or_a_refusal(
    wraps: list[Callable[[bytes], bytes]], event: dict[str, Any], noise: bytes
) -> None:
    """The search for an explanation must not fail if there is none."""
    value = json.dumps(event).encode()
    for wrap in wraps:
        try:
            value = wrap(value)
        except UnicodeDecodeError:
            value += noise
    for given_value in (value, noise + value, value + noise, value[: len(value) // 2]):
        found = outcome(given_value)
        assert not isinstance(found, EventRefused) or found.reason in reasons.REASONS


@pytest.mark.parametrize("filler", [b"{", b"[", b",}", b", ", b'{"a":', b"\0", b"'", b"eyJ", b"{} ", b"\xff", b"{}"])
def test_the_time_of_the_search_is_linear_in_the_number_of_bytes(filler: bytes) -> None:
    """With 256 KiB of anything: a worker handles the rest of its batch in the same second."""
    assert refused(filler * (262_144 // len(filler))).reason in reasons.REASONS
