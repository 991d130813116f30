"""The health page depends on progress and answers, not on an open port."""

from __future__ import annotations

import asyncio

from tests.intake.recorder import Recorder, RecordingApplier
from watchroom.errors import BrokerRefuses
from watchroom.intake.assigned_partition import Answer, AssignedPartition
from watchroom.intake.background import notice_silence
from watchroom.intake.batches import RecordBatch
from watchroom.intake.health import Health, Status
from watchroom.intake.intake import Intake
from watchroom.timing import now_ms

TOPIC_PARTITION = ("watchroom.calls", 0)


class Clock:
    """A clock that moves only when a test moves it."""

    def __init__(self) -> None:
        self.now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


def working(stall_s: float = 60, clock: Clock | None = None) -> tuple[Health, AssignedPartition]:
    """A worker with one partition, whose next offset is 0 and whose last answer is recent."""
    status = Status()
    health = Health(status, stall_s)
    health.intake = Intake(
        lambda topic, partition: RecordingApplier(Recorder(), (topic, partition)), status, clock_s=clock or Clock()
    )
    health.intake.assign([TOPIC_PARTITION])
    (partition,) = health.intake.assignment
    partition.start_at(0)
    partition.freshness_written()
    partition.note(Answer(now_ms(), 0, 0))
    return health, partition


async def test_a_worker_that_keeps_up_is_live_and_ready() -> None:
    """There is no reason against it."""
    health, _ = working()
    assert health.not_live() == health.not_ready() == []


async def test_a_worker_that_is_behind_and_stalled_is_not_live() -> None:
    """The fault that a port check never sees: alive, connected, and nothing moves."""
    clock = Clock()
    health, partition = working(clock=clock)
    partition.note(Answer(now_ms(), 0, 10))
    clock.now_s += 61
    assert "applied up to 0 of 10" in health.not_live()[0]
    partition.applied(4)
    assert health.not_live() == []


async def test_a_quiet_hour_is_not_a_stall() -> None:
    """The progress clock runs only while there is something to apply."""
    clock = Clock()
    health, partition = working(clock=clock)
    clock.now_s += 3600
    partition.stalled_s()  # the timer calls this every half second
    partition.note(Answer(now_ms(), 0, 10))
    assert health.not_live() == []


async def test_a_worker_that_waits_for_a_server_is_live_but_not_ready() -> None:
    """A restart would not bring Redis back; it would only remove the reason from the page."""
    health, partition = working(stall_s=0)
    partition.note(Answer(now_ms(), 0, 10))
    assert health.intake is not None
    health.intake.status.waiting("redis", "Redis did not answer")
    assert health.not_live() == []
    assert "Redis did not answer" in health.not_ready()[0]


class WithoutLetters(RecordingApplier):
    """A partition with a record that must become a dead letter, while none can be sent."""

    can_send = False

    async def apply(self, batch: RecordBatch, fresh_ms: int | None, now_ms: int) -> None:
        """Refuse, as `DeadLetters.send`, until letters can be sent."""
        if not self.can_send:
            raise BrokerRefuses("Kafka does not let this user write to topic north.dead-letters")
        await super().apply(batch, fresh_ms, now_ms)


async def test_a_wait_for_dead_letters_blames_neither_redis_nor_the_process() -> None:
    """Fetches are answered meanwhile, and those answers must not remove the reason from the page."""
    clock = Clock()
    health, partition = working(stall_s=0, clock=clock)
    intake = health.intake
    assert intake is not None
    partition.applier = applier = WithoutLetters(Recorder(stored={TOPIC_PARTITION: 0}), TOPIC_PARTITION)
    await applier.start()
    partition.note(Answer(now_ms(), 0, 10))
    batch = partition.hand_out(RecordBatch(*TOPIC_PARTITION, 0, [], 10))
    assert batch is not None
    intake.handle(batch)
    async with asyncio.timeout(5):
        while not intake.status.waits():  # noqa: ASYNC110 - the status sends no notification
            await asyncio.sleep(0)
    clock.now_s += 11
    notice_silence(intake)
    assert health.not_live() == []
    assert health.not_ready() == ["waiting: Kafka does not let this user write to topic north.dead-letters"]
    applier.can_send = True
    async with asyncio.timeout(5):
        while intake.status.waits():  # noqa: ASYNC110 - likewise
            await asyncio.sleep(0.05)
    assert health.not_ready() == []


async def test_a_worker_without_fetch_answers_is_not_ready() -> None:
    """Readiness needs the broker as well as Redis."""
    health, partition = working()
    partition.answered_ms = now_ms() - 11_000
    assert "Kafka has not answered a fetch" in health.not_ready()[0]


async def test_a_partition_without_a_known_offset_is_not_ready() -> None:
    """Nothing is applied until Redis's offset is known."""
    health, partition = working()
    partition.reset()
    assert "the offset in Redis has not been read yet" in health.not_ready()[0]


async def test_a_worker_is_not_ready_before_the_group_has_answered() -> None:
    """Joining takes seconds; an empty assignment afterwards is fine: that is a spare worker."""
    status = Status()
    health = Health(status)
    health.intake = Intake(lambda topic, partition: RecordingApplier(Recorder(), (topic, partition)), status)
    assert "has not joined the consumer group yet" in health.not_ready()[0]
    health.intake.assign([])
    assert health.not_ready() == []


async def test_batches_of_an_older_epoch_are_dropped_and_counted() -> None:
    """What was queued before a rebalance or a rollback no longer counts, even if its base matches by chance."""
    health, partition = working()
    intake = health.intake
    assert intake is not None
    stale = partition.hand_out(RecordBatch(*TOPIC_PARTITION, 0, (), 5))
    assert stale is not None
    partition.reset()
    partition.start_at(0)
    intake.handle(stale)
    await intake.let_go()
    assert intake.status.counts["stale_batches"] == 1
    assert partition.next_offset == 0


async def test_a_fetch_from_another_offset_is_never_applied() -> None:
    """If something else moved the consumer's position, the partition is positioned again and nothing is skipped."""
    _, partition = working()
    assert partition.hand_out(RecordBatch(*TOPIC_PARTITION, 3, (), 5)) is None
    assert not partition.is_reading
