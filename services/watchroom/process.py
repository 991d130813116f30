"""How a process that runs until it is stopped starts and ends: logs, signals, and errors as exit codes."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import Awaitable, Callable

import structlog

from watchroom.errors import Fault, WatchroomError

log = structlog.get_logger("watchroom.process")


def log_to_stderr(*filters: logging.Filter) -> None:
    """Log to standard error, one line each: what structlog and the standard library are given, in one format."""
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
    for each in filters:
        handler.addFilter(each)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)


def run_until_stopped(
    serve: Callable[[asyncio.Event], Awaitable[int]], set_up_logs: Callable[[], None] = log_to_stderr
) -> int:
    """Run a process until SIGTERM or SIGINT, or until it ends by itself.

    Args:
        serve: The process; its argument is set when it must stop. Returns the exit code.
        set_up_logs: Called first.

    Returns:
        The exit code. One of our errors is logged, a line for each fault, and gives its own code.
    """
    set_up_logs()
    try:
        return asyncio.run(_with_signals(serve))
    except WatchroomError as error:
        for line in str(error).splitlines():
            log.error(line)  # noqa: TRY400 - the message is for a person; a traceback says no more
        return error.exit_code


def port_fault(setting: str, host: str, port: int, error: OSError) -> Fault:
    """Says why a process cannot listen; `setting` names the port, such as `WATCHROOM_HEALTH_PORT`."""
    found = f"{port}, but the process cannot listen on {host}:{port} ({error.strerror or error})"
    return Fault(setting, "", found, "a free port, or stop the process that uses it")


async def _with_signals(serve: Callable[[asyncio.Event], Awaitable[int]]) -> int:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    return await serve(stop)
