"""Transactions that producers left open: workers note them, so that the exporter can name the cause.

One hash, `{force}:open-transactions`: `<topic>|<partition>` -> `<offset> <since> <seen>`, the first offset that nobody
may read, when a worker first saw it so, and when it last did, in ms. What no worker has seen lately says nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from watchroom.events.times import to_text

SEEN_WITHIN_MS: Final = 30_000


class OpenTransaction(NamedTuple):
    """A partition that cannot be read to its end."""

    offset: int  # of the transaction's first record, the last stable offset
    since_ms: int
    seen_ms: int

    def said(self, topic: str, partition: int, tools: str) -> str:
        """What it is and the command that ends it; `tools` is `Settings.kafka_tools`."""
        return (
            f"{topic} partition {partition}: a transaction has been open since {to_text(self.since_ms)}, and nothing"
            f" from offset {self.offset} on may be read; {ends(topic, partition, self.offset, tools)}"
        )


def ends(topic: str, partition: int, offset: int, tools: str) -> str:
    """How to end a transaction whose first record of a partition is at `offset`; `tools` is `Settings.kafka_tools`."""
    return (
        f"if its producer does not end it, run `kafka-transactions.sh {tools} abort"
        f" --topic {topic} --partition {partition} --start-offset {offset}`"
    )


def field(topic: str, partition: int) -> str:
    """Of the hash."""
    return f"{topic}|{partition}"


def value(found: OpenTransaction) -> str:
    """Of the hash."""
    return " ".join(map(str, found))


def by_partition(stored: Mapping[str, str]) -> dict[tuple[str, int], OpenTransaction]:
    """What the hash says, by topic and partition."""
    found = {}
    for name, text in stored.items():
        topic, _, partition = name.partition("|")
        offset, since_ms, seen_ms = map(int, text.split())
        found[topic, int(partition)] = OpenTransaction(offset, since_ms, seen_ms)
    return found
