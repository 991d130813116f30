"""Reads a mapping file and refuses what cannot be used: every fault at once, each with what to write instead."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from watchroom import toml_text
from watchroom.error_text import what_to_write
from watchroom.errors import ConfigurationInvalid, Fault
from watchroom.replay.event_words import DATA_FIELDS, REQUIRED_FIELDS, STREAM_OF
from watchroom.replay.mapping_model import LINE, Cell, EventWords, MappingWords
from watchroom.replay.mapping_parts import usable_parts
from watchroom.replay.places import place_of
from watchroom.replay.time_forms import clashes, clock_fault, form_fault, is_clock

_WORDS = {
    "model_type": 'a table, for example { column = "name" }',
    r"^[a-z0-9][a-z0-9._-]*$": 'lower-case letters, digits, ".", "_" and "-", for example "call-log"',
    r"^[a-z0-9]+(_[a-z0-9]+)*$": 'lower-case letters and digits, words joined by "_", for example "north_side"',
}


def load_mapping(path: Path) -> MappingWords:
    """The mapping in a TOML file, checked.

    Raises:
        ConfigurationInvalid: The file cannot be read or used; every fault is listed.
    """
    where = str(path)
    try:
        given = toml_text.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ConfigurationInvalid(
            [Fault(where, "", error.strerror or str(error), "the path of a mapping file (*.toml)")]
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigurationInvalid([Fault(where, "", f"not UTF-8 ({error})", "the file saved as UTF-8")]) from error
    except tomllib.TOMLDecodeError as error:
        fault = Fault(where, "", f"no TOML: {error}", "TOML; see schemas/mappings/README.md")
        raise ConfigurationInvalid([fault]) from error
    return check_mapping(given, where)


def check_mapping(given: dict[str, Any], where: str) -> MappingWords:
    """The mapping that a parsed TOML document means; `where` names the file in faults.

    Raises:
        ConfigurationInvalid: It cannot be used; every fault is listed.
    """
    try:
        words = MappingWords.model_validate(given)
    except ValidationError as error:
        items = [dict(item) for item in error.errors()]
        wrong = [_fault(where, item) for item in items if not _follows(item, items)]
        raise ConfigurationInvalid([*wrong, *_faults(*usable_parts(given), where)]) from error
    faults = list(_faults(words, words.event, where))
    if faults:
        raise ConfigurationInvalid(faults)
    return words


def types_of(event: EventWords, words: MappingWords) -> tuple[str, ...]:
    """Every type this event can have."""
    if event.type.constant:
        return (event.type.constant,)
    named = words.map[event.type.map]
    return tuple(dict.fromkeys((*named.values.values(), *((named.otherwise,) if named.otherwise else ()))))


def streams_of(words: MappingWords) -> tuple[str, ...]:
    """The streams this mapping can feed, in the order of its events."""
    return tuple(dict.fromkeys(STREAM_OF[name] for event in words.event for name in types_of(event, words)))


def _fault(where: str, item: dict[str, Any]) -> Fault:
    path = place_of(*item["loc"])
    found = "nothing" if item["type"] == "missing" else repr(item.get("input"))
    write = what_to_write(item, _WORDS, otherwise="what docs/reference/mapping.md says of this key")
    if item["type"] == "too_short" and item["loc"] == ("event",):
        write = "at least one [[event]]"
    if item["type"] == "missing":
        write = f"`{item['loc'][-1]} = ...`"
    elif item["type"] == "extra_forbidden":
        found, write = f"the unknown key `{item['loc'][-1]}`", "one of the keys in docs/reference/mapping.md"
    return Fault(where, path, found if len(found) <= 120 else found[:117] + "...", write)


def _follows(item: dict[str, Any], items: list[dict[str, Any]]) -> bool:
    """Whether a list is only called too short because one of its parts could not be used."""
    inside = len(item["loc"])
    return item["type"] == "too_short" and any(
        len(other["loc"]) > inside and other["loc"][:inside] == item["loc"] for other in items
    )


def _faults(words: MappingWords, events: Sequence[EventWords | None], where: str) -> Iterator[Fault]:
    """What the parts say about each other."""
    together = words.entity.rows == "together"
    if together and words.entity.count:
        yield Fault(where, "entity.count", f"{words.entity.count!r} with rows that belong together", 'rows = "apart"')
    if words.entity.otherwise_key and LINE in words.entity.key:
        found = f"{', '.join(map(repr, words.entity.otherwise_key))} beside the key {LINE!r}, which is never empty"
        yield Fault(where, "entity.otherwise_key", found, "a column in entity.key, or no otherwise_key")
    yield from _day_from_faults(words, events, where)
    yield from _format_faults(words, words.time.formats, where, "time.formats")
    yield from _token_faults(words, events, where)
    yield from _empty_faults(words, events, where)
    for number, event in enumerate(events):
        if event is None:  # what it is has a fault already
            continue
        place = place_of("event", number)
        if event.per == "entity" and not together:
            yield Fault(where, f"{place}.per", "'entity', but rows stand apart", '"row", or entity.rows = "together"')
        if event.per == "entity" and event.key:
            yield Fault(where, f"{place}.key", repr(event.key), 'no key: an entity has one such event; or per = "row"')
        for name, cell in event.cells().items():
            yield from _cell_faults(cell, words, event, where, f"{place}.{name}")
        for name, time in (("time", event.time), ("arrival", event.arrival)):
            if time is not None:
                yield from _format_faults(words, time.formats, where, f"{place}.{name}.formats")
        yield from _type_faults(event, words, where, place)


def _empty_faults(words: MappingWords, events: Sequence[EventWords | None], where: str) -> Iterator[Fault]:
    """Texts that file.empty makes empty, and that are waited for elsewhere: they would never come."""
    read = {place_of("skip", number): {*skip.is_, *skip.is_not} for number, skip in enumerate(words.skip)}
    for number, event in enumerate(events):
        for condition in event.when if event is not None else ():
            read.setdefault(place_of("event", number, "when"), set()).update(condition.is_, condition.is_not)
    read |= {f"map.{name}.values": {*named.values} for name, named in words.map.items()}
    for place, texts in read.items():
        for text in sorted(texts & {*words.file.empty}):
            yield Fault(where, place, f"{text!r}, which file.empty makes an empty cell", "`empty = true`, or not there")


def _token_faults(words: MappingWords, events: Sequence[EventWords | None], where: str) -> Iterator[Fault]:
    """Columns that become tokens in one place, and are passed on, or shown in messages, as they are in another."""
    secret = frozenset[str]().union(*(event.token_columns() for event in events if event is not None))
    entity = words.entity
    read = {
        "entity.key": {*entity.key},
        "entity.otherwise_key": {*entity.otherwise_key},
        "entity.count": {entity.count},
        "time.day_from": {*(words.time.day_from.columns() if words.time.day_from else ())},
    }
    for number, event in enumerate(events):
        if event is not None:
            read[place_of("event", number, "key")] = {*event.key}
            for name, cell in event.cells().items():
                plain = {cell.order_by} if cell.token else {*cell.columns()}
                read[place_of("event", number, name)] = plain
    for place, columns in read.items():
        for column in sorted(columns & secret):
            yield Fault(where, place, f"{column!r}, which is a token elsewhere, as it is", "another column, or `token`")


def _cell_faults(cell: Cell, words: MappingWords, event: EventWords, where: str, place: str) -> Iterator[Fault]:
    if cell.map and cell.map not in words.map:
        known = ", ".join(words.map) or "none"
        yield Fault(where, f"{place}.map", repr(cell.map), f"a map of this file ({known}), or add [map.{cell.map}]")
    if cell.token and ".data." not in place:
        yield Fault(where, f"{place}.token", repr(cell.token), "no token: only a value of `data` can be one")
    if cell.token and cell.map:
        write = "no map: with `when` make one event with the field and one without it"
        yield Fault(where, f"{place}.map", f"{cell.map!r} on a token", write)
    if cell.pick and event.per == "row":
        yield Fault(where, f"{place}.pick", repr(cell.pick), 'no pick, or `per = "entity"`: a row has one value')


def _type_faults(event: EventWords, words: MappingWords, where: str, place: str) -> Iterator[Fault]:
    if not event.type.constant and event.type.map not in words.map:
        if not event.type.map:
            yield Fault(where, f"{place}.type", "a column without a map", "map = a map whose values are event types")
        return
    types = types_of(event, words)
    known = [name for name in types if name in STREAM_OF]
    for name in types:
        if name not in STREAM_OF:
            yield Fault(where, f"{place}.type", repr(name), f"one of {', '.join(STREAM_OF)}")
    for field in event.data:
        if known and not any(field in DATA_FIELDS[name] for name in known):
            allowed = ", ".join(sorted(set().union(*(DATA_FIELDS[name] for name in known)))) or "no data"
            yield Fault(where, f"{place}.data.{field}", f"a field that {' or '.join(known)} does not have", allowed)
    for name in known:
        for field in REQUIRED_FIELDS[name] - set(event.data):
            yield Fault(where, f"{place}.data", f"no {field!r}, which {name} needs", f'`{field} = "a column"`')


def _day_from_faults(words: MappingWords, events: Sequence[EventWords | None], where: str) -> Iterator[Fault]:
    """What says the days of clock times: a time of a row, with its day."""
    cell = words.time.day_from
    if cell is None:
        return
    for name, found in (("pick", cell.pick), ("token", cell.token)):
        if found:
            yield Fault(where, f"time.day_from.{name}", repr(found), f"no {name}: a row has one such time, as it is")
    if cell.map and cell.map not in words.map:
        yield Fault(where, "time.day_from.map", repr(cell.map), f"a map of this file, or add [map.{cell.map}]")
    for form in cell.formats:
        if is_clock(form):
            yield Fault(where, "time.day_from.formats", repr(form), "a form with a day: `join` the date and the time")
    times = [time for event in events if event is not None for time in (event.time, event.arrival) if time]
    if not any(is_clock(form) for form in (*words.time.formats, *(form for time in times for form in time.formats))):
        write = "a clock time in time.formats, for example '%H:%M:%S', or no day_from"
        yield Fault(where, "time.day_from", "no format without a day", write)
    full = tuple(form for form in cell.formats if not is_clock(form))
    yield from _format_faults(words, full, where, "time.day_from.formats")


def _format_faults(words: MappingWords, formats: tuple[str, ...], where: str, place: str) -> Iterator[Fault]:
    has_days = words.time.day_from is not None
    fault_of = {text: clock_fault if has_days and is_clock(text) else form_fault for text in formats}
    wrong = {text: write for text in formats if (write := fault_of[text](text))}
    for text, write in wrong.items():
        yield Fault(where, place, repr(text), write)
    if not wrong and (found := clashes(formats)):
        first, second, sample = found
        what = f"{first!r} and {second!r}, which both read {sample!r}, as different times"
        yield Fault(where, place, what, "the one of the two that the file means")
