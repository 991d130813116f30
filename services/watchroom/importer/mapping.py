"""Reads a mapping file and refuses one that cannot be used: every fault at once, each with what to write instead."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from watchroom import toml_text
from watchroom.error_text import what_to_write
from watchroom.errors import ConfigurationInvalid, Fault
from watchroom.importer.event_fields import STREAM_OF
from watchroom.importer.mapping_checks import Problem, problems, types_of
from watchroom.importer.mapping_model import MappingConfig
from watchroom.importer.mapping_parts import usable_parts
from watchroom.importer.toml_path import page_of, shown

_WRITE = {
    "model_type": 'a table, for example { column = "name" }',
    r"^[a-z0-9][a-z0-9._-]*$": 'lower-case letters, digits, ".", "_" and "-", for example "call-log"',
    r"^[a-z0-9]+(_[a-z0-9]+)*$": 'lower-case letters and digits, words joined by "_", for example "north_side"',
}


def load_mapping(path: Path) -> MappingConfig:
    """The mapping in a TOML file, checked.

    Raises:
        ConfigurationInvalid: The file cannot be read or used; every fault is listed.
    """
    where = str(path)
    try:
        given = toml_text.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise _unreadable(where, error.strerror or str(error), "the path of a mapping file (*.toml)") from error
    except UnicodeDecodeError as error:
        raise _unreadable(where, f"bytes that are not valid UTF-8 ({error})", "the file saved as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise _unreadable(where, f"invalid TOML: {error}", "valid TOML; see schemas/mappings/README.md") from error
    return check_mapping(given, where)


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
        found += problems(*usable_parts(given))
    else:
        found += problems(mapping, mapping.event)
        if not found:
            return mapping
    raise ConfigurationInvalid([Fault(where, shown(path), text, write, page_of(path)) for path, text, write in found])


def streams_of(mapping: MappingConfig) -> tuple[str, ...]:
    """The streams that this mapping can feed, in the order of its events."""
    return tuple(dict.fromkeys(STREAM_OF[name] for event in mapping.event for name in types_of(event, mapping)))


def _unreadable(where: str, found: str, write: str) -> ConfigurationInvalid:
    return ConfigurationInvalid([Fault(where, "", found, write)])


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
