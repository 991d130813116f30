"""What differs from stream to stream, in one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgpack

from watchroom.events.record import Event
from watchroom.fold import call, crime, incident

# A state is a NamedTuple whose first two fields are last_arrival_ms and first_ms.
State = Any


@dataclass(frozen=True, slots=True)
class Stream:
    """How the entities of one stream are folded and read."""

    name: str
    state: type[NamedTuple]
    fold: Callable[[State | None, Event, int], State]
    facts: Callable[[State], Mapping[str, object]]
    is_orphan: Callable[[State], bool]
    is_out: Callable[[State], bool]

    def pack(self, state: State) -> bytes:
        """A state as stored: a msgpack array of its fields."""
        packed: bytes = msgpack.packb(state)
        return packed

    def unpack(self, stored: bytes) -> State:
        """A state from what is stored."""
        return self.state(*msgpack.unpackb(stored, use_list=False))


STREAMS: Mapping[str, Stream] = {
    "calls": Stream("calls", call.Call, call.fold, call.facts, call.is_orphan, call.is_out),
    "incidents": Stream(
        "incidents", incident.Incident, incident.fold, incident.facts, incident.is_orphan, incident.is_out
    ),
    "crimes": Stream("crimes", crime.Crime, crime.fold, crime.facts, crime.is_orphan, crime.is_out),
}
