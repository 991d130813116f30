"""Why an event is refused: a closed list, because each reason labels a metric and a header.

Checks run in this order: an event with several faults is refused for the first of them, so the same bytes always get
the same reason.
"""

from __future__ import annotations

from typing import Final

RAW_IDENTIFIER: Final = "raw_identifier"
TOO_LARGE: Final = "too_large"
BAD_JSON: Final = "bad_json"
BAD_ENVELOPE: Final = "bad_envelope"
UNKNOWN_TYPE: Final = "unknown_type"
BAD_TIME: Final = "bad_time"
BAD_DATA: Final = "bad_data"
WRONG_TOPIC: Final = "wrong_topic"
WRONG_KEY: Final = "wrong_key"
WRONG_PARTITION: Final = "wrong_partition"
LATE: Final = "late"
FUTURE: Final = "future"
EXPIRED: Final = "expired"
UNREADABLE: Final = "unreadable"

MEANINGS: Final = {
    RAW_IDENTIFIER: "a token field held, or may have held, something other than a token; the letter has no"
    " key or value",
    TOO_LARGE: "more than 262,144 bytes (256 KiB)",
    BAD_JSON: "not JSON in UTF-8, or no value at all (a tombstone)",
    BAD_ENVELOPE: "not a single CloudEvents 1.0 event: specversion, id, source, type or subject is missing or unusable",
    UNKNOWN_TYPE: "a type that Watchroom does not know",
    BAD_TIME: "time is missing or before 1990, a time is not RFC 3339 with an offset, or the record's own timestamp is"
    " impossible",
    BAD_DATA: "data lacks a field that its type requires, or has one in the wrong format",
    WRONG_TOPIC: "an event type that belongs to another stream",
    WRONG_KEY: "the Kafka key is not the subject (heartbeats: not the source)",
    WRONG_PARTITION: "the record is not in the partition that Kafka's default partitioner gave its key at that time",
    LATE: "arrived later than its stream allows",
    FUTURE: "its time is too far after its arrival, or after the timestamp of its Kafka record",
    EXPIRED: "a dead letter sent again so late that the state of its call, incident or crime may be gone",
    UNREADABLE: "Watchroom itself failed to process it (see the worker's log); send it again after a fix",
}

REASONS: Final = tuple(MEANINGS)
