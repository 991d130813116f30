"""One fetched batch of one partition."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

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
