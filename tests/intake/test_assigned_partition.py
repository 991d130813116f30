"""The states of an assigned partition: the tests go through the table in its docstring."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import pytest
from aiokafka import TopicPartition

from watchroom.intake.assigned_partition import START_FIRST_S, START_MOST_S, AssignedPartition, State
from watchroom.intake.assignment import Assignment
from watchroom.intake.batches import Fetched, RecordBatch

TP = TopicPartition("watchroom.calls", 0)
APPLIER: Any = None  # no batch is applied here


class Clock:
    """A clock that moves only when a test moves it."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class Row(NamedTuple):
    """One transition, as in the docstring."""

    state: State
    call: str
    next_state: State


def table(text: str) -> list[Row]:
    """The rows of the table in a docstring."""
    cells = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in text.splitlines() if "|" in line]
    head, _, *rows = cells
    assert head[:3] == ["state", "call", "next state"]
    return [Row(State(state), call, State(following)) for state, call, following, _ in rows]


def batch(base: int) -> RecordBatch:
    """Two offsets without records."""
    return RecordBatch(TP.topic, TP.partition, base, (), base + 2)


def in_state(state: State) -> AssignedPartition:
    """A partition in this state; one that is being read has a batch in its queue."""
    partition = AssignedPartition(TP, APPLIER, Clock())
    if state is not State.WAITING:
        partition.start_at(5)
        partition.hand_out(batch(5))
    if state is State.RELEASED:
        partition.release()
    return partition


CALLS: dict[str, Callable[[AssignedPartition], object]] = {
    "postpone": lambda partition: partition.postpone(),
    "start_at": lambda partition: partition.start_at(5),
    "reset": lambda partition: partition.reset(),
    "release": lambda partition: partition.release(),
    "hand_out": lambda partition: partition.hand_out(batch(partition.fetched_offset)),
    "hand_out another batch": lambda partition: partition.hand_out(batch(partition.fetched_offset + 1)),
    "take": lambda partition: partition.take(Fetched(batch(5), partition.epoch)),
    "applied": lambda partition: partition.applied(7),
}
TABLE = table(AssignedPartition.__doc__ or "")
NOT_IN_TABLE = [(state, call) for state in State for call in CALLS if (state, call) not in {row[:2] for row in TABLE}]


def content(partition: AssignedPartition) -> dict[str, Any]:
    """Everything that a refused call must not change."""
    return {name: value for name, value in vars(partition).items() if name not in ("lock", "freshness", "_start_pause")}


def test_the_table_names_every_state_and_every_call() -> None:
    """A call missing from it would not be tested anywhere."""
    assert {row.state for row in TABLE} == {row.next_state for row in TABLE} == set(State)
    assert {row.call for row in TABLE} == CALLS.keys()
    changing = set(re.findall(r"`(\w+)`", (AssignedPartition.__doc__ or "").partition("In any other state")[2]))
    assert {call.split()[0] for call in CALLS} <= changing | {"reset", "release"}
    assert len({row[:2] for row in TABLE}) == len(TABLE)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.state}-{row.call}")
def test_each_transition_of_the_table_happens(row: Row) -> None:
    """Readers trust the table."""
    partition = in_state(row.state)
    assert partition.state is row.state
    CALLS[row.call](partition)
    assert partition.state is row.next_state


@pytest.mark.parametrize(("state", "call"), NOT_IN_TABLE)
def test_a_transition_that_is_not_in_the_table_is_refused(state: State, call: str) -> None:
    """A batch that comes late does nothing; an invalid start is a fault of ours."""
    partition = in_state(state)
    before = content(partition)
    if call in ("postpone", "start_at"):
        with pytest.raises(RuntimeError, match=rf"is {state}, so {call} is not possible"):
            CALLS[call](partition)
    else:
        assert not CALLS[call](partition)
    assert content(partition) == before


@pytest.mark.parametrize("call", ["start_at", "reset", "release", "hand_out another batch"])
def test_a_batch_of_an_earlier_epoch_is_never_taken(call: str) -> None:
    """Its base may match by chance: after a rollback of Redis the same offsets are read again."""
    partition = in_state(State.READING)
    partition.reset()
    partition.start_at(5)
    handed = partition.hand_out(batch(5))
    assert handed is not None
    if call == "start_at":
        partition.reset()
    CALLS[call](partition)
    if partition.state is State.WAITING:
        partition.start_at(5)
    assert not partition.take(handed)
    assert partition.queued == 0


def test_a_failed_start_is_retried_after_pauses_that_double() -> None:
    """Each attempt asks the broker where the log begins: twenty a second from every worker would be a load."""
    clock = Clock()
    partition = AssignedPartition(TP, APPLIER, clock)
    pauses_s = []
    for _ in range(8):
        assert partition.is_due_to_start()
        partition.postpone()
        began_s = clock.now_s
        while not partition.is_due_to_start():
            clock.now_s += 0.01
        pauses_s.append(clock.now_s - began_s)
    assert pauses_s[0] == pytest.approx(START_FIRST_S, abs=0.02)
    assert all(later == pytest.approx(min(2 * one, START_MOST_S), abs=0.03) for one, later in pairwise(pauses_s))
    partition.start_at(5)
    partition.reset()
    assert partition.is_due_to_start(), "after a rebalance at once"
    partition.postpone()
    clock.now_s += START_FIRST_S
    assert partition.is_due_to_start(), "with the shortest pause again"


def test_a_refused_topic_is_fetched_again_after_2_4_8_and_then_every_16_s() -> None:
    """Somebody must grant us the right first; the retries go on until Kafka lets us read it again."""
    clock = Clock()
    assignment = Assignment(lambda topic, partition: APPLIER, clock)  # noqa: ARG005 - nothing is assigned
    for pause_s in (2, 4, 8, 16, 16):
        assignment.refuse("t")
        clock.now_s += pause_s - 0.01
        assert assignment.is_refused("t")
        clock.now_s += 0.01
        assert not assignment.is_refused("t")
    assert assignment.allow("t")
    assert not assignment.allow("t")
