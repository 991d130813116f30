"""A small HTTP server in threads: a table of paths, GET and HEAD only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import urlsplit

from watchroom.errors import WorkFailed

REQUEST_TIMEOUT_S = 10


class Answer(NamedTuple):
    """What a page returns."""

    body: str
    content_type: str = "text/plain; charset=utf-8"
    status: HTTPStatus = HTTPStatus.OK


Pages = Mapping[str, Callable[[], Answer]]  # path, e.g. "/metrics"


class Server(ThreadingHTTPServer):
    """Serves a table of pages; each request runs in its own thread.

    Raises:
        WorkFailed: The port cannot be had.
    """

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 32

    def __init__(self, host: str, port: int, pages: Pages) -> None:
        self.pages = pages
        try:
            super().__init__((host, port), _Handler)
        except OSError as error:
            raise WorkFailed(
                f"cannot listen on {host}:{port} ({error.strerror}); stop what uses it, "
                "or set WATCHROOM_EXPORTER_HOST and WATCHROOM_EXPORTER_PORT"
            ) from error


class _Handler(BaseHTTPRequestHandler):
    server: Server
    timeout = REQUEST_TIMEOUT_S
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def _answer(self, *, with_body: bool) -> None:
        page = self.server.pages.get(urlsplit(self.path).path)
        paths = ", ".join(sorted(self.server.pages))
        answer = page() if page else Answer(f"no such page; there are {paths}\n", status=HTTPStatus.NOT_FOUND)
        body = answer.body.encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Scrapes are not worth a line each."""
