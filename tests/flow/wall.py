"""A worker, an exporter, a feed and somebody who looks at the wall several times a second."""

from __future__ import annotations

import asyncio
import json
import re
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.client import HTTPException
from pathlib import Path
from typing import Self

from tests.flow.servers import Stack
from watchroom.demo.processes import Process
from watchroom.demo.server import free_port
from watchroom.kafka.produce import Outgoing, sender
from watchroom.settings import Settings
from watchroom.streams import STREAMS

# Of the streams that are fed by default; the others may stay silent.
WAITED_FOR = [name for name, stream in STREAMS.items() if stream.is_waited_for and stream.by_default]

HEADS = {"calls": "watchroom_call", "incidents": "watchroom_incident", "crimes": "watchroom_crime_"}
LOOK_EACH_S = 0.25


def now_ms() -> int:
    """The wall clock."""
    return time.time_ns() // 1_000_000


def event(kind: str, subject: str, at_ms: int, number: int, **data: str) -> bytes:
    """One event of source `desk` as CloudEvents JSON."""
    at = datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")
    envelope = {"specversion": "1.0", "id": f"{kind}-{subject}-{number}", "source": "desk", "type": kind}
    return json.dumps({**envelope, "time": at, "subject": subject, "data": data}).encode()


class Feed:
    """Sends heartbeats to all topics, and events if asked to, in its own thread until it is stopped."""

    def __init__(self, settings: Settings, heartbeat_s: float = 0.5) -> None:
        self._settings = settings
        self._heartbeat_s = heartbeat_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._send()), daemon=True)
        self.heartbeats = True
        self.calls_per_s = 0
        self.calls_sent = 0
        self.last_heartbeat_ms = 0

    async def _send(self) -> None:
        async with sender(self._settings) as out:
            beat_s = began_s = time.monotonic()
            due = 0.0
            while not self._stop.is_set():
                if self.heartbeats and time.monotonic() >= beat_s:
                    beat_s += self._heartbeat_s
                    for stream in STREAMS:
                        beat = event("feed.heartbeat", "desk", now_ms(), now_ms())
                        await out.send(Outgoing(self._settings.topic(stream), b"desk", beat))
                    await out.flush()
                    self.last_heartbeat_ms = now_ms()
                passed_s, began_s = time.monotonic() - began_s, time.monotonic()
                due += passed_s * self.calls_per_s
                while due >= 1:
                    due -= 1
                    self.calls_sent += 1
                    await out.send(self._call(self.calls_sent))
                await asyncio.sleep(0.02)
            await out.flush()

    def _call(self, number: int) -> Outgoing:
        subject = f"call-{number}"
        return Outgoing(
            self._settings.topic("calls"),
            subject.encode(),
            event("call.presented", subject, now_ms(), number, line="999"),
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(20)


@dataclass
class Look:
    """What the wall showed at one moment."""

    at_ms: int
    page: str
    families: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self.families = frozenset(re.findall(r"^# TYPE (\S+)", self.page, re.MULTILINE))

    def measures(self, stream: str | None = None) -> frozenset[str]:
        """Families of a stream's measures, or of all streams'."""
        heads = (HEADS[stream],) if stream else tuple(HEADS.values())
        return frozenset(name for name in self.families if name.startswith(heads))

    def number(self, sample: str) -> float | None:
        """The value of one sample, written as on the page; None if it is absent."""
        found = re.search(rf"^{re.escape(sample)} (\S+)$", self.page, re.MULTILINE)
        return float(found[1]) if found else None

    def oldest_applied_ms(self) -> float:
        """The smallest applied timestamp shown."""
        shown = re.findall(r"^watchroom_applied_timestamp_seconds\{.*\} (\S+)$", self.page, re.MULTILINE)
        return min(float(each) for each in shown) * 1000


class Wall:
    """The processes of one control room, and the looks taken at its page."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.settings = settings
        self.worker = Process("worker", settings, folder / "worker.log")
        self.exporter = Process("exporter", settings, folder / "exporter.log")

    def look(self) -> Look:
        """The page now."""
        url = f"http://{self.settings.exporter_host}:{self.settings.exporter_port}/metrics"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return Look(now_ms(), answer.read().decode())

    def look_for(self, seconds: float) -> list[Look]:
        """Look repeatedly for a while."""
        until_s = time.monotonic() + seconds
        looks = []
        while time.monotonic() < until_s:
            looks.append(self.look())
            time.sleep(LOOK_EACH_S)
        return looks

    def look_until(self, seen: Callable[[Look], bool], within_s: float, what: str) -> Look:
        """The first look that shows something."""
        until_s = time.monotonic() + within_s
        while True:
            last = self.look()
            if seen(last):
                return last
            if time.monotonic() > until_s:
                with urllib.request.urlopen(
                    f"http://{self.settings.exporter_host}:{self.settings.exporter_port}/healthz", timeout=10
                ) as answer:
                    why = answer.read().decode()
                raise AssertionError(f"not seen within {within_s} s: {what}\n{why}\n{self.worker.tail()}")
            time.sleep(LOOK_EACH_S)

    def until_all_is_shown(self) -> Look:
        """The first look with every stream on it."""
        return self.look_until(lambda look: all(look.measures(stream) for stream in WAITED_FOR), 30, "all streams")


@contextmanager
def wall(stack: Stack, folder: Path, **more: object) -> Iterator[Wall]:
    """A worker and an exporter on a stack, both ready; `more` are settings."""
    settings = stack.settings(
        health_port=free_port(),
        exporter_port=free_port(),
        partitions=2,
        **{"touch_s": 0.5, "streams": tuple(STREAMS), **more},
    )
    made = Wall(settings, folder)
    try:
        made.worker.start()
        made.exporter.start()
        yield made
    except (OSError, HTTPException) as error:
        raise AssertionError(f"{error}\n{made.exporter.tail()}") from error
    finally:
        made.worker.stop()
        made.exporter.stop()
