"""What is stored for some months, added up. Pure.

A restatement of a row is an event that changed its numbers after the month had closed. The log has a line for each
field that an event changed, so that what was published can be computed from it; a late figure changes up to five.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from watchroom.catalogue.model import Catalogue
from watchroom.fold.batch import Restatement
from watchroom.kinds import names
from watchroom.kinds.kind import By, fields_added_up
from watchroom.kinds.measure import Measure
from watchroom.kinds.tokens import LEFT_OUT
from watchroom.store.bands import Both

Fields = Mapping[str, int]
AsOf = Mapping[str, int | None]
"""Stream -> ms since the epoch up to which every partition is applied; None: not known."""
Event = tuple[str, int, int]  # `Restatement.event`
Changes = Mapping[Event, Fields]
"""Of one series: what changed since its month closed, event -> field -> delta."""
Content = Mapping[str, Mapping[str, int]]  # series -> field -> how much


class StoredMonth(NamedTuple):
    """One month as stored in Redis."""

    name: str  # 2021-11
    fields: Mapping[str, int]
    log: Sequence[Restatement]


class Held(NamedTuple):
    """Months added up."""

    months: tuple[str, ...]
    today: Content
    published: Content  # today's figures minus the log
    restated: Mapping[str, Changes]  # by series: what changed since its months closed
    complete: Mapping[str, Mapping[str, bool]]  # stream -> month that holds any of it -> whether it is complete
    closed: Mapping[str, bool]  # stream -> whether every month is closed
    as_of: AsOf

    def states(self, measure: Measure) -> dict[str, bool]:
        """The months that are held of all streams of a measure, and whether each is complete."""
        of_streams = [self.complete.get(stream, {}) for stream in measure.streams]
        held = [month for month in self.months if all(month in states for states in of_streams)]
        return {month: all(states[month] for states in of_streams) for month in held}

    def number_held(self, measure: Measure) -> int:
        """How many months are complete."""
        return sum(self.states(measure).values())

    def is_whole(self, measure: Measure) -> bool:
        """Whether every month is complete."""
        return self.number_held(measure) == len(self.months)

    def missing(self, measure: Measure) -> str:
        """Which months are not held, or not complete; empty if none is missing."""
        if nothing := [stream for stream in measure.streams if not self.complete.get(stream)]:
            when = "this month" if len(self.months) == 1 else "these months"
            return f"no events are held for {' or '.join(nothing)} in {when}"
        states = self.states(measure)
        absent = [month for month in self.months if month not in states]
        partly = [month for month in self.months if states.get(month) is False]
        said = [f"not held: {', '.join(absent)}"] if absent else []
        said += [f"incomplete: {', '.join(partly)}"] if partly else []
        return "; ".join(said)

    def is_closed(self, measure: Measure) -> bool:
        """Whether every month is closed."""
        return all(self.closed.get(stream, False) for stream in measure.streams)

    def applied_until(self, measure: Measure) -> int | None:
        """Up to when all streams of a measure are applied; None: unknown for one of them."""
        known = [self.as_of.get(stream) for stream in measure.streams]
        return None if None in known else min(ms for ms in known if ms is not None)

    def stored(self, measure: Measure, sets: Iterable[By]) -> Mapping[str, int]:
        """The fields of these label sets as they are today, added up."""
        return fields_added_up(self.today.get(name, {}) for name in series_of(measure, sets))

    def stored_then(self, measure: Measure, sets: Iterable[By]) -> Mapping[str, int]:
        """The same as they were when their months closed."""
        return fields_added_up(self.published.get(name, {}) for name in series_of(measure, sets))

    def restatements(self, series: Iterable[str]) -> int:
        """How many events changed a row that adds up these series since their months closed.

        An event that only moved something within the row did not change it.
        """
        by_event: defaultdict[Event, Counter[str]] = defaultdict(Counter)
        for name in series:
            for event, changed in self.restated.get(name, {}).items():
                by_event[event].update(changed)
        return sum(any(changed.values()) for changed in by_event.values())

    def with_left_out(self, measure: Measure, bands: Both) -> Both:
        """Bands with the tokens that they left out. Those are counted in the months, as of now."""
        left_out = self.stored(measure, [{}]).get(LEFT_OUT, 0)
        return Both(*(each._replace(left_out=left_out) for each in bands))


def series_of(measure: Measure, sets: Iterable[By]) -> list[str]:
    """The series that make up a measure under these label sets."""
    return [series for by in sets for series in names.series_behind(measure, by)]


def added_up(
    months: Iterable[StoredMonth],
    wanted: tuple[str, ...],
    complete: Mapping[str, Mapping[str, bool]],
    closed: Mapping[str, bool],
    as_of: AsOf,
) -> Held:
    """The months together; the other arguments are fields of `Held`."""
    today: defaultdict[str, Counter[str]] = defaultdict(Counter)
    published: defaultdict[str, Counter[str]] = defaultdict(Counter)
    restated: defaultdict[str, defaultdict[Event, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for month in months:
        for series, fields in by_series(month.fields).items():
            today[series].update(fields)
            published[series].update(fields)
        for entry in month.log:
            series = names.series(entry.measure, entry.by)
            published[series][entry.field] -= entry.delta
            restated[series][entry.event][entry.field] += entry.delta
    return Held(wanted, dict(today), dict(published), dict(restated), complete, closed, as_of)


def streams_in(catalogue: Catalogue, fields: Fields) -> set[str]:
    """The streams of which a month holds anything. Whether others were fed is unknown, so their figures are not 0."""
    counted = {name.partition("|")[0] for name, number in fields.items() if number}
    return {catalogue.measures[name].stream for name in counted if name in catalogue.measures}


def by_series(fields: Fields) -> dict[str, dict[str, int]]:
    """A bucket's fields by series: series -> what is counted -> how much."""
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for name, count in fields.items():
        series, _, what = name.rpartition("|")
        found[series][what] = count
    return found
