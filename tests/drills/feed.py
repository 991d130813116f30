"""Sources that feed a control room, one for each stream; each can fall silent by itself."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from typing import Self

from tests.flow.wall import event, now_ms
from watchroom.kafka.produce import Outgoing, sender
from watchroom.settings import Settings

SOURCE_OF = {"calls": "acd", "contacts": "digital", "incidents": "cad", "crimes": "records"}
HEARTBEAT_S = 2.0


class Feed:
    """Sends heartbeats of every source that is not silent, and the events it is given, in a thread of its own."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._waiting: queue.Queue[Outgoing] = queue.Queue()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self._number = 0
        self.silent: set[str] = set()  # streams whose source sends nothing

    def send(self, stream: str, kind: str, subject: str, at_ms: int, **data: str) -> None:
        """One event of the stream's source."""
        self._number += 1
        body = event(kind, subject, at_ms, self._number, **data).replace(
            b'"source": "desk"', f'"source": "{SOURCE_OF[stream]}"'.encode()
        )
        self._waiting.put(Outgoing(self._settings.topic(stream), subject.encode(), body))

    async def _run(self) -> None:
        async with sender(self._settings) as out:
            beat_s = 0.0
            while not self._stop.is_set():
                if time.monotonic() >= beat_s:
                    beat_s = time.monotonic() + HEARTBEAT_S
                    for stream in self._settings.streams:
                        if stream not in self.silent:
                            self._heartbeat(stream)
                while not self._waiting.empty():
                    await out.send(self._waiting.get())
                await out.flush()
                await asyncio.sleep(0.1)

    def _heartbeat(self, stream: str) -> None:
        self.send(stream, "feed.heartbeat", SOURCE_OF[stream], now_ms())

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(20)
