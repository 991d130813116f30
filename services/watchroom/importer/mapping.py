"""Reads a mapping file and refuses one that cannot be used: every fault at once, each with what to write instead."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from watchroom.entered import toml_tables
from watchroom.error_text import what_to_write
from watchroom.errors import ConfigurationInvalid, Fault
from watchroom.importer.event_fields import STREAM_OF
from watchroom.importer.mapping_checks import Problem, problems, types_of
from watchroom.importer.mapping_model import EntityConfig, EventConfig, FileConfig, MappingConfig, TimeConfig
from watchroom.importer.mapping_values import ValueMap
from watchroom.importer.toml_path import page_of, shown

Model = TypeVar("Model", bound=BaseModel)
Table = dict[str, Any]
_ANY = {"constant": "?"}
_SUBSTITUTES: Table = {"zone": "UTC", "key": ["?"], "time": _ANY, "day_from": _ANY}
_WRITE = {
    "model_type": 'a table, for example { column = "name" }',
    r"^[a-z0-9][a-z0-9._-]*$": 'lower-case letters, digits, ".", "_" and "-", for example "call-log"',
    r"^[a-z0-9]+(_[a-z0-9]+)*$": 'lower-case letters and digits, with words joined by "_", for example "north_side"',
    r"^[^\r\n]$": "one character other than a line break",
}


def load_mapping(path: Path) -> MappingConfig:
    """The mapping in a TOML file, checked.

    Raises:
        ConfigurationInvalid: The file cannot be read or used; every fault is listed.
    """
    return check_mapping(toml_tables(path), str(path))


def check_mapping(given: Mapping[str, Any], where: str) -> MappingConfig:
    """The mapping in a parsed TOML document; `where` names the file in faults.

    Raises:
        ConfigurationInvalid: It cannot be used; every fault is listed.
    """
    found: list[Problem] = []
    try:
        mapping = MappingConfig.model_validate(given)
    except ValidationError as error:
        items = [dict(item) for item in error.errors()]
        found += [_problem(item) for item in items if not _follows(item, items)]
        found += problems(*_usable_parts(given))
    else:
        found += problems(mapping, dict(enumerate(mapping.event)))
        if not found:
            return mapping
    raise ConfigurationInvalid([Fault(where, shown(path), text, write, page_of(path)) for path, text, write in found])


def streams_of(mapping: MappingConfig) -> tuple[str, ...]:
    """The streams that this mapping can feed, in the order of its events."""
    return tuple(dict.fromkeys(STREAM_OF[name] for event in mapping.event for name in types_of(event, mapping)))


def _problem(item: dict[str, Any]) -> Problem:
    """One of pydantic's errors."""
    found = "nothing" if item["type"] == "missing" else repr(item.get("input"))
    write = what_to_write(item, _WRITE, otherwise="a value that this key accepts")
    if item["type"] == "too_short" and item["loc"] == ("event",):
        write = "at least one [[event]]"
    if item["type"] == "missing":
        write = f"`{item['loc'][-1]} = ...`"
    elif item["type"] == "extra_forbidden":
        found, write = f"the unknown key `{item['loc'][-1]}`", "one of the keys of this table"
    return Problem(item["loc"], found if len(found) <= 120 else found[:117] + "...", write)


def _follows(item: dict[str, Any], items: list[dict[str, Any]]) -> bool:
    """Whether a list is called too short only because one of its parts could not be used."""
    inside = len(item["loc"])
    return item["type"] == "too_short" and any(
        len(other["loc"]) > inside and other["loc"][:inside] == item["loc"] for other in items
    )


def _usable_parts(given: Mapping[str, Any]) -> tuple[MappingConfig, Mapping[int, EventConfig]]:
    """The usable parts of a document that the model refuses, so that all its faults are listed at once.

    A part that cannot be used is replaced by one that gives no fault of its own; what a mapping says elsewhere is then
    checked as usual, and every fault keeps its path. An event without a usable type is left out.
    """
    entity = given.get("entity")
    rows_are_known = isinstance(entity, dict) and entity.get("rows", "apart") in ("apart", "together")
    if not rows_are_known:
        entity = {"rows": "together"}  # allows everything that either kind of rows does
    maps = given.get("map")
    events = given["event"] if isinstance(given.get("event"), list) else []
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
    usable = {number: _usable(EventConfig, event) for number, event in enumerate(events)}
    return mapping, {number: event for number, event in usable.items() if event is not None}


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
    elif key in _SUBSTITUTES:
        table[key] = _SUBSTITUTES[key]
    else:
        table.pop(key, None)
