"""Says what bytes look like that should be one JSON object, and what the producer should change. Pure.

Only for messages: no event is read from them.

Source:
    Byte order marks: RFC 3629, The Unicode Standard 23.8. Magic numbers: RFC 1952 (gzip), 1950 (zlib), 8878 (zstd),
    the frame formats of snappy and LZ4, the formats of bzip2 and xz. Schema registries: the wire formats of Confluent,
    Apicurio and AWS Glue.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any, Final

from pydantic_core import from_json

_PLAIN: Final = "write one JSON object in UTF-8"
_PACKED: Final = "write the plain JSON, and let Kafka compress it (the producer's compression.type)"
_BYTES: Final = "set the producer's value.serializer to one for plain JSON or bytes"
_ONE: Final = "write one event per record"

_MAGIC: Final = (
    (b"\x1f\x8b", "gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\xff\x06\x00\x00sNaPpY", "framed snappy"),
    (b"\x82SNAPPY\x00", "framed snappy (snappy-java)"),
    (b"\x04\x22\x4d\x18", "LZ4"),
    (b"\x78\x01", "zlib"),
    (b"\x78\x9c", "zlib"),
    (b"\x78\xda", "zlib"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"PK\x03\x04", "zip"),
)
_MARKS: Final = (  # those of UTF-32 first: UTF-16's begins one of them
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
_WIDE: Final = (("utf-32-be", "UTF-32"), ("utf-32-le", "UTF-32"), ("utf-16-be", "UTF-16"), ("utf-16-le", "UTF-16"))
_REGISTRIES: Final = (  # the first byte, and how many there are in total
    (b"\x00", 5, "Confluent's schema registry"),
    (b"\x00", 9, "Apicurio Registry"),
    (b"\x03", 18, "the AWS Glue schema registry"),
)
_COMMA: Final = re.compile(r",(\s*[}\]])")
_SINGLE: Final = re.compile(r"\s*[\[{][\s\[{]*'")
_UNQUOTED: Final = re.compile(r"\s*\{\s*[A-Za-z_][\w.-]*\s*[:=]")
_BETWEEN: Final = re.compile(r"[\s,\x1e]*")  # RFC 7464 begins each text with a record separator
_BASE64: Final = "eyJ"  # `{"` in base64


def not_json(value: bytes, error: ValueError) -> str:
    """What is wrong with bytes that are not JSON, and what to write; `error` is the parser's message."""
    found = next(_found(value), "")
    return f"the value {found} (the parser says: {error})" if found else f"the value is not JSON: {error}; {_PLAIN}"


def not_an_object(found: object, kind: str) -> str:
    """The same for JSON that is not an object, but of this kind ("a list")."""
    if isinstance(found, list) and found and all(isinstance(item, dict) for item in found):
        objects = f"{len(found):,} object{'s' * (len(found) > 1)}"
        return f"the value is a list of {objects}, which is a batch of events; {_ONE}"
    if isinstance(found, list) and found and all(isinstance(item, str) and text_in_text(item) for item in found):
        texts = f"{len(found):,} string{'s' * (len(found) > 1)}"
        return f"the value is a list of {texts}, each JSON serialised twice; {_ONE}, as an object"
    if isinstance(found, str) and (held := text_in_text(found)):
        return f"the value is a string {held}; write the object itself, a CloudEvents 1.0 event"
    return f"the value is {kind}; write one JSON object, a CloudEvents 1.0 event"


def text_in_text(found: str) -> str:
    """How a JSON text contains the JSON that it should be; empty if it does not."""
    if isinstance(parsed(found.encode("utf-8", "replace")), dict | list):
        return "that contains JSON: it was serialised twice"
    return "in base64: it was serialised as bytes" if found.startswith(_BASE64) else ""


def event_inside(found: dict[str, Any]) -> str:
    """Which field of an object contains the event, like Kafka Connect's `payload`; empty if none does."""
    name = next((name for name, held in found.items() if _is_event(held)), None)
    if name is None:
        return ""
    connect = " (Kafka Connect: value.converter.schemas.enable=false)" if {"schema", "payload"} <= found.keys() else ""
    return f"the event is inside the field {name[:60]!r}; write only that object{connect}"


def event_in_data(found: dict[str, Any]) -> str:
    """Where an event's `data` contains another whole event; empty if it does not."""
    data = found.get("data")
    if _is_event(data):
        return "data holds a whole event; write only that event's data"
    inside = event_inside(data) if isinstance(data, dict) else ""
    return f"data holds a whole event: {inside}" if inside else ""


def _is_event(held: object) -> bool:
    inside = parsed(held.encode("utf-8", "replace")) if isinstance(held, str) else held
    return isinstance(inside, dict) and "specversion" in inside


def _found(value: bytes) -> Iterator[str]:
    """Everything that the bytes may be, the most certain first."""
    if not value.strip(b"\0 \t\r\n"):
        yield f"is empty; {_PLAIN}"
    yield from _encodings(value)
    yield from _binary(value)
    try:
        text = value.decode()
    except UnicodeDecodeError as error:
        if _is_json(value.decode("latin-1").encode()):
            place = f"byte 0x{value[error.start]:02x} at {error.start:,}"
            yield f"is JSON, but not in UTF-8 ({place}; it may be ISO-8859-1 or Windows-1252); write it in UTF-8"
        return
    yield from _texts(text)


def _encodings(value: bytes) -> Iterator[str]:
    for mark, name in _MARKS:
        if value.startswith(mark):
            yield f"is in {name} (it begins with its byte order mark); {_PLAIN}"
    if 0 in value[:4]:
        for codec, name in _WIDE:
            try:
                text = value.decode(codec)
            except UnicodeDecodeError:
                continue
            if _is_json(text.encode("utf-8", "replace")):
                yield f"is in {name}; {_PLAIN}"
    if value.startswith(codecs.BOM_UTF8):
        yield f"begins with a byte order mark (EF BB BF); {_PLAIN} without it"


def _binary(value: bytes) -> Iterator[str]:
    for first, size, registry in _REGISTRIES:
        if value.startswith(first) and (behind := _behind_registry(value[size:])):
            schema = f" (schema {int.from_bytes(value[1:size])})" if first == b"\0" else ""
            yield f"begins with a {size}-byte prefix from {registry}{schema}, before {behind}; {_BYTES}"
    for magic, name in _MAGIC:
        if value.startswith(magic):
            yield f"is compressed ({name}); {_PACKED}"
    if value.startswith(b"\xac\xed\x00\x05"):
        yield f"is a serialised Java object; {_BYTES}"
    start = value.find(b"{")
    if start > 0 and _is_json(value[start:]):
        yield f"has {start:,} bytes before its JSON; {_PLAIN} and nothing before it"
    if value.startswith(b"\0") and len(value) > 5:
        number = int.from_bytes(value[1:5])
        yield f"looks like a schema-registry message in Avro (a zero byte, then schema {number}); {_BYTES}"
    whole = value.rstrip(b"\0")
    if whole != value and _is_json(whole):
        zeros = len(value) - len(whole)
        yield f"ends with {zeros:,} zero byte{'s' * (zeros > 1)}; write only the JSON, without the string terminator"


def _behind_registry(value: bytes) -> str:
    """What follows a registry's prefix: JSON, JSON in a text, or nearly JSON; empty for Avro and others."""
    if _is_json(value):
        return "its JSON"
    if isinstance(text := parsed(value), str) and (held := text_in_text(text)):
        return f"a string {held}"
    if not value.lstrip().startswith((b"{", b"[")):
        return ""
    fault = next(_texts(value.decode("utf-8", "replace")), "")
    return f"what {fault}" if fault else ""


def _texts(text: str) -> Iterator[str]:
    if _SINGLE.match(text):
        yield "has single quotes, as Python prints a dict; write double quotes (json.dumps)"
    if _UNQUOTED.match(text):
        yield "has names without quotes, as Java and JavaScript print an object; write JSON with names in double quotes"
    if text.lstrip().startswith("<"):
        yield f"looks like XML or HTML; {_PLAIN}"
    if text.startswith(_BASE64):
        yield f"is JSON in base64; {_PLAIN}"
    if _holds_unusual_numbers(text):
        yield "contains NaN or Infinity, which JSON does not allow; write null, or leave the field out"
    if _is_json(_COMMA.sub(r"\1", text).encode()):
        yield "has a comma before a closing bracket; write JSON without it"
    objects, rest = _objects(text)
    if objects > 1:
        yield f"holds {objects:,} JSON objects{' and further text' if rest[_end(_BETWEEN, rest, 0) :] else ''}; {_ONE}"
    elif objects:
        characters = f"{len(rest):,} character{'s' * (len(rest) > 1)}"
        yield f"has {characters} after its JSON object; {_PLAIN} and nothing after it"


def _holds_unusual_numbers(text: str) -> bool:
    """Whether a text would be JSON if JSON had NaN and Infinity, which some languages write."""
    try:
        return isinstance(from_json(text), dict | list) and not _is_json(text.encode("utf-8", "replace"))
    except ValueError:
        return False


def _objects(text: str) -> tuple[int, str]:
    """How many JSON objects a text begins with, and the stripped rest."""
    decoder, objects, at = json.JSONDecoder(), 0, 0
    try:
        while (begin := _end(_BETWEEN, text, at)) < len(text):
            found, end = decoder.raw_decode(text, begin)
            if not isinstance(found, dict):
                break
            objects, at = objects + 1, end
    except (ValueError, RecursionError):
        pass
    return objects, text[at:].strip(" \t\r\n")


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return at if found is None else found.end()


def parsed(value: bytes) -> object:
    """The parsed value; None if it is not JSON."""
    try:
        return from_json(value, allow_inf_nan=False)
    except ValueError:
        return None


def _is_json(value: bytes) -> bool:
    return isinstance(parsed(value), dict | list)
