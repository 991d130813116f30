"""The report's rows of figures that were produced elsewhere, and of notes. Pure.

A figure is shown by its own period and adds up with nothing. Of each span the period that ends latest is shown, among
those that were as at no later than asked. A period has its latest version only: if that is younger, it is named.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from watchroom.kinds import figure as kind
from watchroom.kinds.kind import By, Unit
from watchroom.kinds.measure import Measure
from watchroom.reports.baselines import Baseline, months_from
from watchroom.reports.compare import Compared
from watchroom.reports.exact import Exact, change
from watchroom.reports.figure import VALUE, Figure
from watchroom.reports.report import OwnPeriod, ReportRow, empty_row
from watchroom.rolling.periods import DAY, SPANS, known_period

Fields = Mapping[str, int]


class Kept(NamedTuple):
    """The latest version of a figure of one period."""

    by: By
    period: str  # 2020-12/2021-11
    fields: Fields
    before: Fields  # as they were when the month closed in which the period ends
    restatements: int  # events that changed it since then
    closed: bool
    as_at: str  # its day in the reporting zone

    @property
    def as_at_ms(self) -> int:
        """0: there is none."""
        return self.fields.get(kind.AS_AT_MS, 0)


class AsAt(NamedTuple):
    """Up to when versions count."""

    day: str  # 2022-01-27, included
    end_ms: int  # first moment after it

    def has(self, kept: Kept) -> bool:
        """Whether this version was there by then."""
        return 0 < kept.as_at_ms < self.end_ms

    def misses(self, kept: Kept) -> bool:
        """Whether the period was over by then, and its version is younger."""
        return kept.as_at_ms >= self.end_ms and known_period(kept.period).last <= self.day


class Asking(NamedTuple):
    """What all rows of figures share."""

    as_at: AsAt
    baselines: Mapping[str, Baseline]
    as_of_ms: int | None
    small_below: int


def figure_rows(measure: Measure, rows: tuple[int, ...], kept: Sequence[Kept], asking: Asking) -> Iterator[ReportRow]:
    """A row for each label set and span that has a figure; one without a figure where there is none at all."""
    found = False
    for by in measure.label_sets():
        same = [each for each in kept if each.by == by]
        for span in SPANS:
            of_span = [each for each in same if known_period(each.period).span == span]
            if (row := _span_row(measure, by, of_span, asking)) is not None:
                found = True
                yield replace(row, rows=rows)
    if not found:
        none = {name: Compared(each.words, ()) for name, each in asking.baselines.items()}
        said = f"no figure as at {asking.as_at.day}"
        yield replace(_row(measure, {}, said), rows=rows, compared=none, as_of_ms=asking.as_of_ms)


def _span_row(measure: Measure, by: By, of_span: Sequence[Kept], asking: Asking) -> ReportRow | None:
    """The row of one span; None where it has neither a figure nor one that is younger than asked."""
    there = [each for each in of_span if asking.as_at.has(each)]
    shown = _latest(there)
    younger = _latest(each for each in of_span if asking.as_at.misses(each))
    if younger is not None and shown is not None and _last(younger) <= _last(shown):
        younger = None
    named = shown or younger
    if named is None:
        return None
    note = "" if younger is None else f"{younger.period} was revised after {asking.as_at.day}"
    own = OwnPeriod(named.period, known_period(named.period).span, None, "")
    compared = {name: _compared(measure, shown, there, each, asking) for name, each in asking.baselines.items()}
    row = replace(_row(measure, by, note), own=own, compared=compared, as_of_ms=asking.as_of_ms)
    if shown is None:
        return row
    figure = _figure(measure, shown.fields)
    return replace(
        row,
        own=own._replace(as_at_ms=shown.as_at_ms, as_at=shown.as_at),
        figure=figure,
        small=figure.is_small(asking.small_below),
        closed=shown.closed,
        restatements=shown.restatements,
        published=_figure(measure, shown.before) if shown.closed else None,
    )


def note_row(measure: Measure, rows: tuple[int, ...], words: str, baselines: Mapping[str, Baseline]) -> ReportRow:
    """A row that is given in words only."""
    none = {name: Compared(each.words, ()) for name, each in baselines.items()}
    return replace(_row(measure, {}, words), rows=rows, compared=none)


def exact_of(measure: Measure, fields: Fields) -> Exact | None:
    """A figure's number, exact; None where it has none."""
    per = 10 ** kind.DECIMALS.of(measure)

    def number(what: str) -> int | None:
        return fields.get(what, 0) if fields.get(kind.HAS + what) else None

    numerator, denominator = number(kind.NUMERATOR), number(kind.DENOMINATOR)
    if numerator is None:
        return None
    return Exact(Unit.NUMBER, numerator, denominator, per, per, is_percent=measure.unit == kind.PERCENT)


def _row(measure: Measure, by: By, note: str) -> ReportRow:
    """A row without a figure yet."""
    return replace(empty_row(measure), by=by, note=note, own=OwnPeriod("", "", None, ""))


def _figure(measure: Measure, fields: Fields) -> Figure:
    exact = exact_of(measure, fields)
    return Figure({} if exact is None else {VALUE: exact})


def _compared(
    measure: Measure, shown: Kept | None, of_span: Sequence[Kept], baseline: Baseline, asking: Asking
) -> Compared:
    """The figure of the same labels and span whose period is that of the baseline."""
    found = Compared(baseline.words, ())
    if shown is None:
        return found._replace(reason="no figure to compare")
    period = known_period(shown.period)
    if period.span == DAY:
        return found._replace(reason="a day has no months to compare")
    months, reason = baseline.months_for(months_from(period.first[:7], period.last[:7]))
    if reason:
        return found._replace(reason=reason)
    found = found._replace(months=months)
    if list(months) != months_from(months[0], months[-1]):
        return found._replace(reason="its months do not follow one another, so no figure is of them")
    days = [(known_period(each.period), each) for each in of_span]
    then = next((each for of, each in days if (of.first[:7], of.last[:7]) == (months[0], months[-1])), None)
    if then is None:
        return found._replace(reason=f"no figure of {' to '.join(dict.fromkeys((months[0], months[-1])))}")
    figure, now = _figure(measure, then.fields), _figure(measure, shown.fields)
    return found._replace(
        figure=figure, changes={VALUE: change(now.value, figure.value)}, small=figure.is_small(asking.small_below)
    )


def _last(kept: Kept) -> str:
    return known_period(kept.period).last


def _latest(kept: Iterable[Kept]) -> Kept | None:
    return max(kept, key=_last, default=None)
