"""Reads `schemas/measures/*.toml` and checks every word; all faults are listed at once."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from watchroom.catalogue import checks, display_checks
from watchroom.catalogue.entry import LabelEntry, MeasureEntry, condition
from watchroom.catalogue.model import Catalogue, Condition, Label, Measure
from watchroom.catalogue.vocabulary import STREAMS
from watchroom.errors import ConfigurationInvalid, Fault

LABELS_FILE = "labels.toml"
Entry = TypeVar("Entry", bound=BaseModel)


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
    owner: dict[str, str] = {}  # measure -> its file
    seen: set[str] = set()  # faulty ones too
    for path in files:
        for name, table in _tables(path, faults):
            faults.extend(Fault(str(path), name, found, write) for _, found, write in checks.id_faults(name, seen))
            if name in seen:
                faults.append(Fault(str(path), name, "a second entry of this name", "another id"))
            elif measure := _measure(str(path), name, table, labels, faults):
                measures[name] = measure
            seen.add(name)
            if name in measures:
                owner[name] = str(path)
    for measure in measures.values():
        faults.extend(
            Fault(owner[measure.id], f"{measure.id}.{key}", found, write)
            for key, found, write in display_checks.faults(measure, measures)
        )
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


def _labels(path: Path, areas: Sequence[str], faults: list[Fault]) -> checks.Labels:
    labels: dict[str, tuple[tuple[str, ...], str, Mapping[str, str]]] = {}
    for name, table in _tables(path, faults):
        faults.extend(Fault(str(path), name, found, write) for _, found, write in checks.label_name_faults(name))
        if entry := _checked(LabelEntry, str(path), name, table, faults):
            labels[name] = (tuple(areas) if entry.values_from else tuple(entry.values), entry.absent, entry.aliases)
    return labels


def _measure(where: str, name: str, table: object, labels: checks.Labels, faults: list[Fault]) -> Measure | None:
    entry = _checked(MeasureEntry, where, name, table, faults)
    if entry is None:
        return None
    found = [*checks.word_faults(entry), *checks.kind_faults(entry), *checks.label_faults(entry, labels)]
    conditions: dict[str, Condition | None] = {}
    for key in ("where", "part"):
        try:
            conditions[key] = condition(getattr(entry, key)) if getattr(entry, key) else None
        except ValueError as error:
            found.append((key, repr(getattr(entry, key)), str(error)))
            continue
        found.extend(checks.condition_faults(key, conditions[key], STREAMS[entry.stream]))
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
        display=entry.display(),
    )
