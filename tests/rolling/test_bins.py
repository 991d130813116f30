"""Bins: within 1 % of every value in them, and never across a target."""

from __future__ import annotations

from bisect import bisect_right

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchroom.kinds.duration_figures import bins_of
from watchroom.kinds.measure import Measure, Target
from watchroom.rolling.bins import BASE_EDGES, LAST_EDGE_MS, Bins

PLAIN = Bins()
VALUES = st.one_of(
    st.integers(0, 200),
    st.integers(0, BASE_EDGES[-1] - 1),
    st.sampled_from(BASE_EDGES[:-1]).flatmap(lambda edge: st.sampled_from([edge, max(edge - 1, 0)])),
)
EXTRA = st.lists(st.integers(1, LAST_EDGE_MS), max_size=5)


def duration(*targets: Target, edges_ms: tuple[int, ...] = ()) -> Measure:
    """A duration measure with these targets and extra edges."""
    return Measure(
        id="m", kind="duration", stream="calls", at="answered", labels=(), windows=(), brief="", definition="",
        source="", start="queued", targets=targets, edges_ms=edges_ms,
    )  # fmt: skip


@given(VALUES, EXTRA)
def test_a_value_is_within_1_percent_of_its_bins_representative(value_ms: int, extra: list[int]) -> None:
    """The guarantee of the published percentiles, from 0 ms to 230 years, whatever edges are added."""
    bins = Bins(extra)
    lower = bins.lower_ms(value_ms)
    assert lower <= value_ms
    assert abs(bins.value_ms(lower) - value_ms) <= 0.01 * value_ms


def test_the_guarantee_holds_at_every_edge() -> None:
    """The first and last ms of each bin are the worst cases; all are tested, not a sample."""
    for lower, upper in zip(PLAIN.edges, PLAIN.edges[1:], strict=False):
        for value in (lower, upper - 1):
            assert PLAIN.lower_ms(value) == lower
            assert abs(PLAIN.value_ms(lower) - value) <= 0.01 * value


def test_edges_increase_and_are_few() -> None:
    """A Redis hash has one field per bin in use: at most about 1,300 for 230 years."""
    assert PLAIN.edges == sorted(set(PLAIN.edges))
    assert len(PLAIN.edges) < 1_400
    assert 0.98 * LAST_EDGE_MS < PLAIN.edges[-1] <= LAST_EDGE_MS


def test_zero_has_its_own_bin() -> None:
    """A duration of 0 ms is exactly 0 s."""
    assert PLAIN.lower_ms(0) == 0
    assert PLAIN.value_ms(0) == 0.0
    assert PLAIN.lower_ms(1) == 1


def test_durations_below_50_ms_are_exact() -> None:
    """Their bins are one millisecond each."""
    assert [PLAIN.value_ms(PLAIN.lower_ms(value)) for value in range(50)] == list(range(50))


@pytest.mark.parametrize(("inclusive", "last_within"), [(False, 9_999), (True, 10_000)])
def test_no_bin_spans_a_target(inclusive: bool, last_within: int) -> None:
    """`below` 10 s ends at 9,999 ms and `within` 10 s at 10,000 ms, so bins show how many met it."""
    bins = bins_of(duration(Target({}, 10_000, inclusive=inclusive)))
    assert bins.lower_ms(last_within + 1) == last_within + 1
    assert bins.lower_ms(last_within) <= last_within


def test_extra_edges_of_the_catalogue_become_edges_of_bins() -> None:
    """Below 10 s, 10 to below 60 s, and 60 s or more can be read from the bins exactly."""
    bins = bins_of(duration(edges_ms=(10_000, 60_000)))
    assert {10_000, 60_000} <= set(bins.edges)
    assert bins.lower_ms(59_999) < 60_000 == bins.lower_ms(60_000)


@given(st.integers(LAST_EDGE_MS, 2**53))
def test_durations_longer_than_230_years_fall_into_the_last_bin(value_ms: int) -> None:
    """No duration is lost, however absurd; its sum stays exact."""
    assert PLAIN.lower_ms(value_ms) == PLAIN.edges[-1]


@given(st.lists(VALUES, max_size=30), st.lists(VALUES, max_size=30))
def test_bins_can_be_added_and_subtracted(some: list[int], others: list[int]) -> None:
    """A value's bin depends on nothing else, so windows are sums and corrections are retractions."""

    def counted(values: list[int]) -> dict[int, int]:
        counts: dict[int, int] = {}
        for value in values:
            counts[PLAIN.lower_ms(value)] = counts.get(PLAIN.lower_ms(value), 0) + 1
        return counts

    both, first = counted(some + others), counted(some)
    left = {lower: both[lower] - first.get(lower, 0) for lower in both}
    assert {lower: count for lower, count in left.items() if count} == counted(others)


@given(VALUES)
def test_a_bin_is_named_by_its_lower_edge(value_ms: int) -> None:
    """`bin:7950` holds durations from 7,950 ms up to, but not including, the next edge."""
    lower = PLAIN.lower_ms(value_ms)
    following = PLAIN.edges[bisect_right(PLAIN.edges, lower)]
    assert lower <= value_ms < following
