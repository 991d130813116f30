"""Buckets: a count goes into four of them, and each is written until its retention has passed."""

from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchroom.rolling import buckets
from watchroom.rolling.buckets import Bucket, spread
from watchroom.rolling.calendar import Calendar

LONDON = Calendar("Europe/London")
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
AT_MS = 1_637_971_205_000  # 2021-11-27T00:00:05Z, in the first 10 s of a London day
START_MS = 1_637_971_200_000
NAMES = ("10s:1637971200", "hour:1637971200", "day:2021-11-27", "month:2021-11")


def names_at(now_ms: int) -> tuple[str, ...]:
    """The buckets to which a count in the 10 s of `AT_MS` is written at a moment."""
    return tuple(bucket.name for bucket in spread({START_MS: {"f": 1}}, now_ms, LONDON))


def test_a_count_goes_to_its_10_s_hour_day_and_month() -> None:
    """Every window is a sum of one of these four."""
    assert buckets.ten_seconds_of(AT_MS) == START_MS
    assert spread({START_MS: {"f": 3}}, AT_MS, LONDON) == [
        Bucket("10s:1637971200", START_MS + 10_000 + 2 * HOUR_MS, {"f": 3}),
        Bucket("hour:1637971200", START_MS + HOUR_MS + 60 * DAY_MS, {"f": 3}),
        Bucket("day:2021-11-27", START_MS + DAY_MS + 396 * DAY_MS, {"f": 3}),
        Bucket("month:2021-11", None, {"f": 3}),
    ]


def test_days_and_months_are_londons_while_hours_are_utcs() -> None:
    """23:30 UTC on 31 July is already August in London."""
    at_ms = 1_627_774_200_000  # 2021-07-31T23:30:00Z
    assert [bucket.name for bucket in spread({at_ms: {"f": 1}}, at_ms, LONDON)] == [
        "10s:1627774200",
        "hour:1627772400",
        "day:2021-08-01",
        "month:2021-08",
    ]


@pytest.mark.parametrize(("level", "keep_ms"), [(0, 2 * HOUR_MS), (1, 60 * DAY_MS), (2, 396 * DAY_MS)])
def test_a_bucket_is_written_until_its_end_plus_its_retention(level: int, keep_ms: int) -> None:
    """At that very millisecond its TTL would be 0, which Redis reads as for ever, so it is no longer written."""
    keep_until_ms = buckets.end_ms(NAMES[level], LONDON) + keep_ms
    assert buckets.keep_until(NAMES[level], LONDON) == keep_until_ms
    assert names_at(keep_until_ms - 1) == NAMES[level:]
    assert names_at(keep_until_ms) == NAMES[level + 1 :]


def test_months_are_written_for_ever() -> None:
    """A correction after ten years still reaches its month."""
    assert names_at(AT_MS + 3_653 * DAY_MS) == ("month:2021-11",)


def test_deltas_that_cancel_out_are_left_out_along_with_their_buckets() -> None:
    """A regrade within a batch changes nothing, and an empty write would make every exporter read again."""
    cells = {START_MS: {"a": 1, "b": 1}, START_MS + 10_000: {"a": -1}}
    found = {bucket.name: bucket.deltas for bucket in spread(cells, AT_MS, LONDON)}
    assert found == {
        "10s:1637971200": {"a": 1, "b": 1},
        "10s:1637971210": {"a": -1},
        "hour:1637971200": {"b": 1},
        "day:2021-11-27": {"b": 1},
        "month:2021-11": {"b": 1},
    }
    assert spread({START_MS: {"a": 0}}, AT_MS, LONDON) == []
    assert spread({}, AT_MS, LONDON) == []


def test_the_given_increments_are_not_modified() -> None:
    """The same batch is spread again when a step is rebuilt."""
    cells = {START_MS: {"a": 1}, START_MS + 10_000: {"a": 1}}
    spread(cells, AT_MS, LONDON)
    assert cells == {START_MS: {"a": 1}, START_MS + 10_000: {"a": 1}}


@pytest.mark.parametrize(
    ("name", "end"),
    [
        ("10s:1637971200", START_MS + 10_000),
        ("hour:1637971200", START_MS + HOUR_MS),
        ("day:2021-10-31", 1_635_724_800_000),  # a day of 25 hours
        ("month:2021-03", 1_617_231_600_000),  # 31 March, 23:00 UTC
    ],
)
def test_the_end_of_a_bucket_is_the_first_moment_after_it(name: str, end: int) -> None:
    """Its retention counts from there."""
    assert buckets.end_ms(name, LONDON) == end


CELLS = st.dictionaries(
    st.integers(0, 40_000).map(lambda n: START_MS + n * 10_000),
    st.dictionaries(st.sampled_from("abc"), st.integers(-(2**40), 2**40), max_size=3),
    max_size=20,
)


@given(CELLS)
def test_every_level_adds_up_to_the_same_total(cells: dict[int, dict[str, int]]) -> None:
    """A month is the sum of its days, a day of its hours, an hour of its 10 s; nothing is counted twice."""
    sums: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for bucket in spread(cells, START_MS, LONDON):
        for field, delta in bucket.deltas.items():
            sums[bucket.name.partition(":")[0]][field] += delta
    expected: dict[str, int] = defaultdict(int)
    for deltas in cells.values():
        for field, delta in deltas.items():
            expected[field] += delta
    expected = {field: total for field, total in expected.items() if total}
    for level in ("10s", "hour", "day", "month"):
        assert {field: total for field, total in sums[level].items() if total} == expected
