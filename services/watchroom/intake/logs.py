"""Logs of the worker: one line each on stderr, with the repeated ones limited."""

from __future__ import annotations

import logging
import sys
import time

import structlog

REPEAT_S = 30.0
# Faust tells every step of its start and end, its base classes in our subclasses' name too.
QUIET = {
    "aiokafka": logging.WARNING,
    "faust": logging.WARNING,
    "mode": logging.WARNING,
    "watchroom.intake.batches": logging.WARNING,
    "watchroom.intake.fetching": logging.WARNING,
    "asyncio": logging.ERROR,
}


class Repeats(logging.Filter):
    """Lets a message template of a logger through once in 30 s, and says how many were left out.

    aiokafka tries again many times a second while a broker is down, and says so each time.
    """

    def __init__(self, repeat_s: float = REPEAT_S) -> None:
        super().__init__()
        self._repeat_s = repeat_s
        self._seen: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to show the record."""
        key, now_s = (record.name, str(record.msg)), time.monotonic()
        shown_at_s, left_out = self._seen.get(key, (-self._repeat_s, 0))
        if now_s - shown_at_s < self._repeat_s:
            self._seen[key] = (shown_at_s, left_out + 1)
            return False
        self._seen[key] = (now_s, 0)
        if left_out:
            record.msg = f"{record.msg} (and {left_out} more like it)"
        return True


def log_to_stderr() -> None:
    """Set up logging for a process: structlog and the standard library, one format, on stderr."""
    shared: list[structlog.types.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    structlog.configure(
        processors=[
            *shared,
            structlog.processors.format_exc_info,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    renderer: structlog.types.Processor = (
        structlog.dev.ConsoleRenderer()
        if sys.stderr.isatty()
        else structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"])
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.processors.format_exc_info],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    handler.addFilter(Repeats())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    for name, level in QUIET.items():
        logging.getLogger(name).setLevel(level)
