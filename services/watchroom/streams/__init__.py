"""One module a stream, and this registry. A new stream is a new module and one row here.

The order is the order of pages, boards and documents. Pure: no clock, no I/O.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from watchroom.registry import registry
from watchroom.streams import calls, contacts, crimes, incidents, returns
from watchroom.streams.stream import Board, Stream

ROWS: Final[tuple[Stream, ...]] = (
    calls.STREAM,
    contacts.STREAM,
    incidents.STREAM,
    crimes.STREAM,
    returns.STREAM,
)

STREAMS: Final[Mapping[str, Stream]] = registry("streams called", ((stream.name, stream) for stream in ROWS))
"""Every stream by its name."""

BOARDS: Final[Mapping[str, Board]] = registry("boards called", ((row.board.name, row.board) for row in ROWS))
"""The boards that streams name, by their name."""
