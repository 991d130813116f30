"""Names of the Kafka headers that Watchroom reads and writes; all values are ASCII or UTF-8 text.

They are here, and not in `intake`, because the AsyncAPI document is derived from them as well.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
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

_MEANINGS: Final = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
DEAD_LETTER: Final[dict[str, str]] = _MEANINGS["dead_letter"]
"""What each header of a dead letter says."""
EVENT: Final[dict[str, str]] = _MEANINGS["event"]
"""What a header of an event says."""
