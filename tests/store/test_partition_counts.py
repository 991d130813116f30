"""The partition counts that topics have had: several workers write them, and a rebuild leaves them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.conftest import new_name
from watchroom.store.clear import clear
from watchroom.store.partition_counts import NOT_KNOWN, Count, PartitionCounts, PartitionCountStore, by_topic
from watchroom.store.read import Reader

CALLS, CRIMES = "north.calls", "north.crimes"


@pytest.fixture
def force() -> str:
    """A new force for each test."""
    return new_name()


@pytest.fixture
def counts(redis_url: str, force: str) -> PartitionCountStore:
    """The counts of our force."""
    return PartitionCountStore(redis_url, force)


def test_the_first_of_several_workers_sets_the_time_of_a_new_count(
    redis_url: str, force: str, counts: PartitionCountStore
) -> None:
    """They see the same change a second apart; the count belongs to the topic's log."""
    counts.note(CALLS, Count(4, 0), "a")
    counts.note(CALLS, Count(12, 5_000), "a", Count(4, 0, 4_000))
    counts.note(CALLS, Count(12, 6_000), "a")
    counts.note(CRIMES, Count(4, 0), None)
    known = {
        CALLS: PartitionCounts((Count(4, 0, 4_000), Count(12, 5_000)), "a"),
        CRIMES: PartitionCounts((Count(4, 0),)),
    }
    assert counts.read() == known
    assert Reader(redis_url, force).partition_counts() == known
    assert known[CALLS].latest == 12


def test_a_rebuild_leaves_the_partition_counts(redis_url: str, force: str, counts: PartitionCountStore) -> None:
    """No log can say again how many partitions there were."""
    known = PartitionCounts((Count(4, 0, 4_000), Count(6, 5_000, 6_000)), "a", is_rebuilding=True)
    counts.replace(CALLS, known)
    clear(redis_url, force)
    assert counts.read() == {CALLS: known}


def test_merged_offsets_belong_to_the_present_count_only(counts: PartitionCountStore) -> None:
    """Replacing leaves nothing of the old record, and touches no other topic."""
    known = PartitionCounts((Count(4, 0), Count(6, 5_000)), "a", is_rebuilding=True)
    counts.note(CRIMES, Count(3, 0), "b")
    counts.replace(CALLS, known)
    counts.replace(CALLS, merged := replace(known, is_rebuilding=False, merged={0: 7, 5: 0}))
    assert counts.read()[CALLS] == merged
    counts.note(CALLS, Count(8, 9_000), "a")
    assert counts.read()[CALLS].merged == {}
    assert counts.read()[CRIMES] == PartitionCounts((Count(3, 0),), "b")


def test_counts_belong_to_one_log() -> None:
    """A broker without ids cannot tell logs apart, and an unknown count belongs to no log."""
    known = PartitionCounts((Count(4, 0),), "a")
    assert known.is_of("a")
    assert not known.is_of("b")
    assert known.is_of(None)
    assert not NOT_KNOWN.is_of("a")
    assert by_topic({}) == {}
