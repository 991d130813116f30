"""Checks that concern several keys of a mapping at once. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from watchroom.importer.event_fields import DATA_FIELDS, REQUIRED_FIELDS, STREAM_OF
from watchroom.importer.mapping_model import LINE, EventConfig, MappingConfig
from watchroom.importer.mapping_values import FieldSource
from watchroom.importer.time_forms import clashes, clock_fault, form_fault, is_clock
from watchroom.importer.toml_path import Path

Events = Mapping[int, EventConfig]
"""By their number in the file, without those that cannot be used: these have faults of their own."""


class Problem(NamedTuple):
    """What is wrong with a key, and what to write instead."""

    path: Path
    found: str
    write: str


def problems(mapping: MappingConfig, events: Events) -> Iterator[Problem]:
    """Everything that does not fit together."""
    entity = mapping.entity
    together = entity.rows == "together"
    if together and entity.count:
        yield Problem(("entity", "count"), f'{entity.count!r} with rows = "together"', 'rows = "apart"')
    if entity.otherwise_key and LINE in entity.key:
        found = f"{', '.join(map(repr, entity.otherwise_key))} with the key {LINE!r}, which is never empty"
        yield Problem(("entity", "otherwise_key"), found, "a column in entity.key, or remove otherwise_key")
    yield from _day_from_problems(mapping, events)
    yield from _format_problems(mapping, mapping.time.formats, ("time", "formats"))
    yield from _token_problems(mapping, events)
    yield from _empty_problems(mapping, events)
    for number, event in events.items():
        path: Path = ("event", number)
        if event.per == "entity" and not together:
            yield Problem(
                (*path, "per"), "'entity', although entity.rows is \"apart\"", '"row", or entity.rows = "together"'
            )
        if event.per == "entity" and event.key:
            yield Problem(
                (*path, "key"),
                ", ".join(map(repr, event.key)),
                'per = "row", or remove the key: an entity has only one such event',
            )
        for of_value, source in event.field_sources().items():
            yield from _source_problems(source, mapping, (*path, *of_value), has_one_row=event.per == "row")
        for name, time in (("time", event.time), ("arrival", event.arrival)):
            if time is not None:
                yield from _format_problems(mapping, time.formats, (*path, name, "formats"))
        yield from _type_problems(event, mapping, path)


def types_of(event: EventConfig, mapping: MappingConfig) -> tuple[str, ...]:
    """Every type that this event can have."""
    if event.type.constant:
        return (event.type.constant,)
    named = mapping.map[event.type.map]
    return tuple(dict.fromkeys((*named.values.values(), *((named.otherwise,) if named.otherwise else ()))))


def _empty_problems(mapping: MappingConfig, events: Events) -> Iterator[Problem]:
    """Texts that file.empty turns into empty cells, and that other keys wait for in vain."""
    read: dict[Path, set[str]] = {
        ("skip", number): {*skip.is_, *skip.is_not} for number, skip in enumerate(mapping.skip)
    }
    for number, event in events.items():
        for condition in event.when:
            read.setdefault(("event", number, "when"), set()).update(condition.is_, condition.is_not)
    read |= {("map", name, "values"): {*named.values} for name, named in mapping.map.items()}
    for path, texts in read.items():
        for text in sorted(texts & {*mapping.file.empty}):
            yield Problem(
                path, f"{text!r}, which file.empty turns into an empty cell", "`empty = true`, or remove it here"
            )


def _token_problems(mapping: MappingConfig, events: Events) -> Iterator[Problem]:
    """Columns that become tokens in one place, and that another key passes on or shows in messages as they are."""
    secret = frozenset[str]().union(*(event.token_columns() for event in events.values()))
    entity, day_from = mapping.entity, mapping.time.day_from
    read: dict[Path, set[str]] = {
        ("entity", "key"): {*entity.key},
        ("entity", "otherwise_key"): {*entity.otherwise_key},
        ("entity", "count"): {entity.count},
        ("time", "day_from"): {*(day_from.columns() if day_from else ())},
    }
    for number, event in events.items():
        read["event", number, "key"] = {*event.key}
        for path, source in event.field_sources().items():
            read["event", number, *path] = {source.order_by} if source.token else {*source.columns()}
    for path, columns in read.items():
        for column in sorted(columns & secret):
            yield Problem(
                path,
                f"{column!r} without `token`, although another key makes a token of it",
                "another column, or add `token`",
            )


def _source_problems(
    source: FieldSource, mapping: MappingConfig, path: Path, *, has_one_row: bool
) -> Iterator[Problem]:
    if source.map and source.map not in mapping.map:
        known = ", ".join(mapping.map) or "none"
        yield Problem((*path, "map"), repr(source.map), f"a map in this file ({known}), or add [map.{source.map}]")
    if source.token and "data" not in path:
        yield Problem(
            (*path, "token"), repr(source.token), "the value without `token`: only values in `data` can be tokens"
        )
    if source.token and source.map:
        write = "the token without a map: use `when` to write one event with the field and one without it"
        yield Problem((*path, "map"), f"{source.map!r} on a token", write)
    if source.pick and has_one_row:
        write = 'the value without `pick`, which chooses among the rows of an event with `per = "entity"`'
        yield Problem((*path, "pick"), repr(source.pick), write)


def _type_problems(event: EventConfig, mapping: MappingConfig, path: Path) -> Iterator[Problem]:
    if not event.type.constant and event.type.map not in mapping.map:
        if not event.type.map:
            write = "a `map` whose values are event types"
            yield Problem((*path, "type"), "a column without a map", write)
        return
    types = types_of(event, mapping)
    known = [name for name in types if name in STREAM_OF]
    for name in types:
        if name not in STREAM_OF:
            yield Problem((*path, "type"), repr(name), f"one of {', '.join(STREAM_OF)}")
    for field in event.data:
        if known and not any(field in DATA_FIELDS[name] for name in known):
            fields = ", ".join(sorted(set().union(*(DATA_FIELDS[name] for name in known))))
            allowed = f"one of {fields}" if fields else "no data"
            yield Problem((*path, "data", field), f"a field that {' or '.join(known)} does not have", allowed)
    for name in known:
        for field in REQUIRED_FIELDS[name] - set(event.data):
            yield Problem((*path, "data"), f"no {field!r}, which {name} requires", f'`{field} = "a column"`')


def _day_from_problems(mapping: MappingConfig, events: Events) -> Iterator[Problem]:
    """The time of a row that gives clock times their day must have a day itself."""
    source, path = mapping.time.day_from, ("time", "day_from")
    if source is None:
        return
    yield from _source_problems(source, mapping, path, has_one_row=True)
    for form in source.formats:
        if is_clock(form):
            yield Problem(
                (*path, "formats"), repr(form), "a format that includes the day: `join` the date and the time"
            )
    times = [time for event in events.values() for time in (event.time, event.arrival) if time]
    if not any(is_clock(form) for form in (*mapping.time.formats, *(form for time in times for form in time.formats))):
        write = "a clock time in time.formats, for example '%H:%M:%S', or remove day_from"
        yield Problem(path, "only formats that include the day", write)
    full = tuple(form for form in source.formats if not is_clock(form))
    yield from _format_problems(mapping, full, (*path, "formats"))


def _format_problems(mapping: MappingConfig, formats: tuple[str, ...], path: Path) -> Iterator[Problem]:
    has_days = mapping.time.day_from is not None
    fault_of = {text: clock_fault if has_days and is_clock(text) else form_fault for text in formats}
    wrong = {text: write for text in formats if (write := fault_of[text](text))}
    for text, write in wrong.items():
        yield Problem(path, repr(text), write)
    if not wrong and (found := clashes(formats)):
        first, second, sample = found
        what = f"{first!r} and {second!r}, which read {sample!r} as different times"
        yield Problem(path, what, "only the format that the file uses")
