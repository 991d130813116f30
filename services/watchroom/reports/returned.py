"""What was reported: the latest version of each figure with who said it and when, and the notes."""

from __future__ import annotations

from typing import NamedTuple

from watchroom.events.times import to_text
from watchroom.rolling.periods import known_period
from watchroom.settings import Settings
from watchroom.store.read import Reader
from watchroom.streams.returns import FIGURES_LIST, NOTES_LIST, STREAM, Return, Subject


class Reported(NamedTuple):
    """The latest version of a figure; texts are empty where nothing was said."""

    measure: str
    by: dict[str, str]
    period: str
    span: str
    as_at: str  # RFC 3339, UTC
    numerator: str  # as it was written
    denominator: str
    note: str
    reported_by: str
    source: str
    time: str  # of the event: when it was imported
    arrived: str  # the latest arrival of any of its versions


class Note(NamedTuple):
    """The latest version of a note."""

    name: str
    text: str
    since: str  # a day or a month, included
    until: str  # the last one; empty: without an end
    measure: str  # id of an entry of the catalogue under which it was admitted; empty: about all
    source: str
    time: str

    def is_about(self, first: str, last: str) -> bool:
        """Whether its period and the days from `first` to `last` have a day in common."""
        ends = known_period(self.until).last if self.until else last
        return known_period(self.since).first <= last and ends >= first


def reported(reader: Reader, settings: Settings) -> list[Reported]:
    """Every figure that stands, by measure, labels and period.

    Raises:
        StoreUnavailable: Redis did not answer.
    """
    found = []
    for state in _states(reader, settings, FIGURES_LIST):
        if state.figure is None or not state.figure[3]:
            continue  # withdrawn since the list was read
        as_at_ms, time_ms, _, _, numerator, denominator, note, reported_by, source = state.figure
        measure, by, period = Subject.of(state.subject)
        found.append(
            Reported(
                measure, by, period, known_period(period).span, to_text(as_at_ms), numerator, denominator, note,
                reported_by, source, to_text(time_ms), to_text(state.last_arrival_ms),
            )
        )  # fmt: skip
    return sorted(found, key=lambda each: (each.measure, sorted(each.by.items()), each.period))


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
            found.append(Note(name, text, since, until, measure, source, to_text(time_ms)))
    return found


def _states(reader: Reader, settings: Settings, name: str) -> list[Return]:
    return [STREAM.unpack(state) for state in reader.listed(name, settings.topic(STREAM.name))]
