"""The worker's log: one line each on stderr, with a limit on repeated lines."""

from __future__ import annotations

import logging
import time

from watchroom import process

REPEAT_S = 30.0
MOST_REMEMBERED = 1000  # lines; texts with a number or an error in them may always be new
# Faust logs every step of its start and end, its base classes also under the names of our subclasses.
QUIET = {
    "aiokafka": logging.WARNING,
    "faust": logging.WARNING,
    "mode": logging.WARNING,
    "watchroom.intake.faust_app": logging.WARNING,
    "watchroom.intake.fetching": logging.WARNING,
    "asyncio": logging.ERROR,
}


class Repeats(logging.Filter):
    """Shows a logger's line about a partition once in 30 s, with how many were left out.

    While a broker is down, aiokafka tries again many times a second and logs each try. Our own code may do the same.
    """

    def __init__(self, repeat_s: float = REPEAT_S) -> None:
        super().__init__()
        self._repeat_s = repeat_s
        self._seen: dict[tuple[str, ...], tuple[float, int]] = {}  # oldest first

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to show the record."""
        key, now_s = _key(record), time.monotonic()
        shown_at_s, left_out = self._seen.get(key, (-self._repeat_s, 0))
        if now_s - shown_at_s < self._repeat_s:
            self._seen[key] = (shown_at_s, left_out + 1)
            return False
        self._seen.pop(key, None)
        self._seen[key] = (now_s, 0)
        if len(self._seen) > MOST_REMEMBERED:
            del self._seen[next(iter(self._seen))]
        if left_out:
            _add(record, f" (and {left_out} more like it)")
        return True


def _key(record: logging.LogRecord) -> tuple[str, ...]:
    """What repeated lines have in common: the logger, and the template, or the event and its partition.

    A line of structlog is a mapping with a time, so no two are equal.
    """
    if isinstance(record.msg, dict):
        return (record.name, *(str(record.msg.get(name)) for name in ("event", "topic", "partition")))
    return record.name, str(record.msg)


def _add(record: logging.LogRecord, text: str) -> None:
    if isinstance(record.msg, dict):
        record.msg = {**record.msg, "event": f"{record.msg.get('event')}{text}"}
    else:
        record.msg = f"{record.msg}{text}"


def log_to_stderr() -> None:
    """Set up the worker's logging."""
    process.log_to_stderr(Repeats())
    for name, level in QUIET.items():
        logging.getLogger(name).setLevel(level)
