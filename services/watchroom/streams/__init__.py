"""One module a stream, and this registry. A new stream is a new module and one row here.

The order is the order of pages, boards and documents. Pure: no clock, no I/O.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from watchroom.streams import calls, crimes, incidents
from watchroom.streams.stream import Stream

STREAMS: Final[Mapping[str, Stream]] = {
    stream.name: stream
    for stream in (
        calls.STREAM,
        incidents.STREAM,
        crimes.STREAM,
    )
}
"""Every stream by its name."""
