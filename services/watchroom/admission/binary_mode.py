"""CloudEvents in binary mode: attributes in the record's headers, `data` in its value. Pure.

A binary record is turned into the structured JSON of the same event, so that the same code reads, checks and refuses
both modes.

Source:
    Kafka Protocol Binding for CloudEvents 1.0.2, 3.2 (binary content mode) and 3.3 (structured content mode).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from watchroom.admission.parse import parse
from watchroom.admission.refusal import read_json
from watchroom.errors import EventRefused
from watchroom.events import reasons
from watchroom.events.headers import ATTRIBUTE, CONTENT_TYPE, SPECVERSION
from watchroom.events.messages import MOST_SHOWN, shown
from watchroom.events.record import Event, Headers

_STRUCTURED: Final = "application/cloudevents"
_BATCH: Final = "application/cloudevents-batch"
_DATACONTENTTYPE: Final = "datacontenttype"
_NO_ATTRIBUTES: Final = ("data", "data_base64")  # CloudEvents forbids attributes of these names
_LIKE_OURS: Final = ("ce_", "ce-", "cloudevents")  # as HTTP, AMQP and older drafts write them
_LENGTH: Final = len(CONTENT_TYPE)


def parse_record(headers: Headers, value: bytes | None) -> Event | None:
    """Return the event of a record with headers, in either mode; None for a tombstone.

    A record is binary if it has `ce_specversion` and its content type does not begin with `application/cloudevents`.
    Its value may be empty or null: then the event has no data.

    Raises:
        EventRefused: As `parse`. Also bad_envelope for a batch, and in binary mode for an attribute whose header
            occurs twice, is null or is not UTF-8.
    """
    content_type, is_binary = "", False
    for name, said in headers:  # runs for every record with headers
        if name == SPECVERSION:
            is_binary = True
        elif len(name) == _LENGTH and said and not content_type and name.lower() == CONTENT_TYPE:
            content_type = said.decode("utf-8", "replace").strip().lower()
    if content_type.startswith(_STRUCTURED):
        is_binary = False
        if content_type.startswith(_BATCH):
            raise _refused(
                CONTENT_TYPE, f"says {shown(content_type)}, which is a batch of events", "one event per record"
            )
    if value is None and not is_binary:
        return None
    attributes = attributes_of(headers) if is_binary else {}
    try:
        return parse(structured(attributes, value) if is_binary else value or b"")
    except EventRefused as error:
        about = _about_binary(content_type) if is_binary else _about_structured(headers, content_type)
        if not about or error.reason not in (reasons.BAD_JSON, reasons.BAD_ENVELOPE, reasons.BAD_DATA):
            raise
        raise EventRefused(error.reason, f"{error.detail}. {about}") from None


def structured(attributes: Mapping[str, str], value: bytes | None) -> bytes:
    """A binary record's event in structured mode. Raises EventRefused if the value is not JSON."""
    envelope = json.dumps(attributes, ensure_ascii=False).encode()
    if not value:
        return envelope
    read_json(value)  # a complete JSON value cannot end `data` early and smuggle in another attribute
    return b'{"data":%b,%b' % (value, envelope[1:])


def attributes_of(headers: Headers) -> dict[str, str]:
    """The attributes of a binary record by name; `datacontenttype` is its content type.

    Raises:
        EventRefused: bad_envelope, as `parse_record`.
    """
    found: dict[str, str] = {}
    for header, said in headers:
        if header.lower() == CONTENT_TYPE:
            name = _DATACONTENTTYPE
        elif header.startswith(ATTRIBUTE):
            name = header.removeprefix(ATTRIBUTE)
            if name == _DATACONTENTTYPE:
                continue
        else:
            continue
        if name in _NO_ATTRIBUTES:
            raise _refused(header, "is not an attribute of CloudEvents", "the data as the record's value")
        if name in found:
            raise _refused(header, "occurs twice", "it once")
        if said is None:
            raise _refused(header, "is null", "a string, or leave it out")
        try:
            found[name] = said.decode()
        except UnicodeDecodeError:
            found_text = shown(said[:MOST_SHOWN].decode("utf-8", "backslashreplace"))
            raise _refused(header, f"is {found_text}, which is not UTF-8", "it in UTF-8") from None
    return found


def _about_binary(content_type: str) -> str:
    about = f" (its {CONTENT_TYPE} is {shown(content_type)})" if content_type else ""
    mode = f"The record is in binary mode: its attributes are headers such as {ATTRIBUTE}id"
    return f"{mode}, and its data is the value, in JSON{about}"


def _about_structured(headers: Headers, content_type: str) -> str:
    """What the headers say about a record that was read as structured and is not an event."""
    like = [name for name, _ in headers if name.lower().startswith(_LIKE_OURS)]
    if like and not content_type.startswith(_STRUCTURED):
        return f"Its header {shown(like[0])} looks like binary mode, but the header {SPECVERSION} is missing"
    if content_type.startswith(_STRUCTURED) and "json" not in content_type:
        return f"Its {CONTENT_TYPE} is {shown(content_type)}; only application/cloudevents+json is read"
    return ""


def _refused(header: str, found: str, write: str) -> EventRefused:
    return EventRefused(reasons.BAD_ENVELOPE, f"the header {shown(header)} {found}; write {write}")
