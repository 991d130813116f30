"""One event of a mapping, and its CloudEvents JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from urllib.parse import quote

from watchroom.admission.models import HEARTBEAT
from watchroom.importer.event_fields import STREAM_OF
from watchroom.importer.local_time import rfc3339

_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


class Mapped(NamedTuple):
    """An event with its two times, in milliseconds since the Unix epoch."""

    type: str
    id: str
    subject: str
    time_ms: int
    arrival_ms: int
    data: Mapping[str, str | bool]

    @property
    def stream(self) -> str:
        """The stream it belongs to."""
        return STREAM_OF[self.type]

    def shifted(self, by_ms: int) -> Mapped:
        """The same event moved in time. It has another id, because it never happened at that time."""
        if not by_ms:
            return self
        return self._replace(
            id=f"{self.id}+{by_ms}ms", time_ms=self.time_ms + by_ms, arrival_ms=self.arrival_ms + by_ms
        )

    def value(self, source: str) -> bytes:
        """The event as structured CloudEvents JSON."""
        envelope = {
            "specversion": "1.0",
            "id": self.id,
            "source": source,
            "type": self.type,
            "time": rfc3339(self.time_ms),
            "subject": self.subject,
            "recordedtime": rfc3339(self.arrival_ms),
            "datacontenttype": "application/json",
            "data": dict(self.data),
        }
        return _encode(envelope).encode()


def heartbeat(source: str, at_ms: int) -> bytes:
    """A heartbeat of a source, as structured CloudEvents JSON; its key is the source."""
    return Mapped(HEARTBEAT, f"{HEARTBEAT}:{rfc3339(at_ms)}", source, at_ms, at_ms, {}).value(source)


def id_of(subject: str, extra_key: Sequence[str], kind: str, time_ms: int) -> str:
    """The event's id: the same row in another extract gives the same id."""
    parts = [part if part.isalnum() else quote(part, safe="") for part in (subject, *extra_key)]
    return ":".join((*parts, kind, rfc3339(time_ms)))
