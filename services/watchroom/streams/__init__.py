"""The streams of events: one module each, and this registry. A new stream is a new module and one row here.

In: events. Out: the state of each entity, and its moments, values and states, which entries of the catalogue name. A
fold gives the same state whatever the order of the events. Pure: no clock, no I/O. It may import `rolling` and
`events`.

Start with `stream` (what a stream must say), then `contacts` (the simplest one) and `stamps` (facts that do not depend
on order). The order of the rows below is the order of pages, boards and documents.
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

STREAMS: Final[Mapping[str, Stream]] = registry("streams named", ((stream.name, stream) for stream in ROWS))
"""Every stream by its name."""

BOARDS: Final[Mapping[str, Board]] = registry("boards named", ((row.board.name, row.board) for row in ROWS))
"""The boards that streams name, by their name."""
