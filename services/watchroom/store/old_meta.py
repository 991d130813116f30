"""Converts the previous form of `meta`, with one definition for all streams, to one definition for each.

Pure. Its part about a stream becomes that stream's definition in today's form. If nothing has changed since, the
fingerprint is then ours.

The two old fields stay, with a text instead of a fingerprint. If a worker of the previous version found no fingerprint,
it would bind Redis to its own definition and go on writing. With another fingerprint it ends and writes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from watchroom.store.definition import MEASURE, PARTITIONS, TOPIC, without_defaults

OLD_FINGERPRINT: Final = "fingerprint"
OLD_DEFINITION: Final = "definition"
BEING_CLEARED: Final = "being cleared"  # instead of an old fingerprint: a rebuild is clearing the keys
BY_STREAM: Final = "by stream"  # instead of an old fingerprint: the definitions have fields of their own
BY_STREAM_SAID: Final = '{"made by a later version of Watchroom": true}'  # the previous version shows the name
_PARTITIONS_OF: Final = "partitions of "
_COMMON: Final = ("bins", "fold version", "reporting zone", "future bound, ms")
_BOUNDS: Final = ("lateness", "keeping")
# An old definition did not contain these values, which were always the same.
_LEVELS: Final = {"10s": 7_200_000, "hour": 5_184_000_000, "day": 34_214_400_000, "month": None}


def parts_by_stream(text: str) -> dict[str, dict[str, Any]]:
    """The definition of each stream that an old definition had.

    Args:
        text: The old field `definition`.
    """
    old: Mapping[str, Any] = json.loads(text)
    topics = [name.removeprefix(_PARTITIONS_OF) for name in old if name.startswith(_PARTITIONS_OF)]
    return {topic.rpartition(".")[2]: _parts(old, topic) for topic in topics}


def _parts(old: Mapping[str, Any], topic: str) -> dict[str, Any]:
    stream = topic.rpartition(".")[2]
    measures = {
        name: without_defaults(value)
        for name, value in old.items()
        if name.startswith(MEASURE) and value["stream"] == stream
    }
    common = {name: old[name] for name in _COMMON if name in old}
    bounds = {f"{name}, ms": old[f"{name} of {stream}, ms"] for name in _BOUNDS if f"{name} of {stream}, ms" in old}
    fixed = {"bucket levels": _LEVELS, TOPIC: topic, PARTITIONS: old[_PARTITIONS_OF + topic]}
    return {**measures, **common, **bounds, **fixed}
