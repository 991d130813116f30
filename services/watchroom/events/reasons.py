"""Why an event is refused: a closed list, because each reason labels a metric and a header.

Checks run in this order: an event with several faults is refused for the first of them, so the same bytes always get
the same reason.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
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

MEANINGS: Final[dict[str, str]] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))

REASONS: Final = tuple(MEANINGS)
