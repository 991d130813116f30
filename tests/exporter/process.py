"""The exporter as a process of its own, with a Redis that a test fills by hand."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.error import HTTPError

from redis.exceptions import RedisError

from tests.exporter.store import ExporterStore, parsed, value
from tests.parts import ROOT
from watchroom.demo.server import free_port
from watchroom.streams import STREAMS
from watchroom.timing import now_ms

RUN = """
import sys
from watchroom.exporter.run import run
from watchroom.settings import read_settings

sys.exit(run(read_settings()))
"""


class Exporter:
    """One exporter process on a free port; its freshness limit is 3 s."""

    def __init__(self, redis_url: str, **settings: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._environment = {
            "PYTHONPATH": str(ROOT / "services"),
            "WATCHROOM_EXPORTER_PORT": str(self.port),
            "WATCHROOM_REDIS_URL": redis_url,
            "WATCHROOM_FORCE": "staffs",
            "WATCHROOM_STREAMS": ",".join(STREAMS),
            "WATCHROOM_FRESH_S": "3",
            **settings,
        }
        self.start()

    def start(self) -> None:
        """Start it, or start it again on the same port."""
        self.process = subprocess.Popen([sys.executable, "-c", RUN], env=self._environment)

    def get(self, path: str) -> tuple[int, str]:
        """Status and body, once it is listening."""
        deadline_s = time.monotonic() + 20
        while True:
            try:
                with urllib.request.urlopen(f"{self.url}{path}", timeout=5) as answer:
                    return answer.status, answer.read().decode()
            except HTTPError as error:
                return error.code, error.read().decode()
            except OSError:
                if time.monotonic() > deadline_s or self.process.poll() is not None:
                    raise
                time.sleep(0.05)

    def metrics_when(self, redis_up: int) -> str:
        """The page once `watchroom_redis_up` has the given value."""
        deadline_s = time.monotonic() + 20
        while time.monotonic() < deadline_s:
            page = self.get("/metrics")[1]
            if value(parsed(page), "redis_up") == redis_up:
                return page
            time.sleep(0.1)
        raise AssertionError(f"redis_up never became {redis_up}")

    def await_published(self) -> None:
        """Wait until it has found every stream fresh and alive."""
        deadline_s = time.monotonic() + 20
        while time.monotonic() < deadline_s:
            page = parsed(self.metrics_when(redis_up=1))
            if all(value(page, "stream_withheld", stream=stream) == 0 for stream in STREAMS):
                return
            time.sleep(0.1)
        raise AssertionError(f"withheld: {self.get('/healthz')[1]}")

    def kill(self) -> None:
        """SIGKILL, also while it is stopped."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def end(self) -> int:
        """SIGTERM; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(10)


@contextmanager
def fed(store: ExporterStore, *streams: str) -> Iterator[threading.Event]:
    """Keep these streams (default: all) fresh and their source alive, as a worker does, until the event is set."""
    stop = threading.Event()

    def feed() -> None:
        while not stop.is_set():
            with suppress(RedisError):  # a test may have stopped it
                store.fresh(now_ms(), *streams)
                store.source_seen(now_ms(), *streams)
            stop.wait(0.3)

    thread = threading.Thread(target=feed)
    thread.start()
    try:
        yield stop
    finally:
        stop.set()
        thread.join()
