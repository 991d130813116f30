"""When an open transaction hides the rest of a partition, and when it does not."""

from __future__ import annotations

from typing import Any

from watchroom.intake.freshness import Answer
from watchroom.intake.lanes import Lane, Place
from watchroom.intake.transactions import ANSWERED_WITHIN_MS, NAMED_AFTER_MS, open_transaction
from watchroom.store.open_transactions import OpenTransaction, by_partition, field, value


def lane_at(offset: int) -> Lane:
    """A partition of which all below `offset` is applied."""
    applier: Any = None
    lane = Lane(Place("north.calls", 0), applier)
    lane.place_at(offset)
    return lane


def test_it_is_named_once_it_has_been_open_for_a_while() -> None:
    """Since the first answer that showed it; a producer that works commits several times a second."""
    lane = lane_at(5)
    for sent_ms in (1_000, 2_000, 1_000 + NAMED_AFTER_MS):
        lane.note(Answer(sent_ms, 5, 9, 5))
    assert open_transaction(lane, 1_000 + NAMED_AFTER_MS - 1) is None
    assert open_transaction(lane, 1_000 + NAMED_AFTER_MS) == OpenTransaction(5, 1_000, 1_000 + NAMED_AFTER_MS)
    assert not lane.behind()  # a restart would change nothing
    lane.note(Answer(9_000, 5, 9, 9))
    assert open_transaction(lane, 99_000) is None
    assert lane.behind()


def test_nothing_is_said_of_a_transaction_while_kafka_is_silent() -> None:
    """It may have ended an hour ago; whoever is told of it would abort another one."""
    lane = lane_at(5)
    for sent_ms in (1_000, 9_000):
        lane.note(Answer(sent_ms, 5, 9, 5))
    at_ms = 9_000 + ANSWERED_WITHIN_MS
    assert open_transaction(lane, at_ms) == OpenTransaction(5, 1_000, 9_000), "as of the last answer"
    assert open_transaction(lane, at_ms + 1) is None


def test_transactions_that_end_are_not_named_however_many_follow() -> None:
    """Each lets us read a little further."""
    lane = lane_at(0)
    for number in range(20):
        lane.note(Answer(1_000 * number, number, number + 9, number))
        lane.applied(number)
        assert open_transaction(lane, 1_000 * number) is None


def test_a_partition_that_has_more_to_read_is_not_held_up() -> None:
    """Its worker is behind, and that is something else."""
    lane = lane_at(2)
    lane.note(Answer(1_000, 2, 9, 5))
    assert open_transaction(lane, 99_000) is None
    assert lane.behind()


def test_what_is_stored_reads_back() -> None:
    """By topic and partition."""
    found = OpenTransaction(5, 1_000, 7_000)
    assert by_partition({field("north.calls", 3): value(found)}) == {("north.calls", 3): found}
