"""The report's rows of measures that count tokens: bands, and the most frequent. Pure.

Bands do not add up: a token that occurs once in each of two months occurs twice in both. So they are known of one month
and of the twelve months ending with one, as they are kept, and of no other period.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from watchroom.kinds import kind_of
from watchroom.kinds.kind import Stored
from watchroom.kinds.measure import Measure
from watchroom.kinds.tokens import MOST_TOKENS
from watchroom.reports.baselines import months_from
from watchroom.reports.compare import Compared
from watchroom.reports.exact import Exact, change
from watchroom.reports.figure import VALUE, Figure
from watchroom.reports.report import Ranked, ReportRow, empty_row

WHOLE_YEAR = 12


class Bands(NamedTuple):
    """The bands of a period, as its kind reads them."""

    today: Stored
    then: Stored | None  # as they were when the last month closed; None while it is not closed


class BaselineBands(NamedTuple):
    """The bands of a baseline's months, or why there are none."""

    words: str
    months: tuple[str, ...]
    bands: Bands | None
    reason: str = ""


def has_bands(months: Sequence[str]) -> bool:
    """Whether bands of these months can be kept: of one, or of twelve that follow one another."""
    return len(months) in (1, WHOLE_YEAR) and list(months) == months_from(months[0], months[-1])


def bands_row(
    measure: Measure,
    months: tuple[str, ...],
    bands: Bands | None,
    baselines: Mapping[str, BaselineBands],
    *,
    small_below: int,
) -> ReportRow:
    """The row of a measure whose kind has bands; without them it says why."""
    compared = {name: _compared(measure, bands, each, small_below) for name, each in baselines.items()}
    row = replace(empty_row(measure), months=months, compared=compared)
    if bands is None:
        kept = has_bands(months)
        return replace(row, note="" if kept else "bands are kept of one month and of twelve months, and do not add up")
    figure = bands_figure(measure, bands.today)
    return replace(
        row,
        held_months=len(months),
        figure=figure,
        small=figure.is_small(small_below),
        closed=bands.then is not None,
        restatements=int(bands.then is not None and bands.then != bands.today),
        published=None if bands.then is None else bands_figure(measure, bands.then),
        note=_note(figure),
    )


def ranked_row(
    measure: Measure, months: tuple[str, ...], held: int, ranked: Sequence[Ranked], baselines: Mapping[str, str]
) -> ReportRow:
    """The row of the most frequent over the months of which tokens are still held; of baselines there are the words."""
    compared = {name: Compared(words, ()) for name, words in baselines.items()}
    return replace(empty_row(measure), months=months, held_months=held, ranked=tuple(ranked), compared=compared)


def bands_figure(measure: Measure, stored: Stored) -> Figure:
    """A kind's own columns, its value exact out of the numerator and the denominator among them."""
    kind = kind_of(measure)
    figures = kind.figures(measure, stored, False)
    columns = {column.name: kind.figure(figures, column.figure) for column in kind.columns}
    above, below = columns.pop("numerator"), columns.pop("denominator", None)
    columns.pop(VALUE)
    value = Exact(kind.unit, int(above or 0), None if below is None else int(below))
    nested = {name: {each: columns.pop(each) for each in group} for name, group in kind.nested.items()}
    return Figure({VALUE: value}, columns, nested)


def _compared(measure: Measure, now: Bands | None, baseline: BaselineBands, small_below: int) -> Compared:
    found = Compared(baseline.words, baseline.months, reason=baseline.reason)
    if baseline.bands is None:
        return found if found.reason else found._replace(reason="no bands are kept of these months")
    then = bands_figure(measure, baseline.bands.today)
    found = found._replace(figure=then, small=then.is_small(small_below))
    if now is None:
        return found._replace(reason="no change, since there are no bands of the report's months")
    return found._replace(changes={VALUE: change(bands_figure(measure, now.today).value, then.value)})


def _note(figure: Figure) -> str:
    """What is not in the bands, and tokens of two keys: one person may be two of them."""
    keys, left_out, late = (int(str(figure.more.get(name) or 0)) for name in ("token_keys", "left_out", "not_restated"))
    said = (
        f"made with {keys} keys: one may be counted twice" if keys > 1 else "",
        f"{left_out:,} beyond {MOST_TOKENS} in one entity: excluded, counted separately" if left_out else "",
        f"{late:,} events came too late to be counted" if late else "",
    )
    return "; ".join(filter(None, said))
