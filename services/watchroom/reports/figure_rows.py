"""The report's rows for figures that are produced elsewhere, and for notes. Pure.

A figure has its own period and is never added up. For each span, the report shows the period that ends latest, among
the figures whose as-at day is not later than requested. Only the latest version of a period is known: if that version
is later than requested, the report says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from watchroom.kinds import figure as kind
from watchroom.kinds.kind import By, Unit
from watchroom.kinds.measure import Measure
from watchroom.reports.baselines import Baseline, BaselineMonths, months_from
from watchroom.reports.compare import Compared
from watchroom.reports.figure import VALUE, Exact, Figure, change
from watchroom.reports.report import OwnPeriod, ReportRow
from watchroom.rolling.periods import DAY, SPANS, known_period

Fields = Mapping[str, int]


class Kept(NamedTuple):
    """The latest version of a figure of one period."""

    by: By
    period: str  # 2020-12/2021-11
    fields: Fields
    before: Fields  # as they were when the last month of the period closed
    restatements: int  # events that changed it since then
    closed: bool
    as_at: str  # its day in the reporting zone
    note: str = ""  # what was sent with it

    @property
    def as_at_ms(self) -> int:
        """0 if there is none."""
        return self.fields.get(kind.AS_AT_MS, 0)


class AsAt(NamedTuple):
    """The last day whose figures are used."""

    day: str  # 2022-01-27, included
    end_ms: int  # first moment after it

    def has(self, kept: Kept) -> bool:
        """Whether this version existed by then."""
        return 0 < kept.as_at_ms < self.end_ms

    def misses(self, kept: Kept) -> bool:
        """Whether the period had ended by then, but its version is later."""
        return kept.as_at_ms >= self.end_ms and known_period(kept.period).last <= self.day


class Choices(NamedTuple):
    """What all rows of figures have in common."""

    as_at: AsAt
    baselines: Mapping[str, Baseline]
    small_below: int


def figure_rows(measure: Measure, kept: Sequence[Kept], choices: Choices) -> list[ReportRow]:
    """A row for each label set and span that has a figure; if there is none at all, one row without a figure."""
    of_spans = (
        [each for each in kept if each.by == by and known_period(each.period).span == span]
        for by in measure.label_sets()
        for span in SPANS
    )
    if found := [row for of_span in of_spans for row in _span_rows(measure, of_span, choices)]:
        return found
    return [note_row(measure, f"no figure as at {choices.as_at.day}", choices.baselines)]


def _span_rows(measure: Measure, of_span: Sequence[Kept], choices: Choices) -> Iterator[ReportRow]:
    """The rows of one span: one for each period that ends latest (several ranges may end together).

    If no figure can be used, there is a row for the latest period whose version is later than requested.
    """
    there = [each for each in of_span if choices.as_at.has(each)]
    shown = _latest(there)
    missed = [each for each in of_span if choices.as_at.misses(each)]
    younger = [each for each in _latest(missed) if not shown or _last(each) >= _last(shown[0])]
    younger += [each for each in missed if shown and _last(each) == _last(shown[0]) and each not in younger]
    note = "; ".join(f"{each.period} was revised after {choices.as_at.day}" for each in younger)
    for number, each in enumerate(shown):
        yield _shown_row(measure, each, there, choices, note if number == 0 else "")
    if not shown and younger:
        period, why = younger[0].period, "no figure to compare"
        yield ReportRow(
            measure,
            by=younger[0].by,
            own=OwnPeriod(period, known_period(period).span),
            compared={name: Compared(each.words, (), reason=why) for name, each in choices.baselines.items()},
            note=note,
        )


def _shown_row(measure: Measure, shown: Kept, there: Sequence[Kept], choices: Choices, note: str) -> ReportRow:
    figure = _figure(measure, shown.fields)
    return ReportRow(
        measure,
        by=shown.by,
        note="; ".join(filter(None, (early_text(shown.period, shown.as_at), note, shown.note))),
        own=OwnPeriod(shown.period, known_period(shown.period).span, shown.as_at_ms, shown.as_at),
        compared={name: _compared(measure, shown, there, each, choices) for name, each in choices.baselines.items()},
        figure=figure,
        small=figure.is_small(choices.small_below),
        closed=shown.closed,
        restatements=shown.restatements,
        published=_figure(measure, shown.before) if shown.closed else None,
    )


def early_text(period: str, as_at: str) -> str:
    """A remark if the figure's as-at day is before the end of its period, so that it covers only part of it."""
    return f"as at {as_at}, before the period ends" if as_at < known_period(period).last else ""


def note_row(measure: Measure, words: str, baselines: Mapping[str, Baseline]) -> ReportRow:
    """A row that consists of text."""
    none = {name: Compared(each.words, ()) for name, each in baselines.items()}
    return ReportRow(measure, note=words, own=OwnPeriod(), compared=none)


def exact_of(measure: Measure, fields: Fields) -> Exact | None:
    """The exact number of a figure; None if it has none."""
    per = 10 ** kind.DECIMALS.of(measure)

    def number(what: str) -> int | None:
        return fields.get(what, 0) if fields.get(kind.HAS + what) else None

    numerator, denominator = number(kind.NUMERATOR), number(kind.DENOMINATOR)
    if numerator is None:
        return None
    unit, is_change = kind.UNIT.of(measure), kind.SIGNED.of(measure)
    is_percent, is_count = unit == kind.PERCENT, unit in kind.COUNTS and not is_change
    return Exact(
        Unit.NUMBER, numerator, denominator, per, per, is_percent=is_percent, is_ratio=is_percent, is_count=is_count
    )


def _figure(measure: Measure, fields: Fields) -> Figure:
    exact = exact_of(measure, fields)
    return Figure({} if exact is None else {VALUE: exact})


def _compared(measure: Measure, shown: Kept, of_span: Sequence[Kept], baseline: Baseline, choices: Choices) -> Compared:
    """The figure of the same labels and span whose period is that of the baseline."""
    months, reason = _months(shown, baseline)
    found = Compared(baseline.words, months)
    if reason:
        return found._replace(reason=reason)
    days = [(known_period(each.period), each) for each in of_span]
    then = next((each for of, each in days if (of.first[:7], of.last[:7]) == (months[0], months[-1])), None)
    if then is None:
        return found._replace(reason=f"no figure for {' to '.join(dict.fromkeys((months[0], months[-1])))}")
    figure, now = _figure(measure, then.fields), _figure(measure, shown.fields)
    found = found._replace(figure=figure, small=figure.is_small(choices.small_below))
    if early := early_text(then.period, then.as_at):
        return found._replace(reason=f"change not computed, because the baseline's figure is {early}")
    if early_text(shown.period, shown.as_at):
        return found._replace(
            reason="change not computed, because the figure's as-at date is before the end of its period"
        )
    return found._replace(changes={VALUE: change(now.value, figure.value)})


def _months(shown: Kept, baseline: Baseline) -> BaselineMonths:
    """The months of a baseline that a figure is compared with; they must be consecutive, as those of its period are."""
    period = known_period(shown.period)
    if period.span == DAY:
        return BaselineMonths((), "a figure for a single day cannot be compared with months")
    found = baseline.months_for(months_from(period.first[:7], period.last[:7]))
    if found.reason or list(found.months) == months_from(found.months[0], found.months[-1]):
        return found
    return found._replace(reason="its months are not consecutive, so no figure covers them")


def _last(kept: Kept) -> str:
    return known_period(kept.period).last


def _latest(kept: Sequence[Kept]) -> list[Kept]:
    """The figures whose periods end latest, the longest period first."""
    last = max(map(_last, kept), default="")
    return sorted((each for each in kept if _last(each) == last), key=lambda each: known_period(each.period).first)
