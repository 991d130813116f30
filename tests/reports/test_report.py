"""The report's rows, checked with numbers worked out by hand: sums, residuals, gaps, changes since closing."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reports.made import (
    AREA,
    COUNT,
    GRADE,
    SHARE,
    TIMED,
    baseline,
    held,
    measure,
    months,
    restated,
    rows,
)
from watchroom.reports.figure import Figure
from watchroom.reports.held import StoredMonth
from watchroom.reports.report import Areas, ReportRow
from watchroom.reports.report_text import areas_text

N = "m||count"


def one(found: list[ReportRow]) -> ReportRow:
    """The only row."""
    (row,) = found
    return row


def value(figure: Figure | None) -> Any:
    """The value of a figure that must exist."""
    assert figure is not None
    assert figure.value is not None
    return figure.value.value


# ------------------------------------------------------------------------------------------- sums


def test_a_row_is_the_sum_of_its_months() -> None:
    """3 + 0 + 4: a month that is held but has no such event counts as 0."""
    row = one(rows(COUNT, held(months("2021-09", {N: 3}, {}, {N: 4}))))
    assert value(row.figure) == 7
    assert (row.held_months, row.months) == (3, ("2021-09", "2021-10", "2021-11"))


def test_a_share_is_divided_after_its_months_are_added_up() -> None:
    """1 of 2 and 0 of 8 are 10 %, not the mean of 50 % and 0 %."""
    row = one(rows(SHARE, held(months("2021-10", {"m||part": 1, "m||whole": 2}, {"m||whole": 8}))))
    assert value(row.figure) == Fraction(1, 10)


def test_durations_have_a_mean_a_target_and_the_national_bins() -> None:
    """5 s, 20 s and 75 s: 100 s over 3; Grade 1 has a target, but Grade 2 and all grades together have none."""
    fields = {"observations": 3, "sum_ms": 100_000, "bin:4950": 1, "bin:19700": 1, "bin:74000": 1, "within": 2}
    stored = {f"m|grade=1|{name}": number for name, number in fields.items()}
    both, first, second = rows(TIMED, held(months("2021-11", stored)))
    assert (both.by, first.by, second.by) == ({}, {"grade": "1"}, {"grade": "2"})
    assert first.figure is not None
    assert value(first.figure) == Fraction(100, 3)
    assert first.figure.exact["within_target"].value == Fraction(2, 3)
    assert first.figure.nested == {"bins": {"under_10": 1, "10_to_60": 1, "60_or_more": 1}}
    assert both.figure is not None
    assert set(both.figure.exact) == {"value"}
    assert second.figure is not None
    assert second.figure.value is not None
    assert second.figure.value.value is None


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), min_size=12, max_size=12))
def test_a_report_of_12_months_is_the_sum_of_the_months(counted: list[tuple[int, int]]) -> None:
    """Whatever the months hold: the whole numbers of a row are the sums of its months' numbers."""
    stored = months("2020-12", *({"m||part": min(pair), "m||whole": max(pair)} for pair in counted))
    exact = one(rows(SHARE, held(stored))).figure
    assert exact is not None
    assert exact.value is not None
    assert (exact.value.numerator, exact.value.denominator) == (sum(map(min, counted)), sum(map(max, counted)))


def test_the_total_comes_first_and_unlisted_label_values_appear_only_if_they_occurred() -> None:
    """A row for `other` without any incident is useless; a 0 for Grade 2 is not."""
    by_grade = measure("count", GRADE)
    stored = {"m|grade=1|count": 2, "m|grade=ungraded|count": 1}
    found = rows(by_grade, held(months("2021-11", stored)))
    assert [(row.by, value(row.figure)) for row in found] == [
        ({}, 3), ({"grade": "1"}, 2), ({"grade": "2"}, 0), ({"grade": "ungraded"}, 1),
    ]  # fmt: skip


# ------------------------------------------------------------------------------------------- areas


def areas_of(stored: dict[str, int], **groups: list[str]) -> Areas:
    """The areas of a row of a count."""
    found = one(rows(measure("count", AREA), held(months("2021-11", stored)), groups=groups)).areas
    assert found is not None
    return found


def test_parts_and_residual_add_up_to_the_row() -> None:
    """The published gun crime: 33 and 40 of 78, 2 out of force; the other three are in no part."""
    counted = {"stoke": 33, "county": 40, "out_of_force": 2, "unknown": 2, "other": 1}
    found = areas_of({f"m|area={area}|count": number for area, number in counted.items()})
    assert {part.name: value(part.figure) for part in found.parts} == {"stoke": 33, "county": 40, "out_of_force": 2}
    assert (found.residual.name, value(found.residual.figure)) == ("residual", 3)
    assert {part.name: value(part.figure) for part in found.residual_of} == {"unknown": 2, "other": 1}
    assert found.parts[0].of_total == Fraction(33, 78)


def test_an_area_without_any_count_has_no_figure() -> None:
    """`none 0 of 0` would repeat itself."""
    by_area = measure("share", AREA)
    row = one(rows(by_area, held(months("2021-11", {"m|area=stoke|part": 1, "m|area=stoke|whole": 2}))))
    assert next(areas_text(row)) == "by area: stoke 50.0% 1 of 2 · county none · out of force none"


def test_a_group_shows_its_areas_together_in_addition() -> None:
    """A group is not one of the parts, which still add up."""
    found = areas_of({"m|area=county|count": 4, "m|area=out_of_force|count": 1}, outside=["county", "out_of_force"])
    assert [(part.name, value(part.figure)) for part in found.groups] == [("outside", 5)]
    assert sum(value(part.figure) or 0 for part in (*found.parts, found.residual)) == 5


@given(st.dictionaries(st.sampled_from([*AREA.all_values()]), st.integers(0, 1000)))
def test_nothing_is_lost_between_areas(counted: dict[str, int]) -> None:
    """Parts and residual add up to the row, and the parts of the residual add up to the residual."""
    found = areas_of({f"m|area={area}|count": number for area, number in counted.items()})
    assert sum(value(part.figure) or 0 for part in (*found.parts, found.residual)) == sum(counted.values())
    assert sum(value(part.figure) or 0 for part in found.residual_of) == value(found.residual.figure)


def test_parts_of_a_total_of_0_have_no_share() -> None:
    """0 of 0 is not a percentage."""
    assert areas_of({}).parts[0].of_total is None


# ----------------------------------------------------------------------------------- what is missing


def test_months_that_are_not_held_are_missing_and_not_0() -> None:
    """With two months of three, the figure covers the two, and there is no change."""
    now = held(months("2021-10", {N: 3}, {N: 4}), of=("2021-09", "2021-10", "2021-11"))
    row = one(rows(COUNT, now, before=baseline(held(months("2021-06", {N: 1}, {N: 1}, {N: 1})))))
    assert (value(row.figure), row.held_months, row.note) == (7, 2, "not held: 2021-09")
    assert row.compared["before"].changes == {}
    assert row.compared["before"].reason == "change not computed, because not every month of the report is held"
    assert value(row.compared["before"].figure) == 3


def test_a_month_that_is_not_over_does_not_count_as_held() -> None:
    """Part of a month compared with whole months would look like a fall."""
    row = one(rows(COUNT, held(months("2021-10", {N: 3}, {N: 1}), partly=["2021-11"])))
    assert (row.held_months, row.note) == (1, "incomplete: 2021-11")


def test_without_any_held_month_there_is_no_figure() -> None:
    """It is null, never 0."""
    row = one(rows(COUNT, held([], of=("2021-10", "2021-11"))))
    assert (row.figure, row.published, row.areas, row.held_months) == (None, None, None, 0)


# ------------------------------------------------------------------------------------- restatements


def test_a_row_shows_what_was_published_when_its_months_closed() -> None:
    """82 then, 81 now: one crime has been cancelled since."""
    stored = [StoredMonth("2021-11", {N: 81}, [restated("2021-11", {}, "count", -1)])]
    row = one(rows(COUNT, held(stored)))
    assert (value(row.figure), value(row.published), row.restatements, row.closed) == (81, 82, 1, True)
    not_closed = one(rows(COUNT, held(stored, closed=False)))
    assert (not_closed.published, not_closed.restatements) == (None, 1)


def test_a_label_value_that_a_restatement_emptied_still_has_a_row() -> None:
    """It was published, so it is shown."""
    log = [restated("2021-11", {"grade": "ungraded"}, "count", -1)]
    found = rows(measure("count", GRADE), held([StoredMonth("2021-11", {"m|grade=1|count": 1}, log)]))
    assert [row.by.get("grade") for row in found] == [None, "1", "2", "ungraded"]
    assert value(found[-1].published) == 1


# ---------------------------------------------------------------------------------------- baselines


def test_a_row_is_compared_with_the_own_months_of_a_baseline() -> None:
    """7 after 10: -3, or -30 %."""
    row = one(
        rows(COUNT, held(months("2021-10", {N: 3}, {N: 4})), before=baseline(held(months("2021-08", {N: 10}, {}))))
    )
    found = row.compared["before"]
    assert (found.imported, found.reason, value(found.figure)) == (False, "", 10)
    assert found.changes["value"] == (Fraction(-3), Fraction(-30), None)


def test_imported_months_are_used_if_own_ones_are_incomplete() -> None:
    """They are never added up: one of two own months is held, but its 100 is not part of the 11."""
    own = held(months("2021-09", {N: 100}), of=("2021-08", "2021-09"))
    found = one(rows(COUNT, held(months("2021-10", {N: 3}, {N: 4})), before=baseline(
        own, {"m|": {"count": 5}}, {"m|": {"count": 6}},
    ))).compared["before"]  # fmt: skip
    assert (value(found.figure), found.imported) == (11, True)


def test_an_imported_month_that_is_missing_leaves_the_baseline_absent() -> None:
    """A missing value is unknown; a 0 must be written."""
    now = held(months("2021-10", {N: 3}, {N: 4}))
    found = one(rows(COUNT, now, before=baseline(None, {"m|": {"count": 5}}, {}, of=("2021-08", "2021-09")))).compared[
        "before"
    ]
    assert (found.figure, found.changes, found.reason) == (None, {}, "2021-09 is neither held nor imported")
    zero = baseline(None, {"m|": {"count": 5}}, {"m|": {"count": 0}}, of=("2021-08", "2021-09"))
    assert value(one(rows(COUNT, now, before=zero)).compared["before"].figure) == 5


def test_a_total_needs_every_label_value_that_is_in_use() -> None:
    """An imported Grade 1 compared with all grades of today would look like a rise."""
    now = held(months("2021-11", {"m|grade=1|count": 5, "m|grade=2|count": 6}))
    every, first, second = rows(
        measure("count", GRADE), now, before=baseline(None, {"m|grade=1": {"count": 4}}, of=("2020-11",))
    )
    assert every.compared["before"].reason == "2020-11 is not held, and its imported rows lack grade 2"
    assert value(first.compared["before"].figure) == 4
    assert second.compared["before"].figure is None


def test_a_total_also_needs_label_values_that_did_not_occur_since() -> None:
    """Grade 2 has a row, so a total needs it; `other` is needed if any imported month has it."""
    now = held(months("2021-11", {"m|grade=1|count": 5}))
    of = {"m|grade=1": {"count": 4}, "m|grade=2": {"count": 0}}
    (lacking, _, _), (whole, _, _) = (
        rows(measure("count", GRADE), now, before=baseline(None, imported, of=("2020-11",)))
        for imported in ({"m|grade=1": {"count": 4}}, of)
    )
    assert lacking.compared["before"].reason == "2020-11 is not held, and its imported rows lack grade 2"
    assert lacking.compared["before"].changes == {}
    assert value(whole.compared["before"].figure) == 4
    two = baseline(None, of | {"m|grade=other": {"count": 1}}, of, of=("2020-10", "2020-11"))
    found = rows(measure("count", GRADE), now, before=two)[0].compared["before"]
    assert (found.figure, found.reason) == (None, "2020-11 is not held, and its imported rows lack grade other")


@pytest.mark.parametrize(
    ("second", "reason"),
    [
        ({"stoke": 10, "county": 9}, ""),
        ({"stoke": 10, "county": 0}, ""),
        ({"stoke": 10}, "2020-11 is not held, and its imported rows lack area county"),
        ({}, "2020-11 is neither held nor imported"),
    ],
)
def test_the_data_of_one_area_never_stands_in_for_another(second: dict[str, int], reason: str) -> None:
    """A mistake in one area of one month would look like a rise of the total."""
    now = held(months("2021-10", {"m|area=stoke|count": 5}, {"m|area=stoke|count": 5}))
    given = [{f"m|area={area}": {"count": number} for area, number in month.items()}
             for month in ({"stoke": 7, "county": 8}, second)]  # fmt: skip
    before = baseline(None, *given, of=("2020-10", "2020-11"))
    found = one(rows(measure("count", AREA), now, before=before)).compared["before"]
    assert found.reason == reason
    assert (found.figure is None, found.changes == {}) == (bool(reason), bool(reason))


def test_an_area_that_no_imported_month_has_is_needed_if_it_has_events_now() -> None:
    """All its rows may have been refused, so that Stoke alone would look like the whole force."""
    by_grade = measure("count", GRADE, AREA)
    now = held(months("2021-11", {"m|grade=1,area=stoke|count": 5, "m|grade=2,area=county|count": 5}))
    imported = {f"m|grade={grade},area=stoke": {"count": 4} for grade in ("1", "2")}
    every, first, second = rows(by_grade, now, before=baseline(None, imported, of=("2020-11",)))
    for row in (every, second):
        found = row.compared["before"]
        assert found.reason == "2020-11 is not held, and its imported rows lack grade 2, area county"
    assert value(first.compared["before"].figure) == 4  # nothing of Grade 1 happened in the county


def test_a_field_that_is_missing_in_one_area_is_named() -> None:
    """The numerator of one area and the denominator of another do not make a share."""
    now = held(months("2021-11", {"m|area=stoke|part": 1, "m|area=stoke|whole": 2}))
    imported = {"m|area=stoke": {"part": 1, "whole": 2}, "m|area=county": {"part": 1}}
    found = one(rows(measure("share", AREA), now, before=baseline(None, imported, of=("2020-11",)))).compared["before"]
    assert (found.figure, found.reason) == (
        None,
        "2020-11 is not held, and its imported rows lack whole of area county",
    )


def test_a_column_whose_fields_were_not_imported_is_absent() -> None:
    """A mean without `within` does not mean 0 % within the target."""
    series = {"observations": 10, "sum_ms": 113_000}
    now = held(months("2021-11", {f"m|grade=1|{name}": number for name, number in {**series, "within": 5}.items()}))
    first = rows(TIMED, now, before=baseline(None, {"m|grade=1": series}, of=("2020-11",)))[1]
    found = first.compared["before"]
    assert value(found.figure) == Fraction(113, 10)
    assert found.figure is not None
    assert (set(found.figure.exact), found.figure.nested) == ({"value"}, {})
    assert found.changes["value"].absolute == 0
    assert found.changes["within_target"].points is None


def test_a_baseline_may_have_unknown_areas() -> None:
    """Its total still counts."""
    now = held(months("2021-11", {"m|area=stoke|count": 5, "m|area=county|count": 5}))
    before = baseline(None, {"m|area=unknown": {"count": 20}}, of=("2020-11",))
    found = one(rows(measure("count", AREA), now, before=before)).compared["before"]
    assert found.changes["value"].percent == -50


# ------------------------------------------------------------------------------------- small numbers


@pytest.mark.parametrize(("number", "small"), [(49, True), (50, False), (0, True)])
def test_a_figure_based_on_few_events_is_a_small_number(number: int, small: bool) -> None:
    """A count is based on itself, a share on its whole; the same applies to a baseline."""
    now = held(months("2021-11", {N: number}))
    row = one(rows(COUNT, now, before=baseline(held(months("2020-11", {N: number})))))
    assert (row.small, row.compared["before"].small) == (small, small)
    whole = held(months("2021-11", {"m||part": 0, "m||whole": number}))
    assert one(rows(SHARE, whole)).small is small
