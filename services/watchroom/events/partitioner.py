"""Which partition a key belongs to, as Kafka's default partitioner says (murmur2).

This is a small implementation of our own, because `events` imports nothing that does I/O; a test compares it with
aiokafka's. It takes microseconds, so it is called once per entity, not once per event.

Source:
    MurmurHash2, 32 bit, seed 0x9747b28c; Kafka clients take the lower 31 bits modulo the partitions.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class CountInUse(NamedTuple):
    """A partition count by which a producer may have written a record of that time, Kafka's timestamps in ms."""

    partitions: int
    from_ms: int
    until_ms: int  # the first moment at which no producer uses it any more


_SEED: Final = 0x9747B28C
_M: Final = 0x5BD1E995
_MASK: Final = 0xFFFFFFFF


def murmur2(key: bytes) -> int:
    """The hash, 0 to 2**32 - 1."""
    size = len(key)
    whole = size & ~3
    h = _SEED ^ size
    for at in range(0, whole, 4):
        k = (int.from_bytes(key[at : at + 4], "little") * _M) & _MASK
        h = ((h * _M) ^ ((k ^ (k >> 24)) * _M)) & _MASK
    if whole < size:
        h = ((h ^ int.from_bytes(key[whole:], "little")) * _M) & _MASK
    h = ((h ^ (h >> 13)) * _M) & _MASK
    return h ^ (h >> 15)


def partition_of(key: bytes, partition_count: int) -> int:
    """The partition of a key in a topic of `partition_count` partitions (at least 1)."""
    return (murmur2(key) & 0x7FFFFFFF) % partition_count
