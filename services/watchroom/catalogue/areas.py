"""The areas of a force, which do not overlap, with other spellings and with the groups that reports add up."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic import Field

from watchroom.catalogue.faults import of_file
from watchroom.entered import toml_tables
from watchroom.errors import ConfigurationInvalid, Fault
from watchroom.kinds.measure import ALL
from watchroom.kinds.shown import Strict

_VALUE: Final = re.compile(r"[a-z0-9]+(_[a-z0-9]+)*")
_FORM: Final = "lower-case letters and digits, with words joined by _, for example stoke_north"
_OF_EVERY_LABEL: Final = ("unknown", "other", ALL)
_TABLES: Final = {
    "aliases": "a table that maps each alternative spelling to one of the listed values",
    "groups": "a table that maps the name of each group to a list of values from `values`",
    "titles": "a table that maps a listed value or group to the name that people use for it",
}
FILE: Final = "areas.toml"


class AreasFile(Strict):
    """The keys of the file. What `_faults` finds says more than the types do."""

    values: list[str]
    """The areas, in the order of reports: lower-case letters and digits, with words joined by `_`. `unknown`, `other`
    and `all` are reserved. Example: `values = ["stoke", "stafford", "county_unknown"]`."""
    aliases: dict[str, str] = Field(default_factory=dict)
    """Other spellings of a value in events. Example: `aliases = { stoke_on_trent = "stoke" }`."""
    groups: dict[str, list[str]] = Field(default_factory=dict)
    """Values that reports add up under one name; a value is in one group at most. A group is not an area: no event is
    counted under it. Example: `groups = { county = ["stafford", "county_unknown"] }`."""
    titles: dict[str, str] = Field(default_factory=dict)
    """Names that people use for a value or group; by default, the value with a capital letter and with spaces.
    Example: `titles = { county_unknown = "county, district not known" }`."""


_KEYS: Final = tuple(AreasFile.model_fields)


@dataclass(frozen=True, slots=True)
class Areas:
    """The listed areas, in order. With `unknown` and `other` they make up the whole force."""

    values: tuple[str, ...]
    aliases: Mapping[str, str] = field(default_factory=dict)  # another spelling -> the value
    groups: Mapping[str, tuple[str, ...]] = field(
        default_factory=dict
    )  # for reports; each value is in one group at most
    titles: Mapping[str, str] = field(default_factory=dict)  # of values and groups whose own text does not read well

    def of_figures(self) -> Areas:
        """The areas for figures that were produced elsewhere: each area, and each group as a value of its own.

        Figures are never added up, so a group may occur next to its areas. In events the same text can be another
        spelling of one area: for an incident in the county, the district may be unknown.
        """
        aliases = {alias: value for alias, value in self.aliases.items() if alias not in self.groups}
        return Areas((*self.values, *self.groups), aliases, titles=self.titles)


def read_areas(named: Sequence[str] | Path, base: Path) -> tuple[Areas, list[Fault]]:
    """Read the areas that a setting names, and find everything that is wrong with them.

    Args:
        named: The values themselves, or a TOML file of `values`, `aliases`, `groups` and `titles`.
        base: Folder that a relative path starts from.

    Returns:
        The valid areas, and the faults: file, key, what was found, what to write.
    """
    if not isinstance(named, Path):
        taken = [Fault("WATCHROOM_AREAS", "", repr(ALL), "another name: metrics use this name for all areas combined")]
        return Areas(tuple(named)), taken if ALL in named else []
    path = base / named
    try:
        content: dict[str, Any] = toml_tables(path)
    except ConfigurationInvalid as invalid:
        return Areas(()), [*invalid.faults]
    faults = [of_file(Fault(str(path), key, found, write), FILE) for key, found, write in _faults(content)]
    if faults:
        return Areas(_texts(content.get("values"))), faults
    groups = {name: tuple(values) for name, values in content.get("groups", {}).items()}
    return Areas(tuple(content["values"]), content.get("aliases", {}), groups, content.get("titles", {})), []


def _texts(found: object) -> tuple[str, ...]:
    return tuple(value for value in found if isinstance(value, str)) if isinstance(found, list) else ()


def _faults(content: Mapping[str, object]) -> Iterator[tuple[str, str, str]]:
    """Key, what was found, what to write."""
    for key in content.keys() - set(_KEYS):
        yield key, repr(key), f"one of {', '.join(_KEYS)}"
    listed = content.get("values")
    if not isinstance(listed, list) or not listed:
        yield "values", "nothing" if listed is None else repr(listed), 'a list such as ["stoke", "county_unknown"]'
        listed = []
    yield from _value_faults(listed)
    tables: dict[str, dict[str, object]] = {}
    for key, write in _TABLES.items():
        table = content.get(key, {})
        if not isinstance(table, dict):
            yield key, repr(table), write
        tables[key] = table if isinstance(table, dict) else {}
    yield from _alias_faults(tables["aliases"], listed)
    yield from _group_faults(tables["groups"], listed)
    yield from _title_faults(tables["titles"], [*listed, *tables["groups"]])


def _value_faults(listed: Sequence[object]) -> Iterator[tuple[str, str, str]]:
    for position, value in enumerate(listed):
        key = f"values.{position}"
        if not isinstance(value, str) or not _VALUE.fullmatch(value):
            yield key, repr(value), _FORM
        elif value in _OF_EVERY_LABEL:
            yield key, repr(value), f"another name: {', '.join(_OF_EVERY_LABEL)} are reserved"
        elif value in listed[:position]:
            yield key, repr(value), "each value only once"


def _alias_faults(aliases: Mapping[str, object], listed: Sequence[object]) -> Iterator[tuple[str, str, str]]:
    for alias, value in aliases.items():
        key = f"aliases.{alias}"
        if not _VALUE.fullmatch(alias):
            yield key, repr(alias), _FORM
        elif alias in listed or alias in _OF_EVERY_LABEL:
            yield key, repr(alias), "an alternative spelling that is not itself a value"
        if value not in listed:
            yield key, repr(value), "one of the listed values"


def _group_faults(groups: Mapping[str, object], listed: Sequence[object]) -> Iterator[tuple[str, str, str]]:
    group_of: dict[object, str] = {}
    for name, members in groups.items():
        key = f"groups.{name}"
        if not _VALUE.fullmatch(name):
            yield key, repr(name), _FORM
        elif name in listed or name in _OF_EVERY_LABEL:
            yield key, repr(name), "another name: a group cannot have the name of an area"
        if not isinstance(members, list) or not members:
            yield key, repr(members), "a list of values from `values`"
            continue
        for member in members:
            if member not in listed:
                yield key, repr(member), "one of the listed values"
            elif member in group_of:
                yield key, f"{member!r}, which is already in {group_of[member]}", "each value only once, in one group"
            elif isinstance(member, str):
                group_of[member] = name


def _title_faults(titles: Mapping[str, object], named: Sequence[object]) -> Iterator[tuple[str, str, str]]:
    for value, title in titles.items():
        if value not in named:
            yield f"titles.{value}", repr(value), "one of the listed values or groups"
        if not isinstance(title, str) or not title.strip():
            yield f"titles.{value}", repr(title), "the name that people use for it"
