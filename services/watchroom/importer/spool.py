"""Keeps the events of all files on disk until the last row is read: until then, a fault may stop the replay."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO

from watchroom.errors import WorkFailed
from watchroom.importer.mapped import Mapped


class Spool:
    """Events in the order in which they came."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.folder = tempfile.gettempdir()
        self.events = 0
        self.size_bytes = 0
        self.last_arrival_ms: int | None = None

    def fill(self, events: Iterable[Mapped]) -> None:
        """Write events.

        Raises:
            WorkFailed: The disk is full.
        """
        for event in events:
            line = json.dumps([*event[:5], dict(event.data)]).encode() + b"\n"
            try:
                self._file.write(line)
            except OSError as error:
                raise self._full(error) from error
            self.events += 1
            self.size_bytes += len(line)
            self.last_arrival_ms = max(self.last_arrival_ms or event.arrival_ms, event.arrival_ms)
        try:
            self._file.flush()
        except OSError as error:
            raise self._full(error) from error

    def __iter__(self) -> Iterator[Mapped]:
        self._file.seek(0)
        for line in self._file:
            yield Mapped(*json.loads(line))

    def _full(self, error: OSError) -> WorkFailed:
        why = error.strerror or str(error)
        size = f"{self.size_bytes:,} bytes written"
        return WorkFailed(
            f"cannot write events to {self.folder}: {why} ({size}); set TMPDIR to a folder with enough space"
        )


@contextmanager
def spool() -> Iterator[Spool]:
    """An empty spool in the folder for temporary files (TMPDIR); the file is always removed afterwards.

    Raises:
        WorkFailed: No file can be made there.
    """
    try:
        file = tempfile.TemporaryFile()  # noqa: SIM115  # closed below, where a full disk may refuse what is left
    except OSError as error:
        why = error.strerror or str(error)
        raise WorkFailed(f"cannot create a temporary file ({why}); set TMPDIR to a folder with enough space") from error
    try:
        yield Spool(file)
    finally:
        with suppress(OSError):
            file.close()
