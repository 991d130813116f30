"""Logs of the worker: one line each on stderr, with the repeated ones limited."""

from __future__ import annotations

import logging
import time

from watchroom import process

REPEAT_S = 30.0
MOST_REMEMBERED = 1000  # lines; texts that hold a number or an error may be ever new
# Faust tells every step of its start and end, its base classes in our subclasses' name too.
QUIET = {
    "aiokafka": logging.WARNING,
    "faust": logging.WARNING,
    "mode": logging.WARNING,
    "watchroom.intake.faust_app": logging.WARNING,
    "watchroom.intake.fetching": logging.WARNING,
    "asyncio": logging.ERROR,
}


class Repeats(logging.Filter):
    """Lets an event of a logger and partition through once in 30 s, and says how many were left out.

    aiokafka tries again many times a second while a broker is down, and says so each time; so may we.
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
    """What makes a line the same: its logger, and its template or event with the partition that it is about.

    structlog hands its lines over as a mapping, whose time makes each another.
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
