"""A real HTTP server in a thread that stores what is posted to it: the fallback channel of a test."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Receiver(ThreadingHTTPServer):
    """Answers each POST with the next of `answers` (200 if none is left); `hold` makes it wait first."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[int] = []
        self.posted: list[dict[str, Any]] = []  # those answered 200
        self.refused = 0
        self.pages: dict[str, int] = {}  # what a GET is answered, by path
        self.hold = threading.Event()
        self.hold.set()

    @property
    def url(self) -> str:
        """Its address, with a secret that must not be shown."""
        return f"http://127.0.0.1:{self.server_port}/token-s3cret"

    def statuses(self) -> list[str]:
        """The statuses that it received, in order."""
        return [str(message["status"]) for message in self.posted]


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.hold.wait(20)
        status = self.server.answers.pop(0) if self.server.answers else 200
        if status == 200:
            self.server.posted.append(json.loads(body))
        else:
            self.server.refused += 1
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self) -> None:
        self.send_response(self.server.pages[self.path])
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Tests read `posted`."""


@contextmanager
def running_receiver() -> Iterator[Receiver]:
    """A receiver on a free loopback port."""
    receiver = Receiver()
    thread = threading.Thread(target=receiver.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.hold.set()
        receiver.shutdown()
        receiver.server_close()
        thread.join(5)
