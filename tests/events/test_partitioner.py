"""murmur2 gives the same partition as every other Kafka client."""

from __future__ import annotations

from aiokafka.partitioner import murmur2 as theirs
from hypothesis import given
from hypothesis import strategies as st

from watchroom.events.partitioner import murmur2, partition_of


@given(st.binary(max_size=300))
def test_murmur2_agrees_with_aiokafka(key: bytes) -> None:
    """We have our own because `events` does no I/O; it must be the same function."""
    assert murmur2(key) & 0xFFFFFFFF == theirs(key) & 0xFFFFFFFF


def test_murmur2_agrees_with_kafka() -> None:
    """Values from the tests of Kafka's own Java client, as unsigned numbers."""
    assert murmur2(b"21") == -973932308 & 0xFFFFFFFF
    assert murmur2(b"foobar") == -790332482 & 0xFFFFFFFF
    assert murmur2(b"a-little-bit-long-string") == -985981536 & 0xFFFFFFFF
    assert murmur2(b"abc") == 479470107


@given(st.binary(max_size=40), st.integers(1, 256))
def test_a_partition_is_within_the_topics_count(key: bytes, count: int) -> None:
    """The upper bit of the hash is dropped, so that no partition is negative."""
    assert 0 <= partition_of(key, count) < count
