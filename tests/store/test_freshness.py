"""How far a topic is applied, and whether that is recent: the page, reports and doctor rely on it."""

from __future__ import annotations

import pytest

from watchroom.store.freshness import CLOCK_SLACK_MS, Age, age_of, applied_until
from watchroom.store.read import PartitionState

NOW_MS, LIMIT_MS = 1_000_000, 10_000


@pytest.mark.parametrize(
    ("at_ms", "expected"),
    [
        (None, Age.UNKNOWN),
        (NOW_MS, Age.FRESH),
        (NOW_MS - LIMIT_MS, Age.FRESH),
        (NOW_MS - LIMIT_MS - 1, Age.OLD),
        (NOW_MS + CLOCK_SLACK_MS, Age.FRESH),  # another clock may be a little ahead of ours
        (NOW_MS + CLOCK_SLACK_MS + 1, Age.IN_FUTURE),
    ],
)
def test_an_age_is_fresh_between_its_limit_and_the_clock_slack(at_ms: int | None, expected: Age) -> None:
    """A moment far in the future is as doubtful as an old one: one of the clocks is wrong."""
    assert age_of(at_ms, NOW_MS, LIMIT_MS) is expected


def test_a_topic_is_applied_until_its_slowest_partition() -> None:
    """One partition may be far behind the others during a replay; without its figures the rest is incomplete."""
    states = {("calls", 0): PartitionState(7, 500, 0), ("calls", 1): PartitionState(9, 400, 0)}
    other = {("crimes", 0): PartitionState(1, 100, 0)}
    assert applied_until(states | other, ["calls"]) == 400
    assert applied_until(states | {("calls", 2): PartitionState(1, None, 0)}, ["calls"]) is None
    assert applied_until(other, ["calls"]) is None
