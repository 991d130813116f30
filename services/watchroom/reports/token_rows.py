"""The report's rows for measures that count tokens: bands, and the most frequent. Pure.

Bands do not add up: a token that occurs once in each of two months occurs twice in both together. So they are kept for
single months and for twelve consecutive months, and are known for no other period.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from watchroom.kinds import kind_of
from watchroom.kinds.kind import Stored
from watchroom.kinds.measure import Measure
from watchroom.kinds.tokens import MOST_TOKENS
from watchroom.reports.baselines import months_from
from watchroom.reports.compare import NOT_WHOLE, BaselineHeld, Compared
from watchroom.reports.figure import VALUE, Exact, Figure, change
from watchroom.reports.held import Held
from watchroom.reports.report import Ranked, ReportRow

WHOLE_YEAR = 12
NO_BANDS = "no bands are kept for these months"


class Bands(NamedTuple):
    """The bands of a period, as its kind reads them."""

    today: Stored
    then: Stored | None  # as they were when the last month closed; None while it is not closed


BaselineBands = tuple[BaselineHeld, Bands | None]
"""A baseline and the bands of its months; None if there are none."""


def has_bands(months: Sequence[str]) -> bool:
    """Whether bands of these months can be kept: one month, or twelve consecutive months."""
    return len(months) in (1, WHOLE_YEAR) and list(months) == months_from(months[0], months[-1])


def bands_row(
    measure: Measure, held: Held, bands: Bands | None, baselines: Mapping[str, BaselineBands], *, small_below: int
) -> ReportRow:
    """The row of a measure whose kind has bands; if there are none, it says why."""
    figure = None if bands is None else bands_figure(measure, bands.today)
    is_whole, missing = held.is_whole(measure), held.missing(measure)
    compared = {name: _compared(measure, figure, is_whole, each, small_below) for name, each in baselines.items()}
    row = ReportRow(
        measure,
        months=held.months,
        held_months=held.number_held(measure),
        compared=compared,
        note="; ".join(filter(None, (missing, *(_remarks(figure) if figure else [_why_none(held, measure)])))),
    )
    if bands is None or figure is None:
        return row
    return replace(
        row,
        figure=figure,
        small=figure.is_small(small_below),
        closed=bands.then is not None,
        restatements=int(bands.then is not None and bands.then != bands.today),
        published=None if bands.then is None else bands_figure(measure, bands.then),
    )


def ranked_row(
    measure: Measure,
    held: Held,
    deleted: Collection[str],
    ranked: Sequence[Ranked],
    baselines: Mapping[str, BaselineHeld],
) -> ReportRow:
    """The row of the most frequent; baselines have only their description.

    Args:
        measure: Whose.
        held: The report's months.
        deleted: Those of them whose tokens have been deleted.
        ranked: Of the others.
        baselines: By name.
    """
    states = held.states(measure)
    gone = f"tokens for {', '.join(sorted(deleted))} are no longer held" if deleted else ""
    return ReportRow(
        measure,
        months=held.months,
        held_months=sum(is_held for month, is_held in states.items() if month not in deleted),
        ranked=tuple(ranked),
        compared={name: Compared(each.words, ()) for name, each in baselines.items()},
        note="; ".join(filter(None, (held.missing(measure), gone))),
    )


def bands_figure(measure: Measure, stored: Stored) -> Figure:
    """A kind's own columns, with its exact value from numerator and denominator."""
    kind = kind_of(measure)
    figures = kind.figures(measure, stored, False)
    columns = {column.name: kind.figure(figures, column.figure) for column in kind.columns}
    above, below = columns.pop("numerator"), columns.pop("denominator", None)
    columns.pop(VALUE)
    value = Exact(kind.unit, int(above or 0), None if below is None else int(below))
    nested = {name: {each: columns.pop(each) for each in group} for name, group in kind.nested.items()}
    return Figure({VALUE: value}, columns, nested)


def _why_none(held: Held, measure: Measure) -> str:
    """Why months that are held have no bands."""
    if not held.states(measure):
        return ""
    if not has_bands(held.months):
        return "bands are kept only for single months and for twelve months, and cannot be added up"
    return NO_BANDS


def _compared(
    measure: Measure, now: Figure | None, is_whole: bool, of_baseline: BaselineBands, small_below: int
) -> Compared:
    baseline, bands = of_baseline
    found = Compared(baseline.words, baseline.months)
    if reason := baseline.reason if baseline.own is None else baseline.own.missing(measure):
        return found._replace(reason=reason)
    if bands is None:
        return found._replace(reason=NO_BANDS)
    then = bands_figure(measure, bands.today)
    found = found._replace(figure=then, small=then.is_small(small_below))
    if now is None:
        return found._replace(reason="change not computed, because there are no bands for the report's months")
    if not is_whole:
        return found._replace(reason=NOT_WHOLE)
    return found._replace(changes={VALUE: change(now.value, then.value)})


def _remarks(figure: Figure) -> Iterator[str]:
    """What the bands exclude, and whether their tokens were made with several keys."""
    keys, left_out, late = (int(str(figure.more.get(name) or 0)) for name in ("token_keys", "left_out", "not_restated"))
    if keys > 1:
        yield f"tokens were generated with {keys} keys: one person may be counted twice"
    if left_out:
        yield f"{left_out:,} tokens beyond the limit of {MOST_TOKENS} per entity: excluded, counted separately"
    if late:
        yield f"{late:,} events arrived too late to be counted"
