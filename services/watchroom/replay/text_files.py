"""Opens files as text: from a disk or a pipe, packed or not, in the encoding of the mapping or of a byte order mark."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, cast

import cramjam

from watchroom.errors import ConfigurationInvalid, Fault

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MOST_BYTES = 20 * 1024**3  # unpacked
MOST_BYTES_IN_MEMORY = 2 * 1024**3  # zstd is unpacked at once
MOST_TIMES = 200  # the file's own size, unpacked
HEAD_BYTES = 512
_MARKS = {b"\xff\xfe\0\0": "utf-32", b"\0\0\xfe\xff": "utf-32", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_NO_TEXT = {
    b"%PDF": "a PDF document",
    b"\xd0\xcf\x11\xe0": "an Excel workbook (.xls)",
    b"PAR1": "a Parquet file",
    b"SQLite format 3": "a SQLite database",
    b"7z\xbc\xaf": "a 7z archive",
    b"Rar!": "a rar archive",
}
_BROKEN = (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, OSError, NotImplementedError)


class Opened(NamedTuple):
    """A file as text, and the encoding in which it is read."""

    text: io.TextIOWrapper
    encoding: str


class _Bytes(Protocol):
    def read1(self, size: int = -1, /) -> bytes: ...
    def close(self) -> None: ...


class _Chained(io.RawIOBase):
    """What was read already, then the rest: a pipe cannot be read again."""

    def __init__(self, head: bytes, rest: _Bytes) -> None:
        self._head, self._rest = head, rest
        self.count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer).cast("B")
        data = self._head[: len(view)]
        self._head = self._head[len(data) :]
        data = data or self._next(len(view))
        view[: len(data)] = data
        self.count += len(data)
        return len(data)

    def _next(self, size: int) -> bytes:
        return self._rest.read1(size)

    def close(self) -> None:
        self._rest.close()
        super().close()


class _Unpacked(_Chained):
    """What a packed file holds; ends with a fault where it is broken, or larger than any extract.

    `packed_bytes` says how large the file is, or how much of it was read.
    """

    def __init__(self, name: str, form: str, unpacked: _Bytes, packed_bytes: Callable[[], int]) -> None:
        super().__init__(b"", unpacked)
        self._name, self._form, self._packed_bytes = name, form, packed_bytes

    def _next(self, size: int) -> bytes:
        try:
            data = self._rest.read1(size)
        except _BROKEN as error:
            raise broken(self._name, self._form, error) from error
        if self.count + len(data) > min(MOST_BYTES, MOST_TIMES * self._packed_bytes()):
            raise _too_large(self._name, self._form, MOST_BYTES)
        return data


def open_text(path: Path, encoding: str) -> Opened:
    """A file as text; its byte order mark stands over the encoding.

    Bytes that are no text are kept as lone surrogates, so that one bad row does not end the file.

    Raises:
        ConfigurationInvalid: It holds no text, or too much.
        OSError: It cannot be opened.
    """
    name = str(path)
    file = path.open("rb")
    head = file.read(HEAD_BYTES)
    content = _Chained(head, file)
    if (unpacked := _unpacked(name, path, head, content)) is not None:
        head = unpacked.read(HEAD_BYTES)
        content = _Chained(head, unpacked)
    marked = next((said for mark, said in _MARKS.items() if head.startswith(mark)), "")
    _check_text(name, head, marked or encoding)
    buffered = io.BufferedReader(content)
    text = io.TextIOWrapper(buffered, encoding=marked or encoding, errors="surrogateescape", newline="")
    return Opened(text, marked or encoding)


def _unpacked(name: str, path: Path, head: bytes, packed: _Chained) -> io.BufferedReader | None:
    """The content of a packed file, known by what it begins with, whatever it is called; None for any other file."""
    content: _Bytes
    plain = io.BufferedReader(packed)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        form, content = "zip", _zip_member(name, plain)
    elif head.startswith(b"\x28\xb5\x2f\xfd"):
        form, content = "zstd", _zstd(name, plain)
    elif head.startswith(b"\x1f\x8b"):
        form, content = "gzip", gzip.GzipFile(fileobj=plain)
    elif head.startswith(b"BZh"):
        form, content = "bzip2", bz2.BZ2File(plain)
    elif head.startswith(b"\xfd7zXZ\0"):
        form, content = "xz", lzma.LZMAFile(plain)  # noqa: SIM115  # closed with the text
    else:
        plain.detach()
        return None
    size = path.stat().st_size if path.is_file() else 0
    return io.BufferedReader(_Unpacked(name, form, content, lambda: size or packed.count))


def _zstd(name: str, plain: io.BufferedReader[Any]) -> io.BytesIO:
    """All at once: what unpacks zstd here knows no parts."""
    packed = plain.read()
    most = min(MOST_BYTES_IN_MEMORY, MOST_TIMES * len(packed))
    try:
        out = bytearray(most)  # pages that are not written take no memory
        size = cramjam.zstd.decompress_into(packed, out)
    except (cramjam.DecompressionError, MemoryError) as error:
        if "whole buffer" in str(error) or isinstance(error, MemoryError):
            raise _too_large(name, "zstd", MOST_BYTES_IN_MEMORY) from error
        raise broken(name, "zstd", error) from error
    return io.BytesIO(memoryview(out)[:size])


def _zip_member(name: str, plain: io.BufferedReader[Any]) -> _Bytes:
    """The one file of an archive."""
    packed = tempfile.SpooledTemporaryFile(max_size=64 * 1024**2)  # noqa: SIM115  # lives as long as its member
    while block := plain.read(1024**2):
        packed.write(block)
    try:
        archive = zipfile.ZipFile(packed)
        members = [each for each in archive.infolist() if not (each.is_dir() or each.filename.startswith("__MACOSX/"))]
        if any(each.filename == "[Content_Types].xml" for each in members):
            raise _no_text(name, "an Excel workbook or another Office document")
        if len(members) != 1:
            raise ConfigurationInvalid([Fault(name, "", f"a zip file of {len(members)} files", "one of one file")])
        member: Any = archive.open(members[0])  # its type has no read1
        return cast("_Bytes", member)
    except (*_BROKEN, RuntimeError) as error:  # RuntimeError: a password
        raise broken(name, "zip", error) from error


def _check_text(name: str, head: bytes, encoding: str) -> None:
    if kind := next((kind for mark, kind in _NO_TEXT.items() if head.startswith(mark)), ""):
        raise _no_text(name, kind)
    if encoding.lower().replace("_", "-").startswith(("utf-16", "utf16", "utf-32", "utf32")):
        return
    if head.count(0) * 20 <= len(head):
        return
    for form, first in (("utf-16-le", 1), ("utf-16-be", 0)):
        if head[first::2].count(0) * 2 > len(head[first::2]) and not head[1 - first :: 2].count(0):
            found = "UTF-16 without a byte order mark"
            raise ConfigurationInvalid([Fault(name, "", found, f'file.encoding = "{form}" in the mapping')])
    raise _no_text(name, f"bytes that are no text (it begins with {head[:8].hex(' ')})")


def broken(name: str, form: str, error: Exception) -> ConfigurationInvalid:
    """A file that does not hold what it begins as."""
    return ConfigurationInvalid([Fault(name, "", f"a {form} file that cannot be read ({error})", "a whole file")])


def _too_large(name: str, form: str, most: int) -> ConfigurationInvalid:
    found = f"a {form} file of more than {most // 1024**3} GiB or {MOST_TIMES} times its size"
    return ConfigurationInvalid([Fault(name, "", found, "the unpacked file, or a pipe: <(zcat FILE)")])


def _no_text(name: str, kind: str) -> ConfigurationInvalid:
    return ConfigurationInvalid([Fault(name, "", kind, "a text file: save or export it as CSV")])
