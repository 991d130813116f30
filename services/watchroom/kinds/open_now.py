"""An open measure: what is between two moments now. How many, the oldest, how many are due and overdue."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from watchroom.kinds.kind import (
    Add,
    By,
    Column,
    Contribution,
    Form,
    Kind,
    MetricFamily,
    Over,
    Quantity,
    Reads,
    Unit,
)
from watchroom.kinds.measure import Facts, Measure
from watchroom.kinds.queries import highest_or_0
from watchroom.wording import duration

FIVE_MIN_MS = 300_000


class OpenQuestion(NamedTuple):
    """One series to query; `target_ms` is None if its labels have no target."""

    series: str
    target_ms: int | None
    give_up_ms: int


class Range(NamedTuple):
    """Members that have been open since a moment between these two, inclusive; None: unbounded."""

    from_ms: int | None
    to_ms: int | None


class OpenTile(NamedTuple):
    """An open measure with one set of labels at one moment."""

    open: int
    oldest_ms: int | None  # age of the oldest, None when nothing is open
    due_5min: int | None  # None without a target, as are the two below
    due_15min: int | None
    overdue: int | None
    gave_up: int  # older than the measure's give_up: never closed by the feed

    @property
    def oldest_s(self) -> float | None:
        """Age of the oldest in seconds; a sender's clock may be ahead of ours."""
        return None if self.oldest_ms is None else max(0, self.oldest_ms) / 1000

    @property
    def longest_s(self) -> float:
        """The same, and 0 s if nobody is waiting."""
        return self.oldest_s or 0.0

    def aged(self, ms: int) -> OpenTile:
        """The same tile this much later: only the age of the oldest changes."""
        return self if self.oldest_ms is None else self._replace(oldest_ms=self.oldest_ms + ms)


def question(measure: Measure, series: str, by: By) -> OpenQuestion:
    """The query for one series."""
    target = measure.target_for(by)
    return OpenQuestion(series, None if target is None else target.limit_ms, measure.give_up_ms)


def shown(of: OpenQuestion, now_ms: int) -> Range:
    """The members that the tile counts: all that have not been given up. The first is the oldest."""
    return Range(now_ms - of.give_up_ms, None)


def ranges(of: OpenQuestion, now_ms: int) -> tuple[Range, ...]:
    """The ranges to count for a tile; `tile` takes the counts in this order."""
    oldest_ms = now_ms - of.give_up_ms
    due_now_ms = now_ms - (of.target_ms or 0)  # open since then: the deadline is now
    first_due_ms = max(oldest_ms, due_now_ms)
    return (
        shown(of, now_ms),
        Range(first_due_ms, due_now_ms + FIVE_MIN_MS),
        Range(first_due_ms, due_now_ms + 3 * FIVE_MIN_MS),
        Range(oldest_ms, first_due_ms - 1),
        Range(None, oldest_ms - 1),
    )


def tile(of: OpenQuestion, counts: Sequence[int], oldest_since_ms: int | None, now_ms: int) -> OpenTile:
    """Build the tile from the counts of its ranges, and since when the oldest has been open."""
    open_now, due_5, due_15, overdue, gave_up = counts
    timed = of.target_ms is not None
    return OpenTile(
        open=open_now,
        oldest_ms=None if oldest_since_ms is None else now_ms - oldest_since_ms,
        due_5min=due_5 if timed else None,
        due_15min=due_15 if timed else None,
        overdue=overdue if timed else None,
        gave_up=gave_up,
    )


def add_up(stored: Iterable[OpenTile]) -> OpenTile:
    """Add up tiles: the oldest is the oldest of all; tiles without a target add nothing to due and overdue."""
    tiles = list(stored)

    def together(counts: Iterable[int | None]) -> int | None:
        known = [count for count in counts if count is not None]
        return sum(known) if known else None

    return OpenTile(
        open=sum(each.open for each in tiles),
        oldest_ms=max((each.oldest_ms for each in tiles if each.oldest_ms is not None), default=None),
        due_5min=together(each.due_5min for each in tiles),
        due_15min=together(each.due_15min for each in tiles),
        overdue=together(each.overdue for each in tiles),
        gave_up=sum(each.gave_up for each in tiles),
    )


def contribution(measure: Measure, series: str, _: By) -> Add:
    """A member of the open set while its state says so."""
    at, state = measure.at, measure.state

    def add(facts: Facts, into: Contribution) -> None:
        since_ms = facts[at]
        if facts[state] and isinstance(since_ms, int):
            into.open_sets[series] = since_ms

    return add


def clock(measure: Measure, mention: Callable[[str], str]) -> str:
    """The state that it counts, and the moment from which age is measured."""
    return f"counted while {mention(measure.state)}; age measured from {mention(measure.at)}"


def details(row: Mapping[str, Any]) -> Iterator[str]:
    """The oldest, and how many are due, overdue or given up."""
    if row["oldest_s"] is not None:
        yield f"oldest {duration(row['oldest_s'], tenths=True)}"
    if row["overdue"] is not None:
        yield f"{row['overdue']:,} overdue, {row['due_5min']:,} due in 5 min, {row['due_15min']:,} in 15"
    if row["gave_up"]:
        yield f"{row['gave_up']:,} not closed by the feed"


def _due(minutes: int) -> Quantity:
    return Quantity(
        f"deadline within {minutes} minutes",
        Unit.NUMBER,
        f"due_{minutes}min",
        "due",
        {"within": f"{minutes}m"},
        needs_target=True,
        warning_text="DUE",
        critical_text="DUE",  # fits next to the name of one of three numbers
    )


KIND: Final = Kind(
    name="open",
    about="the number open now",
    needs=("at", "state", "give_up_s"),
    may=("where", "targets"),
    reads=Reads.OPEN_SET,
    contribution=contribution,
    add_up=add_up,
    families={
        "": MetricFamily("open now", (({}, "open"),), over=Over.NOW),
        "oldest_seconds": MetricFamily("age of the oldest", (({}, "oldest_s"),), over=Over.NOW),
        "due": MetricFamily(
            "number that will reach their deadline within this time",
            (({"within": "5m"}, "due_5min"), ({"within": "15m"}, "due_15min")),
            over=Over.NOW,
            of_target=True,
        ),
        "overdue": MetricFamily("number past their deadline", (({}, "overdue"),), over=Over.NOW, of_target=True),
        "gave_up": MetricFamily(
            "number never closed by the feed and no longer shown",
            (({}, "gave_up"),),
            over=Over.NOW,
            excluded="Never closed by the feed, and too old to be plausible. Counted here and no longer shown as open.",
        ),
    },
    quantities={
        "open": Quantity("open now", Unit.NUMBER, "open"),
        "oldest": Quantity("age of the oldest", Unit.SECONDS, "longest_s", "oldest_seconds", promql=highest_or_0),
        "due_5m": _due(5),
        "due_15m": _due(15),
        "overdue": Quantity(
            "past the deadline", Unit.NUMBER, "overdue", "overdue", needs_target=True, warning_text="LATE"
        ),
    },
    base="open",
    columns=(
        Column("value", "open"),
        Column("numerator", "open"),
        Column("oldest_s", "oldest_s"),
        Column("due_5min", "due_5min"),
        Column("due_15min", "due_15min"),
        Column("overdue", "overdue"),
        Column("gave_up", "gave_up"),
    ),
    details=details,
    clock=clock,
    form=Form.NOW,
    card=("open", "oldest", "overdue"),
    trends=("open", "oldest", "overdue"),
    summary=("open", "oldest", "due_5m", "due_15m", "overdue"),
    rests_on="{} open now",
)
