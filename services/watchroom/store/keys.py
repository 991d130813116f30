"""Every key in Redis, made here and nowhere else.

All begin with `{<force>}:`, so that a force's keys are in one slot of a cluster. All are written by the worker within
the atomic step (`step.lua`) unless stated otherwise. Times are ms since the epoch.

meta (hash)                        `fingerprint:<stream>` and `definition:<stream>` (JSON), by the stream's name, not by
                                   its topic: another topic prefix is another definition, and no second start;
                                   `life`, another one after the keys were cleared; `seq`, raised by each step that
                                   changed buckets; `partitions:<topic>`; `log:<topic>`, the log's id. For good.
                                   `clearing`, while a rebuild removes keys: nobody writes.
                                   `evictions-of` and `evictions`: the `run_id` of a Redis and how many keys it had
                                   evicted when somebody looked; `evicted`: some were ours, until a rebuild.
                                   Written by a worker at start and in the step, and by a rebuild; read by all.
                                   `fingerprint` and `definition` without a stream: the previous form, for all streams;
                                   now a text that stops workers of that version, see `store.old_meta`.
partition:<topic>:<n> (hash)       `next_offset`; `fresh_ms`; `lost`, offsets that the log no longer held. For
                                   good. Read by worker and exporter.
state:<topic>:<subject> (string)   An entity's state, msgpack. Lives for the stream's keeping and 14 days more from
                                   its last write, so that it is still there after workers were down.
                                   Read by the worker.
10s:<epoch s> (hash)               Bucket: field -> integer, see `kinds.names`. Until 2 h after its end.
                                   Read by the exporter.
hour:<epoch s> (hash)              Bucket of a UTC hour. Until 60 days after its end. Exporter.
day:<YYYY-MM-DD> (hash)            Bucket of a day of the reporting zone. Until 396 days after its end. Exporter.
month:<YYYY-MM> (hash)             Bucket of a month of the reporting zone. For good. Exporter, reports, analysts.
tokens:<measure>:day:<YYYY-MM-DD> (hash)
                                   How often each token occurs on a day. A step ends it 60 days after the day's end, at
                                   the earliest 24 h after its last write. Exporter, reports.
tokens:<measure>:month:<YYYY-MM> (hash)
                                   The same of a month, until 13 months after its end. What came after the month had
                                   closed has fields of its own, see `kinds.tokens`. Exporter, reports.
token-ends (zset)                  Name of such a hash -> when a step ends it. Worker.
tokens-ended (set)                 Names of ended hashes; later writes to them are dropped. For good. Worker.
token-versions (hash)              Name -> how many steps have changed it; while it lives. Worker, exporter, reports.
not-restated (hash)                Name -> how many events came after it was ended. For good. Reports.
bands (hash)                       `<measure>|<YYYY-MM>` -> JSON: how many tokens occur how often, of a closed month and
                                   of the 12 months ending with it. For good. Written by a worker once the month has
                                   closed. Reports.
open:<series> (zset)               Subject -> since. Members live until they leave. Exporter, reports. The lists of a
                                   stream (`Stream.lists`) are kept likewise: `open:figures|`, `open:notes|`.
open-until (zset)                  `<topic> <series> <subject>` -> end of the state's keeping, when the step takes
                                   the member out of its open set. Worker.
restatements:<YYYY-MM> (list)      JSON, one entry for each event and field. For good. Reports, analysts.
baseline:<name>:<YYYY-MM> (hash)   Field -> integer, as in a month: imported from a file for a named baseline, never
                                   added to own months. For good; a rebuild leaves it. Written by
                                   `watchroom months import`. Reports.
partition-counts (hash)            How many partitions each topic has had, and since when: `store.partition_counts`. For
                                   good; a rebuild leaves it. Written by worker and rebuild. All read it.
open-transactions (hash)           Transactions that producers left open, see `store.open_transactions`. Exporter.
sources:<topic> (hash)             `<source>|event`, `<source>|heartbeat` -> Kafka time. For good. Exporter.
dead-letters (hash)                `<topic>|<reason>` -> how many. For good. Exporter.
ignored-fields (hash)              `<topic>|<field>` -> in how many events an optional field had a wrong form and
                                   counted as absent. For good. Exporter.
raw-identifiers (hash)             `<topic>|<source>` -> how many events had something other than a token in a field
                                   for a token; `other`: undeclared or unreadable. For good. Exporter.
changed (zset)                     Bucket name -> `seq` of the step that changed it last; the last 10,000 steps.
                                   Exporter.
"""

from __future__ import annotations

FINGERPRINT = "fingerprint:"
DEFINITION = "definition:"
CLEARING = "clearing"
EVICTED = "evicted"
EVICTIONS = "evictions"
EVICTIONS_OF = "evictions-of"
GENERATION = "life"
SEQ = "seq"
PARTITIONS = "partitions:"
LOG = "log:"
NEXT_OFFSET = "next_offset"
FRESH_MS = "fresh_ms"
LOST = "lost"
EVENT = "event"
HEARTBEAT = "heartbeat"
DEAD_LETTERS = "dead-letters"
IGNORED_FIELDS = "ignored-fields"
RAW_IDENTIFIERS = "raw-identifiers"


class Keys:
    """The keys of one force."""

    def __init__(self, force: str) -> None:
        self.prefix = f"{{{force}}}:"
        self.meta = f"{self.prefix}meta"
        self.dead_letters = f"{self.prefix}{DEAD_LETTERS}"
        self.ignored_fields = f"{self.prefix}{IGNORED_FIELDS}"
        self.raw_identifiers = f"{self.prefix}{RAW_IDENTIFIERS}"
        self.changed = f"{self.prefix}changed"
        self.token_ends = f"{self.prefix}token-ends"
        self.tokens_ended = f"{self.prefix}tokens-ended"
        self.token_versions = f"{self.prefix}token-versions"
        self.not_restated = f"{self.prefix}not-restated"
        self.bands = f"{self.prefix}bands"
        self.open_until = f"{self.prefix}open-until"
        self.open_transactions = f"{self.prefix}open-transactions"
        self.partition_counts = f"{self.prefix}partition-counts"
        self.baselines = f"{self.prefix}baseline:"  # how the keys of all baselines begin

    def partition(self, topic: str, partition: int) -> str:
        """Offset and freshness of one partition."""
        return f"{self.prefix}partition:{topic}:{partition}"

    def state(self, topic: str, subject: str) -> str:
        """State of one entity."""
        return f"{self.prefix}state:{topic}:{subject}"

    def bucket(self, name: str) -> str:
        """A bucket by its name, as `rolling.buckets` makes it."""
        return self.prefix + name

    def tokens(self, name: str) -> str:
        """A hash of token counts by its name, as `kinds.names` makes it."""
        return f"{self.prefix}tokens:{name}"

    def open_set(self, series: str) -> str:
        """Entities of an open measure with one set of labels."""
        return f"{self.prefix}open:{series}"

    def restatements(self, month: str) -> str:
        """Changes to a closed month."""
        return f"{self.prefix}restatements:{month}"

    def baseline(self, name: str, month: str) -> str:
        """An imported month of a baseline."""
        return f"{self.baselines}{name}:{month}"

    def sources(self, topic: str) -> str:
        """When each source of a topic was last seen."""
        return f"{self.prefix}sources:{topic}"
