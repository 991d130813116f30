"""Makes aiokafka's consumers read header names that are not valid UTF-8.

Kafka accepts any bytes as a header's name if the producer compresses as the topic does. aiokafka decodes strictly: the
error leaves the fetch, at every try, and the partition is stuck for ever. We read only our own headers; in other names
every invalid byte becomes U+FFFD.

Normally aiokafka's compiled reader is used. Only a batch that it fails on is read again, by aiokafka's reader in Python
over bytes whose text is decoded leniently. This uses private names; `tests/intake/test_internals.py` fails when they
change.
"""

# ruff: noqa: SLF001, ANN401 - private names and their untyped arguments are what this module is about.

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, SupportsIndex

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords, _MemoryRecordsPy


def accept_any_header_name() -> None:
    """From here on every aiokafka consumer of this process reads header names that are not UTF-8."""
    fetcher.MemoryRecords = AnyRecords


class AnyRecords:
    """The record batches of one fetch answer; replaces aiokafka's `MemoryRecords`."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._records = MemoryRecords(data)
        self._taken = 0
        self.has_next = self._records.has_next
        self.size_in_bytes = self._records.size_in_bytes

    def next_batch(self) -> AnyBatch | None:
        """The next batch, None after the last."""
        batch, number = self._records.next_batch(), self._taken
        self._taken += 1
        return None if batch is None else AnyBatch(batch, self._data, number)


class AnyBatch:
    """A batch that returns each of its records; otherwise aiokafka's own."""

    def __init__(self, batch: Any, data: bytes, number: int) -> None:
        self._batch = batch
        self._data = data
        self._number = number

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __next__(self) -> Any:
        return next(self._batch)

    def __iter__(self) -> Iterator[Any]:
        try:
            yield from self._batch
        except UnicodeDecodeError:
            yield from _leniently(
                self._data, self._number
            )  # from the first record: the fetcher skips those that it has had


def _leniently(data: bytes, number: int) -> _DefaultRecordBatchPy:
    """Batch `number` of a fetch answer, as read by Python."""
    records = _MemoryRecordsPy(data)
    for _ in range(number):
        records.next_batch()
    batch = _DefaultRecordBatchPy(records._next_slice)
    batch._maybe_uncompress()
    batch._buffer = _Lenient(batch._buffer)
    return batch


class _Lenient(bytearray):
    """Bytes whose parts always decode to text."""

    def __getitem__(self, index: SupportsIndex | slice) -> Any:
        part = super().__getitem__(index)
        return _Lenient(part) if isinstance(part, bytearray) else part

    def decode(self, *_: object, **__: object) -> str:
        return bytes(self).decode("utf-8", "replace")
