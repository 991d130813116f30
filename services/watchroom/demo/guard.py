"""`python guard.py PID`: kills a server whose starter died without ending it.

Standard input is a pipe that only the starter holds open. A starter that has ended the server writes `done`. A pipe
that closes without it means that the starter was killed.

`LocalServer` runs this file by its path, without site packages, so that it starts in a few milliseconds.
"""

import contextlib
import os
import signal
import sys

DONE = b"done"

if __name__ == "__main__" and sys.stdin.buffer.read() != DONE:
    with contextlib.suppress(ProcessLookupError):
        os.kill(int(sys.argv[1]), signal.SIGKILL)
