"""Record batches: those of one fetch, and those of all partitions of a topic in order of Kafka's timestamp.

The second kind is for a topic that has had several partition counts. A key that moved has older records in one
partition and newer ones in another; they are folded in the order in which they came. With equal timestamps the lower
partition comes first. Within a partition the order is that of the offsets. If a producer writes the timestamps and they
go back, a record counts as no older than the one before it, and as no older than its partition. That time is its
`not_before_ms`, and the check of its partition uses it too.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, TypeVar

from aiokafka import ConsumerRecord

from watchroom.events.record import Record

Partition = TypeVar("Partition", bound=tuple[str, int])  # topic and number, of Faust's or aiokafka's type


class RecordBatch(NamedTuple):
    """Records of one partition, in order.

    There may be none, and they need not fill [base, next_offset): compaction and transaction markers leave gaps.
    So a batch says where its fetch began and where the next one begins.
    """

    topic: str
    partition: int
    base: int  # offset from which its fetch began
    records: Sequence[Record]
    next_offset: int  # offset from which the next fetch begins


class Fetched(NamedTuple):
    """A batch, and the epoch of its partition when it was fetched."""

    batch: RecordBatch
    epoch: int


def batches_of(
    bases: Mapping[Partition, int],
    positions: Mapping[Partition, int | None],
    fetched: Mapping[Partition, Iterable[ConsumerRecord]],
) -> dict[Partition, RecordBatch]:
    """The batches of one fetch, also where only the position moved (markers, compacted tails).

    Args:
        bases: From where each partition was fetched.
        positions: From where it will be fetched next; None: that is not known yet.
        fetched: Its records, if there were any.
    """
    batches = {}
    for tp, base in bases.items():
        position = positions[tp]
        if position is not None and position != base:
            records = [Record(r.offset, r.timestamp, r.key, r.value, tuple(r.headers)) for r in fetched.get(tp, ())]
            batches[tp] = RecordBatch(tp[0], tp[1], base, records, position)
    return batches


class Merge:
    """Takes the fetched records of a topic's partitions, and returns them in order.

    Args:
        topic: Whose partitions.
        begins: First offset to be read, by partition.
        ends: Where to stop, by partition; one that begins at or above its end returns nothing.
        not_before_ms: By partition: it did not exist before, ms since the epoch. Partitions left out always existed.
    """

    def __init__(
        self,
        topic: str,
        begins: Mapping[int, int],
        ends: Mapping[int, int],
        not_before_ms: Mapping[int, int] = MappingProxyType({}),
    ) -> None:
        self._topic = topic
        self._ends = {partition: max(end, begins[partition]) for partition, end in ends.items()}
        self._fetched = dict(begins)  # next offset to be fetched
        self._given = dict(begins)  # returned up to here
        self._waiting: dict[int, deque[Record]] = {partition: deque() for partition in ends}
        self._latest_ms = {partition: not_before_ms.get(partition, 0) for partition in ends}

    def wanted(self) -> dict[int, int]:
        """From where to fetch which partitions before anything more is in order; empty once all was fetched."""
        fetched = self._fetched
        return {p: fetched[p] for p, end in self._ends.items() if not self._waiting[p] and fetched[p] < end}

    @property
    def is_done(self) -> bool:
        """Whether everything was returned."""
        return self._given == self._ends

    def add(self, partition: int, records: Sequence[Record], next_offset: int) -> None:
        """Add what was fetched of a partition; `next_offset` is where its next fetch begins."""
        end, waiting = self._ends[partition], self._waiting[partition]
        latest_ms = self._latest_ms[partition]
        for record in records:
            if record.offset < end:
                latest_ms = max(latest_ms, record.timestamp_ms)
                waiting.append(record._replace(not_before_ms=latest_ms))
        self._latest_ms[partition] = latest_ms
        self._fetched[partition] = min(next_offset, end)

    def take(self) -> list[RecordBatch]:
        """Returns what is in order by now, as batches that can be applied one after the other.

        No key is in two of them, so their order does not matter. Call it until it returns nothing.
        """
        taken: dict[int, list[Record]] = {}
        partition_of: dict[bytes, int] = {}
        while (partition := self._first()) is not None:
            record = self._waiting[partition][0]
            if record.key is not None and partition_of.setdefault(record.key, partition) != partition:
                break
            self._waiting[partition].popleft()
            taken.setdefault(partition, []).append(record)
        return self._batches(taken)

    def _first(self) -> int | None:
        """The partition whose next record comes first; None while another may still have an earlier one."""
        if self.wanted():
            return None
        heads = [(waiting[0].not_before_ms, partition) for partition, waiting in self._waiting.items() if waiting]
        return min(heads)[1] if heads else None

    def _batches(self, taken: Mapping[int, list[Record]]) -> list[RecordBatch]:
        """Each partition's records, with the offset up to which it is returned, also over gaps in the log."""
        batches = []
        for partition, waiting in self._waiting.items():
            records = taken.get(partition, [])
            upto = waiting[0].offset if waiting else self._fetched[partition]
            base = self._given[partition]
            if records or (not waiting and upto > base):
                batches.append(RecordBatch(self._topic, partition, base, records, upto))
                self._given[partition] = upto
        return batches
