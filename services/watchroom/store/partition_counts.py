"""The partition counts that each topic has had, and since when. A rebuild keeps them: no log could restore them.

One hash, `{force}:partition-counts`, with these fields for a topic:

`<topic>|partitions|<n>`   when an answer of Kafka first showed n partitions, ms; 0 for the first known count
`<topic>|last|<n>`         when Kafka was last known to show n partitions, ms
`<topic>|log`              the id of the log that this is about; a recreated topic starts again
`<topic>|rebuilding`       1 from before a rebuild clears the figures until it has merged the partitions. No worker may
                           go on before that: it would read the rest partition by partition
`<topic>|merged|<n>|<p>`   the offset of partition p below which a rebuild has merged by time, when there were n
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from watchroom.redis_url import RedisServer
from watchroom.store.backoff import Backoff
from watchroom.store.keys import Keys
from watchroom.store.noted import NotedHash

COUNT: Final = "partitions"
LAST: Final = "last"
LOG: Final = "log"
REBUILDING: Final = "rebuilding"
MERGED: Final = "merged"


class Count(NamedTuple):
    """A partition count that a topic had; the change to the next one lies between `last_ms` and the next `from_ms`."""

    partitions: int
    from_ms: int  # when it was first seen, ms since the epoch; 0 for the first known count
    last_ms: int = 0  # when it was last seen, ms since the epoch; 0 if unknown


@dataclass(frozen=True, slots=True)
class PartitionCounts:
    """What is known of one topic."""

    counts: tuple[Count, ...] = ()  # by number of partitions, so by time: Kafka never takes partitions away
    log_id: str | None = None
    is_rebuilding: bool = False
    merged: Mapping[int, int] = field(default_factory=dict)  # by partition: offset; of the present count only

    @property
    def latest(self) -> int:
        """The present count; 0 if none is known."""
        return self.counts[-1].partitions if self.counts else 0

    def is_of(self, log_id: str | None) -> bool:
        """Whether this is about that log; without ids of logs it is assumed to be."""
        return bool(self.counts) and (self.log_id is None or log_id is None or self.log_id == log_id)


NOT_KNOWN = PartitionCounts()


def by_topic(stored: Mapping[str, str]) -> dict[str, PartitionCounts]:
    """Reads the hash, by topic."""
    fields: dict[str, dict[str, str]] = {}
    for name, value in stored.items():
        topic, _, what = name.partition("|")
        fields.setdefault(topic, {})[what] = value
    return {topic: _of(said) for topic, said in fields.items()}


def _of(said: Mapping[str, str]) -> PartitionCounts:
    from_ms = {int(what[len(COUNT) + 1 :]): int(ms) for what, ms in said.items() if what.startswith(COUNT)}
    counts = [Count(each, from_ms[each], int(said.get(f"{LAST}|{each}", 0))) for each in sorted(from_ms)]
    head = f"{MERGED}|{counts[-1].partitions}|" if counts else MERGED
    merged = {int(what.removeprefix(head)): int(offset) for what, offset in said.items() if what.startswith(head)}
    return PartitionCounts(tuple(counts), said.get(LOG), REBUILDING in said, merged)


class PartitionCountStore(NotedHash):
    """Reads and writes the hash; every call raises StoreUnavailable when Redis does not answer."""

    def __init__(self, server: RedisServer | str, force: str, backoff: Backoff | None = None) -> None:
        super().__init__(server, Keys(force).partition_counts, backoff)

    def read(self) -> dict[str, PartitionCounts]:
        """Everything that is known, by topic."""
        return by_topic(self.stored())

    def note(self, topic: str, count: Count, log_id: str | None, earlier: Count | None = None) -> None:
        """Add a count. A known count keeps its time, so of several workers the first one counts.

        Args:
            topic: Whose.
            count: The count.
            log_id: Of the topic's log.
            earlier: The count before it, with when it was last seen.
        """
        if earlier is not None:
            self.note_last(topic, earlier)
        self.add(f"{topic}|{COUNT}|{count.partitions}", str(count.from_ms))
        if log_id is not None:
            self.add(f"{topic}|{LOG}", log_id)

    def note_last(self, topic: str, count: Count) -> None:
        """Write when a count was last seen."""
        self.change({f"{topic}|{LAST}|{count.partitions}": str(count.last_ms)})

    def replace(self, topic: str, known: PartitionCounts) -> None:
        """Replace everything that is known of a topic."""
        fields = {f"{topic}|{COUNT}|{each.partitions}": str(each.from_ms) for each in known.counts}
        fields |= {f"{topic}|{LAST}|{each.partitions}": str(each.last_ms) for each in known.counts if each.last_ms}
        if known.log_id is not None:
            fields[f"{topic}|{LOG}"] = known.log_id
        if known.is_rebuilding:
            fields[f"{topic}|{REBUILDING}"] = "1"
        for partition, offset in known.merged.items():
            fields[f"{topic}|{MERGED}|{known.latest}|{partition}"] = str(offset)
        stored = self.stored()
        self.change(fields, [name for name in stored if name.startswith(f"{topic}|") and name not in fields])
