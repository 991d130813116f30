"""One fetched batch of one partition, and the news that Redis stands elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from watchroom.errors import WatchroomError
from watchroom.events.record import Record


class RecordBatch(NamedTuple):
    """Records of one partition, in order; they may be none, and need not fill [base, next_offset).

    Compaction and transaction markers leave legal gaps, so a batch says where its fetch began and
    where the next one begins, and nobody computes that from the records' own offsets.
    """

    topic: str
    partition: int
    base: int  # offset from which its fetch began
    records: Sequence[Record]
    next_offset: int  # offset from which the next fetch begins


class Moved(WatchroomError):
    """RETRY from elsewhere: Redis's next offset is not the one this worker started from.

    Another worker owns the partition, or Redis went back in time. Nothing was written.
    """

    def __init__(self, stored_offset: int | None) -> None:
        self.stored_offset = stored_offset
        super().__init__(f"Redis stands at offset {stored_offset}")
