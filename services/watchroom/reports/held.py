"""What is stored of some months, added up. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from watchroom.fold.batch import Restatement
from watchroom.kinds import names
from watchroom.reports.rows import AsOf, by_series

Content = Mapping[str, Mapping[str, int]]  # series -> field -> how much


class StoredMonth(NamedTuple):
    """One month as it lies in Redis."""

    name: str  # 2021-11
    fields: Mapping[str, int]
    log: Sequence[Restatement]


class Held(NamedTuple):
    """Months added up."""

    months: tuple[str, ...]
    today: Content
    published: Content  # today less the log
    entries: Mapping[str, int]  # series -> how many entries of the log
    complete: Mapping[str, Mapping[str, bool]]  # stream -> month of these that it holds -> whether all of it
    closed: Mapping[str, bool]  # stream -> whether every month is closed
    as_of: AsOf

    def is_whole(self, stream: str) -> bool:
        """Whether every month of the stream is held, each to its end."""
        return self.number_held(stream) == len(self.months)

    def number_held(self, stream: str) -> int:
        """How many months are held to their end."""
        return sum(self.complete.get(stream, {}).values())


def added_up(
    months: Iterable[StoredMonth],
    asked: tuple[str, ...],
    complete: Mapping[str, Mapping[str, bool]],
    closed: Mapping[str, bool],
    as_of: AsOf,
) -> Held:
    """The months together; see `Held` for what the others say."""
    today: defaultdict[str, Counter[str]] = defaultdict(Counter)
    since: defaultdict[str, Counter[str]] = defaultdict(Counter)
    entries: Counter[str] = Counter()
    for month in months:
        for series, fields in by_series(month.fields).items():
            today[series].update(fields)
        for entry in month.log:
            series = names.series(entry.measure, entry.by)
            since[series][entry.field] += entry.delta
            entries[series] += 1
    published = {series: _less(today.get(series, {}), since.get(series, {})) for series in {*today, *since}}
    return Held(asked, dict(today), published, entries, complete, closed, as_of)


def _less(today: Mapping[str, int], deltas: Mapping[str, int]) -> dict[str, int]:
    return {field: today.get(field, 0) - deltas.get(field, 0) for field in {*today, *deltas}}
