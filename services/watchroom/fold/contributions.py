"""What an entity's state adds to which measure, at which moment, under which labels.

Handling an event is `contributions(new state) - contributions(old state)`: duplicates, replays,
late and corrected events come out right by construction, because the difference is then nothing or a
retraction. No count is ever raised "because an event arrived".

Whoever changes what comes out of here for the same state raises `Stream.fold_version` of every stream.

This runs for every event, so names are made once: a measure under one set of label values becomes a
function (`Add`), and an entity only picks the functions of its own label values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from watchroom.kinds import kind_of, names
from watchroom.kinds.conditions import holds
from watchroom.kinds.kind import Add, Contribution, Facts
from watchroom.kinds.measure import Measure, resolved
from watchroom.rolling.buckets import ten_seconds_of
from watchroom.streams.stream import State, Stream

LABEL_SETS_HELD = 10_000  # a feed can send any text, so what was resolved is not kept for ever


NOTHING = Contribution({}, {}, {})


class Contributor:
    """Contributions of one stream's entities, for the measures of a catalogue."""

    def __init__(self, stream: Stream, topic: str, measures: Iterable[Measure]) -> None:
        self._stream = stream
        self._orphan = names.field(names.series(names.ORPHANS, {"topic": topic}), names.COUNT)
        by_words: dict[tuple[str, ...], list[Measure]] = {}
        used: set[str] = set()
        for measure in measures:
            used.update(measure.words(), kind_of(measure).words)
            by_words.setdefault(tuple(label.value_of for label in measure.labels), []).append(measure)
        self._groups = [_Group(words, alike) for words, alike in by_words.items()]
        self._read = [(name, stream.reader(name)) for name in sorted(used)]
        self._lists = stream.lists

    def of(self, state: State | None) -> Contribution:
        """What this state adds; an unknown entity adds nothing."""
        if state is None or self._stream.is_out(state):
            return NOTHING
        if self._stream.is_orphan(state):
            return Contribution({self._orphan: (ten_seconds_of(state.first_ms), 1)}, {}, {})
        facts = {name: read(state) for name, read in self._read}
        into = Contribution({}, {}, {})
        for group in self._groups:
            for add in group.adds(facts):
                add(facts, into)
        if self._lists is not None:
            into.open_sets.update(self._lists(state))
        return into


class _Group:
    """The measures that are split by the same words, so that labels are resolved once for all of them."""

    def __init__(self, words: tuple[str, ...], measures: list[Measure]) -> None:
        self._words = words
        self._measures = measures
        self._known: dict[tuple[object, ...], list[Add]] = {}

    def adds(self, facts: Facts) -> list[Add]:
        """What the measures add for an entity with these facts' label values."""
        values = tuple([facts[word] for word in self._words])
        adds = self._known.get(values)
        if adds is None:
            if len(self._known) > LABEL_SETS_HELD:
                self._known.clear()
            adds = self._known[values] = [_adding(measure, values) for measure in self._measures]
        return adds


def _adding(measure: Measure, values: tuple[object, ...]) -> Add:
    by = {label.name: resolved(label, value) for label, value in zip(measure.labels, values, strict=True)}
    add = kind_of(measure).adding(measure, names.series(measure.id, by), by)
    return add if measure.where is None else _where(holds(measure.where), add)


def _where(applies: Callable[[Facts], bool], add: Add) -> Add:
    def add_where(facts: Facts, into: Contribution) -> None:
        if applies(facts):
            add(facts, into)

    return add_where
