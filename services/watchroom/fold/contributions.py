"""Computes what an entity's state contributes to which measure, at which moment, under which labels.

Handling an event means `contributions(new state) - contributions(old state)`. So duplicates, replays, late and
corrected events are correct by construction: their difference is zero, or a retraction. No count ever goes up
"because an event arrived".

If you change the result for the same state, raise `Stream.fold_version` of every stream.

This runs for every event, so names are built once: each measure under one set of label values becomes a function
(`Add`), and an entity selects the functions of its values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from watchroom.kinds import kind_of, names
from watchroom.kinds.kind import Add, Contribution
from watchroom.kinds.measure import Condition, Facts, Measure, holds, resolved
from watchroom.rolling.buckets import ten_seconds_of
from watchroom.streams.stream import State, Stream

VALUES_HELD = 10_000  # a feed can send any text, so the cache is bounded


NOTHING = Contribution({}, {}, {})
EVERYBODY = Condition({})


class Contributor:
    """Contributions of one stream's entities, for the measures of a catalogue."""

    def __init__(self, stream: Stream, topic: str, measures: Iterable[Measure]) -> None:
        self._stream = stream
        self._orphan = names.field(names.series(names.ORPHANS, {"topic": topic}), names.COUNT)
        self._measures = [_Split(measure) for measure in measures]
        used = {term for each in self._measures for term in each.terms}
        self._read = [(name, stream.reader(name)) for name in sorted(used)]
        self._deciding = sorted({term for each in self._measures for term in each.deciding})
        self._cached: dict[tuple[object, ...], list[Add]] = {}
        self._lists = stream.lists

    def of(self, state: State | None) -> Contribution:
        """What this state contributes; an unknown entity contributes nothing."""
        if state is None or self._stream.is_out(state):
            return NOTHING
        if self._stream.is_orphan(state):
            return Contribution({self._orphan: (ten_seconds_of(state.first_ms), 1)}, {}, {})
        facts = {name: read(state) for name, read in self._read}
        into = Contribution({}, {}, {})
        for add in self._functions(facts):
            add(facts, into)
        if self._lists is not None:
            into.open_sets.update(self._lists(state))
        return into

    def _functions(self, facts: Facts) -> list[Add]:
        """The functions of the measures that count an entity with these facts, each under its label values.

        Most entities have the same values as earlier ones, so this is usually one look-up.
        """
        values = tuple([facts[term] for term in self._deciding])
        functions = self._cached.get(values)
        if functions is None:
            if len(self._cached) > VALUES_HELD:
                self._cached.clear()
            found = (each.add(facts) for each in self._measures)
            functions = self._cached[values] = [add for add in found if add is not None]
        return functions


class _Split:
    """A measure, and its functions by label values."""

    def __init__(self, measure: Measure) -> None:
        self._measure = measure
        where = measure.where or EVERYBODY
        self._of_values = holds(Condition(where.accepted))
        self._in_time = holds(where) if where.start else None
        self._labels = [label.value_of for label in measure.labels]
        self._cached: dict[tuple[object, ...], Add] = {}
        self.terms = {*measure.terms(), *kind_of(measure).terms}
        self.deciding = {*self._labels, *where.accepted}  # words whose values decide what `add` gives

    def add(self, facts: Facts) -> Add | None:
        """The function for an entity with these facts; None if it is not counted, whatever its moments."""
        if not self._of_values(facts):
            return None
        values = tuple(facts[term] for term in self._labels)
        add = self._cached.get(values)
        if add is None:
            if len(self._cached) > VALUES_HELD:
                self._cached.clear()
            add = self._cached[values] = self._function(values)
        return add

    def _function(self, values: tuple[object, ...]) -> Add:
        measure = self._measure
        by = {label.name: resolved(label, value) for label, value in zip(measure.labels, values, strict=True)}
        add = kind_of(measure).contribution(measure, names.series(measure.id, by), by)
        return add if self._in_time is None else _where(self._in_time, add)


def _where(applies: Callable[[Facts], bool], add: Add) -> Add:
    def add_where(facts: Facts, into: Contribution) -> None:
        if applies(facts):
            add(facts, into)

    return add_where
