"""Opens files: as text, from a disk or a pipe, packed or not, in the encoding of the mapping or of a byte order mark.

A workbook is recognised here, and read by `workbook.py`.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import re
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple, Protocol, cast

import zstandard

from watchroom.errors import ConfigurationInvalid, Fault
from watchroom.importer.workbook import WORKBOOK, protected

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MOST_BYTES = 20 * 1024**3  # unpacked
MOST_TIMES = 200  # the file's own size, unpacked
HEAD_BYTES = 512
MOST_BYTES_SEARCHED = 64 * 1024**2  # of an old workbook, for the sign of a password
PACKED_PIECE_BYTES = 1024  # of zstd; a piece unpacks to at most 40 MB
_MARKS = {
    b"\xff\xfe\0\0": "utf-32", b"\0\0\xfe\xff": "utf-32", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16",
    b"\xef\xbb\xbf": "utf-8-sig",
}  # fmt: skip
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_OLD_OFFICE = b"\xd0\xcf\x11\xe0"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_OTHER_OFFICE = {"xl/workbook.bin": "a binary Excel workbook (.xlsb)", "content.xml": "an OpenDocument file"}
_BZIP2 = re.compile(rb"BZh[1-9](1AY&SY|\x17rE8P\x90)")
_NO_TEXT = {  # signs that the name of a column cannot begin with
    b"%PDF": "a PDF document",
    _OLD_OFFICE: "an Excel workbook (.xls)",  # or another Office document of that time
    b"PAR1\x15": "a Parquet file",
    b"SQLite format 3": "a SQLite database",
    b"7z\xbc\xaf": "a 7z archive",
    b"Rar!": "a rar archive",
    b"\x04\x22\x4d\x18": "an lz4 file",
    b"\x1f\x9d": "a file packed with compress (.Z)",
    b"LZIP\x01": "an lzip file",
    b"\xff\x06\0\0sNaPpY": "a snappy file",
    b"ARROW1\0\0": "an Arrow file",
    b"Obj\x01": "an Avro file",
    b"\x89HDF": "an HDF5 file",
    b"\0\x01\0\0Standard ": "an Access database",
    b"\x89PNG": "an image (PNG)",
    b"\xff\xd8\xff": "an image (JPEG)",
    b"{\\rtf": "a document (RTF)",
}
_TAR_AT = 257  # where a tar archive says that it is one
_MARKUP = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:(!doctype html|html|table)|\?xml)[\s>]", re.IGNORECASE)
_READ_ERRORS = (
    EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, OSError, NotImplementedError, zstandard.ZstdError,
    ValueError,  # zipfile seeks where the file says, also before its beginning
)  # fmt: skip


class Opened(NamedTuple):
    """A file as text, and the encoding in which it is read."""

    text: io.TextIOWrapper
    encoding: str


class PackedSheets(NamedTuple):
    """An Excel workbook: its bytes, from which can be read anywhere."""

    file: IO[bytes]


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
        except _READ_ERRORS as error:
            raise _broken(self._name, self._form, error) from error
        if self.count + len(data) > min(MOST_BYTES, MOST_TIMES * self._packed_bytes()):
            raise _too_large(self._name, self._form)
        return data


def open_file(path: Path, encoding: str) -> Opened | PackedSheets:
    """A file as text, whose byte order mark overrides the encoding; or an Excel workbook.

    Bytes that are not valid text are kept as lone surrogates, so that one bad row does not end the file.

    Raises:
        ConfigurationInvalid: It holds neither, or too much.
        OSError: It cannot be opened.
    """
    name = str(path)
    file = path.open("rb")
    head = file.read(HEAD_BYTES)
    content = _Chained(head, file)
    unpacked = _unpacked(name, path, head, content)
    if isinstance(unpacked, PackedSheets):
        return unpacked
    if unpacked is not None:
        head = unpacked.read(HEAD_BYTES)
        content = _Chained(head, unpacked)
    buffered = io.BufferedReader(content)
    if head.startswith(_OLD_OFFICE) and _ENCRYPTED in buffered.read(MOST_BYTES_SEARCHED):
        raise ConfigurationInvalid([protected(name)])
    marked = next((said for mark, said in _MARKS.items() if head.startswith(mark)), "")
    _check_text(name, head, marked or encoding)
    text = io.TextIOWrapper(buffered, encoding=marked or encoding, errors="surrogateescape", newline="")
    return Opened(text, marked or encoding)


def _unpacked(name: str, path: Path, head: bytes, packed: _Chained) -> io.BufferedReader | PackedSheets | None:
    """The content of a packed file, recognised by its first bytes, not its name; None for any other file."""
    content: _Bytes
    plain = io.BufferedReader(packed)
    if head.startswith(_ZIP):
        found = _from_zip(name, plain)
        if isinstance(found, PackedSheets):
            return found
        form, content = "zip", found
    elif head.startswith(b"\x28\xb5\x2f\xfd"):
        form, content = "zstd", _Zstd(plain)
    elif head.startswith(b"\x1f\x8b"):
        form, content = "gzip", gzip.GzipFile(fileobj=plain)
    elif _BZIP2.match(head):
        form, content = "bzip2", bz2.BZ2File(plain)
    elif head.startswith(b"\xfd7zXZ\0"):
        form, content = "xz", lzma.LZMAFile(plain)  # noqa: SIM115  # closed with the text
    else:
        plain.detach()
        return None
    size = path.stat().st_size if path.is_file() else 0
    return io.BufferedReader(_Unpacked(name, form, content, lambda: size or packed.count))


class _Zstd:
    """Unpacks zstd as it is read, over any number of frames; the library's own reader takes half a file for a whole."""

    def __init__(self, packed: io.BufferedReader[Any]) -> None:
        self._packed = packed
        self._frame = zstandard.ZstdDecompressor().decompressobj()
        self._is_inside = False  # of a frame
        self._rest = b""  # packed, of the next frame
        self._ready = memoryview(b"")

    def read1(self, size: int = -1, /) -> bytes:
        while not self._ready:
            piece = self._rest or self._packed.read(PACKED_PIECE_BYTES)
            if not piece:
                if self._is_inside:
                    raise EOFError("it ends in the middle of a frame")
                return b""
            self._ready = memoryview(self._frame.decompress(piece))
            self._is_inside, self._rest = not self._frame.eof, b""
            if self._frame.eof:
                self._rest = self._frame.unused_data
                self._frame = zstandard.ZstdDecompressor().decompressobj()
        size = len(self._ready) if size < 0 else size
        data, self._ready = bytes(self._ready[:size]), self._ready[size:]
        return data

    def close(self) -> None:
        self._packed.close()


def _from_zip(name: str, plain: io.BufferedReader[Any]) -> _Bytes | PackedSheets:
    """The one file of an archive; or the archive itself where it is an Excel workbook."""
    packed = tempfile.SpooledTemporaryFile(max_size=64 * 1024**2)  # noqa: SIM115  # lives as long as its member
    while block := plain.read(1024**2):
        packed.write(block)
    size = packed.tell()
    try:
        archive = zipfile.ZipFile(packed)
        members = [each for each in archive.infolist() if not (each.is_dir() or each.filename.startswith("__MACOSX/"))]
        names = {each.filename for each in members}
        if WORKBOOK in names:
            if sum(each.file_size for each in members) > min(MOST_BYTES, MOST_TIMES * size):
                raise _too_large(name, "workbook")
            return PackedSheets(cast("IO[bytes]", packed))
        if "[Content_Types].xml" in names or "content.xml" in names:
            kind = next((kind for part, kind in _OTHER_OFFICE.items() if part in names), "an Office document")
            raise _no_text(name, kind)
        if len(members) != 1:
            raise _unusable(name, f"a zip archive containing {len(members)} files", "a zip archive containing one file")
        if members[0].flag_bits & 1:
            raise _unusable(name, "a zip file protected by a password", "the unpacked file")
        member: Any = archive.open(members[0])  # its type has no read1
        return cast("_Bytes", member)
    except (*_READ_ERRORS, RuntimeError) as error:  # RuntimeError: a password
        raise _broken(name, "zip", error) from error


def _check_text(name: str, head: bytes, encoding: str) -> None:
    if head.startswith(_ZIP):
        raise _unusable(name, "a workbook or a zip archive inside another compressed file", "the inner file")
    if kind := next((kind for mark, kind in _NO_TEXT.items() if head.startswith(mark)), ""):
        raise _no_text(name, kind)
    if head[_TAR_AT : _TAR_AT + 5] == b"ustar":
        raise _no_text(name, "a tar archive")
    if markup := _MARKUP.match(head):
        raise _no_text(name, "an HTML page" if markup[1] else "an XML document")
    if encoding.lower().replace("_", "-").startswith(("utf-16", "utf16", "utf-32", "utf32")):
        return
    if head.count(0) * 20 <= len(head):
        return
    for form, first in (("utf-16-le", 1), ("utf-16-be", 0)):
        if head[first::2].count(0) * 2 > len(head[first::2]) and not head[1 - first :: 2].count(0):
            raise _unusable(name, "UTF-16 without a byte order mark", f'file.encoding = "{form}" in the mapping')
    raise _no_text(name, f"bytes that are not text (the file begins with {head[:8].hex(' ')})")


def _broken(name: str, form: str, error: Exception) -> ConfigurationInvalid:
    """A file whose content does not match its first bytes."""
    return _unusable(name, f"a {form} file that cannot be read ({error})", "a complete file")


def _too_large(name: str, form: str) -> ConfigurationInvalid:
    found = f"a {form} file that unpacks to more than {MOST_BYTES // 1024**3} GiB or {MOST_TIMES} times its size"
    return _unusable(name, found, "the unpacked file, or a pipe: <(zcat FILE)")


def _no_text(name: str, kind: str) -> ConfigurationInvalid:
    return _unusable(name, kind, "a text file or an .xlsx workbook: save or export it as one")


def _unusable(name: str, found: str, write: str) -> ConfigurationInvalid:
    return ConfigurationInvalid([Fault(name, "", found, write)])
