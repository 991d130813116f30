"""The fingerprint: everything that decides contributions, and what changed when two differ.

`contributions(old state)` under a changed catalogue would take back what was never added, so a worker
that finds another fingerprint in Redis stops. Texts, windows and sources are not part of it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from watchroom.catalogue.model import Catalogue
from watchroom.fold import FOLD_VERSION
from watchroom.kinds.measure import Measure
from watchroom.rolling.bins import GROWTH_PERCENT, LAST_EDGE_MS
from watchroom.settings import Settings
from watchroom.streams import STREAMS

INTERRUPTED = '{"rebuild": "interrupted"}'  # stands for a definition while a force's keys are cleared
NOT_DECIDING = ("windows", "brief", "definition", "source", "unit", "give_up_ms", "display")


def definition(
    catalogue: Catalogue,
    *,
    zone: str,
    lateness_ms: Mapping[str, int],
    keeping_ms: Mapping[str, int],
    future_ms: int,
    partitions: Mapping[str, int],
) -> dict[str, Any]:
    """What decides contributions, by a name that a message can show."""
    return {
        **{f"measure {measure.id}": _deciding(measure) for measure in catalogue.measures.values()},
        "bins": [GROWTH_PERCENT, LAST_EDGE_MS],
        "fold version": FOLD_VERSION,
        "reporting zone": zone,
        **{f"lateness of {stream}, ms": bound for stream, bound in lateness_ms.items()},
        **{f"keeping of {stream}, ms": keeping for stream, keeping in keeping_ms.items()},
        "future bound, ms": future_ms,
        **{f"partitions of {topic}": count for topic, count in partitions.items()},
    }


def _deciding(measure: Measure) -> dict[str, Any]:
    return {key: value for key, value in asdict(measure).items() if key not in NOT_DECIDING}


def as_json(parts: Mapping[str, Any]) -> str:
    """The definition as stored."""
    return json.dumps(parts, sort_keys=True)


def fingerprint(text: str) -> str:
    """A short name for a stored definition."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def what_changed(stored: str, ours: str) -> str:
    """One sentence on how two definitions differ, for a person."""
    if stored == INTERRUPTED:
        return "a rebuild is running, or was interrupted before it had cleared everything"
    old, new = json.loads(stored), json.loads(ours)
    said = []
    for name in sorted({*old, *new}):
        if name not in old:
            said.append(f"{name} is new")
        elif name not in new:
            said.append(f"{name} is gone")
        elif old[name] != new[name]:
            numbers = all(isinstance(value, int | str) for value in (old[name], new[name]))
            said.append(f"{name} changed" + (f" from {old[name]} to {new[name]}" if numbers else ""))
    return ", ".join(said) or "nothing that can be named"


def definition_of(settings: Settings, catalogue: Catalogue, partitions: Mapping[str, int]) -> dict[str, Any]:
    """The definition under which a process with these settings works.

    Args:
        settings: Zone, bounds and keeping.
        catalogue: The measures.
        partitions: Partition count by event topic.
    """
    return definition(
        catalogue,
        zone=settings.zone,
        lateness_ms={stream: settings.lateness_days.ms(stream) for stream in STREAMS},
        keeping_ms={stream: settings.keeping_days.ms(stream) for stream in STREAMS},
        future_ms=round(settings.future_s * 1000),
        partitions=partitions,
    )
