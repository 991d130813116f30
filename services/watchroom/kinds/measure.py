"""A checked entry of the catalogue.

These are plain frozen values: the loader makes them from TOML, a kind says what follows from them, and the fold, the
exporter, reports and every derived file read them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Final

from watchroom.events.slug import slug
from watchroom.kinds.shown import Display
from watchroom.wording import exact_duration

Facts = Mapping[str, object]  # of one entity: every term of its stream's vocabulary that measures name
AREA: Final = "area"  # the word whose values are the force's areas
ALL: Final = "all"  # the value of the label of areas in a window that is not split by area


@dataclass(frozen=True, slots=True)
class Label:
    """One split of a measure: a closed list of values.

    A value that is not listed becomes `other`, one that is absent becomes `absent`.
    """

    name: str  # in Redis fields and metrics
    value_of: str  # term of the stream's vocabulary
    values: tuple[str, ...]  # listed values, without `other` and `absent`
    absent: str  # "unknown", "ungraded" or "not_stated"
    aliases: Mapping[str, str] = field(default_factory=dict)  # another spelling -> the listed value
    other: str = "other"
    title: str = ""  # what people call it; empty: its name will do
    titles: Mapping[str, str] = field(default_factory=dict)  # of values that people call something else

    def all_values(self) -> tuple[str, ...]:
        """Listed values, then the value for absent, then the value for not listed; each once."""
        return tuple(dict.fromkeys((*self.values, self.absent, self.other)))


def resolved(label: Label, value: object) -> str:
    """The label value that is counted: a listed value (or its alias), else `other`; for nothing, the absent value."""
    text = "" if value is None else slug(str(value))
    if not text:
        return label.absent
    text = label.aliases.get(text, text)
    return text if text in label.values or text == label.absent else label.other


@dataclass(frozen=True, slots=True)
class Target:
    """A limit on a duration, for entities whose label values match `where`."""

    where: Mapping[str, str]  # label -> value; empty: for all
    limit_ms: int
    inclusive: bool  # True: within (<=), False: below (<)

    @property
    def said(self) -> str:
        """`below 10 s`, `within 48 h`."""
        return f"{'within' if self.inclusive else 'below'} {exact_duration(self.limit_ms / 1000)}"

    @property
    def edge_ms(self) -> int:
        """The first whole millisecond that misses the target; it is a bin edge."""
        return self.limit_ms + 1 if self.inclusive else self.limit_ms


@dataclass(frozen=True, slots=True)
class Condition:
    """Which entities belong to a part: by accepted values of terms, or by a bounded interval."""

    accepted: Mapping[str, tuple[str | bool, ...]]
    start: str = ""  # interval: from this moment
    end: str = ""  # to this one
    within_ms: int = 0


def holds(condition: Condition) -> Callable[[Facts], bool]:
    """Return a function that tests whether an entity's facts meet a condition: built once, called for every event.

    A tuple meets it if any of its values is accepted, a set if all of them are. An empty one never does.
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
    """One of the counts that a sum adds up, for the label values in `where` (label -> accepted values; empty: all)."""

    measure: Measure
    where: Mapping[str, tuple[str, ...]]

    def holds(self, by: Mapping[str, str]) -> bool:
        """Whether the count with these label values is added."""
        return all(by[name] in accepted for name, accepted in self.where.items())


@dataclass(frozen=True, slots=True)
class Measure:
    """One entry of the catalogue.

    Its kind determines which keys it has and what `at` and `start` mean. `windows` are names of
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
    tokens: str = ""  # value whose texts are counted individually
    targets: tuple[Target, ...] = ()
    edges_ms: tuple[int, ...] = ()
    give_up_ms: int = 0
    sum_of: tuple[Summand, ...] = ()  # of a count: it is the sum of these, and no entity contributes to it
    unit: str = "1"
    rows: tuple[int, ...] = ()  # rows of the published report that it serves
    display: Display = field(default_factory=Display)
    area_windows: tuple[str, ...] = ()  # in these it is published by area, in the others for all areas together
    own: Mapping[str, object] = field(default_factory=dict)  # what `OwnKey.of` reads, without keys at their default

    @property
    def streams(self) -> tuple[str, ...]:
        """The streams whose events feed it: one, or for a sum those of everything that it adds up."""
        return tuple(dict.fromkeys(each.measure.stream for each in self.sum_of)) or (self.stream,)

    @property
    def counted(self) -> tuple[str, ...]:
        """Ids of the measures whose integers it consists of: its own, or those that a sum adds up."""
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
            by_area: False: as published in windows that are not split by area, with `all` for every area.
        """
        names = [label.name for label in self.labels]
        together = "" if by_area else self.area_label
        listed = ((ALL,) if label.name == together else label.all_values() for label in self.labels)
        for values in product(*listed):
            yield dict(zip(names, values, strict=True))
