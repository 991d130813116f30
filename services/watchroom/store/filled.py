"""Whether what Redis holds may be read as ours, stream by stream: asked by all that show figures to people."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from watchroom.catalogue.model import Catalogue
from watchroom.errors import OtherDefinitions, RebuildNeeded, WorkFailed
from watchroom.settings import Settings
from watchroom.store.definition import PARTITIONS, TOPIC, as_json, definition_of
from watchroom.store.evictions import EVICTED_SAID, refuse_evicting
from watchroom.store.meta import CLEARING_SAID, Bound, Meta, differing
from watchroom.store.read import Reader
from watchroom.streams import STREAMS

OTHERS = "Redis was filled under another catalogue or other settings than these"


class Filled(NamedTuple):
    """What Redis holds of a force."""

    meta: Meta
    refused: Mapping[str, str]  # by stream: what changed, where its figures were made under another definition

    def refuse(self, streams: Iterable[str]) -> None:
        """Raise OtherDefinitions if figures of any of these streams may not be read as ours."""
        if refused := {stream: self.refused[stream] for stream in streams if stream in self.refused}:
            raise OtherDefinitions(OTHERS, refused)

    def refused_topics(self, settings: Settings) -> set[str]:
        """Topics of the refused streams: as they were when their figures were made, and as they would be now."""
        then = {str(_parts(self.meta.streams[stream]).get(TOPIC)) for stream in self.refused}
        return then | {settings.topic(stream) for stream in self.refused}


def tell_refused(filled: Filled, warn: Callable[[str], None]) -> None:
    """A sentence on each stream that is left out."""
    for stream, changed in filled.refused.items():
        warn(
            f"{stream} is left out because Redis holds it under another definition: {changed}. Use the catalogue and "
            "settings of the workers, or run `watchroom rebuild`"
        )


def check_filled(reader: Reader, settings: Settings, catalogue: Catalogue) -> Filled:
    """Redis was filled, and at least one stream under this catalogue and these settings.

    Raises:
        WorkFailed: No worker has ever written there.
        ConfigurationInvalid: Redis may evict keys.
        RebuildNeeded: No stream's figures were made under our definitions, or Redis has evicted keys; reading them
            as ours would be wrong.
        StoreUnavailable: Redis did not answer.
    """
    meta = reader.meta()
    if meta is None:
        raise WorkFailed(
            f"Redis holds nothing of force {settings.force!r}; check WATCHROOM_REDIS_URL and "
            "WATCHROOM_FORCE, and start `watchroom worker`"
        )
    if meta.clearing:
        raise RebuildNeeded(CLEARING_SAID)
    process = reader.process()
    refuse_evicting(process, settings.redis_shown)
    if meta.evictions.marked or meta.evictions.missed(process):
        raise RebuildNeeded(f"{EVICTED_SAID}; stop the workers")
    filled = Filled(meta, redefined(meta, settings, catalogue))
    if not (meta.streams.keys() & STREAMS.keys()) - filled.refused.keys():
        filled.refuse(filled.refused)
    return filled


def redefined(meta: Meta, settings: Settings, catalogue: Catalogue) -> dict[str, str]:
    """By stream: what changed, where Redis holds its figures under another definition than ours.

    How many partitions a topic has is for workers to judge: a reader takes it from what is stored.
    """
    ours = {
        stream: as_json(definition_of(settings, catalogue, stream, _parts(bound).get(PARTITIONS, 0)))
        for stream in STREAMS
        if (bound := meta.streams.get(stream)) is not None
    }
    return differing(meta, ours)


def _parts(bound: Bound) -> dict[str, Any]:
    parts: dict[str, Any] = json.loads(bound.definition)
    return parts
