"""`watchroom demo` on the embedded stack, as a person starts it: as a process, in a terminal or writing to a log."""

from __future__ import annotations

import os
import pty
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import new_name
from watchroom.demo.server import LOOPBACK, free_port

pytestmark = [pytest.mark.embedded, pytest.mark.slow, pytest.mark.timeout(300)]

RUN = """
import sys
from watchroom.cli.events import examined
from watchroom.cli.options import progress
from watchroom.errors import WatchroomError
from watchroom.demo.command import run_demo
from watchroom.settings import read_settings
try:
    for_s = float(sys.argv[1]) if sys.argv[1] else None
    sys.exit(run_demo(read_settings(), progress=progress, for_s=for_s, days=2, busy=20, examine=examined))
except WatchroomError as error:
    sys.exit(str(error))
"""
PATIENCE_S = 120


class Demo:
    """A demo of two days that runs in its own process, with its output on a terminal or in a pipe."""

    def __init__(self, *, for_s: str, port: int, terminal: bool) -> None:
        self.force = new_name()
        environment = {**os.environ, "WATCHROOM_FORCE": self.force, "WATCHROOM_EXPORTER_PORT": str(port)}
        environment |= {"COLUMNS": "140", "LINES": "60", "TERM": "xterm"}
        self._reads, writes = pty.openpty() if terminal else os.pipe()
        self.process = subprocess.Popen(
            [sys.executable, "-c", RUN, for_s], stdout=writes, stderr=writes, env=environment, start_new_session=True
        )
        os.close(writes)
        self.output = ""

    def read_until(self, done: Callable[[str], object]) -> None:
        """Collect output until it satisfies `done` or ends."""
        until_s = time.monotonic() + PATIENCE_S
        while not done(self.output) and time.monotonic() < until_s:
            try:
                more = os.read(self._reads, 65_536)
            except OSError:  # a terminal whose other side has closed
                return
            if not more:
                return
            self.output += more.decode(errors="replace")

    def end(self) -> int:
        """Its exit code, once it has ended."""
        self.read_until(lambda _: False)
        return self.process.wait(PATIENCE_S)

    def left_behind(self) -> list[str]:
        """Processes that carry this demo's force in their environment."""
        word = f"WATCHROOM_FORCE={self.force}".encode()
        return [folder.name for folder in Path("/proc").glob("[0-9]*") if word in environ(folder)]


@contextmanager
def demo(*, for_s: str = "", port: int | None = None, terminal: bool = False) -> Iterator[Demo]:
    """A running demo, ended with the test whatever happens."""
    running = Demo(for_s=for_s, port=port or free_port(), terminal=terminal)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.process.terminate()
            running.process.wait(30)
        os.close(running._reads)


def found(pattern: str, text: str) -> tuple[str, ...]:
    """The groups of a pattern that must be in the text."""
    match = re.search(pattern, text)
    assert match is not None, text
    return tuple(str(group) for group in match.groups())


def environ(folder: Path) -> bytes:
    """Environment of a process; empty when it is gone or not ours."""
    try:
        return (folder / "environ").read_bytes()
    except OSError:
        return b""


def test_the_demo_goes_live_and_ends_by_itself_with_every_event_applied() -> None:
    """What CI runs: no terminal, and another process on the usual port."""
    with socket.socket() as taken:
        taken.bind((LOOPBACK, 0))
        taken.listen()
        with demo(for_s="4", port=taken.getsockname()[1]) as running:
            assert running.end() == 0
            assert f"port {taken.getsockname()[1]} is not available" in running.output
            loaded = int(found(r"loaded ([\d,]+) events from 2 days", running.output)[0].replace(",", ""))
            assert loaded > 10_000
            applied, sent = found(r"([\d,]+) of ([\d,]+) events\s+applied in total; dead letters: 0", running.output)
            assert applied == sent
            assert "NO DATA" not in running.output
            assert "doctor: nothing wrong was found" in running.output
            assert running.left_behind() == []


def test_ctrl_c_ends_a_live_demo_with_a_summary_and_leaves_nothing_behind() -> None:
    """In a terminal: the screen shows both tables, and Ctrl-C is the usual end, not a failure."""
    with demo(terminal=True) as running:
        running.read_until(lambda output: "press Ctrl-C to stop" in output and output.count("Grade 1") > 1)
        assert "longest wait" in running.output
        assert len(running.left_behind()) >= 4
        running.process.send_signal(signal.SIGINT)
        assert running.end() == 0
        assert "dead letters: 0" in running.output
        assert "Traceback" not in running.output
        assert running.left_behind() == []


def test_a_demo_that_is_terminated_while_it_loads_leaves_nothing_behind() -> None:
    """SIGTERM, as a supervisor or a CI job sends it."""
    with demo() as running:
        running.read_until(lambda output: "metrics: http" in output)
        running.process.send_signal(signal.SIGTERM)
        assert running.end() == 130
        assert "Traceback" not in running.output
        assert running.left_behind() == []
