"""Reads and checks `schemas/measures/*.toml`; all faults are listed at once."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from watchroom.catalogue import checks, display_checks, sums
from watchroom.catalogue import own as own_keys
from watchroom.catalogue.areas import Areas, read_areas
from watchroom.catalogue.entry import LabelEntry, MeasureEntry, condition, keys_of
from watchroom.catalogue.faults import shape_faults, with_page
from watchroom.catalogue.model import Catalogue
from watchroom.catalogue.platform_alerts import FILE as PLATFORM_FILE
from watchroom.catalogue.platform_alerts import read_platform_alerts
from watchroom.entered import toml_tables
from watchroom.errors import ConfigurationInvalid, Fault
from watchroom.kinds import KINDS
from watchroom.kinds.kind import Reads, Unit
from watchroom.kinds.measure import Label, Measure
from watchroom.streams import STREAMS

LABELS_FILE = "labels.toml"
# Substitutes for invalid keys that every entry has; checks that would need such a key do not run.
SUBSTITUTES = {
    "kind": next(iter(KINDS)),
    "stream": next(iter(STREAMS)),
    "brief": "???",
    "definition": "???",
    "source": "???",
}
NEEDED_FOR_DISPLAY = frozenset(
    {"kind", "stream", "by", "targets", "windows", "sum_of"}
)  # without these a display cannot be checked


class _Labels(NamedTuple):
    """The labels of labels.toml by name, for measures of events and for figures; an entry says what they take."""

    of_events: checks.Labels
    of_figures: checks.Labels

    def of(self, kind: str) -> checks.Labels:
        """The labels for measures of a kind."""
        return self.of_figures if KINDS[kind].reads is Reads.FIGURES else self.of_events


def load_catalogue(folder: Path, areas: Sequence[str] | Path) -> Catalogue:
    """Load all measures of a folder.

    Args:
        folder: Holds labels.toml, platform_alerts.toml and the files of measures.
        areas: The values of labels with `values_from = "areas"`, or a file of areas; a relative path starts at the
            folder above `folder`.

    Raises:
        ConfigurationInvalid: With every fault found: file, entry and key, what was found, what to write.
    """
    faults: list[Fault] = []
    files = sorted(path for path in folder.glob("*.toml") if path.name not in (LABELS_FILE, PLATFORM_FILE))
    if not files:
        raise ConfigurationInvalid(
            [Fault(str(folder), "", "no *.toml file", "at least one file that defines measures")]
        )
    known_areas, found = read_areas(areas, folder.parent)
    faults.extend(found)
    labels = _labels(folder / LABELS_FILE, known_areas, faults)
    platform = folder / PLATFORM_FILE
    platform_alerts = dict(read_platform_alerts(str(platform), _tables(platform, faults), faults))
    measures: dict[str, Measure] = {}
    entries: dict[str, MeasureEntry] = {}
    owner: dict[str, str] = {}  # measure -> its file
    seen: set[str] = set()  # including faulty ones
    for path in files:
        for name, table in _tables(path, faults):
            faults.extend(Fault(str(path), name, found, write) for _, found, write in checks.id_faults(name, seen))
            if name in seen:
                faults.append(Fault(str(path), name, "a second entry with this name", "another id"))
            elif made := _measure(str(path), name, table, labels, faults):
                measures[name], entries[name] = made
            seen.add(name)
            if name in measures:
                owner[name] = str(path)
    faulty = seen - measures.keys()
    _add_sums(measures, entries, owner, faulty, faults)
    faults.extend(
        Fault(owner[name], f"{name}.{key}", what, write)
        for name, key, what, write in display_checks.faults(measures, platform_alerts)
        if key != "overdue_from" or what.strip("'") not in faulty  # already reported
    )
    if faults:
        label_files = {str(path): False for path in files} | {str(folder / LABELS_FILE): True}
        raise ConfigurationInvalid(
            [
                with_page(fault, of_labels=label_files[fault.where]) if fault.where in label_files else fault
                for fault in faults
            ]
        )
    return Catalogue(measures, known_areas, platform_alerts)


def _add_sums(
    measures: dict[str, Measure],
    entries: Mapping[str, MeasureEntry],
    owner: Mapping[str, str],
    faulty: Collection[str],
    faults: list[Fault],
) -> None:
    """Give each sum what it adds up; faulty sums stay unchanged."""
    plain = {name: measure for name, measure in measures.items() if not entries[name].sum_of}
    for name, entry in entries.items():
        if not entry.sum_of:
            continue
        found = list(sums.faults(entry, plain, faulty))
        faults.extend(Fault(owner[name], f"{name}.{key}", what, write) for key, what, write in found)
        if not found and all(each.measure in plain for each in entry.sum_of):
            measures[name] = sums.resolved(measures[name], entry, plain)


def _tables(path: Path, faults: list[Fault]) -> Iterator[tuple[str, object]]:
    try:
        yield from toml_tables(path).items()
    except ConfigurationInvalid as invalid:
        faults.extend(invalid.faults)


def _labels(path: Path, areas: Areas, faults: list[Fault]) -> _Labels:
    of_events: dict[str, Label] = {}
    of_figures: dict[str, Label] = {}
    for name, table in _tables(path, faults):
        faults.extend(Fault(str(path), name, found, write) for _, found, write in checks.label_name_faults(name))
        try:
            entry = LabelEntry.model_validate(table)
        except ValidationError as error:
            faults.extend(shape_faults(tuple(LabelEntry.model_fields), str(path), name, error))
            continue
        for labels, its_areas in ((of_events, areas), (of_figures, areas.of_figures())):
            said = its_areas if entry.values_from else entry
            labels[name] = Label(
                name, "", tuple(said.values), entry.absent, said.aliases, title=entry.title, titles=said.titles
            )
    return _Labels(of_events, of_figures)


def _usable(table: Mapping[str, object], unusable: Collection[str]) -> MeasureEntry:
    """The entry without its invalid keys, so that the others can be checked."""
    kept = {key: value for key, value in table.items() if key not in unusable}
    if "sum_of" in unusable:  # it is still a sum, which needs no moment
        kept["sum_of"] = [{"measure": "???"}]
    return MeasureEntry.model_validate(SUBSTITUTES | kept)


def _own(where: str, name: str, kind: str, own: Mapping[str, object], faults: list[Fault]) -> Mapping[str, object]:
    """The values of the own keys of an entry's kind; empty if one of them is invalid."""
    try:
        return own_keys.said_under(own, kind)
    except ValidationError as error:
        faults.extend(shape_faults(keys_of(kind), where, name, error, needs=f"kind {kind}"))
        return {}


def _measure(
    where: str, name: str, table: object, known_labels: _Labels, faults: list[Fault]
) -> tuple[Measure, MeasureEntry] | None:
    """The measure of an entry, and the entry; None if its faults leave no display to check."""
    unusable: frozenset[str] = frozenset()
    if not isinstance(table, dict):
        faults.append(Fault(where, name, repr(table), "a table"))
        return None
    shared, own = own_keys.apart(table)
    try:
        entry = MeasureEntry.model_validate(shared)
    except ValidationError as error:
        faults.extend(shape_faults(keys_of(str(table.get("kind"))), where, name, error))
        unusable = frozenset(str(item["loc"][0]) for item in error.errors())
        entry = _usable(shared, unusable)
    labels = known_labels.of(entry.kind)
    found = list(checks.entry_faults(entry, labels, unusable))
    faults.extend(Fault(where, f"{name}.{key}", what, write) for key, what, write in found)
    said = {} if "kind" in unusable else _own(where, name, entry.kind, own, faults)
    broken = unusable | {key.partition(".")[0] for key, _, _ in found}
    if broken & NEEDED_FOR_DISPLAY:
        return None
    made = Measure(
        id=name,
        kind=entry.kind,
        stream=entry.stream,
        at=entry.at,
        labels=tuple(replace(labels[name], value_of=term) for name, term in entry.by.items()),
        windows=tuple(entry.windows),
        area_windows=entry.shown_by_area(),
        brief=entry.brief,
        definition=entry.definition,
        source=entry.source,
        start=entry.start,
        where=condition(entry.where) if entry.where and "where" not in broken else None,
        part=condition(entry.part) if entry.part and "part" not in broken else None,
        state=entry.state,
        tokens=entry.tokens,
        targets=tuple(target.target() for target in entry.targets),
        edges_ms=tuple(round(edge * 1000) for edge in entry.edges_s),
        give_up_ms=entry.give_up_s * 1000,
        unit="s" if KINDS[entry.kind].unit is Unit.SECONDS else str(said.get("unit", "1")),
        rows=tuple(entry.rows),
        display=entry.display(),
        own=said,
    )
    return made, entry
