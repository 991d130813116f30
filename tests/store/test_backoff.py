"""How often a Redis that refuses us is asked."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchroom.errors import StoreRefuses
from watchroom.store.backoff import MOST_S, Backoff, Seldom


class Clock:
    """Seconds, moved by hand."""

    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@given(st.floats(0.001, 2.0), st.integers(1, 5))
def test_whoever_calls_it_is_asked_at_most_nine_times_in_a_minute(pause_s: float, callers: int) -> None:
    """However many partitions try again and again, each as often as it likes."""
    clock, asked = Clock(), 0
    backoff = Backoff(clock)
    while clock.now_s < 1060:
        for _ in range(callers):
            try:
                backoff.check()
            except StoreRefuses:
                continue
            asked += 1
            backoff.refused(StoreRefuses("no"))
        clock.now_s += pause_s
    assert 4 <= asked <= 9


def test_a_right_that_works_beside_one_that_does_not_changes_nothing() -> None:
    """HGETALL answers, EVALSHA is refused: the answer opens the way once, and the waits go on as they were."""
    clock, asked = Clock(), 0
    backoff = Backoff(clock)
    while clock.now_s < 1060:
        for is_allowed in (True, False):
            try:
                backoff.check()
            except StoreRefuses:
                continue
            if is_allowed:
                backoff.ended()
            else:
                asked += 1
                backoff.refused(StoreRefuses("no"))
        clock.now_s += 0.1
    assert asked <= 9


def test_calls_that_were_under_way_at_the_first_refusal_count_once() -> None:
    """Ten partitions that are refused together must not wait for the longest time at once."""
    clock = Clock()
    backoff = Backoff(clock)
    for _ in range(10):
        backoff.check()
    for _ in range(10):
        backoff.refused(StoreRefuses("no"))
    clock.now_s += 1.0
    backoff.check()
    with pytest.raises(StoreRefuses, match="no"):
        backoff.check()  # one asks, the others wait for its answer
    clock.now_s += MOST_S
    backoff.check()  # the one that asked was called off


def test_once_it_answers_nobody_waits() -> None:
    """A password that was put right."""
    backoff = Backoff(Clock())
    backoff.refused(StoreRefuses("no"))
    backoff.ended()
    backoff.check()
    backoff.check()


def test_what_we_need_not_have_is_asked_for_once_a_minute() -> None:
    """INFO, by a user who may not run it: each refusal is an entry of Redis's ACL log."""
    clock = Clock()
    seldom = Seldom(clock)
    due = [seldom.is_due]
    seldom.refused()
    for passed_s in (0.0, 59.9, 0.1):
        clock.now_s += passed_s
        due.append(seldom.is_due)
    assert due == [True, False, False, True]
