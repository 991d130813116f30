"""The consumer alone: the real Faust app on a real broker, and a Redis that is a dictionary in this process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from watchroom.errors import Moved
from watchroom.intake.assignment import AtStart
from watchroom.intake.background import write_freshness_forever
from watchroom.intake.batches import RecordBatch
from watchroom.intake.faust_app import BatchApp, make_app
from watchroom.intake.health import Status
from watchroom.intake.intake import Intake
from watchroom.intake.partition import PartitionApplier
from watchroom.settings import Settings

PartitionKey = tuple[str, int]


@dataclass
class Recorder:
    """Offsets by compare-and-set, as Redis keeps them, and every batch that was applied."""

    stored: dict[PartitionKey, int] = field(default_factory=dict)
    held: dict[PartitionKey, list[int]] = field(default_factory=dict)  # offsets of the records whose effect is stored
    fresh_ms: dict[PartitionKey, int | None] = field(default_factory=dict)
    lost: dict[PartitionKey, tuple[int, int]] = field(default_factory=dict)
    batches: list[RecordBatch] = field(default_factory=list)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    before: Callable[[RecordBatch], None] = lambda _: None  # may raise, or change what is stored
    app: BatchApp | None = None  # while it runs

    def offsets(self, topic_partition: PartitionKey) -> list[int]:
        """Offsets of all records applied to a partition, in order of application."""
        return [record.offset for batch in self.batches if batch[:2] == topic_partition for record in batch.records]

    def go_back(self, topic_partition: PartitionKey, offset: int) -> None:
        """What a rollback of Redis does: an older offset, and with it the older content."""
        self.stored[topic_partition] = offset
        self.held[topic_partition] = [held for held in self.held.get(topic_partition, []) if held < offset]

    async def until(self, done: Callable[[Recorder], bool], within_s: float = 30) -> None:
        """Wait until `done` holds."""
        async with asyncio.timeout(within_s), self.changed:
            await self.changed.wait_for(lambda: done(self))


class RecordingApplier(PartitionApplier):
    """An applier of one partition that writes into a `Recorder`; as strict as Redis."""

    # ruff: noqa: ARG002 - the signatures are those of `PartitionApplier`

    def __init__(self, recorder: Recorder, topic_partition: PartitionKey) -> None:
        self._recorder = recorder
        self._topic_partition = topic_partition
        self._next_offset: int | None = None

    async def start(self) -> int | None:
        self._next_offset = self._recorder.stored.get(self._topic_partition)
        return self._next_offset

    async def begin(self, offset: int, now_ms: int) -> None:
        await self._write_step(offset, None)

    async def apply(self, batch: RecordBatch, fresh_ms: int | None, now_ms: int) -> None:
        assert batch.base == self._next_offset
        self._recorder.before(batch)
        await self._write_step(batch.next_offset, fresh_ms, batch)

    async def write_freshness(self, fresh_ms: int | None, now_ms: int) -> None:
        if self._next_offset is not None:
            await self._write_step(self._next_offset, fresh_ms)

    async def lost(self, start: int, end: int, now_ms: int) -> None:
        await self._write_step(end, None)
        self._recorder.lost[self._topic_partition] = (start, end)

    async def _write_step(self, next_offset: int, fresh_ms: int | None, batch: RecordBatch | None = None) -> None:
        recorder = self._recorder
        await asyncio.sleep(0)
        if recorder.stored.get(self._topic_partition) != self._next_offset:
            raise Moved(recorder.stored.get(self._topic_partition))
        async with recorder.changed:
            recorder.stored[self._topic_partition] = self._next_offset = next_offset
            recorder.fresh_ms[self._topic_partition] = fresh_ms
            if batch is not None:
                recorder.batches.append(batch)
                recorder.held.setdefault(self._topic_partition, []).extend(record.offset for record in batch.records)
            recorder.changed.notify_all()


@asynccontextmanager
async def consuming(
    settings: Settings, recorder: Recorder, log_ids: Mapping[str, str] | None = None
) -> AsyncIterator[Intake]:
    """The worker's consumer, running until the block ends; `log_ids` as the worker found them at its start."""

    def make_applier(topic: str, partition: int) -> RecordingApplier:
        return RecordingApplier(recorder, (topic, partition))

    served = dict(settings.topics)
    intake = Intake(make_applier, Status(), AtStart(served, log_ids or {}))
    recorder.app = app = make_app(settings, intake, served)
    writing = asyncio.create_task(write_freshness_forever(intake, settings.touch_s))
    try:
        await app.start()
        yield intake
        await intake.finish()
    finally:
        writing.cancel()
        await asyncio.wait_for(app.stop(), 20)
