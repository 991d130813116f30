"""Names of the Kafka headers that Watchroom reads and writes; all values are ASCII or UTF-8 text.

They are here, and not in `intake`, because the AsyncAPI document is derived from them as well.
"""

from __future__ import annotations

from typing import Final

ARRIVED: Final = "watchroom-arrived"
LATEST: Final = "watchroom-latest"
REASON: Final = "watchroom-reason"
DETAIL: Final = "watchroom-detail"
TOPIC: Final = "watchroom-topic"
PARTITION: Final = "watchroom-partition"
OFFSET: Final = "watchroom-offset"
LENGTH: Final = "watchroom-length"
SHA256: Final = "watchroom-sha256"
HEADERS_LENGTH: Final = "watchroom-headers-length"
KEY_LENGTH: Final = "watchroom-key-length"
KEY_SHA256: Final = "watchroom-key-sha256"

OURS: Final = "watchroom-"
"""The names of all our headers begin with this."""

ATTRIBUTE: Final = "ce_"
"""The prefix of headers that hold attributes, in binary mode."""
SPECVERSION: Final = "ce_specversion"
"""The header that identifies a record in binary mode."""
SOURCE: Final = "ce_source"
CONTENT_TYPE: Final = "content-type"

DEAD_LETTER: Final = {
    REASON: "Why the record was refused: a reason from a fixed list.",
    DETAIL: "The reason in a sentence: what was found, and what to write instead.",
    TOPIC: "Topic of the refused record. With partition and offset it identifies the dead letter; show each one once.",
    PARTITION: "Partition of the refused record.",
    OFFSET: "Offset of the refused record.",
    ARRIVED: "Timestamp of the first record, in milliseconds since 1970; a replay passes it on.",
    LENGTH: "Full length in bytes, if the value was cut at 1 MiB or left out (`raw_identifier`).",
    SHA256: "SHA-256 of the full value in hexadecimal, if the value was cut at 1 MiB or left out."
    f" A key is cut at 64 KiB; {KEY_LENGTH} and {KEY_SHA256} then give its full length and SHA-256.",
    HEADERS_LENGTH: "Total size in bytes of the record's headers, names and values, if some were left out. A"
    " dead letter keeps the record's own headers under their own names, at most 16 KiB in total; those that"
    f" begin with `watchroom-` are left out, except {ARRIVED} and {LATEST}."
    " With `raw_identifier`, no headers are kept.",
    LATEST: "Copied from the refused record; a replay passes it on.",
}
"""What each header of a dead letter says."""

EVENT: Final = {
    ARRIVED: "Only on a replayed dead letter: its first record's timestamp, in milliseconds since 1970."
    " It decides whether the event is late; the record must arrive within the stream's retention after that timestamp.",
    LATEST: "Only from `watchroom replay` with a mapping whose `[time] latest` is in the future: that time, in"
    " milliseconds since 1970. An event of a source declared `history` may be as late as this; for other sources the"
    " header has no effect.",
}
"""What a header of an event says."""
