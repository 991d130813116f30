"""What was reported: the latest version of each figure, who reported it and when, and the notes."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from watchroom.events.times import to_text
from watchroom.kinds import names
from watchroom.reports.figure_rows import early_text
from watchroom.rolling.calendar import Calendar
from watchroom.rolling.periods import known_period
from watchroom.settings import Settings
from watchroom.store.read import Reader
from watchroom.streams.returns import FIGURE, FIGURES_LIST, NOTE, NOTES_LIST, STREAM, Return, Subject


class Reported(NamedTuple):
    """The latest version of a figure or a note; what was not stated is empty."""

    type: str  # of its events: return.figure or return.note
    measure: str
    by: dict[str, str]
    period: str  # of a note: first and last day or month, `2020-03/2021-07`; without an end, `2020-03/`
    span: str
    as_at: str  # RFC 3339, UTC
    numerator: str  # as it was written
    denominator: str
    note: str
    reported_by: str
    source: str
    time: str  # of the event: when it was imported
    arrived: str  # the latest arrival of any of its versions
    remark: str  # a warning, for example about a measure that the catalogue does not have


class Note(NamedTuple):
    """The latest version of a note."""

    name: str
    text: str
    since: str  # a day or a month, included
    until: str  # included; empty: without an end
    measure: str  # id of a measure; empty: about all
    source: str
    time: str
    arrived: str

    def is_about(self, first: str, last: str) -> bool:
        """Whether its period and the days from `first` to `last` have a day in common.

        A period that ends before it begins covers the days between the two, so that no note is hidden.
        """
        since, until = known_period(self.since), known_period(self.until) if self.until else None
        if until is None:
            return since.first <= last
        return min(since.first, until.first) <= last and max(since.last, until.last) >= first

    @property
    def is_turned(self) -> bool:
        """Whether it ends before it begins."""
        return bool(self.until) and known_period(self.until).last < known_period(self.since).first


def reported(reader: Reader, settings: Settings, known: Collection[str]) -> list[Reported]:
    """Every figure that was not withdrawn, by measure, labels and period, then every note by period.

    Args:
        reader: Of a force's figures.
        settings: Topics and reporting zone.
        known: Ids of the catalogue's measures.

    Raises:
        StoreUnavailable: Redis did not answer.
    """
    calendar = Calendar(settings.zone)
    found = []
    for state in _states(reader, settings, FIGURES_LIST):
        if state.figure is None or not state.figure[3]:
            continue  # withdrawn since the list was read
        as_at_ms, time_ms, _, _, numerator, denominator, note, reported_by, source = state.figure
        measure, by, period = Subject.of(state.subject)
        remarks = (_unknown(measure, known), early_text(period, calendar.day_of(as_at_ms)))
        found.append(
            Reported(
                FIGURE, measure, by, period, known_period(period).span, to_text(as_at_ms), numerator, denominator,
                note, reported_by, source, to_text(time_ms), to_text(state.last_arrival_ms),
                "; ".join(filter(None, remarks)),
            )
        )  # fmt: skip
    found.sort(key=lambda each: (each.measure, sorted(each.by.items()), each.period))
    return found + [_reported_note(each, known) for each in notes(reader, settings)]


def notes_of_figures(reader: Reader, settings: Settings) -> dict[str, str]:
    """The note of each figure's latest version, by series (which has the period as a label, as in the months).

    Raises:
        StoreUnavailable: Redis did not answer.
    """
    found = {}
    for state in _states(reader, settings, FIGURES_LIST):
        if state.figure is not None and state.figure[3] and state.figure[6]:
            measure, by, period = Subject.of(state.subject)
            found[names.series(measure, {**by, names.PERIOD: period})] = state.figure[6]
    return found


def _reported_note(note: Note, known: Collection[str]) -> Reported:
    remark = "; ".join(
        filter(None, (_unknown(note.measure, known), "the period ends before it begins" * note.is_turned))
    )
    return Reported(
        NOTE, note.measure, {}, f"{note.since}/{note.until}", "", "", "", "", note.text, "", note.source, note.time,
        note.arrived, remark,
    )  # fmt: skip


def _unknown(measure: str, known: Collection[str]) -> str:
    return "" if not measure or measure in known else f"the catalogue has no measure {measure}"


def notes(reader: Reader, settings: Settings) -> list[Note]:
    """Every note, the earliest period first.

    Raises:
        StoreUnavailable: Redis did not answer.
    """
    found = []
    for state in _states(reader, settings, NOTES_LIST):
        if state.note is not None:
            time_ms, _, text, since, until, measure, source = state.note
            name = state.subject.partition("|")[2]
            arrived = to_text(state.last_arrival_ms)
            found.append(Note(name, text, since, until, measure, source, to_text(time_ms), arrived))
    return found


def _states(reader: Reader, settings: Settings, name: str) -> list[Return]:
    return [STREAM.unpack(state) for state in reader.listed(name, settings.topic(STREAM.name))]
