"""A server on this machine as a child process: started until it answers, ended by its own id, its log kept."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from watchroom.errors import WorkFailed

LOOPBACK = "127.0.0.1"
# Below the ports that Linux (32768 up) and macOS (49152 up) give to outgoing connections: while a server
# is down, a client that tries to reach it again must not be given the server's own port.
_PORTS = range(20_000, 30_000)


def free_port() -> int:
    """A port of this machine's loopback that nobody listens on now; another process may still be quicker."""
    for _ in range(200):
        port = _PORTS.start + secrets.randbelow(len(_PORTS))
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((LOOPBACK, port))
            return port
    raise WorkFailed(f"no free port between {_PORTS.start} and {_PORTS.stop} on {LOOPBACK}; stop what listens there")


class LocalServer:
    """One server process.

    It runs in a session of its own: Ctrl-C in the terminal reaches us, and we end the server after what
    depends on it.

    Args:
        name: What a person calls it, for messages.
        command: Program and arguments.
        log: File that gets all it prints, appended over restarts.
        env: Environment variables on top of ours.
    """

    def __init__(self, name: str, command: Sequence[str], log: Path, env: Mapping[str, str] | None = None) -> None:
        self.name = name
        self.command = tuple(command)
        self.log = log
        self._env = dict(env or {})
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        """Whether the process is there now."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """Id of the running process."""
        if self._process is None:
            raise WorkFailed(f"{self.name} was not started")
        return self._process.pid

    def start(self, ready: Callable[[], bool], within_s: float) -> None:
        """Start it and wait until `ready()`.

        Raises:
            WorkFailed: It ended, or did not get ready in time; the message shows the end of its log.
        """
        if self.running:
            return
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603  # the command is ours
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self._env},
                start_new_session=True,
            )
        deadline_s = time.monotonic() + within_s
        while not ready():
            if (code := self._process.poll()) is not None:
                raise WorkFailed(f"{self.name} ended with {code} while starting. Its log {self.log}:\n{self.tail()}")
            if time.monotonic() > deadline_s:
                self.kill()
                raise WorkFailed(f"{self.name} was not ready after {within_s:g} s. Its log {self.log}:\n{self.tail()}")
            time.sleep(0.01)

    def stop(self, within_s: float = 10) -> None:
        """Ask it to end; kill it when it has not after `within_s`. Nothing happens when it is down."""
        if not self.running:
            return
        self._signal(signal.SIGTERM)
        try:
            self._wait(within_s)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it at once (SIGKILL), also when paused."""
        if self.running:
            self._signal(signal.SIGKILL)
            self._wait(10)

    def pause(self) -> None:
        """Stop it from running without ending it (SIGSTOP): connections stay open, nothing answers."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it run again after `pause`."""
        self._signal(signal.SIGCONT)

    def tail(self, lines: int = 30) -> str:
        """The last lines of its log."""
        if not self.log.exists():
            return "(no log)"
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)

    def _wait(self, within_s: float) -> None:
        if self._process is not None:
            self._process.wait(within_s)


def answers(port: int, question: bytes, answer: bytes, timeout_s: float = 1) -> bool:
    """Whether the server on a loopback port answers a question with bytes that begin with `answer`."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=timeout_s) as connection:
            connection.sendall(question)
            return connection.recv(max(len(answer), 1)).startswith(answer)
    except OSError:
        return False
