"""The demo as a process: its port, and the signals that end it."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from rich.console import Console

from watchroom.demo.server import free_port
from watchroom.settings import Settings

ENDING = (signal.SIGINT, signal.SIGTERM)


def with_free_port(settings: Settings, console: Console) -> Settings:
    """Settings with the exporter's usual port, or with another one, announced, if that is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.exporter_host, settings.exporter_port))
        except OSError as error:
            port = free_port()
            console.print(
                f"port {settings.exporter_port} is not available ({error.strerror}); using port {port} instead",
                highlight=False,
            )
            return settings.model_copy(update={"exporter_port": port})
    return settings


@contextmanager
def term_is_interrupt() -> Iterator[None]:
    """SIGTERM ends the demo as Ctrl-C does: with everything stopped that it started."""
    kept = [(number, signal.getsignal(number)) for number in ENDING]
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in kept:
            signal.signal(number, handler)


@contextmanager
def end_requested() -> Iterator[Callable[[], bool]]:
    """Ctrl-C and SIGTERM only leave a note, and raise nothing in the middle of other work.

    An exception that a signal raises in a finaliser is lost, and the demo would never end. After the note
    Ctrl-C has no further effect: what remains to be done is quick.

    Yields:
        A function that returns whether one of them has come.
    """
    notes: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        notes.append(number)  # takes no lock: this thread may hold any

    kept = {number: signal.signal(number, note) for number in ENDING}
    try:
        yield lambda: bool(notes)
    finally:
        for number, handler in kept.items():
            signal.signal(number, signal.SIG_IGN if notes and number == signal.SIGINT else handler)
