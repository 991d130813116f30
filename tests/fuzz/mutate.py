"""Changes bytes as files and senders corrupt them, and in unexpected ways: pure, given a source of chance."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import re
import zipfile
from collections.abc import Callable, Sequence

import zstandard

MOST_BYTES = 64 * 1024  # of an input; large ones are rare and deliberate
MOST_BYTES_GROWN = 1024**2

TOKENS = (
    b"", b"\0", b"\n", b"\r\n", b"\r", b'"', b'""', b'"""', b"'", b"'''", b",", b";", b"\t", b"|", b"\\", b"#",
    b"=", b" ", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\xff\xfe\0\0", b"\xe9", b"\xc3\xa9", b"\x81",
    b"\xed\xa0\x80", b"\xf4\x90", b"\xe2\x80\xa8", b"\xc2\x85", b"\xe2\x80\xae", b"\x1b[2J", b"\x07", b"\x7f",
    b"\xc4\xb0", b"\xd9\xa3", b"sep=;\n", b"PK\x03\x04", b"\x1f\x8b", b"%PDF", b"BZh9", b"\xd0\xcf\x11\xe0",
    b"\x28\xb5\x2f\xfd", b"\xfd7zXZ\0", b"0", b"-1", b"1e9", b"1e400", b"-0.0", b"NaN", b"Infinity", b"inf", b"nan",
    b"9" * 20, b"9" * 400, b"9" * 5000, b"1_000", b"0x7fffffffffffffff", b"9223372036854775808",
    b"18446744073709551616", b"2.02111E+11", b"999.0", b"400000000000", b"1970-01-01T00:00:00Z",
    b"2021-10-31T01:30:00", b"2021-03-28T01:30:00", b"24:00", b"0000-00-00 00:00:00",
    b"9999-12-31T23:59:59.999999Z", b"0001-01-01T00:00:00+23:59", b"2121-11-30", b"31/02/2021 12:00:00 PM", b"GMT",
    b"BST", b"%d", b"%H", b"%p", b"%Z", b"%%", b"%", b"%j", b"%G-W%V", b"%s", b"%f", b"%c", b"iso", b"epoch_ms",
    b"month_end", b"true", b"false", b"null", b"{}", b"[]", b"{", b"}", b"[", b"]", b":", b'{"a":', b"[" * 3000,
    b'{"a":' * 3000, b'"\\ud800"', b'"\\u0000"', b'"__proto__":1', b'"specversion":"1.0"', b'"type":"call.queued"',
    b'"data":{}', b'"data":null', b'"time":"2021-10-30T12:00:00Z"', b'"recordedtime":null',
    b'"caller_token":"07700 900123"', b'"datacontenttype":"x"', b"[[event]]\n", b"[file]\n", b"[time]\n",
    b"[entity]\n", b"[map.a]\n", b"[[skip]]\n", b"[force]\n", b"a = 1\n", b"\n[", b"key = []\n",
    b'rows = "together"\n', b'count = "id"\n', b'per = "entity"\n', b"optional = true\n", b'pick = "min"\n',
    b'token = "telephone"\n', b'quote = "\\u0000"\n', b'delimiter = "\\n"\n', b'encoding = "utf-7"\n',
    b'encoding = "idna"\n', b'short_rows = "fill"\n', b'zone = "UTC"\n', b'plus_seconds = "wait"\n',
    b'append = "-15T12:00"\n', b'kind = "share"\n', b'windows = ["5m"]\n', b"where = { outgoing = [false] }\n",
    b"targets = []\n", b"edges_s = [0, -1]\n", b"sum_of = []\n",
)  # fmt: skip
_NUMBER = re.compile(rb"\d+")
_WORD = re.compile(rb"[A-Za-z_]+")


def mutated(data: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    """The bytes, changed in one to six places."""
    for _ in range(chance.choice((1, 1, 1, 2, 2, 3, 6))):
        data = chance.choice(CHANGES)(data, others, chance)[:MOST_BYTES]
    if chance.random() < 0.005:
        data = _grown(data, chance)
    return chance.choice(PACKERS)(data) if chance.random() < 0.02 else data


Change = Callable[[bytes, Sequence[bytes], random.Random], bytes]


def _span(data: bytes, chance: random.Random, most: int = 40) -> tuple[int, int]:
    start = chance.randint(0, len(data))
    return start, min(len(data), start + chance.randint(0, most))


def _flip(data: bytes, _: Sequence[bytes], chance: random.Random) -> bytes:
    if not data:
        return data
    at = chance.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << chance.randrange(8))]) + data[at + 1 :]


def _token(data: bytes, _: Sequence[bytes], chance: random.Random) -> bytes:
    start, end = _span(data, chance, 8)
    return data[:start] + chance.choice(TOKENS) + data[end if chance.random() < 0.5 else start :]


def _cut(data: bytes, _: Sequence[bytes], chance: random.Random) -> bytes:
    start, end = _span(data, chance)
    return data[:start] if chance.random() < 0.2 else data[:start] + data[end:]


def _double(data: bytes, _: Sequence[bytes], chance: random.Random) -> bytes:
    start, end = _span(data, chance)
    return data[:end] + data[start:end] * chance.choice((1, 1, 2, 50)) + data[end:]


def _lines(data: bytes, _: Sequence[bytes], chance: random.Random) -> bytes:
    lines = data.splitlines(keepends=True)
    if not lines:
        return data
    one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    if chance.random() < 0.5:
        del lines[one]
    return b"".join(lines)


def _replaced(pattern: re.Pattern[bytes], data: bytes, chance: random.Random, *, own: bool) -> bytes:
    """Another text instead of a number or a word; `own`: one from the same file."""
    found = list(pattern.finditer(data))
    if not found:
        return data
    at, other = chance.choice(found), chance.choice(found)
    return data[: at.start()] + (other[0] if own else chance.choice(TOKENS)) + data[at.end() :]


def _number(data: bytes, _: Sequence[bytes], chance: random.Random) -> bytes:
    return _replaced(_NUMBER, data, chance, own=chance.random() < 0.3)


def _word(data: bytes, _: Sequence[bytes], chance: random.Random) -> bytes:
    return _replaced(_WORD, data, chance, own=chance.random() < 0.8)


def _splice(data: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    other = chance.choice(others) if others else b""
    start, _ = _span(data, chance)
    first, last = _span(other, chance, len(other))
    return data[:start] + other[first:last] + data[start:]


def _wide(data: bytes, _: Sequence[bytes], chance: random.Random) -> bytes:
    text = data.decode("utf-8", "replace")
    return text.encode(chance.choice(("utf-16", "utf-16-le", "utf-32", "cp1252", "utf-8-sig")), "replace")


def _grown(data: bytes, chance: random.Random) -> bytes:
    start, end = _span(data, chance, 400)
    piece = data[start:end] or b"x"
    return data[:start] + piece * (MOST_BYTES_GROWN // len(piece)) + data[end:]


def _zipped(data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("f.csv"), data)  # without a time of day: the same bytes each time
    return out.getvalue()


CHANGES: tuple[Change, ...] = (
    _flip, _token, _token, _token, _cut, _double, _lines, _number, _number, _word, _word, _splice, _wide,
)  # fmt: skip
PACKERS: tuple[Callable[[bytes], bytes], ...] = (
    lambda data: gzip.compress(data, mtime=0),
    bz2.compress,
    lzma.compress,
    zstandard.compress,
    _zipped,
)
