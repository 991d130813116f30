"""Reading a topic that has had several partition counts: all partitions at once, in order of Kafka's timestamp.

A key that moved has older records in one partition and younger ones in another; they are folded in the order in which
they came. Of one timestamp the lower partition comes first. Within a partition the order is that of its offsets: where
a producer writes the timestamps and they go back, a record counts as no older than the one before it, and none as older
than its partition. That time is its `not_before_ms`; the check of its partition goes by it too.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from watchroom.events.record import Record


class Run(NamedTuple):
    """Records of one partition, up to `next_offset`."""

    partition: int
    records: Sequence[Record]
    next_offset: int


class Merge:
    """Takes what was fetched of a topic's partitions, and gives it back in order.

    Args:
        begins: First offset to be read, by partition.
        ends: Where to stop; a partition that begins at or above its end gives nothing.
        not_before_ms: By partition: when it was not there yet, ms since the epoch; one that is not named always was.
    """

    def __init__(
        self,
        begins: Mapping[int, int],
        ends: Mapping[int, int],
        not_before_ms: Mapping[int, int] = MappingProxyType({}),
    ) -> None:
        self._ends = {partition: max(end, begins[partition]) for partition, end in ends.items()}
        self._fetched = dict(begins)  # next offset to be fetched
        self._given = dict(begins)  # up to here it was given back
        self._waiting: dict[int, deque[Record]] = {partition: deque() for partition in ends}
        self._latest_ms = {partition: not_before_ms.get(partition, 0) for partition in ends}

    def wanted(self) -> list[int]:
        """Partitions of which more must be fetched before anything can be given back; none once all was fetched."""
        return [p for p, end in self._ends.items() if not self._waiting[p] and self._fetched[p] < end]

    @property
    def is_done(self) -> bool:
        """Whether everything was given back."""
        return self._given == self._ends

    def add(self, partition: int, records: Sequence[Record], next_offset: int) -> None:
        """What was fetched of a partition; `next_offset` is where its next fetch begins."""
        end, waiting = self._ends[partition], self._waiting[partition]
        latest_ms = self._latest_ms[partition]
        for record in records:
            if record.offset < end:
                latest_ms = max(latest_ms, record.timestamp_ms)
                waiting.append(record._replace(not_before_ms=latest_ms))
        self._latest_ms[partition] = latest_ms
        self._fetched[partition] = min(next_offset, end)

    def take(self) -> list[Run]:
        """What is in order by now: runs that can be applied one after the other.

        No key is in two of them, so that the order among them does not matter; call it until it gives nothing.
        """
        taken: dict[int, list[Record]] = {}
        lies_in: dict[bytes, int] = {}
        while (partition := self._first()) is not None:
            record = self._waiting[partition][0]
            if record.key is not None and lies_in.setdefault(record.key, partition) != partition:
                break
            self._waiting[partition].popleft()
            taken.setdefault(partition, []).append(record)
        return self._runs(taken)

    def _first(self) -> int | None:
        """The partition whose next record comes first; None as long as one may still bring an earlier record."""
        if self.wanted():
            return None
        heads = [(waiting[0].not_before_ms, partition) for partition, waiting in self._waiting.items() if waiting]
        return min(heads)[1] if heads else None

    def _runs(self, taken: Mapping[int, list[Record]]) -> list[Run]:
        """With the offsets up to which each partition is given back, over gaps in the log too."""
        runs = []
        for partition, waiting in self._waiting.items():
            records = taken.get(partition, [])
            upto = waiting[0].offset if waiting else self._fetched[partition]
            if records or (not waiting and upto > self._given[partition]):
                runs.append(Run(partition, records, upto))
                self._given[partition] = upto
        return runs
