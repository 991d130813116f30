"""From a window's integers to figures: nearest rank within 1 %, exact means, None for nothing."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from math import ceil
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchroom.kinds import figure
from watchroom.kinds.duration_figures import DurationFigures
from watchroom.kinds.measure import Measure
from watchroom.kinds.share import figures as share_figures
from watchroom.rolling.bins import BASE_EDGES, Bins

BINS = Bins((10_000, 60_000))
DURATIONS = st.lists(st.integers(0, BASE_EDGES[-1] - 1), min_size=1, max_size=60)


SHARE = Measure("m", "share", "calls", "queued", (), ("5m",), "b", "d", "s")


def share_of(fields: dict[str, int]) -> Any:
    """The figures of a share."""
    return share_figures(SHARE, fields)


def fields(values_ms: list[int]) -> dict[str, int]:
    """The fields of one series with these durations."""
    counts = Counter(f"bin:{BINS.lower_ms(value)}" for value in values_ms)
    return {"observations": len(values_ms), "sum_ms": sum(values_ms), **counts}


def near(found_s: float | None, value_ms: int) -> bool:
    """Within 1 % of an exact value (and float rounding)."""
    return found_s is not None and abs(found_s * 1000 - value_ms) <= 0.01 * value_ms + 1e-6


@given(DURATIONS, st.integers(1, 100))
def test_a_percentile_is_the_nearest_rank_within_1_percent(values_ms: list[int], p: int) -> None:
    """The smallest value with p % of all values at or below it, as in a sorted list."""
    rank = ceil(len(values_ms) * p / 100)
    found = DurationFigures(fields(values_ms), BINS).percentile_s(p)
    assert near(found, sorted(values_ms)[rank - 1])


@given(DURATIONS)
def test_the_mean_is_exact_and_the_maximum_within_1_percent(values_ms: list[int]) -> None:
    """The mean comes from the sum, not from the bins."""
    value = DurationFigures(fields(values_ms), BINS)
    assert value.mean_s == pytest.approx(sum(values_ms) / len(values_ms) / 1000)
    assert near(value.max_s, max(values_ms))


@pytest.mark.parametrize(("p", "value"), [(0, 1), (10, 1), (11, 2), (50, 5), (90, 9), (91, 10), (100, 10)])
def test_ten_values_have_ten_ranks(p: int, value: int) -> None:
    """Exactly 90 % of ten is the ninth, not the tenth."""
    found = DurationFigures(fields(list(range(1, 11))), BINS).percentile_s(p)
    assert found == pytest.approx(value / 1000)


def test_nothing_has_no_mean_no_percentile_and_no_share() -> None:
    """0 s would read as answered at once, and 0 % as none within the target."""
    value = DurationFigures({}, BINS)
    assert (value.mean_s, value.max_s, value.percentile_s(90)) == (None, None, None)
    assert value.observations == 0
    assert share_of({}).share is None
    assert share_of({"part": 0, "whole": 0}).share is None


def test_a_bin_that_was_retracted_to_0_is_not_the_maximum() -> None:
    """A retraction leaves a field of 0 behind; its value is gone."""
    value = DurationFigures({**fields([5_000]), "bin:60000": 0}, BINS)
    assert near(value.max_s, 5_000)


def test_excluded_durations_are_counted_separately() -> None:
    """Missing starts and negative durations are shown next to the figure, but are not part of it."""
    value = DurationFigures({"missing_start": 3, "negative": 2, "within": 1, **fields([4_000])}, BINS)
    assert (value.missing_start, value.negative, value.within, value.observations) == (3, 2, 1, 1)
    assert near(value.percentile_s(100), 4_000)


def test_a_share_is_its_part_divided_by_its_whole() -> None:
    """From 0 to 1, and both counts are kept."""
    value = share_of({"part": 21_068, "whole": 75_243})
    assert (value.part, value.whole) == (21_068, 75_243)
    assert value.share == pytest.approx(0.28, abs=0.001)
    assert share_of({"whole": 4}).share == 0.0


@given(st.integers(0, 2**53), st.integers(1, 2**40))
def test_large_sums_keep_their_milliseconds(sum_ms: int, observations: int) -> None:
    """A year of long waits is far more than 2^31 ms."""
    value = DurationFigures({"sum_ms": sum_ms, "observations": observations}, BINS)
    assert value.mean_s == pytest.approx(sum_ms / observations / 1000)


OF_PEOPLE = Measure("m", "figure", "returns", "", (), (), "b", "d", "s", own={"unit": "people"})


@pytest.mark.parametrize("as_at_ms", [0, 1, 1_642_723_200_000])
@pytest.mark.parametrize("number", [0, 5])
def test_a_figure_exists_whatever_its_number_and_its_as_at(as_at_ms: int, number: int) -> None:
    """0 is a number, and 1970 a year: neither means that nothing was given."""
    found = figure.figures(OF_PEOPLE, {"numerator": number, "has_numerator": 1, "as_at_ms": as_at_ms})
    assert (found.value, found.denominator, found.as_at_ms, found.as_at_s) == (number, None, as_at_ms, as_at_ms / 1000)


@pytest.mark.parametrize("stored", [{}, {"numerator": 0, "has_numerator": 0, "as_at_ms": 0}])
def test_nothing_remains_of_a_withdrawn_figure(stored: dict[str, int]) -> None:
    """The differences leave fields of 0 behind."""
    found = figure.figures(OF_PEOPLE, stored)
    assert (found.value, found.numerator, found.as_at_ms, found.as_at_s) == (None, None, None, None)


def of_unit(unit: str, decimals: int = 0) -> Measure:
    """A figure entry with this unit."""
    return replace(OF_PEOPLE, own={"unit": unit, "decimals": decimals})


def both(numerator: int, denominator: int) -> dict[str, int]:
    """A figure as stored, with its denominator."""
    return {"numerator": numerator, "has_numerator": 1, "denominator": denominator, "has_denominator": 1, "as_at_ms": 1}


@pytest.mark.parametrize("unit", ["count", "people", "days", "hours", "GBP", "FTE"])
def test_only_a_percentage_is_divided_by_its_denominator(unit: str) -> None:
    """33 gun crimes of 78 are 33, not 0.42 gun crimes; with a denominator of 0 they are still 33."""
    for denominator in (78, 0):
        found = figure.figures(of_unit(unit), both(33, denominator))
        assert (found.value, found.numerator, found.denominator) == (33, 33, denominator)
    share = figure.figures(of_unit("percent"), both(33, 78))
    assert share.value == pytest.approx(100 * 33 / 78)
    assert figure.figures(of_unit("percent"), both(0, 0)).value is None


@pytest.mark.parametrize(
    ("decimals", "value", "text"),
    [(0, 100 * 15 / 21, "71"), (1, 100 * 15 / 21, "71.4"), (0, 12.5, "13"), (0, -12.5, "-13"), (0, 5948, "5,948"),
     (1, 375.5, "375.5"), (1, 33.0, "33.0"), (0, 1e15, "1,000,000,000,000,000"), (6, 1e-06, "0.000001")],
)  # fmt: skip
def test_a_figure_is_rounded_to_the_decimals_that_its_entry_keeps(decimals: int, value: float, text: str) -> None:
    """The report shows 15 of 21 as 71 %, so the page does too; half away from zero."""
    assert figure.text(of_unit("percent", decimals), value) == text


@given(st.lists(st.integers(0, 70_000), max_size=40))
def test_the_national_bins_count_every_duration_once(values_ms: list[int]) -> None:
    """Below 10 s, 10 s to below 60 s, 60 s or longer: the form of the national 999 data."""
    found = DurationFigures(fields(values_ms), BINS)
    assert (found.under_10, found.from_10_to_60, found.from_60) == (
        sum(value < 10_000 for value in values_ms),
        sum(10_000 <= value < 60_000 for value in values_ms),
        sum(value >= 60_000 for value in values_ms),
    )


@pytest.mark.parametrize("edges_ms", [(), (10_000,), (60_000,)])
def test_without_edges_at_10_s_and_60_s_there_are_no_national_bins(edges_ms: tuple[int, ...]) -> None:
    """A bin that spans 10 s cannot be divided, and a guess would be wrong."""
    found = DurationFigures(
        {"observations": 1, "sum_ms": 9_999, f"bin:{Bins(edges_ms).lower_ms(9_999)}": 1}, Bins(edges_ms)
    )
    assert (found.under_10, found.from_10_to_60, found.from_60) == (None, None, None)


def test_durations_without_bins_have_no_national_bins() -> None:
    """An imported month may have only count and sum: 0 below 10 s would be wrong."""
    assert DurationFigures({"observations": 3, "sum_ms": 9_000}, BINS).under_10 is None
