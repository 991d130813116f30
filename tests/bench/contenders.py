"""The processes that are compared. Each starts on an empty topic, is paused, and continues when the topic is full."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import NamedTuple, Protocol, cast

from redis import Redis

from tests.bench.usage import cpu_s, memory_mb
from tests.parts import ROOT
from watchroom.demo.processes import Process
from watchroom.demo.server import LocalServer
from watchroom.settings import Settings
from watchroom.store.keys import NEXT_OFFSET, Keys

READY_WITHIN_S = 60.0
DONE_WITHIN_S = 120.0


class Contender(Protocol):
    """One process, ready to be measured."""

    name: str
    events: int  # it is timed over this many
    look_every_s: float

    @property
    def pid(self) -> int:
        """Its process id."""

    def done(self) -> bool:
        """Whether it has handled its events."""

    def stop(self) -> None:
        """End it."""


class Measured(NamedTuple):
    """One contender in one round."""

    events_per_s: float
    cpu_us_per_event: float
    memory_mb: float
    beside_us_per_event: float  # CPU of the process `beside` in the same time


class Child:
    """A module of this folder that says `ready` and `done` on its standard output."""

    look_every_s = 0.002

    def __init__(self, name: str, module: str, events: int, log: Path, *arguments: object) -> None:
        self.name = name
        self.events = events
        self._log = log
        command = [sys.executable, "-m", f"tests.bench.{module}", *map(str, arguments)]
        env = {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'services'}"}
        self._server = LocalServer(name, command, log, lambda: self._said("ready"), env).start(READY_WITHIN_S)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._server.pid

    def done(self) -> bool:
        """Whether it has said `done`."""
        return self._said("done")

    def stop(self) -> None:
        """End it at once; what it would commit is not needed."""
        self._server.kill()

    def _said(self, word: str) -> bool:
        return word in self._log.read_text(errors="replace").split()


class Watchroom:
    """`watchroom worker` as in production; it is done when Redis has reached the end of the log."""

    name = "watchroom"
    look_every_s = 0.02

    def __init__(self, settings: Settings, events: int, log: Path) -> None:
        self.events = events
        keys, topic = Keys(settings.force), settings.topic("calls")
        self._places = [keys.partition(topic, n) for n in range(settings.partitions)]
        self._redis = Redis.from_url(settings.redis_url)
        self._process = Process("worker", settings, log).start()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def offsets(self) -> list[int]:
        """The next offset of each partition of the calls in Redis."""
        pipe = self._redis.pipeline(transaction=False)
        for place in self._places:
            pipe.hget(place, NEXT_OFFSET)
        return [int(stored or 0) for stored in cast("list[bytes | None]", pipe.execute())]

    def done(self) -> bool:
        """Whether all events are in Redis."""
        return sum(self.offsets()) >= self.events

    def stop(self) -> None:
        """Ask it to end."""
        self._process.stop()
        self._redis.close()


def pause(contender: Contender) -> None:
    """Pause it until it is measured."""
    os.kill(contender.pid, signal.SIGSTOP)


def measure(contender: Contender, beside: int) -> Measured:
    """Let it continue, and read the clock and its CPU time when it is done.

    Args:
        contender: Paused, with its events waiting for it.
        beside: Process id of a server whose CPU is looked at in the same time.
    """
    used_s, beside_s, began_s = cpu_s(contender.pid), cpu_s(beside), time.monotonic()
    os.kill(contender.pid, signal.SIGCONT)
    while not contender.done():
        if time.monotonic() > began_s + DONE_WITHIN_S:
            raise TimeoutError(f"{contender.name} was not done after {DONE_WITHIN_S:g} s")
        time.sleep(contender.look_every_s)
    took_s = time.monotonic() - began_s
    used_s, beside_s = cpu_s(contender.pid) - used_s, cpu_s(beside) - beside_s
    return Measured(
        contender.events / took_s,
        1e6 * used_s / contender.events,
        memory_mb(contender.pid),
        1e6 * beside_s / contender.events,
    )
