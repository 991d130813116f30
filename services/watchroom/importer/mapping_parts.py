"""The parts of a faulty mapping that can still be checked, so that all its faults are listed at once. Pure.

A part that cannot be used is replaced by one that gives no fault of its own; what a mapping says
elsewhere is then checked as usual, and every fault keeps its path.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from watchroom.importer.mapping_model import EntityConfig, EventConfig, FileConfig, MappingConfig, TimeConfig
from watchroom.importer.mapping_values import ValueMap

Model = TypeVar("Model", bound=BaseModel)
Table = dict[str, Any]
_ANY = {"constant": "?"}
_STAND_INS: Table = {"zone": "UTC", "key": ["?"], "time": _ANY, "day_from": _ANY}


def usable_parts(given: Mapping[str, Any]) -> tuple[MappingConfig, tuple[EventConfig | None, ...]]:
    """The usable parts of a document that the model refuses; None for an event without a usable type."""
    entity = given.get("entity")
    rows_are_known = isinstance(entity, dict) and entity.get("rows", "apart") in ("apart", "together")
    if not rows_are_known:
        entity = {"rows": "together"}  # allows everything that either kind of rows does
    maps = given.get("map")
    events = given.get("event")
    mapping = MappingConfig.model_construct(
        source="",
        about="",
        event=(),
        skip=(),
        file=_usable(FileConfig, given.get("file")) or FileConfig(),
        time=_usable(TimeConfig, given.get("time")) or TimeConfig(zone="UTC"),
        entity=_usable(EntityConfig, entity) or EntityConfig(key=("?",), rows="together"),
        map={name: _map(table) for name, table in maps.items()} if isinstance(maps, dict) else {},
    )
    return mapping, tuple(_usable(EventConfig, event) for event in (events if isinstance(events, list) else ()))


def _map(given: object) -> ValueMap:
    return _usable(ValueMap, given) or ValueMap.model_construct(values={}, otherwise=None)


def _usable(model: type[Model], given: object) -> Model | None:
    """A table without its wrong keys; None if the rest is not usable."""
    if not isinstance(given, dict):
        return None
    table: Table = dict(given)
    for _ in range(len(table) + 2):
        try:
            return model.model_validate(table)
        except ValidationError as error:
            for path in {item["loc"][:2] for item in error.errors() if item["loc"]}:
                _put_right(table, tuple(map(str, path)))
    return None


def _put_right(table: Table, path: tuple[str, ...]) -> None:
    """Replace or remove the wrong value at a path of at most two steps."""
    key = path[0]
    data = table.get("data")
    if key == "data" and len(path) > 1 and isinstance(data, dict):
        table["data"] = {**data, path[1]: _ANY}
    elif key in _STAND_INS:
        table[key] = _STAND_INS[key]
    else:
        table.pop(key, None)
