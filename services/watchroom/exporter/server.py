"""A small HTTP server in threads: a table of paths, GET and HEAD only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from watchroom.errors import WorkFailed
from watchroom.process import port_fault

REQUEST_TIMEOUT_S = 10

# On every answer, including refusals. Pages load their own style, script and icon, and nothing else.
HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class PageRequest(NamedTuple):
    """What a page is asked for."""

    rest: str = ""  # of the path, behind the page's prefix; empty for an exact path
    query: tuple[tuple[str, str], ...] = ()


class Answer(NamedTuple):
    """What a page returns."""

    body: str
    content_type: str = "text/plain; charset=utf-8"
    status: HTTPStatus = HTTPStatus.OK


# Path -> page. "/metrics" answers that path alone, "/open/" everything below it; "/" is exact.
Pages = Mapping[str, Callable[[PageRequest], Answer]]


class Server(ThreadingHTTPServer):
    """Serves a table of pages; each request runs in its own thread.

    Raises:
        WorkFailed: The port cannot be used.
    """

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 32

    def __init__(self, host: str, port: int, pages: Pages) -> None:
        self.pages = pages
        try:
            super().__init__((host, port), _Handler)
        except OSError as error:
            raise WorkFailed(str(port_fault("WATCHROOM_EXPORTER_PORT", host, port, error))) from error

    def answer(self, target: str) -> Answer:
        """What the page behind a request's target says; 404 names all paths."""
        try:
            parts = urlsplit(target)
        except ValueError:  # such as http://[: the client's fault, not ours
            return Answer("invalid path\n", status=HTTPStatus.BAD_REQUEST)
        query = tuple(parse_qsl(parts.query, keep_blank_values=True))
        if page := self.pages.get(parts.path):
            return page(PageRequest(query=query))
        head, slash, rest = parts.path.partition("/")[2].partition("/")
        if slash and rest and (page := self.pages.get(f"/{head}/")):
            return page(PageRequest(unquote(rest), query))
        paths = ", ".join(sorted(self.pages))
        return Answer(f"no such page; the pages are {paths}\n", status=HTTPStatus.NOT_FOUND)


class _Handler(BaseHTTPRequestHandler):
    server: Server
    timeout = REQUEST_TIMEOUT_S
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def _answer(self, *, with_body: bool) -> None:
        answer = self.server.answer(self.path)
        body = answer.body.encode(errors="backslashreplace")
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_body:
            self.wfile.write(body)

    def end_headers(self) -> None:
        """Every answer passes through here, including those that the base class makes."""
        for name, value in HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def version_string(self) -> str:
        """Do not reveal versions."""
        return "watchroom"

    def log_message(self, *_: object) -> None:
        """Do not log every scrape."""
