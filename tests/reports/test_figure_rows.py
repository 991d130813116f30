"""Rows of figures that were produced elsewhere: the period shown, the as-at day, and the comparison."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pytest

from tests.parts import ROOT
from tests.reports.made import GRADE, measure
from watchroom.events.times import to_ms
from watchroom.kinds.measure import Measure
from watchroom.reports.baselines import load_baselines
from watchroom.reports.figure_rows import AsAt, Choices, Kept, figure_rows, note_row
from watchroom.reports.report import ReportRow
from watchroom.reports.report_text import counts_text, figure_text, finality_text

BASELINES = load_baselines(ROOT / "schemas")
PEOPLE = measure("figure", own={"unit": "people", "max_age_days": 400})
RATE = measure("figure", own={"unit": "percent", "decimals": 1, "max_age_days": 400}, unit="percent")


def kept(period: str, as_at: str, numerator: int | None, denominator: int | None = None, **more: Any) -> Kept:
    """A figure as stored in the months."""
    fields = {"as_at_ms": to_ms(f"{as_at}T09:00:00Z")}
    for what, number in (("numerator", numerator), ("denominator", denominator)):
        if number is not None:
            fields |= {what: number, f"has_{what}": 1}
    given = {"by": {}, "before": fields, "restatements": 0, "closed": True, **more}
    return Kept(period=period, fields=fields, as_at=as_at, **given)


def rows(what: Measure, *figures: Kept, as_at: str = "2021-11-30", baselines: tuple[str, ...] = ()) -> list[ReportRow]:
    """The rows as at a day in winter, when London is on UTC."""
    cut = AsAt(as_at, to_ms(f"{as_at}T00:00:00Z") + 86_400_000)
    known = {name: BASELINES[name] for name in baselines}
    return figure_rows(what, figures, Choices(cut, known, 50))


def shown(row: ReportRow) -> tuple[str, str, object]:
    """Period, span and value."""
    assert row.own is not None
    value = None if row.figure is None or row.figure.value is None else row.figure.value.value
    return row.own.period, row.own.span, value


def test_each_span_has_one_row_for_the_period_that_ends_latest() -> None:
    """Whatever the months of the report; quarters are never added up to a year."""
    found = rows(
        PEOPLE,
        kept("2021-Q2", "2021-07-10", 5), kept("2021-Q3", "2021-10-10", 7), kept("2020", "2021-02-01", 20),
    )  # fmt: skip
    assert [shown(row) for row in found] == [("2021-Q3", "quarter", 7), ("2020", "year", 20)]
    assert [row.own.as_at if row.own else "" for row in found] == ["2021-10-10", "2021-02-01"]


def test_the_as_at_day_is_included_but_the_next_is_not() -> None:
    """As at 30 November: what was reported on that day counts."""
    (same_day,) = rows(PEOPLE, kept("2021-10", "2021-11-30", 5))
    (next_day,) = rows(PEOPLE, kept("2021-10", "2021-12-01", 5))
    assert (shown(same_day), same_day.note) == (("2021-10", "month", 5), "")
    assert (shown(next_day), next_day.note) == (("2021-10", "month", None), "2021-10 was revised after 2021-11-30")
    assert next_day.published is None
    assert list(finality_text(next_day)) == ["2021-10 was revised after 2021-11-30"]


def test_a_period_revised_later_is_named_with_the_period_before_it() -> None:
    """Its older version is not kept, so the version that was valid then cannot be shown."""
    (row,) = rows(PEOPLE, kept("2021-Q2", "2021-07-10", 5), kept("2021-Q3", "2022-01-10", 7))
    assert (shown(row), row.note) == (("2021-Q2", "quarter", 5), "2021-Q3 was revised after 2021-11-30")
    (older,) = rows(PEOPLE, kept("2021-Q2", "2022-01-10", 5), kept("2021-Q3", "2021-10-10", 7))
    assert (shown(older), older.note) == (("2021-Q3", "quarter", 7), "")


def test_a_period_that_was_not_over_at_the_time_is_not_called_revised() -> None:
    """Nobody could have reported 2021-Q4 in November."""
    (row,) = rows(PEOPLE, kept("2021-Q3", "2021-10-10", 7), kept("2021-Q4", "2022-01-10", 9))
    assert (shown(row), row.note) == (("2021-Q3", "quarter", 7), "")


def test_ranges_that_end_in_the_same_month_are_all_shown() -> None:
    """Two years and half a year to November are different figures, so both are shown, each with its period."""
    found = rows(
        PEOPLE, kept("2021-06/2021-11", "2021-11-30", 5), kept("2019-12/2021-11", "2021-11-30", 20),
        kept("2021-01/2021-10", "2021-11-30", 9),
    )  # fmt: skip
    assert [shown(row) for row in found] == [("2019-12/2021-11", "range", 20), ("2021-06/2021-11", "range", 5)]


@pytest.mark.parametrize("revised", ["2021-06/2021-11", "2019-12/2021-11", "2019-12/2021-10"])
def test_a_range_revised_later_is_named_with_one_that_ends_in_the_same_month(revised: str) -> None:
    """An older period would not have been shown in any case."""
    (row,) = rows(PEOPLE, kept(revised, "2022-01-10", 5), kept("2021-01/2021-11", "2021-11-30", 9))
    assert shown(row) == ("2021-01/2021-11", "range", 9)
    assert row.note == ("" if revised.endswith("10") else f"{revised} was revised after 2021-11-30")
    only = rows(PEOPLE, kept(revised, "2022-01-10", 5), kept("2020-01/2021-10", "2022-01-10", 9))
    assert [revised in row.note for row in only] == [True]


@pytest.mark.parametrize(
    ("period", "last"),
    [
        ("2021", "2021-12-31"), ("2021-Q3", "2021-09-30"), ("2021-02", "2021-02-28"), ("2021-06-30", "2021-06-30"),
        ("2020-12/2021-11", "2021-11-30"), ("2021-06/2021-07", "2021-07-31"),
    ],
)  # fmt: skip
def test_a_figure_as_at_a_day_before_its_period_ends_is_marked(period: str, last: str) -> None:
    """It covers only part of its period, whatever the span; as at the last day it is complete."""
    before = (date.fromisoformat(last) - timedelta(days=1)).isoformat()
    (early,) = rows(PEOPLE, kept(period, before, 5), as_at="2022-01-31")
    (whole,) = rows(PEOPLE, kept(period, last, 5), as_at="2022-01-31")
    assert early.note == f"as at {before}, before the period ends"
    assert list(finality_text(early)) == [period, early.note, "small number"]
    assert list(finality_text(whole)) == [period, f"as at {last}", "small number"]


@pytest.mark.parametrize(
    ("before", "closed", "said"),
    [
        (None, True, "published after closing"),
        (6, True, "restated 2 times since closing: 6 when closed"),
        (None, False, "restated 2 times since closing"),
    ],
)
def test_a_figure_that_came_after_its_month_closed_is_not_shown_as_restated(
    before: int | None, closed: bool, said: str
) -> None:
    """Nothing had been published, so nothing published was changed; the number of events stays."""
    then = {} if before is None else {"as_at_ms": 1, "numerator": before, "has_numerator": 1}
    (row,) = rows(PEOPLE, kept("2021-Q3", "2021-11-10", 60, before=then, restatements=2, closed=closed))
    assert list(finality_text(row)) == ["2021-Q3", "as at 2021-11-10", said]
    assert row.restatements == 2


def test_a_part_of_a_period_is_never_compared_with_a_whole_one() -> None:
    """Half a year after a full one would look like a fall: the figure is shown, but no change."""
    then, now = kept("2019-12/2020-11", "2021-01-10", 40), kept("2020-12/2021-11", "2021-11-30", 50)
    for early, reason in (
        (
            now._replace(as_at="2021-06-30"),
            "change not computed, because the figure's as-at date is before the end of its period",
        ),
        (
            then._replace(as_at="2020-06-30"),
            "change not computed, because the baseline's figure is as at 2020-06-30, before the period ends",
        ),
    ):
        pair = [early, then if early.period == now.period else now]
        found = rows(PEOPLE, *pair, baselines=("previous",))[0].compared["previous"]
        assert (found.figure is not None, found.changes, found.reason) == (True, {}, reason)


def test_a_missing_figure_has_a_row_that_reports_it() -> None:
    """A row of the published report is never silently missing. A withdrawn figure has no as-at day."""
    withdrawn = kept("2021-10", "2021-11-01", 5)._replace(fields={"as_at_ms": 0})
    for figures in ((), (withdrawn,)):
        (row,) = rows(PEOPLE, *figures, baselines=("previous",))
        assert (shown(row), row.note) == (("", "", None), "no figure as at 2021-11-30")
        assert row.compared["previous"].figure is None


def test_each_label_value_has_its_own_row() -> None:
    """In the order of the catalogue."""
    by_grade = measure("figure", GRADE, own=PEOPLE.own)
    found = rows(
        by_grade, *(kept("2021-10", "2021-11-01", n, by={"grade": grade}) for grade, n in (("2", 6), ("1", 5)))
    )
    assert [(row.by, shown(row)[2]) for row in found] == [({"grade": "1"}, 5), ({"grade": "2"}, 6)]


def test_a_rate_changes_by_points_from_the_figure_for_the_baselines_months() -> None:
    """16.2 % after 11.4 % in the twelve months before: 4.8 points. Stored as tenths, without counts."""
    (row,) = rows(
        RATE, kept("2020-12/2021-11", "2021-11-30", 162), kept("2019-12/2020-11", "2021-01-10", 114),
        baselines=("previous", "2018/19"),
    )  # fmt: skip
    before, absent = row.compared["previous"], row.compared["2018/19"]
    assert shown(row) == ("2020-12/2021-11", "12mo", Fraction(162, 10))
    assert (before.changes["value"].points, before.changes["value"].absolute) == (Fraction(48, 10), None)
    assert (row.small, before.small) == (False, False)
    assert (absent.figure, absent.reason) == (None, "no figure for 2018-12 to 2019-11")


def test_a_rate_with_counts_is_in_per_cent_and_small_if_its_denominator_is() -> None:
    """779 of 1,450 is 53.7 %; 3 of 4 is based on only four."""
    (row,) = rows(RATE, kept("2021-10", "2021-11-01", 7_790, 14_500))
    assert row.figure is not None
    assert row.figure.columns() == {"value": round(77_900 / 1_450, 6), "numerator": 779, "denominator": 1450}
    assert counts_text(row.figure.exact["value"]) == "779 of 1,450"
    assert not row.small
    assert rows(RATE, kept("2021-10", "2021-11-01", 30, 40))[0].small


GUN_CRIME = measure("figure", own={"unit": "count", "max_age_days": 400}, unit="count")


def test_a_count_with_a_denominator_is_shown_as_the_count_and_small_if_the_count_is() -> None:
    """33 of 78 is 33; the denominator is printed next to it, and does not decide whether it is a small number."""
    row, other = (rows(GUN_CRIME, kept("2021-10", "2021-11-01", n, of))[0] for n, of in ((33, 78), (60, 3)))
    assert row.figure is not None
    assert row.figure.columns() == {"value": 33, "numerator": 33, "denominator": 78}
    exact = row.figure.exact["value"]
    assert (figure_text(exact), counts_text(exact)) == ("33", "33 of 78")
    assert (row.small, other.small) == (True, False)


def test_a_count_with_a_denominator_changes_by_a_number() -> None:
    """From 30 to 33 is 3 more, whatever the denominators."""
    (row,) = rows(
        GUN_CRIME, kept("2020-12/2021-11", "2021-11-30", 33, 78), kept("2019-12/2020-11", "2020-12-01", 30, 90),
        baselines=("previous",),
    )  # fmt: skip
    changed = row.compared["previous"].changes["value"]
    assert (changed.absolute, changed.percent, changed.points) == (Fraction(3), Fraction(10), None)


@pytest.mark.parametrize(
    ("own", "number", "small"),
    [
        ({"unit": "count"}, 16, True), ({"unit": "people"}, 16, True), ({"unit": "people"}, 50, False),
        ({"unit": "days"}, 16, False), ({"unit": "years"}, 3, False), ({"unit": "GBP"}, 3, False),
        ({"unit": "FTE", "decimals": 1, "signed": True}, -25, False), ({"unit": "count", "signed": True}, -3, False),
    ],
)  # fmt: skip
def test_only_a_count_can_be_a_small_number(own: dict[str, object], number: int, small: bool) -> None:
    """16 days, 3 years and a change are not based on a count."""
    (row,) = rows(measure("figure", own=own), kept("2021-10", "2021-11-01", number))
    assert row.small is small
    (of_few,) = rows(measure("figure", own=own), kept("2021-10", "2021-11-01", number, 49))
    assert of_few.small is small


def test_one_month_of_a_baseline_is_named_once() -> None:
    """A single month has no separate first and last month."""
    (row,) = rows(PEOPLE, kept("2021-10", "2021-11-01", 5), baselines=("2018/19",))
    assert row.compared["2018/19"].reason == "no figure for 2019-10"


def test_figures_for_a_day_and_a_split_quarter_say_why_they_are_not_compared() -> None:
    """A day has no months; the first quarter of pre-Covid has months that are not consecutive."""
    day, quarter = rows(
        PEOPLE, kept("2021-10-31", "2021-11-01", 5), kept("2021-Q1", "2021-04-01", 5), baselines=("pre-covid",)
    )
    assert day.compared["pre-covid"].reason == "a figure for a single day cannot be compared with months"
    assert quarter.compared["pre-covid"].reason == "its months are not consecutive, so no figure covers them"


def test_the_published_value_of_a_figure_is_shown() -> None:
    """Revised after its month had closed: 5 then, 6 now."""
    figure = kept("2021-10", "2021-11-29", 6)
    before = {**figure.fields, "numerator": 5}
    (row,) = rows(PEOPLE, figure._replace(before=before, restatements=2))
    assert row.published is not None
    assert row.published.value is not None
    assert (row.published.value.value, row.restatements) == (Fraction(5), 2)


def test_a_note_is_a_row_of_text() -> None:
    """Row 13: improvements are expected, without a number."""
    row = note_row(measure("note", own={"words": "w"}), "Improvements are expected.", BASELINES)
    assert (row.figure, row.note) == (None, "Improvements are expected.")
    assert {each.reason for each in row.compared.values()} == {""}
