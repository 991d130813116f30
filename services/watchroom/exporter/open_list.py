"""`watchroom open --measure ID`: the entities behind an open tile. Ids, labels and times; nothing else is kept."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from watchroom.catalogue.formatting import clock
from watchroom.catalogue.load import load_catalogue
from watchroom.catalogue.model import Catalogue
from watchroom.command_output import Format, as_csv, as_json, table, table_text
from watchroom.errors import ConfigurationInvalid, Fault
from watchroom.events.times import to_text
from watchroom.exporter.live import Liveness, liveness
from watchroom.exporter.measures import series_of
from watchroom.kinds import kind_of
from watchroom.kinds.kind import Reads
from watchroom.kinds.measure import Measure
from watchroom.settings import Settings
from watchroom.store.compatibility import check_compatible
from watchroom.store.freshness import Age, age_of, applied_until
from watchroom.store.read import Reader
from watchroom.wording import duration, exact_duration, one_line

NOWHERE: Final[Mapping[str, str]] = {}


class Open(NamedTuple):
    """One entity of the tile."""

    subject: str
    by: dict[str, str]
    since_ms: int
    deadline_ms: int | None  # None where its labels have no target


class OpenList(NamedTuple):
    """The entities behind a tile at one moment."""

    measure: Measure
    now_ms: int
    members: list[Open]  # oldest first
    gave_up: int  # older than the measure's give_up: no longer in the tile
    applied_ms: int | None  # until when the slowest partition is applied; None: unknown
    live: Liveness = Liveness()


def open_list(
    settings: Settings,
    measure_id: str,
    now_ms: int,
    output: Format = "table",
    *,
    warn: Callable[[str], None] = lambda _: None,
) -> str:
    """The list as text: a table for a terminal, JSON or CSV for programs.

    Args:
        settings: Which Redis, force and catalogue.
        measure_id: The open measure.
        now_ms: The moment of the list.
        output: The form.
        warn: Called with each reason why JSON or CSV is not live: an empty list has no row for it.

    Raises:
        ConfigurationInvalid: No open measure has this id, or its stream is not fed.
        RebuildNeeded: Redis holds the measure's stream under another definition: other labels would not be listed.
        StoreUnavailable: Redis did not answer.
        WorkFailed: Redis holds no data for this force; an empty list would be misread as nothing open.
    """
    catalogue = load_catalogue(settings.schemas / "measures", settings.areas)
    measure = open_measure(catalogue, measure_id)
    check_fed(measure, settings)
    with closing(Reader(settings.redis, settings.force)) as reader:
        check_compatible(reader, settings, catalogue).refuse([measure.stream])
        found = read_open(reader, measure, settings.topic(measure.stream), now_ms)
        found = found._replace(live=liveness(reader, settings, measure.stream, now_ms))
    if output == "table":
        return as_text(found, settings)
    for reason in found.live.reasons:
        warn(f"not live: {reason}")
    if output == "json":
        return as_json(_member(each, found) for each in found.members)
    columns = ("measure", "id", *_labels(measure), "since", "age_s", "deadline", "as_of", "stale")
    return as_csv((_flat(each, found) for each in found.members), columns)


def open_measure(catalogue: Catalogue, measure_id: str) -> Measure:
    """The open measure of this id, or ConfigurationInvalid."""
    measure = catalogue.measures.get(measure_id)
    if measure is None or kind_of(measure).reads is not Reads.OPEN_SET:
        ids = [each.id for each in catalogue.measures.values() if kind_of(each).reads is Reads.OPEN_SET]
        found = f"{measure_id!r}" + (f", a {measure.kind}" if measure else "")
        raise ConfigurationInvalid([Fault("--measure", "", found, f"one of the open measures: {', '.join(ids)}")])
    return measure


def check_fed(measure: Measure, settings: Settings) -> None:
    """Raise ConfigurationInvalid if the measure's stream is not fed: an empty list would be misread."""
    if measure.stream not in settings.streams:
        found = f"{measure.id!r} of stream {measure.stream}, which is not fed here"
        write = f"a measure of {', '.join(settings.streams)}, or add the stream to WATCHROOM_STREAMS"
        raise ConfigurationInvalid([Fault("--measure", "", found, write)])


def read_open(
    reader: Reader, measure: Measure, topic: str, now_ms: int, where: Mapping[str, str] = NOWHERE
) -> OpenList:
    """The members of a measure's series, as the tile counts them at `now_ms`; `where` filters by label value."""
    members: list[Open] = []
    gave_up = 0
    applied_ms = applied_until(reader.partitions(), [topic])
    asked = (each for each in series_of(measure) if where.items() <= each.by.items())
    for series in asked:
        for subject, since_ms in reader.open_members(series.name):
            if now_ms - since_ms > measure.give_up_ms:
                gave_up += 1
                continue
            deadline_ms = since_ms + series.target.limit_ms if series.target else None
            members.append(Open(subject, series.by, since_ms, deadline_ms))
    members.sort(key=lambda each: (each.since_ms, each.subject))
    return OpenList(measure, now_ms, members, gave_up, applied_ms)


def as_text(found: OpenList, settings: Settings) -> str:
    """A table, followed by what a reader must know about it."""
    zone = ZoneInfo(settings.zone)
    notes = "".join(f"{note}\n" for note in _notes(found, settings, zone))
    if not found.members:
        return f"{found.measure.brief}: none\n{notes}"
    labels = _labels(found.measure)
    has_deadline = bool(found.measure.targets)
    shown = table("id", *labels, "since", "age", *(["deadline"] * has_deadline))
    for each in found.members:
        deadline = [_deadline(each, found.now_ms, zone)] * has_deadline
        times = (clock(each.since_ms, zone), duration((found.now_ms - each.since_ms) / 1000), *deadline)
        shown.add_row(one_line(each.subject), *(each.by[label] for label in labels), *times)
    return f"{found.measure.brief}: {len(found.members)} open\n{table_text(shown)}{notes}"


def _labels(measure: Measure) -> list[str]:
    return [label.name for label in measure.labels]


def _flat(each: Open, found: OpenList) -> dict[str, object]:
    """A member with a column for each label."""
    member = _member(each, found)
    del member["by"]
    return member | each.by | {"stale": "; ".join(found.live.reasons)}


def _member(each: Open, found: OpenList) -> dict[str, object]:
    """Times in UTC; `as_of`: events are applied until then in every partition; `stale`: why it is not live."""
    return {
        "measure": found.measure.id,
        "id": each.subject,
        "by": each.by,
        "since": _utc(each.since_ms),
        "age_s": max(0, found.now_ms - each.since_ms) / 1000,  # a sender's clock may be ahead of ours
        "deadline": _utc(each.deadline_ms),
        "as_of": _utc(found.applied_ms),
        "stale": found.live.reasons,
    }


def _deadline(each: Open, now_ms: int, zone: ZoneInfo) -> str:
    if each.deadline_ms is None:
        return "none"
    left_ms = each.deadline_ms - now_ms
    said = f"overdue by {duration(-left_ms / 1000)}" if left_ms < 0 else f"in {duration(left_ms / 1000)}"
    return f"{clock(each.deadline_ms, zone)} ({said})"


def _notes(found: OpenList, settings: Settings, zone: ZoneInfo) -> Iterator[str]:
    if found.gave_up:
        limit = exact_duration(found.measure.give_up_ms / 1000)
        yield f"{found.gave_up} more are older than {limit}. The feed never closed them; they are not counted."
    if found.applied_ms is None:
        yield "The age of this list is unknown: at least one partition has never been applied."
    elif age_of(found.applied_ms, found.now_ms, settings.fresh_s * 1000) is Age.OLD:
        ago = duration((found.now_ms - found.applied_ms) / 1000)
        yield f"Out of date: events have been applied only up to {clock(found.applied_ms, zone)}, {ago} ago."
    elif found.live.partitions:
        yield f"Not live: {'; '.join(found.live.partitions)}."
    for source, last_ms in found.live.silent:
        if last_ms is None:
            yield f"FEED SILENT: {one_line(source)} has never sent anything."
        else:
            ago = f"{duration((found.now_ms - last_ms) / 1000)} ago"
            is_ahead = age_of(last_ms, found.now_ms, math.inf) is Age.IN_FUTURE
            said = "in the future: check the clocks" if is_ahead else ago
            yield f"FEED SILENT: {one_line(source)} was last seen {clock(last_ms, zone)}, {said}."


def _utc(at_ms: int | None) -> str | None:
    return None if at_ms is None else to_text(at_ms)
