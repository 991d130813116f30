"""Finds records that may name a person in a field for a token. Pure.

Runs for every refused record, whatever is wrong with it, before any part of it is kept or shown. It searches the bytes,
not the parsed record, because a parser takes the last of two equal names and gives up at the first fault. Token fields
of admitted events have already been checked.

It is strict: the name of a field without a token or `null` right after it is enough. So a refused event that only
mentions such a name in a text loses its value too.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from collections.abc import Iterator
from itertools import chain
from typing import Final

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json

from watchroom.admission.models import REQUIRED_TOKENS
from watchroom.errors import EventRefused
from watchroom.events import reasons
from watchroom.events.envelope import Name
from watchroom.events.headers import SOURCE
from watchroom.events.record import Headers
from watchroom.events.tokens import FIELDS, PATTERN

_MOST_BACKSLASHES: Final = 8  # JSON in a text of JSON in a text; no producer writes more
_BASE64: Final = re.compile(rb'(?:data_base64"\s*:\s*"|^\s*"?(?=eyJ))([^"]*)')  # `{"` begins eyJ in base64
_NAME: Final = TypeAdapter(Name)
_GZIP_AND_ZLIB: Final = (b"\x1f\x8b", b"\x78\x01", b"\x78\x9c", b"\x78\xda")
_EITHER: Final = zlib.MAX_WBITS | 32
_MOST_UNPACKED: Final = 1024 * 1024  # four times the largest event


def _field(name: str) -> re.Pattern[bytes]:
    """Matches the name, plain or with JSON escapes; the group `proven` matches if a token or null follows."""
    characters = "".join(rf"(?:{c}|\\{{1,{_MOST_BACKSLASHES}}}u(?i:{ord(c):04x}))" for c in name)
    quote, token = rf'(?P<quote>\\{{0,{_MOST_BACKSLASHES}}}")', PATTERN.strip("^$")
    proven = rf"(?P<proven>{quote}\s*:\s*(?:null|(?P=quote){token}(?P=quote))\s*(?=[,}}\]]|$))"
    return re.compile(f"{characters}{proven}?".encode())


_FIELDS: Final = {name: _field(name) for name in FIELDS}


def raw_identifier(value: bytes | None, headers: Headers = ()) -> EventRefused | None:
    """Return why a record must not be kept; None if every token field has a token or null.

    Args:
        value: The record's value.
        headers: The record's headers, which its letter would keep too.

    Returns:
        A refusal that shows neither the value nor the key.
    """
    for found in chain(_readings(value or b""), *(_readings(_as_json(*header)) for header in headers)):
        for name, field in _FIELDS.items():
            if any(match["proven"] is None for match in field.finditer(found)):
                or_null = "" if name in REQUIRED_TOKENS else ", or null"
                return EventRefused(
                    reasons.RAW_IDENTIFIER,
                    f"{name} may hold something other than a token; write <key id>.<26 characters>, as produced by"
                    f" `watchroom token`{or_null}. Neither the record's value nor its key is kept; the"
                    " RawIdentifier runbook says what to do about the record itself",
                )
    return None


def source_of(value: bytes | None, headers: Headers = ()) -> str | None:
    """The source that a record names, if it can be read and is a valid name; otherwise None."""
    try:
        for name, said in headers:
            if name == SOURCE:
                return _NAME.validate_python((said or b"").decode())
        found = from_json(value or b"")
        return _NAME.validate_python(found["source"]) if isinstance(found, dict) else None
    except (ValueError, KeyError, ValidationError):
        return None


def _unpacked(value: bytes) -> bytes:
    """The decompressed beginning of the bytes, as far as it can be read."""
    try:
        return zlib.decompressobj(_EITHER).decompress(value, _MOST_UNPACKED)
    except zlib.error:
        return b""


def _as_json(name: str, said: bytes | None) -> bytes:
    """A header as a JSON field, so that its name is searched too."""
    text = None if said is None else said.decode("utf-8", "replace")
    return json.dumps({name: text}, ensure_ascii=False).encode("utf-8", "replace")


def _readings(value: bytes) -> Iterator[bytes]:
    """The bytes to search: UTF-16 and UTF-32 reduced to ASCII, and the content of base64 and gzip.

    Other compression (zstd, snappy, LZ4, bzip2, xz) is not unpacked, so a letter keeps such a value.
    """
    if value.startswith(_GZIP_AND_ZLIB):
        value += _unpacked(value)
    plain = value.replace(b"\0", b"")
    if b"token" in plain or b"\\u" in plain:  # almost every refused record has neither
        yield plain
    for match in _BASE64.finditer(plain):
        packed = match[1].replace(b"\\", b"").translate(bytes.maketrans(b"-_", b"+/"))
        try:
            yield base64.b64decode(packed + b"===")
        except binascii.Error:
            continue
