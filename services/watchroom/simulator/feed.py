"""Sends a simulation to Kafka from a thread: the past as fast as possible, then each event when it arrives."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from itertools import chain
from typing import Self

from watchroom.errors import WatchroomError, WorkFailed
from watchroom.kafka.produce import Ends, Outgoing, sender
from watchroom.settings import Settings
from watchroom.simulator import Simulated
from watchroom.simulator.bulk import bulk
from watchroom.timing import now_ms

LOOK_S = 0.1  # how long it may take to notice a request to stop while waiting for the next event
STOP_WITHIN_S = 20.0


class Feed:
    """A running simulation, of the streams that are fed; a context manager.

    Attributes:
        sent: Events sent so far, heartbeats included.
        sent_to_ms: Arrival of the last one sent, UTC milliseconds; 0 before the first.
    """

    def __init__(self, settings: Settings, events: Iterator[Simulated]) -> None:
        self._settings = settings
        self._events = events
        self._stop = threading.Event()
        self._caught_up = threading.Event()
        self._failure: BaseException | None = None
        self._ends: Ends = {}
        self._thread = threading.Thread(target=self._run, name="simulator", daemon=True)
        self.sent = 0
        self.sent_to_ms = 0

    @property
    def ends(self) -> Ends | None:
        """Where each partition ended when the simulation had caught up with the clock; None before."""
        return self._ends if self._caught_up.is_set() else None

    def wait(self, timeout_s: float) -> None:
        """Wait this long, or until it has caught up or failed."""
        self._caught_up.wait(timeout_s)

    def check(self) -> None:
        """Raise the error that stopped it, if there was one."""
        if isinstance(self._failure, WatchroomError):
            raise self._failure
        if self._failure is not None:
            raise WorkFailed(f"the simulator stopped: {self._failure!r}") from self._failure

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(STOP_WITHIN_S)

    def _run(self) -> None:
        try:
            asyncio.run(self._send())
        except BaseException as error:  # noqa: BLE001  # it is raised again in the caller's thread by check()
            self._failure = error
        finally:
            self._caught_up.set()

    async def _send(self) -> None:
        first_live = await self._send_past()
        self._caught_up.set()
        if first_live is None:
            return
        async with sender(self._settings) as out:
            for event in chain([first_live], self._events):
                if not await self._until(event.arrival_ms):
                    break
                if topic := self._settings.topics.get(event.stream):
                    await out.send(Outgoing(topic, event.subject.encode(), event.value))
                    self._note(event)
            await out.flush()

    async def _send_past(self) -> Simulated | None:
        """Send everything that has arrived by now (now moves on meanwhile); returns the first event that has not."""
        topics = self._settings.topics
        async with bulk(self._settings) as out:
            for event in self._events:
                if event.arrival_ms > now_ms():
                    self._ends = await out.flush()
                    return event
                if self._stop.is_set():
                    return None
                if event.stream in topics:
                    await out.send(topics[event.stream], event.subject.encode(), event.value)
                    self._note(event)
            self._ends = await out.flush()
        return None

    async def _until(self, moment_ms: int) -> bool:
        """Wait for a moment of the wall clock; False when asked to stop before."""
        while not self._stop.is_set():
            if (wait_ms := moment_ms - now_ms()) <= 0:
                return True
            await asyncio.sleep(min(LOOK_S, wait_ms / 1000))
        return False

    def _note(self, event: Simulated) -> None:
        self.sent += 1
        self.sent_to_ms = event.arrival_ms
