"""What a lane needs of the one who applies batches; `intake.partition` is the real one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from watchroom.intake.batch import RecordBatch


class Applier(Protocol):
    """Applies one partition's batches to Redis, whose offset is the truth."""

    async def start(self) -> int | None:
        """Redis's next offset, None if it has none; forgets all states held in memory.

        Raises:
            OtherDefinitions: Redis holds the stream under another definition.
            StoreUnavailable: Redis did not answer.
        """

    async def begin(self, offset: int, now_ms: int) -> None:
        """Where nothing is stored: stand at `offset`, so that an empty partition is fresh too; raises as `apply`."""

    async def apply(self, batch: RecordBatch, fresh_ms: int | None, now_ms: int) -> None:
        """Apply a batch whose base is where the partition stands; calling again is safe.

        Raises:
            Moved: Redis stands elsewhere; nothing was written.
            OtherDefinitions: Redis holds the stream under another definition by now; nothing was written.
            StoreUnavailable: Redis did not answer.
            BrokerUnavailable: Dead letters could not be sent.
        """

    async def touch(self, fresh_ms: int | None, now_ms: int) -> None:
        """Write freshness and compare offsets; raises as `apply`."""

    async def lost(self, start: int, end: int, now_ms: int) -> None:
        """The log no longer holds offsets `start` to `end` - 1: count them, stand at `end`; raises as `apply`."""


MakeApplier = Callable[[str, int], Applier]
