"""Rows with bytes that are not valid in their file's encoding: a few are refused, many mean a wrong encoding. Pure."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Sequence

from watchroom.errors import ConfigurationInvalid, Fault, RowRefused

MOST_ROWS = 100
"""Rows of a file with such bytes; also at most 1 % of its rows."""

_SINGLE_BYTE = ("cp12", "cp4", "cp8", "iso8859", "mac-")  # as Python names them: each byte is a letter


class WrongEncoding:
    """Counts the rows of one file. Refused rows come at its end, because many of them are one fault of the file."""

    def __init__(self, file: str, encoding: str, header: Sequence[str]) -> None:
        self.rows = 0  # all of them, also those that are refused for something else
        self._file, self._encoding, self._header = file, encoding, header
        self._is_single_byte = codecs.lookup(encoding).name.startswith(_SINGLE_BYTE)
        self._refused: list[RowRefused] = []
        self._first: Fault | None = None  # without what to write
        self._fitting = ["utf-8", "cp1252"]
        self._right = 0  # rows that are text and not ASCII
        self._first_utf8 = 0  # line of the first of those that is UTF-8 as well
        self._only_utf8 = True  # whether all of those are

    def refuses(self, line: int, fields: Sequence[str]) -> bool:
        """Whether a row, which is not ASCII alone, holds such bytes; it is then given by `end`.

        Raises:
            ConfigurationInvalid: So many rows do that the file must be in another encoding.
        """
        found = undecoded(fields)
        if found is None:
            self._right += 1
            if self._is_single_byte and self._only_utf8:
                self._only_utf8 = _fits("utf-8", fields, self._encoding)
                self._first_utf8 = self._first_utf8 or line
            return False
        self._fitting = [name for name in self._fitting if _fits(name, fields, self._encoding)]
        said = f"{found} is not valid {shown_encoding(self._encoding)}"
        if self._first is None:
            column = next(name for name, text in zip(self._header, fields, strict=False) if undecoded([text]))
            self._first = Fault(self._file, f"line {line}", f"{found} in column {column!r}", "")
        self._refused.append(
            RowRefused(f"{self._file}:{line}", f'{said}; set file.encoding in the mapping, for example "cp1252"')
        )
        if len(self._refused) > MOST_ROWS:
            raise self._fault(self._first)
        return True

    def end(self) -> Iterator[RowRefused]:
        """The refused rows.

        Raises:
            ConfigurationInvalid: There are so many that the file must be in another encoding, or all its text is UTF-8.
        """
        if self._first is not None and len(self._refused) * 100 > self.rows:
            raise self._fault(self._first)
        if self._first_utf8 and self._only_utf8 and "utf-8" in self._fitting:
            found = f"valid UTF-8 in all {self._right:,} rows with non-ASCII text"
            found += f", although the mapping says {self._encoding}"
            write = 'file.encoding = "utf-8" in the mapping'
            raise ConfigurationInvalid([Fault(self._file, f"line {self._first_utf8}", found, write)])
        yield from self._refused

    def _fault(self, first: Fault) -> ConfigurationInvalid:
        number, right = len(self._refused), self._right
        encoding = shown_encoding(self._encoding)
        found = f"{first.found}, which is not valid {encoding}; {number:,} of {self.rows:,} rows read have such bytes"
        if right and not (self._is_single_byte and self._only_utf8):
            found += f", and {right:,} other rows with non-ASCII text are valid {encoding}: the file mixes encodings"
            write = "a file in one encoding"
        elif self._fitting:
            write = f'file.encoding = "{self._fitting[0]}" in the mapping, which can read these rows'
        else:
            write = 'the correct file.encoding in the mapping, for example "cp850" or "mac_roman"'
            write += '; "utf-8" and "cp1252" do not fit'
        return ConfigurationInvalid([Fault(first.where, first.key, found, write)])


def undecoded(fields: Sequence[str]) -> str | None:
    """The first byte that is not valid in the file's encoding."""
    wrong = next((character for field in fields for character in field if "\udc80" <= character <= "\udcff"), None)
    return None if wrong is None else f"byte 0x{ord(wrong) - 0xDC00:02x}"


def shown_encoding(name: str) -> str:
    """An encoding as people call it."""
    return "UTF-8" if name == "utf-8-sig" else name


def _fits(name: str, fields: Sequence[str], read_as: str) -> bool:
    """Whether the bytes of a row, which was read under one encoding, are text in another."""
    try:
        "\n".join(fields).encode(read_as, "surrogateescape").decode(name)
    except UnicodeError:
        return False
    return True
