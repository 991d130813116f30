"""What an entity's state adds to which measure, at which moment, under which labels.

Handling an event is `contributions(new state) - contributions(old state)`: duplicates, replays,
late and corrected events come out right by construction, because the difference is then nothing or a
retraction. No count is ever raised "because an event arrived".

This runs for every event, so names are made once: a measure under one set of label values becomes a
function (`Add`), and an entity only picks the functions of its own label values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from watchroom.catalogue import names
from watchroom.catalogue.model import Condition, Label, Measure
from watchroom.rolling.bins import Bins
from watchroom.rolling.buckets import ten_seconds_of
from watchroom.streams.stream import State, Stream

Facts = Mapping[str, object]
Cells = dict[str, tuple[int, int]]  # bucket field -> start of its 10 s bucket in ms, how much
LABEL_SETS_HELD = 10_000  # a feed can send any text, so what was resolved is not kept for ever


class Contribution(NamedTuple):
    """All that one entity adds. A field occurs once: an entity has one label set in each measure."""

    cells: Cells
    open_sets: dict[str, int]  # series of an open measure -> since, ms


NOTHING = Contribution({}, {})
Add = Callable[[Facts, Contribution], None]


class Contributor:
    """Contributions of one stream's entities, for the measures of a catalogue."""

    def __init__(self, stream: Stream, topic: str, measures: Iterable[Measure]) -> None:
        self._stream = stream
        self._orphan = names.field(names.series(names.ORPHANS, {"topic": topic}), names.COUNT)
        by_words: dict[tuple[str, ...], list[Measure]] = {}
        for measure in measures:
            by_words.setdefault(tuple(label.value_of for label in measure.labels), []).append(measure)
        self._groups = [_Group(words, alike) for words, alike in by_words.items()]

    def of(self, state: State | None) -> Contribution:
        """What this state adds; an unknown entity adds nothing."""
        if state is None or self._stream.is_out(state):
            return NOTHING
        if self._stream.is_orphan(state):
            return Contribution({self._orphan: (ten_seconds_of(state.first_ms), 1)}, {})
        facts = self._stream.facts(state)
        into = Contribution({}, {})
        for group in self._groups:
            for add in group.adds(facts):
                add(facts, into)
        return into


class _Group:
    """The measures that are split by the same words, so that labels are resolved once for all of them."""

    def __init__(self, words: tuple[str, ...], measures: list[Measure]) -> None:
        self._words = words
        self._measures = [(measure, Bins.for_measure(measure)) for measure in measures]
        self._known: dict[tuple[object, ...], list[Add]] = {}

    def adds(self, facts: Facts) -> list[Add]:
        """What the measures add for an entity with these facts' label values."""
        values = tuple([facts[word] for word in self._words])
        adds = self._known.get(values)
        if adds is None:
            if len(self._known) > LABEL_SETS_HELD:
                self._known.clear()
            adds = self._known[values] = [_adding(measure, bins, values) for measure, bins in self._measures]
        return adds


def _adding(measure: Measure, bins: Bins, values: tuple[object, ...]) -> Add:
    by = {label.name: resolved(label, value) for label, value in zip(measure.labels, values, strict=True)}
    series = names.series(measure.id, by)
    match measure.kind:
        case "count":
            add = _count(measure, series)
        case "share":
            add = _share(measure, series)
        case "duration":
            add = _duration(measure, series, bins, by)
        case "open":
            add = _open(measure, series)
    return add if measure.where is None else _where(_holds(measure.where), add)


def resolved(label: Label, value: object) -> str:
    """The label value that is counted: listed as it is or by an alias, else `other`; absent as the label says."""
    text = "" if value is None else names.slug(str(value))
    if not text:
        return label.absent
    text = label.aliases.get(text, text)
    return text if text in label.values or text == label.absent else label.other


def _where(applies: Callable[[Facts], bool], add: Add) -> Add:
    def add_where(facts: Facts, into: Contribution) -> None:
        if applies(facts):
            add(facts, into)

    return add_where


def _count(measure: Measure, series: str) -> Add:
    at, count = measure.at, names.field(series, names.COUNT)

    def add(facts: Facts, into: Contribution) -> None:
        moment = facts[at]
        if isinstance(moment, int):
            into.cells[count] = (ten_seconds_of(moment), 1)

    return add


def _share(measure: Measure, series: str) -> Add:
    at, part, whole = measure.at, names.field(series, names.PART), names.field(series, names.WHOLE)
    belongs = _holds(measure.part or Condition({}))

    def add(facts: Facts, into: Contribution) -> None:
        moment = facts[at]
        if isinstance(moment, int):
            into.cells[whole] = one = (ten_seconds_of(moment), 1)
            if belongs(facts):
                into.cells[part] = one

    return add


def _duration(measure: Measure, series: str, bins: Bins, by: Mapping[str, str]) -> Add:
    begin, at, target = measure.start, measure.at, measure.target_for(by)
    misses_from_ms = None if target is None else target.edge_ms
    observations, sum_ms, within, missing, negative = (
        names.field(series, what)
        for what in (names.OBSERVATIONS, names.SUM_MS, names.WITHIN, names.MISSING_START, names.NEGATIVE)
    )
    bin_head, lower_ms = names.field(series, names.BIN), bins.lower_ms

    def add(facts: Facts, into: Contribution) -> None:
        end_ms, begin_ms, cells = facts[at], facts[begin], into.cells
        if not isinstance(end_ms, int):
            return
        start_ms = ten_seconds_of(end_ms)
        one = start_ms, 1
        if not isinstance(begin_ms, int):
            cells[missing] = one
            return
        took_ms = end_ms - begin_ms
        if took_ms < 0:  # two events disagree; which is wrong cannot be known, so no duration is counted
            cells[negative] = one
            return
        cells[observations] = one
        if took_ms:
            cells[sum_ms] = start_ms, took_ms
        cells[f"{bin_head}{lower_ms(took_ms)}"] = one
        if is_within(took_ms, misses_from_ms):
            cells[within] = one

    return add


def is_within(took_ms: int, misses_from_ms: int | None) -> bool:
    """Whether a duration meets its target; without a target none does."""
    return misses_from_ms is not None and took_ms < misses_from_ms


def _open(measure: Measure, series: str) -> Add:
    at, state = measure.at, measure.state

    def add(facts: Facts, into: Contribution) -> None:
        since_ms = facts[at]
        if facts[state] and isinstance(since_ms, int):
            into.open_sets[series] = since_ms

    return add


def _holds(condition: Condition) -> Callable[[Facts], bool]:
    accepted = tuple((word, frozenset(values)) for word, values in condition.accepted.items())
    begin, end, within_ms = condition.start, condition.end, condition.within_ms

    def holds(facts: Facts) -> bool:
        for word, values in accepted:
            if facts[word] not in values:
                return False
        if not begin:
            return True
        begin_ms, end_ms = facts[begin], facts[end]
        return isinstance(begin_ms, int) and isinstance(end_ms, int) and 0 <= end_ms - begin_ms <= within_ms

    return holds
