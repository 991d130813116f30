"""What a kind says of its measures. One module a kind fills in a `Kind`; `watchroom.kinds` lists them.

Everything that shows, judges or counts measures reads these attributes and compares no kind's name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Generic, NamedTuple, Protocol, TypeVar, cast

from watchroom.kinds.measure import Facts, Measure
from watchroom.kinds.queries import MetricQuery, total

By = Mapping[str, str]  # label -> value
Increments = dict[str, tuple[int, int]]  # bucket field -> start of its 10 s bucket in ms, how much

T = TypeVar("T")

# What Redis holds of one series: the integers of a bucket by field, or what was counted in an open set.
Stored = Any


class Unit(Enum):
    """What a number is in."""

    NUMBER = "how many"
    SHARE = "from 0 to 1"
    SECONDS = "seconds"


class Contribution(NamedTuple):
    """All that one entity adds. A field occurs once: an entity has one label set in each measure."""

    increments: Increments
    open_sets: dict[str, int]  # series of an open set -> since, ms
    tokens: dict[str, tuple[int, tuple[str, ...]]]  # measure -> moment in ms, fields of its token hashes, each once


Add = Callable[[Facts, Contribution], None]


class Reads(Enum):
    """Where Redis keeps a kind's measures."""

    BUCKETS = "integers that add up over time"
    OPEN_SET = "who is open now, by since when"
    TOKENS = "how often each token occurs, by day and month"
    FIGURES = "integers of one figure and period, which add up with nothing"
    NOTHING = "nothing: it is words"


class Over(Enum):
    """Over what the samples of a metric family are taken."""

    WINDOWS = "the measure's windows"
    LOCAL_HOURS = "the last complete local hour, and the same one of past weeks"
    NOW = "the moment of the scrape"
    READING = "the moment as of which Redis was read, where that is not the scrape's"
    OWN_PERIOD = "a figure's own period: of each span the one that ends latest"


class Form(Enum):
    """How a board shows a measure; the value is nothing but a name."""

    TALLY = "counts by window, against past weeks or as a ranking"
    SUMMARY = "several quantities over one window, each by window below"
    NOW = "what is open now"
    LIST = "a list for reports and the built-in page, and no panel: what it lists may be no label"
    FIGURE = "the latest figure of each span, with its as-at"
    WORDS = "words"


class HasClock(Protocol):
    """An entry, written or checked: the moments of its clock."""

    start: str
    at: str

    @property
    def sum_of(self) -> Sequence[object]:
        """What it adds up, where it is a sum."""


class MetricFamily(NamedTuple):
    """One metric of a kind's measures: `watchroom_<id>` or `watchroom_<id>_<suffix>`."""

    about: str  # what its number is, for HELP
    samples: tuple[tuple[By, str], ...]  # further labels -> the figure under them
    over: Over = Over.WINDOWS
    of_target: bool = False  # published only where there is a target
    area_windows: tuple[str, ...] | None = None  # it is by area in none but these; None: wherever its measure is
    excluded: str = ""  # of what is excluded and counted separately: what the Platform board says of it

    @property
    def further_labels(self) -> tuple[str, ...]:
        """Names of the labels that it has beside those of its measure and of its window."""
        return tuple(self.samples[0][0])


class Column(NamedTuple):
    """One column of reports and JSON."""

    name: str
    figure: str


class Quotient(NamedTuple):
    """A figure out of fields that add up over months: numerator / denominator / per, from whole numbers."""

    unit: Unit
    numerator: str  # field
    denominator: str = ""  # field; empty: a number, and no quotient
    per: int = 1  # how many of the numerator's units are one of the figure's: 1,000 ms are 1 s
    of_target: bool = False  # there only where there is a target
    title: str = ""  # beside the number in a report; empty: what the measure is called says it


@dataclass(frozen=True)
class OwnKey(Generic[T]):
    """A key that the entries of one kind have and no others: its kind's module declares and reads it.

    Its value is part of the measure's definition, unless it is the default or the key decides nothing. So a default
    never changes: another one would change the figures without changing the definition.
    """

    name: str
    type: Any  # as pydantic reads it, of what both TOML and JSON have: `Annotated[int, Field(gt=0)]`
    example: T  # for whoever has to write it
    default: T | None = None  # None: every entry of the kind must say it
    about: str = ""  # its meaning, for the reference of the catalogue
    decides: bool = True  # False: nothing that is stored depends on it, so it is no part of the definition

    def of(self, measure: Measure) -> T:
        """What the measure's entry says, as it is written there; the default where it says nothing."""
        return cast("T", measure.own[self.name] if self.default is None else measure.own.get(self.name, self.default))


@dataclass(frozen=True, slots=True)
class Quantity:
    """Something that a tile, a panel or an alert may ask for.

    `suffix` and `labels` say which metric family has it, and under which further labels. Of a share, `counts`
    are the part and the whole: they name both the figures and the suffixes of their families.
    """

    meaning: str
    unit: Unit
    figure: str = ""  # empty: a share of its counts
    suffix: str = ""
    labels: By = field(default_factory=dict)
    counts: tuple[str, str] | None = None
    adds_up: bool = True  # whether it can be asked for over several label values together
    needs_target: bool = False
    misses_overdue: bool = False  # who is overdue now counts as missed: the whole has them as well
    promql: Callable[[MetricQuery, Quantity], str] = total  # of what has no counts
    title: str = ""  # in a panel's title; default: the meaning
    column: str = ""  # as a column's title; default: the meaning, capitalised
    tenths: bool = False  # whether a tenth of a second says something
    warning_word: str = "HIGH"
    critical_word: str = "CRITICAL"

    @property
    def is_met_share(self) -> bool:
        """Whether it is the share that meets a target."""
        return self.needs_target and self.counts is not None


def fields_added_up(stored: Iterable[Mapping[str, int]]) -> Mapping[str, int]:
    """The integers of several series together."""
    added: dict[str, int] = {}
    for fields in stored:
        if not added:
            added = dict(fields)
            continue
        for name, number in fields.items():
            added[name] = added.get(name, 0) + number
    return added


def nothing(_measure: Measure, _series: str, _by: By) -> Add:
    """No entity adds anything."""
    return lambda _facts, _into: None


def as_stored(_measure: Measure, stored: Stored, _timed: bool = False) -> object:
    """What the store gives has an attribute for each figure already."""
    return stored


def placed_at(measure: Measure, mention: Callable[[str], str]) -> str:
    """The clock of what is counted at one moment."""
    return f"placed at {mention(measure.at)}"


@dataclass(frozen=True, slots=True)
class Kind:
    """Everything about one kind of measure.

    `figures(measure, stored, timed)` gives an object with an attribute for each figure, None where it cannot be
    computed (a share of nothing): absent, never 0. `timed` says whether the series has a target. `clock` says how
    a measure is placed in time; it is given a function that makes a word's mention.
    """

    name: str
    about: str  # in one line, for the definition page
    needs: tuple[str, ...]  # keys of an entry beside those that every kind has
    reads: Reads
    families: Mapping[str, MetricFamily]  # by suffix
    quantities: Mapping[str, Quantity]
    base: str  # the quantity that says on how many a figure rests
    columns: tuple[Column, ...]  # value, numerator and denominator first, as far as it has them
    clock: Callable[[Measure, Callable[[str], str]], str]
    form: Form
    contribution: Callable[[Measure, str, By], Add] = nothing  # of one series, by its name and labels
    figures: Callable[[Measure, Stored, bool], object] = as_stored
    # Raised whenever `contribution` would add something else for the same facts: part of its measures' definition.
    version: int = 1
    terms: tuple[str, ...] = ()  # of the stream: read in addition to those that an entry names
    may: tuple[str, ...] = ()  # keys that an entry may have as well
    most_labels: int | None = None  # how many labels an entry may have; None: any number
    own_keys: tuple[OwnKey[Any], ...] = ()  # further keys, which no other kind knows
    faults: Callable[[HasClock], Iterable[tuple[str, str, str]]] = lambda _: ()  # key, what was found, what to write
    add_up: Callable[[Iterable[Stored]], Stored] = fields_added_up
    unit: Unit = Unit.NUMBER  # of its value
    fed_by: str = "events"  # or "figures": numbers produced elsewhere
    # Columns that a report computes from added-up fields, by name, `value` first; none: it has no rows of that kind.
    quotients: Mapping[str, Quotient] = field(default_factory=dict)
    further_fields: tuple[str, ...] = ()  # that an imported month may have beside those of the quotients
    nested: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # of a report: columns under one name
    published: tuple[str, ...] = ()  # columns beside the value and its counts that a restatement may change
    details: Callable[[Mapping[str, object]], Iterable[str]] = lambda _: ()  # a row's figures in the words of a table
    card: tuple[str, ...] = ()  # quantities shown of a measure that has no tile
    trends: tuple[str, ...] = ()  # quantities drawn over time, the most telling first
    summary: tuple[str, ...] = ()  # quantities side by side in a table, in their order
    by_month: tuple[str, ...] = ()
    rests_on: str = ""  # how an alert's text says the base, with {} for the number; empty: it does not

    def figure(self, of: object, name: str) -> float | None:
        """One figure of what `figures` gave."""
        found: float | None = getattr(of, name)
        return found

    def keys(self) -> tuple[str, ...]:
        """The keys of an entry that not every kind has."""
        return (*self.needs, *self.may)
