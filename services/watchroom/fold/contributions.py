"""What an entity's state adds to which measure, at which moment, under which labels.

Handling an event is `contributions(new state) - contributions(old state)`: duplicates, replays,
late and corrected events come out right by construction, because the difference is then nothing or a
retraction. No count is ever raised "because an event arrived".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from watchroom.catalogue import names
from watchroom.catalogue.model import Condition, Label, Measure
from watchroom.fold.streams import State, Stream
from watchroom.rolling.bins import Bins
from watchroom.rolling.buckets import ten_seconds_of

Facts = Mapping[str, object]
Cells = dict[str, tuple[int, int]]  # bucket field -> start of its 10 s bucket in ms, how much
OpenSets = dict[str, int]  # series of an open measure -> since, ms
RESOLVED_KEPT = 10_000  # label texts remembered; a feed can send any text


class Contribution(NamedTuple):
    """All that one entity adds. A field occurs once: an entity has one label set in each measure."""

    cells: Cells
    open_sets: OpenSets


NOTHING = Contribution({}, {})


class Contributor:
    """Contributions of one stream's entities, for the measures of a catalogue."""

    def __init__(self, stream: Stream, topic: str, measures: Iterable[Measure]) -> None:
        self._stream = stream
        self._add = [_compiled(measure) for measure in measures]
        self._orphan = names.field(names.series(names.ORPHANS, {"topic": topic}), names.COUNT)

    def of(self, state: State | None) -> Contribution:
        """What this state adds; an unknown entity adds nothing."""
        if state is None or self._stream.is_out(state):
            return NOTHING
        if self._stream.is_orphan(state):
            return Contribution({self._orphan: (ten_seconds_of(state.first_ms), 1)}, {})
        facts = self._stream.facts(state)
        cells: Cells = {}
        open_sets: OpenSets = {}
        for add in self._add:
            add(facts, cells, open_sets)
        return Contribution(cells, open_sets)


class _Labels:
    """Label values of a measure, from facts to the series' name."""

    def __init__(self, measure: Measure) -> None:
        self._measure = measure
        self._words = tuple(label.value_of for label in measure.labels)
        self._known: dict[tuple[object, ...], _Series] = {}

    def series(self, facts: Facts) -> _Series:
        values = tuple([facts[word] for word in self._words])
        series = self._known.get(values)
        if series is None:
            by = {
                label.name: resolved(label, value) for label, value in zip(self._measure.labels, values, strict=True)
            }
            if len(self._known) > RESOLVED_KEPT:
                self._known.clear()
            series = self._known[values] = _Series(self._measure, by)
        return series


class _Series:
    """Names and target of one measure under one set of label values, made once."""

    def __init__(self, measure: Measure, by: Mapping[str, str]) -> None:
        self.name = names.series(measure.id, by)
        target = measure.target_for(by)
        self.misses_from_ms = None if target is None else target.edge_ms
        self.count, self.part, self.whole, self.observations, self.sum_ms, self.within, self.missing, self.negative = (
            names.field(self.name, what)
            for what in (
                names.COUNT,
                names.PART,
                names.WHOLE,
                names.OBSERVATIONS,
                names.SUM_MS,
                names.WITHIN,
                names.MISSING_START,
                names.NEGATIVE,
            )
        )
        self.bin = f"{self.name}|{names.BIN}"


def resolved(label: Label, value: object) -> str:
    """The label value that is counted: listed as it is, else `other`; absent as the label says."""
    if value is None or value == "":
        return label.absent
    text = names.slug(str(value))
    return text if text in label.values else label.other


Add = Callable[[Facts, Cells, OpenSets], None]


def _compiled(measure: Measure) -> Add:
    kinds: Mapping[str, Callable[[Measure], Add]] = {
        "count": _count,
        "share": _share,
        "duration": _duration,
        "open": _open,
    }
    add = kinds[measure.kind](measure)
    if measure.where is None:
        return add
    applies = _condition(measure.where)

    def where(facts: Facts, cells: Cells, open_sets: OpenSets) -> None:
        if applies(facts):
            add(facts, cells, open_sets)

    return where


def _count(measure: Measure) -> Add:
    at, labels = measure.at, _Labels(measure)

    def add(facts: Facts, cells: Cells, open_sets: OpenSets) -> None:
        moment = facts[at]
        if isinstance(moment, int):
            cells[labels.series(facts).count] = (ten_seconds_of(moment), 1)

    return add


def _share(measure: Measure) -> Add:
    at, labels = measure.at, _Labels(measure)
    belongs = _condition(measure.part or Condition({}))

    def add(facts: Facts, cells: Cells, open_sets: OpenSets) -> None:
        moment = facts[at]
        if isinstance(moment, int):
            series, start = labels.series(facts), ten_seconds_of(moment)
            cells[series.whole] = (start, 1)
            if belongs(facts):
                cells[series.part] = (start, 1)

    return add


def _duration(measure: Measure) -> Add:
    begin, at, labels, bins = measure.start, measure.at, _Labels(measure), Bins.for_measure(measure)

    def add(facts: Facts, cells: Cells, open_sets: OpenSets) -> None:
        end_ms = facts[at]
        if not isinstance(end_ms, int):
            return
        series, start = labels.series(facts), ten_seconds_of(end_ms)
        begin_ms = facts[begin]
        if not isinstance(begin_ms, int):
            cells[series.missing] = (start, 1)
            return
        took_ms = end_ms - begin_ms
        if took_ms < 0:  # two events disagree; which is wrong cannot be known, so no duration is counted
            cells[series.negative] = (start, 1)
            return
        cells[series.observations] = (start, 1)
        cells[series.sum_ms] = (start, took_ms)
        cells[f"{series.bin}{bins.lower_ms(took_ms)}"] = (start, 1)
        if is_within(took_ms, series.misses_from_ms):
            cells[series.within] = (start, 1)

    return add


def is_within(took_ms: int, misses_from_ms: int | None) -> bool:
    """Whether a duration meets its target; without a target none does."""
    return misses_from_ms is not None and took_ms < misses_from_ms


def _open(measure: Measure) -> Add:
    at, state, labels = measure.at, measure.state, _Labels(measure)

    def add(facts: Facts, cells: Cells, open_sets: OpenSets) -> None:
        since_ms = facts[at]
        if isinstance(since_ms, int) and facts[state]:
            open_sets[labels.series(facts).name] = since_ms

    return add


def _condition(condition: Condition) -> Callable[[Facts], bool]:
    accepted = tuple((word, frozenset(values)) for word, values in condition.accepted.items())
    begin, end, within_ms = condition.start, condition.end, condition.within_ms

    def holds(facts: Facts) -> bool:
        if any(facts[word] not in values for word, values in accepted):
            return False
        if not begin:
            return True
        begin_ms, end_ms = facts[begin], facts[end]
        return isinstance(begin_ms, int) and isinstance(end_ms, int) and 0 <= end_ms - begin_ms <= within_ms

    return holds
