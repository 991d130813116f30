"""What a rebuild refuses, and what it waits for; a whole rebuild is tested in tests/flow/test_rebuild.py."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import TopicPartition

from tests.flow.servers import Stack
from tests.oracle.traffic import HISTORY
from tests.oracle.wire import refused_records
from watchroom.errors import BrokerUnavailable, Moved, StoreUnavailable, WatchroomError, WorkFailed
from watchroom.events.times import to_ms
from watchroom.intake import rebuild as module
from watchroom.intake.rebuild import rebuild
from watchroom.intake.rebuild_checks import LogStart, refuse_loss, refuse_while_running
from watchroom.kafka.produce import Outgoing, produce
from watchroom.kafka.topics import ensure_topics
from watchroom.rolling.calendar import Calendar
from watchroom.store.read import PartitionState
from watchroom.streams import STREAMS

MONTHS = ["2021-02", "2021-03", "2021-04", "2021-05"]
TOPIC_PARTITION = TopicPartition("watchroom.calls", 1)


def lost(start: LogStart, lose_before: str | None = None, *, is_other: bool = False) -> str:
    """The message of the refusal; empty if there is none."""
    others = {start.topic_partition} if is_other else set()
    try:
        refuse_loss([start], others, MONTHS, Calendar("Europe/London"), future_ms=300_000, lose_before=lose_before)
    except WorkFailed as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("first", "named"),
    [
        ("2021-01-15T12:00:00Z", ""),  # before the first month that Redis has, which may reach back before the log
        ("2021-03-15T12:00:00Z", "2021-02, 2021-03"),
        ("2021-03-31T22:50:00Z", "2021-02, 2021-03"),
        ("2021-03-31T22:56:00Z", "2021-02, 2021-03, 2021-04"),  # a lost event may be 5 min ahead: already in April
        ("2021-03-31T23:00:00Z", "2021-02, 2021-03, 2021-04"),  # London is in April
        (None, "2021-02, 2021-03, 2021-04, 2021-05"),  # nothing of the log is left
    ],
)
def test_a_shortened_log_loses_the_months_up_to_its_first_record(first: str | None, named: str) -> None:
    """The remaining records still give the later months."""
    said = lost(LogStart(TOPIC_PARTITION, 40, 90, None if first is None else to_ms(first)))
    assert (f"in whole or in part: {named}. " in said) if named else said == ""


def test_only_months_before_the_given_one_may_be_lost() -> None:
    """`--lose-before 2021-03` accepts losing February; the message gives the month that accepts losing all."""
    start = LogStart(TOPIC_PARTITION, 40, 90, to_ms("2021-03-15T12:00:00Z"))
    assert "in whole or in part: 2021-03. " in lost(start, "2021-03")
    assert "--lose-before 2021-04`" in lost(start, "2021-03")
    assert lost(start, "2021-04") == ""
    december = LogStart(TOPIC_PARTITION, 40, 90, None)
    assert "--lose-before 2021-06`" in lost(december)


def test_a_complete_log_loses_nothing_unless_it_is_another_log() -> None:
    """A recreated topic begins at offset 0 as well, and does not hold what Redis holds."""
    start = LogStart(TOPIC_PARTITION, 0, 90, None)
    assert lost(start) == ""
    assert "the log of watchroom.calls partition 1 was deleted and created again" in lost(start, is_other=True)


@pytest.mark.parametrize(("age_ms", "runs"), [(0, True), (29_999, True), (-2_000, True), (30_000, False)])
def test_a_partition_that_was_fresh_within_30_s_has_a_running_worker(age_ms: int, runs: bool) -> None:
    """Also if the worker's clock is a little ahead of ours."""
    stood = {("watchroom.calls", 0): PartitionState(7, 1_000_000 - age_ms, 0)}
    if not runs:
        refuse_while_running(stood, 1_000_000)
        return
    with pytest.raises(WorkFailed, match=r"a worker is running: watchroom\.calls partition 0"):
        refuse_while_running(stood, 1_000_000)


def test_a_rebuild_waits_for_a_server_that_comes_back_and_reports_one_that_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A rebuild of a year must not fail because of one second without an answer."""
    monkeypatch.setattr(module, "RETRY_S", 0.0)
    errors: list[WatchroomError] = [StoreUnavailable("Redis is away"), BrokerUnavailable("Kafka is away")]

    async def call() -> None:
        if errors:
            raise errors.pop()

    asyncio.run(module._insist(TOPIC_PARTITION, call))
    assert not errors
    monkeypatch.setattr(module, "RETRY_FOR_S", 0.0)
    errors += [StoreUnavailable("Redis is away")] * 2
    with pytest.raises(StoreUnavailable, match="away; the rebuild is not finished: run `watchroom rebuild` again"):
        asyncio.run(module._insist(TOPIC_PARTITION, call))


def test_a_worker_that_was_started_meanwhile_ends_the_rebuild() -> None:
    """The worker has taken over: nothing is wrong, and nothing is done twice."""

    async def call() -> None:
        raise Moved(12, 5)

    with pytest.raises(WorkFailed, match=r"watchroom\.calls partition 1 \(up to offset 12\): a worker was started"):
        asyncio.run(module._insist(TOPIC_PARTITION, call))


@pytest.mark.parametrize("stored", [None, 0, 11])
def test_a_redis_that_went_back_ends_the_rebuild_and_requires_another(stored: int | None) -> None:
    """Nothing applies what it lost in order of time: workers would continue partition by partition."""

    async def call() -> None:
        raise Moved(stored, 12)

    said = rf"Redis has lost .*calls partition 1 is back at offset {stored or 0}, .*run `watchroom rebuild` again"
    with pytest.raises(WorkFailed, match=said):
        asyncio.run(module._insist(TOPIC_PARTITION, call))


@pytest.mark.parametrize(
    ("next_offset", "end", "stable", "is_behind"),
    [
        (10, None, None, True),  # no fetch has been answered yet
        (10, 30, 30, True),
        (30, 30, 30, False),
        (25, 30, 25, False),  # workers continue when the transaction ends
        (24, 30, 25, True),
        (10, 30, 10, True),  # the log's end at the beginning was 20
        (25, 30, -1, True),  # a broker that does not report it
        (25, 30, None, True),
    ],
)
def test_a_transaction_that_is_opened_during_a_rebuild_does_not_delay_it(
    next_offset: int, end: int | None, stable: int | None, is_behind: bool
) -> None:
    """Only what was there at the beginning is applied; with traffic in other partitions it would never end."""
    consumer: Any = SimpleNamespace(highwater=lambda _: end, last_stable_offset=lambda _: stable)
    made: Any = lambda *_: None  # noqa: E731 - nothing is applied
    work = module._Work(consumer, made, [LogStart(TOPIC_PARTITION, next_offset, 20, None)], lambda *_: None)
    assert work._is_behind(TOPIC_PARTITION) == is_behind


def test_a_rebuild_works_on_the_embedded_stack_too(embedded_stack: Stack) -> None:
    """Its broker has no log ids, and answers for consumer groups in its own way."""
    sources = {stream: {HISTORY: {"heartbeats": False, "history": True}} for stream in STREAMS}
    settings = embedded_stack.settings(sources=sources, partitions=1)
    (bad,) = [bad for bad in refused_records("calls", "c1", 0) if bad.reason == "bad_time"]
    told: list[tuple[int, int]] = []
    asyncio.run(ensure_topics(settings))
    produce(settings, [Outgoing(settings.topic("calls"), bad.key, bad.value)] * 3)
    for _ in range(2):
        assert tuple(rebuild(settings, None, lambda done, known: told.append((done, known)))) == (3, 3)
    assert told[-1] == (3, 3)
