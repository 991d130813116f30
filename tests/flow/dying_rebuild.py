"""`watchroom rebuild`, killed by SIGKILL when it has removed a force's first keys, as a power cut would end it."""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from redis import Redis

from watchroom.cli import main
from watchroom.store import clear

KEYS_AT_ONCE = 50

if __name__ == "__main__":
    unlink = Redis.unlink

    def unlink_and_die(self: Redis, *names: Any) -> None:
        """Remove the first part, then die."""
        unlink(self, *names)
        os.kill(os.getpid(), signal.SIGKILL)

    clear.AT_ONCE = KEYS_AT_ONCE
    Redis.unlink = unlink_and_die  # type: ignore[method-assign,assignment]  # put in from outside: that is the point
    sys.argv = ["watchroom", "rebuild"]
    main()
