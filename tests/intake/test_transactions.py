"""When an open transaction hides the rest of a partition, and when it does not."""

from __future__ import annotations

from typing import Any

from aiokafka import TopicPartition

from watchroom.intake.assigned_partition import ANSWERED_MS, OPEN_FOR_MS, Answer, AssignedPartition
from watchroom.store.open_transactions import OpenTransaction, by_partition, field, value

clock_s = [0.0]


def partition_at(offset: int) -> AssignedPartition:
    """A partition with everything below `offset` applied."""
    applier: Any = None
    partition = AssignedPartition(TopicPartition("north.calls", 0), applier, lambda: clock_s[0])
    partition.start_at(offset)
    return partition


def test_a_transaction_is_named_once_it_has_been_open_for_a_while() -> None:
    """Counted from the first answer that showed it; a working producer commits several times a second."""
    partition = partition_at(5)
    for sent_ms in (1_000, 2_000, 1_000 + OPEN_FOR_MS):
        partition.note(Answer(sent_ms, 5, 9, 5))
    assert partition.open_transaction(1_000 + OPEN_FOR_MS - 1) is None
    assert partition.open_transaction(1_000 + OPEN_FOR_MS) == OpenTransaction(5, 1_000, 1_000 + OPEN_FOR_MS)
    clock_s[0] += 60
    assert not partition.stalled_s()  # a restart would change nothing
    partition.note(Answer(9_000, 5, 9, 9))
    assert partition.open_transaction(99_000) is None
    clock_s[0] += 60
    assert partition.stalled_s()


def test_a_transaction_is_not_named_while_kafka_is_silent() -> None:
    """It may have ended an hour ago; somebody who acts on the message would abort another one."""
    partition = partition_at(5)
    for sent_ms in (1_000, 9_000):
        partition.note(Answer(sent_ms, 5, 9, 5))
    at_ms = 9_000 + ANSWERED_MS
    assert partition.open_transaction(at_ms) == OpenTransaction(5, 1_000, 9_000), "as of the last answer"
    assert partition.open_transaction(at_ms + 1) is None


def test_transactions_that_end_are_not_named_however_many_follow() -> None:
    """Each lets us read a little further."""
    partition = partition_at(0)
    for number in range(20):
        partition.note(Answer(1_000 * number, number, number + 9, number))
        partition.applied(number)
        assert partition.open_transaction(1_000 * number) is None


def test_a_partition_with_more_to_read_is_not_held_up_by_a_transaction() -> None:
    """Its worker is behind, which is a different problem."""
    partition = partition_at(2)
    partition.note(Answer(1_000, 2, 9, 5))
    assert partition.open_transaction(99_000) is None
    clock_s[0] += 60
    assert partition.stalled_s()


def test_a_stored_transaction_is_read_back_by_topic_and_partition() -> None:
    """The exporter reads what the worker wrote."""
    found = OpenTransaction(5, 1_000, 7_000)
    assert by_partition({field("north.calls", 3): value(found)}) == {("north.calls", 3): found}
