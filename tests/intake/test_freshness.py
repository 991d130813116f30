"""When a partition's applied-until time grows, and when it must not."""

from __future__ import annotations

from watchroom.intake.assigned_partition import MOST_PAIRS, Answer, Freshness


def test_a_partition_is_fresh_as_of_the_fetch_once_the_end_it_showed_is_applied() -> None:
    """An answer shows an end; until everything below it is applied, the partition is not fresh."""
    freshness = Freshness()
    freshness.answered(Answer(sent_ms=1_000, position=0, end=5))
    assert freshness.as_of(4) is None
    assert freshness.as_of(5) == 1_000


def test_an_idle_partition_grows_fresher_with_every_empty_answer() -> None:
    """The log's end does not move but answers arrive: it is known that nothing has come."""
    freshness = Freshness()
    for sent_ms in range(1_000, 10_000, 500):
        freshness.answered(Answer(sent_ms, 5, 5))
        assert freshness.as_of(5) == sent_ms


def test_freshness_does_not_advance_without_answers() -> None:
    """A worker cut off from Kafka must not stay fresh."""
    freshness = Freshness()
    freshness.answered(Answer(1_000, 5, 5))
    assert [freshness.as_of(5) for _ in range(3)] == [1_000] * 3


def test_a_busy_partition_that_is_always_behind_stays_fresh() -> None:
    """The applied offset never equals the end; freshness follows at the distance of the lag."""
    freshness = Freshness()
    lag_ms = 5_000
    for now_ms in range(0, 600_000, 10):
        freshness.answered(Answer(now_ms, now_ms, now_ms + 1))
        fresh_ms = freshness.as_of(now_ms - lag_ms)
        if now_ms > 2 * lag_ms:
            assert fresh_ms is not None
            assert now_ms - fresh_ms <= lag_ms + 200
    assert len(freshness._unmet) <= MOST_PAIRS


def test_the_answers_of_a_lag_of_minutes_are_thinned_out_but_not_forgotten() -> None:
    """When catching up after an outage, freshness advances in steps and ends at the newest answer."""
    freshness = Freshness()
    for now_ms in range(0, 600_000, 500):
        freshness.answered(Answer(now_ms, 0, now_ms + 1))
    assert len(freshness._unmet) <= MOST_PAIRS
    assert freshness.as_of(1) == 0
    assert (freshness.as_of(300_001) or 0) > 200_000
    assert freshness.as_of(599_501) == 599_500


def test_freshness_only_grows() -> None:
    """A clock that goes back, or an older answer that comes late, makes nothing staler or fresher."""
    freshness = Freshness()
    freshness.answered(Answer(2_000, 5, 5))
    assert freshness.as_of(5) == 2_000
    freshness.answered(Answer(1_000, 5, 5))
    assert freshness.as_of(5) == 2_000


def test_an_end_below_the_requested_position_proves_nothing() -> None:
    """A recreated log is shorter than what is applied: everything in it looks applied, but is not."""
    freshness = Freshness()
    freshness.answered(Answer(2_000, 100, 7))
    assert freshness.as_of(100) is None
