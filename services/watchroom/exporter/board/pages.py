"""The table of the board's paths, and what each of them answers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from contextlib import closing
from http import HTTPStatus
from importlib.resources import files
from zoneinfo import ZoneInfo

from watchroom.catalogue.formatting import NOT_FED
from watchroom.catalogue.model import Catalogue
from watchroom.errors import StoreUnavailable
from watchroom.exporter.board.board_page import board_page
from watchroom.exporter.board.definitions import definition, index, runbook, runbooks
from watchroom.exporter.board.document import document
from watchroom.exporter.board.markup import Html, tag
from watchroom.exporter.board.open_page import open_page, unreachable, where_faults
from watchroom.exporter.board.top_page import top_page
from watchroom.exporter.open_list import read_open
from watchroom.exporter.page import Page
from watchroom.exporter.server import Answer, PageRequest, Pages
from watchroom.exporter.top_list import has_top, read_top
from watchroom.exporter.wall import has_list
from watchroom.kinds.measure import Measure
from watchroom.settings import Settings
from watchroom.store.backoff import Backoff
from watchroom.store.read import Reader

HTML = "text/html; charset=utf-8"
ASSETS = {
    "board.css": "text/css; charset=utf-8",
    "board.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
OPEN_TIMEOUT_S = 2.0
TOP_TIMEOUT_S = 10.0  # a year of callers is hundreds of thousands of fields
OPEN_AT_ONCE = 4  # lists read at the same time: a slow Redis blocks at most this many threads, and no scrape


class BoardPages:
    """Every page of the exporter that people read."""

    def __init__(
        self,
        catalogue: Catalogue,
        page: Page,
        settings: Settings,
        *,
        clock: Callable[[], int],
    ) -> None:
        self._catalogue = catalogue
        self._page = page
        self._settings = settings
        self._now_ms = clock
        self._zone = ZoneInfo(settings.zone)
        self._runbooks = runbooks(catalogue)
        self._backoff = Backoff()  # a page makes a reader of its own each time, and browsers ask again and again
        self._reading_lists = threading.BoundedSemaphore(OPEN_AT_ONCE)
        folder = files("watchroom.exporter.board")
        self._assets = {name: folder.joinpath(name).read_text() for name in ASSETS}

    def table(self) -> Pages:
        """Paths and pages, for the server."""
        return {
            "/": self._wall,
            "/assets/": self._asset,
            "/open/": self._open,
            "/top/": self._top,
            "/measures": self._measures,
            "/measures/": self._measure,
            "/runbook": self._books,
            "/runbook/": self._book,
        }

    def _wall(self, _: PageRequest) -> Answer:
        return Answer(board_page(self._page.board(self._now_ms()), self._zone), HTML)

    def _asset(self, request: PageRequest) -> Answer:
        text = self._assets.get(request.rest)
        if text is None:
            return Answer(f"no such file; the files are {', '.join(ASSETS)}\n", status=HTTPStatus.NOT_FOUND)
        return Answer(text, ASSETS[request.rest])

    def _open(self, request: PageRequest) -> Answer:
        return self._list(request, "open measure", "/open", has_list, self._open_now)

    def _top(self, request: PageRequest) -> Answer:
        return self._list(request, "list of the most frequent", "/top", has_top, self._most_frequent)

    def _list(
        self,
        request: PageRequest,
        what: str,
        path: str,
        is_listed: Callable[[Measure], bool],
        make: Callable[[Measure, PageRequest], Answer],
    ) -> Answer:
        """A page that is read from Redis on demand; only `OPEN_AT_ONCE` of them at the same time."""
        measure = self._catalogue.measures.get(request.rest)
        if measure is None or not is_listed(measure):
            return self._unknown(what, path, filter(is_listed, self._all()))
        if measure.stream in self._page.not_fed:
            return self._text(measure.brief, tag("p", f"{NOT_FED} (stream {measure.stream})", class_="text"))
        if not self._reading_lists.acquire(blocking=False):
            return self._unreachable(measure, "too many lists are being read from Redis; try again")
        try:
            return make(measure, request)
        except StoreUnavailable as error:
            return self._unreachable(measure, str(error))
        finally:
            self._reading_lists.release()

    def _reader(self, timeout_s: float) -> closing[Reader]:
        """A connection of its own: the mirror's belongs to the refreshing loop."""
        return closing(Reader(self._settings.redis_to_show, self._settings.force, timeout_s, self._backoff))

    def _most_frequent(self, measure: Measure, _: PageRequest) -> Answer:
        at_ms = self._now_ms()
        with self._reader(TOP_TIMEOUT_S) as reader:
            lists = [read_top(reader, measure, window, at_ms, self._settings) for window in measure.windows]
        faults = self._page.faults(self._now_ms())[measure.stream]
        return self._text(measure.brief, top_page(lists, faults))

    def _open_now(self, measure: Measure, request: PageRequest) -> Answer:
        if faults := where_faults(measure, request.query):
            text = tag("p", "; ".join(faults), class_="text")
            return self._text(measure.brief, text, HTTPStatus.BAD_REQUEST)
        topic, where = self._settings.topic(measure.stream), dict(request.query)
        with self._reader(OPEN_TIMEOUT_S) as reader:
            found = read_open(reader, measure, topic, self._now_ms(), where)
        now_ms = self._now_ms()  # reading may have taken seconds; what follows is as of now
        withheld = self._page.faults(now_ms)[measure.stream]
        body = open_page(found._replace(now_ms=now_ms), where, withheld, self._zone)
        return self._text(measure.brief, body, live=True)

    def _unreachable(self, measure: Measure, why: str) -> Answer:
        return self._text(measure.brief, unreachable(why), HTTPStatus.SERVICE_UNAVAILABLE, live=True)

    def _measures(self, _: PageRequest) -> Answer:
        links = ((f"/measures/{m.id}", m.brief, m.definition) for m in self._all())
        return self._text("Definitions", index("Every measure", links))

    def _measure(self, request: PageRequest) -> Answer:
        measure = self._catalogue.measures.get(request.rest)
        if measure is None:
            return self._unknown("measure", "/measures", self._all())
        return self._text(measure.brief, definition(measure))

    def _books(self, _: PageRequest) -> Answer:
        return self._text("Runbooks", self._every_book("Every alert"))

    def _book(self, request: PageRequest) -> Answer:
        book = self._runbooks.get(request.rest)
        if book is None:
            return self._text("No such alert", self._every_book("Choose one of these"), HTTPStatus.NOT_FOUND)
        return self._text(book.name, runbook(book))

    def _every_book(self, title: str) -> Html:
        return index(title, ((f"/runbook/{each.name}", each.name, each.meaning) for each in self._runbooks.values()))

    def _unknown(self, what: str, path: str, known: Iterable[Measure]) -> Answer:
        links = ((f"{path}/{m.id}", m.id, m.brief) for m in known)
        return self._text(f"No such {what}", index("Choose one of these", links), HTTPStatus.NOT_FOUND)

    def _all(self) -> Iterable[Measure]:
        return self._catalogue.measures.values()

    def _text(self, title: str, body: Html, status: HTTPStatus = HTTPStatus.OK, *, live: bool = False) -> Answer:
        page = document(title, self._settings.force, body, now_ms=self._now_ms(), zone=self._zone, live=live)
        return Answer(page, HTML, status)
