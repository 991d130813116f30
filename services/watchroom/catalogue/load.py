"""Reads `schemas/measures/*.toml` and checks every word; all faults are listed at once."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from watchroom.catalogue.entry import LabelEntry, MeasureEntry, condition
from watchroom.catalogue.model import Catalogue, Condition, Label, Measure
from watchroom.catalogue.vocabulary import STREAMS, WINDOWS, Vocabulary
from watchroom.errors import ConfigurationInvalid, Fault

LABELS_FILE = "labels.toml"
Entry = TypeVar("Entry", bound=BaseModel)
NEEDED = {"count": (), "share": ("part",), "duration": ("start",), "open": ("state", "give_up_s")}
NOT_ALLOWED = {
    "count": ("start", "part", "state", "targets", "edges_s", "give_up_s"),
    "share": ("start", "state", "targets", "edges_s", "give_up_s"),
    "duration": ("part", "state", "give_up_s"),
    "open": ("start", "part", "edges_s", "windows"),
}


def load_catalogue(folder: Path, areas: Sequence[str]) -> Catalogue:
    """All measures of a folder.

    Args:
        folder: Holds labels.toml and the files of measures.
        areas: Listed values of labels that say `values_from = "areas"`.

    Raises:
        ConfigurationInvalid: With every fault found: file, entry and key, what was found, what to write.
    """
    faults: list[Fault] = []
    files = sorted(path for path in folder.glob("*.toml") if path.name != LABELS_FILE)
    if not files:
        raise ConfigurationInvalid([Fault(str(folder), "", "no *.toml file", "at least one file of measures")])
    labels = _labels(folder / LABELS_FILE, areas, faults)
    measures: dict[str, Measure] = {}
    seen: set[str] = set()  # faulty ones too
    for path in files:
        for name, table in _tables(path, faults):
            if name in seen:
                faults.append(Fault(str(path), name, "a second entry of this name", "another id"))
            elif measure := _measure(str(path), name, table, labels, faults):
                measures[name] = measure
            seen.add(name)
    if faults:
        raise ConfigurationInvalid(faults)
    return Catalogue(measures)


def _tables(path: Path, faults: list[Fault]) -> Iterator[tuple[str, object]]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        faults.append(Fault(str(path), "", f"not readable as TOML ({error})", "a TOML file of tables"))
        return
    yield from content.items()


def _checked(model: type[Entry], where: str, name: str, table: object, faults: list[Fault]) -> Entry | None:
    try:
        return model.model_validate(table)
    except ValidationError as error:
        for item in error.errors():
            key = ".".join([name, *(str(part) for part in item["loc"])])
            if item["type"] == "extra_forbidden":
                write = f"one of {', '.join(sorted(model.model_fields))}"
                faults.append(Fault(where, key, "an unknown key", write))
            else:
                found = "nothing" if item["type"] == "missing" else repr(item["input"])
                faults.append(Fault(where, key, found, item["msg"].removeprefix("Value error, ")))
        return None


def _labels(path: Path, areas: Sequence[str], faults: list[Fault]) -> dict[str, tuple[tuple[str, ...], str]]:
    labels: dict[str, tuple[tuple[str, ...], str]] = {}
    for name, table in _tables(path, faults):
        if entry := _checked(LabelEntry, str(path), name, table, faults):
            labels[name] = (tuple(areas) if entry.values_from else tuple(entry.values), entry.absent)
    return labels


def _measure(
    where: str, name: str, table: object, labels: Mapping[str, tuple[tuple[str, ...], str]], faults: list[Fault]
) -> Measure | None:
    entry = _checked(MeasureEntry, where, name, table, faults)
    if entry is None:
        return None
    found = [*_word_faults(entry), *_kind_faults(entry), *_label_faults(entry, labels)]
    conditions: dict[str, Condition | None] = {}
    for key in ("where", "part"):
        try:
            conditions[key] = condition(getattr(entry, key)) if getattr(entry, key) else None
        except ValueError as error:
            found.append((key, repr(getattr(entry, key)), str(error)))
            continue
        found.extend(_condition_faults(key, conditions[key], STREAMS[entry.stream]))
    faults.extend(Fault(where, f"{name}.{key}", what, write) for key, what, write in found)
    if found:
        return None
    return Measure(
        id=name,
        kind=entry.kind,
        stream=entry.stream,
        at=entry.at,
        labels=tuple(Label(label, word, *labels[label]) for label, word in entry.by.items()),
        windows=tuple(entry.windows),
        brief=entry.brief,
        definition=entry.definition,
        source=entry.source,
        start=entry.start,
        where=conditions["where"],
        part=conditions["part"],
        state=entry.state,
        targets=tuple(target.target() for target in entry.targets),
        edges_ms=tuple(round(edge * 1000) for edge in entry.edges_s),
        give_up_ms=entry.give_up_s * 1000,
        unit="s" if entry.kind == "duration" else "1",
    )


Found = Iterator[tuple[str, str, str]]  # key, what was found, what to write


def _word_faults(entry: MeasureEntry) -> Found:
    words = STREAMS[entry.stream]
    moments = f"a moment of {entry.stream}: {', '.join(words.moments)}"
    if entry.at not in words.moments:
        yield "at", repr(entry.at), moments
    if entry.start and entry.start not in words.moments:
        yield "start", repr(entry.start), moments
    if entry.state and entry.state not in words.states:
        yield "state", repr(entry.state), f"a state of {entry.stream}: {', '.join(words.states) or 'it has none'}"
    for window in entry.windows:
        if window not in WINDOWS:
            yield "windows", repr(window), f"windows out of {', '.join(WINDOWS)}"


def _kind_faults(entry: MeasureEntry) -> Found:
    for key in NEEDED[entry.kind]:
        if not getattr(entry, key):
            yield key, "nothing", f"{key}: a {entry.kind} needs it"
    for key in NOT_ALLOWED[entry.kind]:
        if key in entry.model_fields_set:
            yield key, repr(getattr(entry, key)), f"no {key}: a {entry.kind} has none"
    if entry.kind != "open" and not entry.windows:
        yield "windows", "none", "at least one window"


def _label_faults(entry: MeasureEntry, labels: Mapping[str, tuple[tuple[str, ...], str]]) -> Found:
    values = STREAMS[entry.stream].values
    for name, word in entry.by.items():
        if name not in labels:
            yield f"by.{name}", repr(name), f"a label of {LABELS_FILE}: {', '.join(labels)}"
        if word not in values:
            yield f"by.{name}", repr(word), f"a value of {entry.stream}: {', '.join(values)}"
    for target in entry.targets:
        for name, value in target.where.items():
            if name not in entry.by:
                yield "targets", f"where {name}", f"one of the labels in `by`: {', '.join(entry.by)}"
            elif name in labels and value not in labels[name][0]:
                yield "targets", f"{name} = {value!r}", f"a listed value: {', '.join(labels[name][0])}"


def _condition_faults(key: str, said: Condition | None, words: Vocabulary) -> Found:
    if said is None:
        return
    for word in said.accepted:
        if word not in words.values:
            yield f"{key}.{word}", repr(word), f"a value of the stream: {', '.join(words.values)}"
    for word in filter(None, (said.start, said.end)):
        if word not in words.moments:
            yield key, repr(word), f"a moment of the stream: {', '.join(words.moments)}"
