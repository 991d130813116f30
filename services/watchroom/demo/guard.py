"""`python -m watchroom.demo.guard PID...`: ends servers whose starter died without ending them.

It waits at a pipe that only the starter holds open. A starter that ends well says `done`; a pipe that
closes without it means that the starter was killed, and its servers would run on with nobody to stop them.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Sequence

DONE = b"done"


class Guard:
    """Starts the guard of some processes, and dismisses it once they are ended."""

    def __init__(self, pids: Sequence[int]) -> None:
        self._process = subprocess.Popen(  # noqa: S603  # our own module
            [sys.executable, "-m", "watchroom.demo.guard", *map(str, pids)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )

    def dismiss(self) -> None:
        """The processes are ended: the guard ends without touching anything."""
        with contextlib.suppress(BrokenPipeError):
            self._process.communicate(DONE, timeout=10)


def main(pids: Sequence[int]) -> None:
    """Wait for the end of standard input, then end the processes unless told that it is done."""
    if sys.stdin.buffer.read() == DONE:
        return
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main([int(pid) for pid in sys.argv[1:]])
