"""The definition of a stream: everything that decides its contributions, and what changed between two definitions.

`contributions(old state)` under a changed catalogue would subtract what was never added. So a worker that finds another
definition of a stream in Redis leaves that stream alone. Texts, windows and sources are not part of it. What all
streams have in common (bins, zone, bucket levels) is part of each.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import MISSING, Field, asdict, fields, replace
from typing import Any, Final

from watchroom.catalogue.model import Catalogue
from watchroom.kinds import kind_of
from watchroom.kinds.measure import Condition, Label, Measure, Target
from watchroom.kinds.shown import Display
from watchroom.rolling.bins import GROWTH_PERCENT, LAST_EDGE_MS
from watchroom.rolling.buckets import KEEP_10S_MS, KEEP_DAY_MS, KEEP_FOREVER, KEEP_HOUR_MS
from watchroom.settings import Settings
from watchroom.streams import STREAMS

TOPIC: Final = "topic"
PARTITIONS: Final = "partitions"
MEASURE: Final = "measure "
BUCKET_LEVELS: Final[Mapping[str, int | None]] = {
    "10s": KEEP_10S_MS,
    "hour": KEEP_HOUR_MS,
    "day": KEEP_DAY_MS,
    "month": KEEP_FOREVER,
}
NOT_DECIDING = ("windows", "brief", "definition", "source", "unit", "give_up_ms", "rows", "display", "area_windows")
NOT_DECIDING_INSIDE = ("title", "titles")  # of a label: words for people
# Keys of a measure whose values are of these types, or lists of them.
_INSIDE: Final[Mapping[str, type]] = {"labels": Label, "targets": Target, "where": Condition, "part": Condition}


def definition_of(settings: Settings, catalogue: Catalogue, stream: str, partitions: int) -> dict[str, Any]:
    """What decides the contributions of one stream, by names for a message.

    Args:
        settings: Zone, bounds, keeping and topic.
        catalogue: The measures.
        stream: Whose.
        partitions: How many its topic has.
    """
    return {
        **{f"{MEASURE}{measure.id}": _deciding(measure) for measure in catalogue.of_stream(stream)},
        "bins": [GROWTH_PERCENT, LAST_EDGE_MS],
        "bucket levels": dict(BUCKET_LEVELS),
        "fold version": STREAMS[stream].fold_version,
        **{f"table of {name}": short_hash for name, short_hash in STREAMS[stream].reference.items()},
        "reporting zone": settings.zone,
        "lateness, ms": settings.lateness_days.ms(stream),
        "keeping, ms": settings.keeping_days.ms(stream),
        **({} if STREAMS[stream].closing_days is None else {"closing, ms": settings.closes_after_ms(stream)}),
        "future bound, ms": round(settings.future_s * 1000),
        TOPIC: settings.topic(stream),
        PARTITIONS: partitions,
    }


def _deciding(measure: Measure) -> dict[str, Any]:
    kind = kind_of(measure)
    version = {} if kind.version == 1 else {"kind version": kind.version}
    said = json.loads(json.dumps(asdict(replace(measure, display=Display()))))
    for key in kind.own_keys:
        if not key.decides:
            said["own"].pop(key.name, None)
    return {**without_defaults(said), **version}


def without_defaults(said: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of a measure that decide, without those at their default, so a new optional key changes no definition.

    Args:
        said: A measure's keys and values as JSON has them.
    """
    lean = _lean(said, Measure)
    for name, of in _INSIDE.items():
        value = lean.get(name)
        if isinstance(value, list):
            lean[name] = [_lean(item, of) for item in value]
        elif value is not None:
            lean[name] = _lean(value, of)
    return {name: value for name, value in lean.items() if name not in NOT_DECIDING}


def _lean(said: Mapping[str, Any], of: type) -> dict[str, Any]:
    defaults = {field.name: _default(field) for field in fields(of)}
    decides = {name: value for name, value in said.items() if name not in NOT_DECIDING_INSIDE}
    return {name: value for name, value in decides.items() if name not in defaults or value != defaults[name]}


def _default(field: Field[Any]) -> Any:  # noqa: ANN401 - any value of JSON
    """A field's default in JSON's form; without a default, an object that equals no value."""
    if field.name in NOT_DECIDING:
        return MISSING
    value = field.default if field.default_factory is MISSING else field.default_factory()
    return list(value) if isinstance(value, tuple) else value


def as_json(parts: Mapping[str, Any]) -> str:
    """The definition as stored."""
    return json.dumps(parts, sort_keys=True)


def fingerprint(text: str) -> str:
    """A short name for a stored definition."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def what_changed(stored: str, ours: str) -> str:
    """One sentence about the difference between two definitions, for a person."""
    old, new = json.loads(stored), json.loads(ours)
    said = []
    for name in sorted({*old, *new}):
        if name not in old:
            said.append(f"{name} is new")
        elif name not in new:
            said.append(f"{name} was removed")
        elif old[name] != new[name]:
            numbers = all(isinstance(value, int | str) for value in (old[name], new[name]))
            said.append(f"{name} changed" + (f" from {old[name]} to {new[name]}" if numbers else ""))
    return ", ".join(said) or "unidentified differences"
