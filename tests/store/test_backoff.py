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
def test_a_redis_that_refuses_is_asked_at_most_nine_times_a_minute_however_many_callers(
    pause_s: float, callers: int
) -> None:
    """However many partitions retry, and however often."""
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


def test_a_permitted_command_beside_a_refused_one_does_not_shorten_the_waits() -> None:
    """HGETALL answers, EVALSHA is refused: the answer opens the way once, and the waits continue as before."""
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


def test_calls_already_under_way_at_the_first_refusal_count_once() -> None:
    """Ten partitions that are refused together must not go straight to the longest wait."""
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
    backoff.check()  # the one that asked was cancelled


def test_nobody_waits_once_redis_answers_again() -> None:
    """For example after the password has been corrected."""
    backoff = Backoff(Clock())
    backoff.refused(StoreRefuses("no"))
    backoff.ended()
    backoff.check()
    backoff.check()


def test_an_optional_command_that_is_refused_is_tried_once_a_minute() -> None:
    """INFO, by a user who may not run it: each refusal is an entry in Redis's ACL log."""
    clock = Clock()
    seldom = Seldom(clock)
    due = [seldom.is_due]
    seldom.refused()
    for passed_s in (0.0, 59.9, 0.1):
        clock.now_s += passed_s
        due.append(seldom.is_due)
    assert due == [True, False, False, True]
