"""A server on this machine as a child process: started until it answers, ended by its own id, its log kept.

A guard (`guard.py`) beside each server kills it if the process that started it dies.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

from watchroom.demo import guard
from watchroom.errors import WorkFailed

LOOPBACK = "127.0.0.1"
READY_WITHIN_S = 60.0
STOP_WITHIN_S = 10.0
# Below the ports that Linux (32768 up) and macOS (49152 up) give to outgoing connections: while a server
# is down, a client that tries to reach it again must not be given the server's own port.
_PORTS = range(20_000, 30_000)
_given: set[int] = set()  # a server with several ports asks for all of them before it listens on one


def free_port() -> int:
    """A port of this machine's loopback on which nothing listens now, and never the same one twice in a process.

    Another process may still take it first.
    """
    for _ in range(200):
        port = _PORTS.start + secrets.randbelow(len(_PORTS))
        if port in _given:
            continue
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((LOOPBACK, port))
            _given.add(port)
            return port
    raise WorkFailed(
        f"no free port between {_PORTS.start} and {_PORTS.stop} on {LOOPBACK}; "
        "stop some of the processes that use these ports"
    )


class LocalServer:
    """One server process; a context manager.

    It runs in a session of its own: Ctrl-C in the terminal reaches only us, and we end the server after everything
    that depends on it. If we are killed, its guard kills it.

    Args:
        name: Its name in messages.
        command: Program and arguments.
        log: File for its output, appended over restarts.
        ready: Whether it answers; asked until it does.
        env: Environment variables on top of ours.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        log: Path,
        ready: Callable[[], bool],
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.command = tuple(command)
        self.log = log
        self.ready = ready
        self._env = dict(env or {})
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        """Whether the process exists now."""
        return self._alive() is not None

    @property
    def pid(self) -> int:
        """Id of the running process."""
        if self._process is None:
            raise WorkFailed(f"{self.name} was not started")
        return self._process.pid

    def start(self, within_s: float = READY_WITHIN_S) -> Self:
        """Start it and wait until it is ready.

        Raises:
            WorkFailed: It ended, or was not ready in time; the message shows the end of its log.
        """
        if self.running:
            return self
        self._end_guard()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603  # the command is ours
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self._env},
                start_new_session=True,
            )
        try:
            self._guard = _guard_of(self._process.pid)
            self._wait_ready(self._process, within_s)
        except BaseException:
            self.stop()
            raise
        return self

    def check(self) -> None:
        """Raise `WorkFailed` if it has ended by itself."""
        if not self.running:
            raise self._failed(f"the {self.name} has ended")

    def stop(self, within_s: float = STOP_WITHIN_S) -> None:
        """Ask it to end; kill it if it has not ended after `within_s`. Does nothing if it is down."""
        if process := self._alive():
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(within_s)
        self.kill()

    def kill(self) -> None:
        """End it at once (SIGKILL), also when paused."""
        if process := self._alive():
            process.kill()
            process.wait(STOP_WITHIN_S)
        self._end_guard()

    def tail(self, lines: int = 30) -> str:
        """The last lines of its log."""
        if not self.log.exists():
            return "(no log)"
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _wait_ready(self, process: subprocess.Popen[bytes], within_s: float) -> None:
        deadline_s = time.monotonic() + within_s
        while not self.ready():
            if (code := process.poll()) is not None:
                raise self._failed(f"{self.name} exited with code {code} while starting")
            if time.monotonic() > deadline_s:
                raise self._failed(f"{self.name} was not ready after {within_s:g} s")
            time.sleep(0.01)

    def _failed(self, what: str) -> WorkFailed:
        return WorkFailed(f"{what}. Last lines of its log, {self.log}:\n{self.tail()}")

    def _alive(self) -> subprocess.Popen[bytes] | None:
        return self._process if self._process is not None and self._process.poll() is None else None

    def _end_guard(self) -> None:
        """Tell the guard that the server has ended."""
        if self._guard is not None:
            with contextlib.suppress(BrokenPipeError):
                self._guard.communicate(guard.DONE, timeout=STOP_WITHIN_S)
            self._guard = None


def _guard_of(pid: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-I", "-S", guard.__file__, str(pid)]
    return subprocess.Popen(  # noqa: S603  # our own file
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True
    )


def answers(port: int, request: bytes, answer: bytes, timeout_s: float = 1) -> bool:
    """Whether the server on a loopback port answers a request with bytes that begin with `answer`."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=timeout_s) as connection:
            connection.sendall(request)
            return connection.recv(max(len(answer), 1)).startswith(answer)
    except OSError:
        return False


def ping(port: int) -> bool:
    """Whether a Redis on a loopback port answers a ping."""
    return answers(port, b"PING\r\n", b"+PONG")


def get(host: str, port: int, path: str, timeout_s: float = 2) -> str | None:
    """The page at a path; None unless the server answers 200."""
    connection = http.client.HTTPConnection(host, port, timeout=timeout_s)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        text = answer.read().decode(errors="replace")  # always read: closing early is an error to the other side
    except (OSError, http.client.HTTPException):
        return None
    else:
        return text if answer.status == http.client.OK else None
    finally:
        connection.close()
