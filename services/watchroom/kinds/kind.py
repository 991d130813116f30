"""What defines a kind of measure. Each kind is one module with one `Kind`; `watchroom.kinds` lists them.

Everything that shows, checks or counts measures reads these attributes and never compares a kind's name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Generic, NamedTuple, Protocol, TypeVar, cast

from watchroom.kinds.measure import Facts, Measure
from watchroom.kinds.queries import MetricQuery, total

By = Mapping[str, str]  # label -> value
Increments = dict[str, tuple[int, int]]  # bucket field -> (start of its 10 s bucket in ms, amount)

T = TypeVar("T")

# What Redis has for one series: the integers of a bucket by field, or the counts of an open set.
Stored = Any


class Unit(Enum):
    """The unit of a number."""

    NUMBER = "number"
    SHARE = "share (0 to 1)"
    SECONDS = "seconds"


class Contribution(NamedTuple):
    """Everything that one entity contributes. A field occurs once: an entity has one label set in each measure."""

    increments: Increments
    open_sets: dict[str, int]  # series of an open set -> since when, ms
    tokens: dict[str, tuple[int, tuple[str, ...]]]  # measure -> (moment in ms, fields of its token hashes, each once)


Add = Callable[[Facts, Contribution], None]


class Reads(Enum):
    """How Redis keeps a kind's measures."""

    BUCKETS = "integers that add up over time"
    OPEN_SET = "what is open now, and since when"
    TOKENS = "how often each token occurs, by day and month"
    FIGURES = "integers of one figure and period, which are never added up"
    NOTHING = "nothing: it is text"


class Over(Enum):
    """What the samples of a metric family cover."""

    WINDOWS = "the measure's windows"
    LOCAL_HOURS = "the last complete local hour, and the same hour of past weeks"
    NOW = "the moment of the scrape"
    READING = "the moment at which Redis was read, if that is not the moment of the scrape"
    OWN_PERIOD = "a figure's own period: for each span, the period that ends latest"


class Form(Enum):
    """How a board shows a measure; the values are descriptions."""

    TALLY = "counts by window, against past weeks or as a ranking"
    SUMMARY = "several quantities over one window, with a table of each by window below"
    NOW = "what is open now"
    LIST = "a list for reports and the built-in page; it has no panel, because the listed values cannot be labels"
    FIGURE = "the latest figure of each span, with its as-at date"
    TEXT = "text"


class HasClock(Protocol):
    """An entry, before or after checking: the moments of its clock."""

    start: str
    at: str

    @property
    def sum_of(self) -> Sequence[object]:
        """What it adds up, if it is a sum."""


class MetricFamily(NamedTuple):
    """One metric of a kind's measures: `watchroom_<id>` or `watchroom_<id>_<suffix>`."""

    about: str  # what the number is, for HELP
    samples: tuple[tuple[By, str], ...]  # further labels -> the figure with these labels
    over: Over = Over.WINDOWS
    of_target: bool = False  # published only where there is a target
    area_windows: tuple[str, ...] | None = None  # the windows in which it is by area; None: the same as its measure
    excluded: str = ""  # for what is excluded and counted separately: the text on the Platform board

    @property
    def further_labels(self) -> tuple[str, ...]:
        """Names of its labels other than those of its measure and window."""
        return tuple(self.samples[0][0])


class Column(NamedTuple):
    """One column of reports and JSON."""

    name: str
    figure: str


class Quotient(NamedTuple):
    """A figure computed from fields that add up over months: numerator / denominator / per, from whole numbers."""

    unit: Unit
    numerator: str  # field
    denominator: str = ""  # field; empty: a number, not a quotient
    per: int = 1  # how many of the numerator's units make one of the figure's: 1,000 ms make 1 s
    of_target: bool = False  # only if there is a target
    title: str = ""  # next to the number in a report; empty: the measure's name is enough


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
    """A number that a tile, a panel or an alert may show.

    `suffix` and `labels` say which metric family has it, and with which further labels. For a share, `counts` are the
    part and the whole: the names of both the figures and the suffixes of their families.
    """

    meaning: str
    unit: Unit
    figure: str = ""  # empty: a share of its counts
    suffix: str = ""
    labels: By = field(default_factory=dict)
    counts: tuple[str, str] | None = None
    is_additive: bool = True  # whether several label values can be added up
    needs_target: bool = False
    misses_overdue: bool = False  # what is overdue now counts as missed, in the whole too
    promql: Callable[[MetricQuery, Quantity], str] = total  # of a quantity without counts
    title: str = ""  # in a panel's title; default: the meaning
    column: str = ""  # as a column's title; default: the meaning, capitalised
    tenths: bool = False  # whether tenths of a second matter
    warning_text: str = "HIGH"
    critical_text: str = "CRITICAL"

    @property
    def is_met_share(self) -> bool:
        """Whether it is the share that meets a target."""
        return self.needs_target and self.counts is not None


def fields_added_up(stored: Iterable[Mapping[str, int]]) -> Mapping[str, int]:
    """Add up the integers of several series."""
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
    """The stored value already has an attribute for each figure."""
    return stored


def counted_at(measure: Measure, mention: Callable[[str], str]) -> str:
    """The clock of what is counted at one moment."""
    return f"counted at {mention(measure.at)}"


@dataclass(frozen=True, slots=True)
class Kind:
    """Everything about one kind of measure.

    `figures(measure, stored, timed)` returns an object with an attribute for each figure, None if it cannot be computed
    (a share of nothing): absent, never 0. `timed` says whether the series has a target. `clock` describes the moment at
    which a measure counts; its second argument formats a term.
    """

    name: str
    about: str  # in one line, for the definition page
    needs: tuple[str, ...]  # keys of an entry that it requires, besides those of every kind
    reads: Reads
    families: Mapping[str, MetricFamily]  # by suffix
    quantities: Mapping[str, Quantity]
    base: str  # the quantity that counts what a figure rests on
    columns: tuple[Column, ...]  # value, numerator and denominator first, if it has them
    clock: Callable[[Measure, Callable[[str], str]], str]
    form: Form
    contribution: Callable[[Measure, str, By], Add] = nothing  # of one series, by its name and labels
    figures: Callable[[Measure, Stored, bool], object] = as_stored
    # Raise it if `contribution` would give something else for the same facts: it is part of its measures' definition.
    version: int = 1
    terms: tuple[str, ...] = ()  # of the stream: read in addition to those that an entry names
    may: tuple[str, ...] = ()  # optional keys of an entry
    most_labels: int | None = None  # how many labels an entry may have; None: any number
    own_keys: tuple[OwnKey[Any], ...] = ()  # further keys, which no other kind knows
    faults: Callable[[HasClock], Iterable[tuple[str, str, str]]] = lambda _: ()  # key, what was found, what to write
    add_up: Callable[[Iterable[Stored]], Stored] = fields_added_up
    unit: Unit = Unit.NUMBER  # of its value
    fed_by: str = "events"  # or "figures": numbers produced elsewhere
    # Columns that a report computes from added-up fields, by name, `value` first; empty: it has no such rows.
    quotients: Mapping[str, Quotient] = field(default_factory=dict)
    further_fields: tuple[str, ...] = ()  # that an imported month may have besides those of the quotients
    nested: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # for a report: columns grouped under one name
    published: tuple[str, ...] = ()  # columns other than the value and its counts that a restatement may change
    details: Callable[[Mapping[str, Any]], Iterable[str]] = lambda _: ()  # a row's figures as text in a table
    card: tuple[str, ...] = ()  # quantities shown for a measure without a tile
    trends: tuple[str, ...] = ()  # quantities drawn over time, the most important first
    summary: tuple[str, ...] = ()  # quantities side by side in a table, in their order
    by_month: tuple[str, ...] = ()
    rests_on: str = ""  # how an alert's text gives the base, with {} for the number; empty: it does not

    def figure(self, of: object, name: str) -> float | None:
        """One figure of the result of `figures`."""
        found: float | None = getattr(of, name)
        return found

    def keys(self) -> tuple[str, ...]:
        """The keys of an entry that not every kind has."""
        return (*self.needs, *self.may)
