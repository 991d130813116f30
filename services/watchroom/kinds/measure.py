"""What one catalogue entry says, once it has been checked.

These are plain frozen values: the loader makes them from TOML, a kind says what follows from them, and the
fold, the exporter, reports and every derived file read them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Final

from watchroom.events.slug import slug
from watchroom.kinds.formatting import length
from watchroom.kinds.shown import Display

Facts = Mapping[str, object]  # of one entity: every term of its stream's vocabulary that measures name
AREA: Final = "area"  # the word whose values are the force's areas
ALL: Final = "all"  # what the label of areas says in a window that is not split by area


@dataclass(frozen=True, slots=True)
class Label:
    """One split of a measure: a closed list of values.

    A value that is not listed becomes `other`, one that is absent becomes `absent`.
    """

    name: str  # in Redis fields and metrics
    value_of: str  # word of the stream's vocabulary
    values: tuple[str, ...]  # listed values, without `other` and `absent`
    absent: str  # "unknown", "ungraded" or "not_stated"
    aliases: Mapping[str, str] = field(default_factory=dict)  # another spelling -> the listed value
    other: str = "other"
    title: str = ""  # what people call it; empty: its name says it
    titles: Mapping[str, str] = field(default_factory=dict)  # of values whose slug does not say what people say

    def all_values(self) -> tuple[str, ...]:
        """Listed values, then what is absent, then what is not listed; each once."""
        return tuple(dict.fromkeys((*self.values, self.absent, self.other)))


def resolved(label: Label, value: object) -> str:
    """The label value that is counted: listed as it is or by an alias, else `other`; absent as the label says."""
    text = "" if value is None else slug(str(value))
    if not text:
        return label.absent
    text = label.aliases.get(text, text)
    return text if text in label.values or text == label.absent else label.other


@dataclass(frozen=True, slots=True)
class Target:
    """A limit on a duration for the entities whose label values match `where`."""

    where: Mapping[str, str]  # label -> value; empty: for all
    limit_ms: int
    inclusive: bool  # True: within (<=), False: below (<)

    @property
    def said(self) -> str:
        """`below 10 s`, `within 48 h`."""
        return f"{'within' if self.inclusive else 'below'} {length(self.limit_ms / 1000)}"

    @property
    def edge_ms(self) -> int:
        """First whole millisecond that misses the target; a bin edge lies here."""
        return self.limit_ms + 1 if self.inclusive else self.limit_ms


@dataclass(frozen=True, slots=True)
class Condition:
    """Who belongs to a part: by accepted values of words, or by a bounded interval."""

    accepted: Mapping[str, tuple[str | bool, ...]]
    start: str = ""  # interval: from this moment
    end: str = ""  # to this one
    within_ms: int = 0


def holds(condition: Condition) -> Callable[[Facts], bool]:
    """Whether an entity with these facts meets a condition: by accepted values, and by a bounded interval.

    A fact of several values meets it if any of a tuple's values is accepted, or if all of a set's are. An empty one
    never does.
    """
    accepted = tuple((word, frozenset(values)) for word, values in condition.accepted.items())
    begin, end, within_ms = condition.start, condition.end, condition.within_ms

    def is_met(facts: Facts) -> bool:
        for word, values in accepted:
            fact = facts[word]
            if fact not in values and not _some_or_all(fact, values):
                return False
        if not begin:
            return True
        begin_ms, end_ms = facts[begin], facts[end]
        return isinstance(begin_ms, int) and isinstance(end_ms, int) and 0 <= end_ms - begin_ms <= within_ms

    return is_met


def _some_or_all(fact: object, values: frozenset[str | bool]) -> bool:
    if isinstance(fact, tuple):
        return not values.isdisjoint(fact)
    return isinstance(fact, frozenset) and bool(fact) and fact <= values


@dataclass(frozen=True, slots=True)
class Summand:
    """One of the counts that a sum adds up, for the label values in `where` (label -> accepted values; none: all)."""

    measure: Measure
    where: Mapping[str, tuple[str, ...]]

    def holds(self, by: Mapping[str, str]) -> bool:
        """Whether the count under these label values is added."""
        return all(by[name] in accepted for name, accepted in self.where.items())


@dataclass(frozen=True, slots=True)
class Measure:
    """One entry of the catalogue.

    Which keys an entry has, and what `at` and `start` do, its kind says. `windows` are names of
    `rolling.windows.WINDOWS`.
    """

    id: str
    kind: str  # one of `kinds.KINDS`
    stream: str
    at: str
    labels: tuple[Label, ...]
    windows: tuple[str, ...]
    brief: str
    definition: str
    source: str
    start: str = ""
    where: Condition | None = None
    part: Condition | None = None
    state: str = ""
    tokens: str = ""  # value whose texts are counted one by one
    targets: tuple[Target, ...] = ()
    edges_ms: tuple[int, ...] = ()
    give_up_ms: int = 0
    sum_of: tuple[Summand, ...] = ()  # of a count: it is the sum of these, and no entity adds to it
    unit: str = "1"
    rows: tuple[int, ...] = ()  # rows of the published report that it serves
    display: Display = field(default_factory=Display)
    area_windows: tuple[str, ...] = ()  # those in which it is published by area; in the others, all areas together
    own: Mapping[str, object] = field(default_factory=dict)  # what `OwnKey.of` reads: no key that is at its default

    @property
    def streams(self) -> tuple[str, ...]:
        """The streams whose events feed it: one, but for a sum those of all that it adds up."""
        return tuple(dict.fromkeys(each.measure.stream for each in self.sum_of)) or (self.stream,)

    @property
    def counted(self) -> tuple[str, ...]:
        """Ids of the measures whose integers make it up: its own, or those of all that a sum adds up."""
        return tuple(each.measure.id for each in self.sum_of) or (self.id,)

    def terms(self) -> Iterator[str]:
        """Every term of its stream that it names."""
        yield from (label.value_of for label in self.labels)
        yield from filter(None, (self.at, self.start, self.state, self.tokens))
        for condition in filter(None, (self.where, self.part)):
            yield from condition.accepted
            yield from filter(None, (condition.start, condition.end))

    def target_for(self, by: Mapping[str, str]) -> Target | None:
        """The first target whose `where` matches these label values; None: no target."""
        for target in self.targets:
            if all(by.get(name) == value for name, value in target.where.items()):
                return target
        return None

    @property
    def area_label(self) -> str:
        """Name of its label of areas; empty: it has none."""
        return next((label.name for label in self.labels if label.value_of == AREA), "")

    def label_sets(self, *, by_area: bool = True) -> Iterator[dict[str, str]]:
        """Every combination of label values that can occur, in catalogue order.

        Args:
            by_area: False: as it is published where it is not split by area, with `all` for every area.
        """
        names = [label.name for label in self.labels]
        together = "" if by_area else self.area_label
        listed = ((ALL,) if label.name == together else label.all_values() for label in self.labels)
        for values in product(*listed):
            yield dict(zip(names, values, strict=True))
