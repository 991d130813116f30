"""Every key in Redis, made here and nowhere else.

All begin with `{<force>}:`, so that a force's keys lie in one slot of a cluster. "worker" writes
within the atomic step (`step.lua`) unless said otherwise; times are ms since the epoch.

| key                          | type   | holds                                                | lives                        | written by       | read by |
|------------------------------|--------|------------------------------------------------------|------------------------------|------------------|---------|
| `meta`                       | hash   | `fingerprint`, `definition` (JSON), `seq` (steps that changed buckets), `partitions:<topic>` | for good | worker at start; step | worker, exporter, reports |
| `partition:<topic>:<n>`      | hash   | `next_offset`, `fresh_ms`, `lost` (offsets that the log had dropped) | for good     | worker           | worker, exporter |
| `state:<topic>:<subject>`    | string | an entity's state, msgpack                           | keeping of the stream from the last write | worker | worker |
| `10s:<epoch s>`              | hash   | field -> integer, see `catalogue.names`              | 2 h after its end            | worker           | exporter |
| `hour:<epoch s>`             | hash   | the same, a UTC hour                                 | 60 days after its end        | worker           | exporter |
| `day:<YYYY-MM-DD>`           | hash   | the same, a day of the reporting zone                | 396 days after its end       | worker           | exporter |
| `month:<YYYY-MM>`            | hash   | the same, a month of the reporting zone              | for good                     | worker           | exporter, reports, analysts |
| `open:<series>`              | zset   | subject -> since                                     | members: until they leave    | worker           | exporter, reports |
| `open-until`                 | zset   | `<topic> <series> <subject>` -> end of the state's keeping | members: that long     | worker           | worker |
| `restatements:<YYYY-MM>`     | list   | JSON, one entry an event and cell                    | for good                     | worker           | reports, analysts |
| `sources:<topic>`            | hash   | `<source>|event`, `<source>|heartbeat` -> Kafka time | for good                     | worker           | exporter |
| `dead-letters`               | hash   | `<topic>|<reason>` -> how many                       | for good                     | worker           | exporter |
| `changed`                    | zset   | bucket name -> `seq` of the step that changed it last | the last 10,000 steps       | worker           | exporter |
"""

from __future__ import annotations

FINGERPRINT = "fingerprint"
DEFINITION = "definition"
SEQ = "seq"
PARTITIONS = "partitions:"
NEXT_OFFSET = "next_offset"
FRESH_MS = "fresh_ms"
LOST = "lost"
EVENT = "event"
HEARTBEAT = "heartbeat"


class Keys:
    """The keys of one force."""

    def __init__(self, force: str) -> None:
        self.prefix = f"{{{force}}}:"
        self.meta = f"{self.prefix}meta"
        self.dead_letters = f"{self.prefix}dead-letters"
        self.changed = f"{self.prefix}changed"
        self.open_until = f"{self.prefix}open-until"

    def partition(self, topic: str, partition: int) -> str:
        """Offset and freshness of one partition."""
        return f"{self.prefix}partition:{topic}:{partition}"

    def state(self, topic: str, subject: str) -> str:
        """State of one entity."""
        return f"{self.prefix}state:{topic}:{subject}"

    def bucket(self, name: str) -> str:
        """A bucket by its name, as `rolling.buckets` makes it."""
        return self.prefix + name

    def open_set(self, series: str) -> str:
        """Entities of an open measure under one set of labels."""
        return f"{self.prefix}open:{series}"

    def restatements(self, month: str) -> str:
        """Changes to a closed month."""
        return f"{self.prefix}restatements:{month}"

    def sources(self, topic: str) -> str:
        """When each source of a topic was last heard."""
        return f"{self.prefix}sources:{topic}"
