"""Whether the figures in Redis were made under our definitions, stream by stream; for everything that shows figures."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from watchroom.catalogue.model import Catalogue
from watchroom.errors import OtherDefinitions, RebuildNeeded, WorkFailed
from watchroom.settings import Settings
from watchroom.store.definition import PARTITIONS, TOPIC, definition_of
from watchroom.store.evictions import EVICTED_SAID, refuse_evicting
from watchroom.store.meta import CLEARING_SAID, Bound, Meta, differing
from watchroom.store.read import Reader
from watchroom.streams import STREAMS

OTHERS = "Redis was filled with a different catalogue or different settings"


class Compatibility(NamedTuple):
    """What Redis holds of a force, and which of it may be read as ours."""

    meta: Meta
    refused: Mapping[str, str]  # by stream with another definition: what changed

    def refuse(self, streams: Iterable[str]) -> None:
        """Raise OtherDefinitions if figures of any of these streams may not be read as ours."""
        if refused := {stream: self.refused[stream] for stream in streams if stream in self.refused}:
            raise OtherDefinitions(OTHERS, refused)

    def refused_topics(self, settings: Settings) -> set[str]:
        """Topics of the refused streams: those that their figures were made from, and those of today's settings."""
        then = {str(_parts(self.meta.streams[stream]).get(TOPIC)) for stream in self.refused}
        return then | {settings.topic(stream) for stream in self.refused}


def warn_refused(found: Compatibility, warn: Callable[[str], None]) -> None:
    """Warn with a sentence about each stream that is left out."""
    for stream, changed in found.refused.items():
        warn(
            f"{stream} is left out because Redis holds its figures under a different definition: {changed}. Use the"
            " catalogue and settings of the workers, or run `watchroom rebuild`"
        )


def check_compatible(reader: Reader, settings: Settings, catalogue: Catalogue) -> Compatibility:
    """Check that Redis holds figures, and at least one stream's under this catalogue and these settings.

    Raises:
        WorkFailed: No worker has ever written there.
        ConfigurationInvalid: Redis may evict keys.
        RebuildNeeded: No stream's figures were made under our definitions, or Redis has evicted keys. Reading them
            as ours would be wrong.
        StoreUnavailable: Redis did not answer.
    """
    meta = reader.meta()
    if meta is None:
        raise WorkFailed(
            f"Redis holds no data for force {settings.force!r}; check WATCHROOM_REDIS_URL and "
            "WATCHROOM_FORCE, and start `watchroom worker`"
        )
    if meta.clearing:
        raise RebuildNeeded(CLEARING_SAID)
    process = reader.process()
    refuse_evicting(process, settings.redis_shown)
    if meta.evictions.marked or meta.evictions.missed(process):
        raise RebuildNeeded(f"{EVICTED_SAID}; stop the workers")
    found = Compatibility(meta, redefined(meta, settings, catalogue))
    if not (meta.streams.keys() & STREAMS.keys()) - found.refused.keys():
        found.refuse(found.refused)
    return found


def redefined(meta: Meta, settings: Settings, catalogue: Catalogue) -> dict[str, str]:
    """By stream with another definition in Redis than ours: what changed.

    A topic's partition count is checked by workers; a reader takes it from what is stored.
    """
    ours = {
        stream: Bound.of(definition_of(settings, catalogue, stream, _parts(bound).get(PARTITIONS, 0)))
        for stream in STREAMS
        if (bound := meta.streams.get(stream)) is not None
    }
    return differing(meta, ours)


def _parts(bound: Bound) -> dict[str, Any]:
    parts: dict[str, Any] = json.loads(bound.definition)
    return parts
