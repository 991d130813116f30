"""Records of several partitions in order of time: each once, each key in its order, whatever the fetches."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from watchroom.events.record import Record
from watchroom.intake.batches import Merge, RecordBatch

PARTITIONS = 3
Log = list[Record]


@st.composite
def logs(draw: st.DrawFn) -> dict[int, Log]:
    """A log for each partition: gaps in the offsets, few keys, timestamps that may go back."""
    found: dict[int, Log] = {}
    for partition in range(PARTITIONS):
        offset, log = 0, []
        for _ in range(draw(st.integers(0, 12))):
            offset += draw(st.sampled_from((1, 1, 3)))
            key = draw(st.sampled_from((b"a", b"b", b"c", b"d", None)))
            log.append(Record(offset, draw(st.integers(0, 20)), key, b""))
        found[partition] = log
    return found


def merged(draw: Any, of: dict[int, Log], ends: dict[int, int]) -> list[RecordBatch]:
    """All batches, from fetches of any size."""
    merge, fetched, merged_batches = Merge("t", dict.fromkeys(of, 0), ends), dict.fromkeys(of, 0), []
    while not merge.is_done:
        for partition, base in merge.wanted().items():
            assert base == min(fetched[partition], ends[partition])
            size = draw(st.integers(0, 5))
            log = [record for record in of[partition] if record.offset >= fetched[partition]]
            fetched[partition] = log[size].offset if len(log) > size else ends[partition] + draw(st.integers(0, 3))
            merge.add(partition, log[:size], fetched[partition])
        while found := merge.take():
            keys = [{record.key for record in batch.records} - {None} for batch in found]
            assert sum(map(len, keys)) == len(set().union(*keys))  # no key in two batches: their order does not matter
            merged_batches += found
    return merged_batches


def in_order(of: dict[int, Log], ends: dict[int, int]) -> list[tuple[int, int, int, bytes | None]]:
    """The expected order, by plain sorting: (latest timestamp so far, partition, offset, key)."""
    found = []
    for partition, log in of.items():
        latest_ms = 0
        for record in log:
            latest_ms = max(latest_ms, record.timestamp_ms)
            if record.offset < ends[partition]:
                found.append((latest_ms, partition, record.offset, record.key))
    return sorted(found, key=lambda each: each[:3])


@given(st.data(), logs())
def test_each_key_is_in_order_of_time_and_nothing_is_lost_or_repeated(data: st.DataObject, of: dict[int, Log]) -> None:
    """Timestamp, then partition, then offset; each batch begins where the last one of its partition ended."""
    ends = {partition: data.draw(st.integers(0, 30)) for partition in of}
    expected: dict[bytes | None, list[tuple[int, int]]] = defaultdict(list)
    for _, partition, offset, key in in_order(of, ends):
        expected[key].append((partition, offset))
    found: dict[bytes | None, list[tuple[int, int]]] = defaultdict(list)
    given_upto = dict.fromkeys(of, 0)
    for batch in merged(data.draw, of, ends):
        for record in batch.records:
            assert given_upto[batch.partition] == batch.base <= record.offset < batch.next_offset
            found[record.key].append((batch.partition, record.offset))
        given_upto[batch.partition] = batch.next_offset
    assert {key: positions for key, positions in found.items() if key is not None} == {
        key: positions for key, positions in expected.items() if key is not None
    }
    assert sorted(found[None]) == sorted(expected[None])  # without a key they belong to no entity, and are refused
    assert given_upto == ends


def test_a_record_carries_the_time_by_which_it_was_ordered() -> None:
    """Its partition is checked by that time: a producer's clock that goes back says nothing about when it wrote."""
    merge = Merge("t", {0: 0, 4: 0}, {0: 3, 4: 1}, {4: 30})
    merge.add(0, [Record(0, 20, b"a", b""), Record(1, 10, b"b", b""), Record(2, 40, b"c", b"")], 3)
    merge.add(4, [Record(0, 5, b"d", b"")], 1)
    found = {batch.partition: [(r.timestamp_ms, r.not_before_ms) for r in batch.records] for batch in merge.take()}
    assert found == {0: [(20, 20), (10, 20), (40, 40)], 4: [(5, 30)]}


def test_a_record_is_never_earlier_than_the_existence_of_its_partition() -> None:
    """The records of its key in the partition that existed before come first."""
    merge = Merge("t", {0: 0, 4: 0}, {0: 1, 4: 1}, {4: 30})
    merge.add(0, [Record(0, 20, b"a", b"")], 1)
    merge.add(4, [Record(0, 5, b"a", b"")], 1)
    assert [batch.partition for batch in (*merge.take(), *merge.take())] == [0, 4]


def test_no_batch_is_given_while_a_partition_may_still_bring_an_earlier_record() -> None:
    """A fetch that is not yet answered may hold an older record of the same key."""
    merge = Merge("t", {0: 0, 1: 0}, {0: 1, 1: 1})
    merge.add(0, [Record(0, 50, b"a", b"")], 1)
    assert merge.take() == []
    assert merge.wanted() == {1: 0}
    merge.add(1, [Record(0, 40, b"a", b"")], 1)
    assert [batch.partition for batch in merge.take()] == [1]
    assert [batch.partition for batch in merge.take()] == [0]
    assert merge.is_done
