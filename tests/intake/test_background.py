"""The timer of idle partitions: one that has to wait does not block the others."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from tests.intake.recorder import Recorder, RecordingApplier
from watchroom.intake.assigned_partition import Answer
from watchroom.intake.background import write_freshness_forever
from watchroom.intake.health import Status
from watchroom.intake.intake import Intake
from watchroom.timing import now_ms


class Stuck(RecordingApplier):
    """A partition whose Redis does not answer at present."""

    async def write_freshness(self, fresh_ms: int | None, now_ms: int) -> None:  # noqa: ARG002 - the applier's signature
        await asyncio.Event().wait()


async def test_a_waiting_partition_does_not_stop_the_heartbeats_of_the_others() -> None:
    """Otherwise one dead letter or a slow Redis node would withhold everything on the wall."""
    recorder = Recorder(stored={("t", number): 0 for number in range(3)})

    def make_applier(topic: str, partition: int) -> RecordingApplier:
        return (Stuck if partition == 0 else RecordingApplier)(recorder, (topic, partition))

    intake = Intake(make_applier, Status())
    intake.assign(recorder.stored)
    for partition in intake.assignment:
        await partition.applier.start()
        partition.start_at(0)
        partition.note(Answer(now_ms(), 0, 0))
    writing = asyncio.create_task(write_freshness_forever(intake, 0.04))
    for _ in range(3):
        recorder.fresh_ms.clear()
        await recorder.until(lambda r: r.fresh_ms.keys() >= {("t", 1), ("t", 2)}, 10)
    assert ("t", 0) not in recorder.fresh_ms
    writing.cancel()
    with suppress(asyncio.CancelledError):
        await writing
