"""Transactions that producers left open: workers note them, so that the exporter can name the cause.

One hash, `{force}:open-transactions`: `<topic>|<partition>` -> `<offset> <since> <seen>`: the first offset that cannot
be read, and when a worker first and last saw it so, in ms. An entry that no worker has seen recently means nothing.
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
        """A sentence about it, with the command that ends it; `tools` is `Settings.kafka_tools`."""
        return (
            f"{topic} partition {partition}: a transaction has been open since {to_text(self.since_ms)}, and nothing"
            f" from offset {self.offset} onwards can be read; {ends(topic, partition, self.offset, tools)}"
        )


def ends(topic: str, partition: int, offset: int, tools: str) -> str:
    """How to end a transaction whose first record in a partition is at `offset`; `tools` is `Settings.kafka_tools`."""
    return (
        f"if its producer does not end it, run `kafka-transactions.sh {tools} abort"
        f" --topic {topic} --partition {partition} --start-offset {offset}`"
    )


def field(topic: str, partition: int) -> str:
    """The field of a partition in the hash."""
    return f"{topic}|{partition}"


def value(found: OpenTransaction) -> str:
    """The value of a field."""
    return " ".join(map(str, found))


def by_partition(stored: Mapping[str, str]) -> dict[tuple[str, int], OpenTransaction]:
    """Reads the hash, by topic and partition."""
    found = {}
    for name, text in stored.items():
        topic, _, partition = name.partition("|")
        offset, since_ms, seen_ms = map(int, text.split())
        found[topic, int(partition)] = OpenTransaction(offset, since_ms, seen_ms)
    return found
