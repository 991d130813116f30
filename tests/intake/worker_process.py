"""`watchroom worker` as its own process, and what its health page says."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from tests.flow.servers import Stack
from tests.parts import ROOT
from watchroom.demo.server import LOOPBACK, free_port


class WorkerProcess:
    """One worker; killed when its `with` block ends, if it still runs.

    Args:
        stack: Where its broker and Redis are.
        log: File that gets its standard error.
        more: Settings over those of the stack.
    """

    def __init__(self, stack: Stack, log: Path, **more: object) -> None:
        self.port = free_port()
        self._log = log
        settings = stack.environment(health_port=self.port, **more)
        self._environment = {**os.environ, **settings, "PYTHONPATH": str(ROOT / "services")}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Start it; does not wait."""
        with self._log.open("ab") as log:
            command = [sys.executable, "-m", "watchroom", "worker"]
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env=self._environment, cwd=ROOT)
        return self

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def get(self, path: str) -> tuple[int, str]:
        """Status and text of a page; status 0 if there is no answer."""
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=5)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except OSError:
            return 0, ""
        finally:
            connection.close()

    def health(self) -> dict[str, Any]:
        """The JSON page; empty if there is no answer."""
        status, text = self.get("/health")
        return json.loads(text) if status else {}

    def until(self, done: Callable[[], bool], within_s: float = 40) -> None:
        """Wait until `done` holds; the log says why it does not."""
        deadline_s = time.monotonic() + within_s
        while not done():
            if time.monotonic() > deadline_s:
                raise AssertionError(f"not in {within_s} s; health: {self.health()}; log:\n{self.log()}")
            time.sleep(0.05)

    def until_ready(self, within_s: float = 40) -> None:
        """Wait until `/readyz` reports ready."""
        self.until(lambda: self.get("/readyz")[0] == 200, within_s)

    def signal(self, number: int) -> None:
        """Send it a signal."""
        if self._process is None:
            raise AssertionError("not started")
        self._process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL, and wait."""
        self.signal(signal.SIGKILL)
        self.exit_code()

    def exit_code(self, within_s: float = 40) -> int:
        """Wait until it ends."""
        if self._process is None:
            raise AssertionError("not started")
        try:
            return self._process.wait(within_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {within_s} s; log:\n{self.log()}") from None

    def log(self) -> str:
        """Everything it has written."""
        return self._log.read_text(errors="replace")
