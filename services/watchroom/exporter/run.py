"""The exporter process: one loop that reads Redis, one server that answers scrapes and people."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from http import HTTPStatus

import structlog

from watchroom.catalogue.load import load_catalogue
from watchroom.catalogue.model import Catalogue
from watchroom.exporter.board.pages import BoardPages
from watchroom.exporter.exposition import CONTENT_TYPE
from watchroom.exporter.mirror import Mirror
from watchroom.exporter.page import Page
from watchroom.exporter.server import Answer, Server
from watchroom.exporter.tokens import TokenWindows
from watchroom.process import run_until_stopped
from watchroom.rolling.calendar import Calendar
from watchroom.settings import Settings
from watchroom.store.compatibility import redefined
from watchroom.store.meta import Bound, Meta
from watchroom.store.read import Reader
from watchroom.timing import now_ms

REFRESH_S = 1.0
REDIS_TIMEOUT_S = 2.0
TOKENS_EVERY_S = 60.0  # a month of callers is tens of thousands of fields
TOKENS_TIMEOUT_S = 30.0

log = structlog.get_logger("watchroom.exporter")


def run(settings: Settings) -> int:
    """Serve /metrics and the board until SIGTERM or SIGINT; returns the exit code.

    An unreachable Redis is waited for: until it answers, `watchroom_redis_up 0` is all that is shown.
    """
    return run_until_stopped(lambda stop: _serve(settings, stop))


async def _serve(settings: Settings, stop: asyncio.Event) -> int:
    """See `run`.

    Raises:
        ConfigurationInvalid: The catalogue cannot be used.
        WorkFailed: The port cannot be used.
    """
    catalogue = load_catalogue(settings.schemas / "measures", settings.areas)
    reader = Reader(settings.redis_to_show, settings.force, REDIS_TIMEOUT_S)
    tokens = TokenWindows(Reader(settings.redis_to_show, settings.force, TOKENS_TIMEOUT_S), catalogue, settings)
    mirror = Mirror(reader, catalogue, Calendar(settings.zone), settings.topics.values(), tokens)
    page = Page(mirror, settings, definition_differences(catalogue, settings))
    pages = {
        "/metrics": lambda _: Answer(page.text(now_ms()), CONTENT_TYPE),
        "/healthz": lambda _: health(mirror, page),
        **BoardPages(catalogue, page, settings, clock=now_ms).table(),
    }
    server = Server(settings.exporter_host, settings.exporter_port, pages)
    ending = threading.Event()
    threading.Thread(target=server.serve_forever, name="http", daemon=True).start()
    failed: list[Exception] = []
    if tokens.measures:
        threading.Thread(target=_read_tokens_until, args=(ending, tokens, failed), name="tokens", daemon=True).start()
    address = f"http://{settings.exporter_host}:{server.server_port}"
    log.info("exporter started", board=f"{address}/", metrics=f"{address}/metrics")
    refreshing = asyncio.ensure_future(asyncio.to_thread(_refresh_until, ending, mirror))
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait((refreshing, stopping), return_when=asyncio.FIRST_COMPLETED)
        ending.set()
        await refreshing
    finally:
        stopping.cancel()
        server.shutdown()
        server.server_close()
    if failed:
        raise failed[0]
    log.info("exporter stopped")
    return 0


def definition_differences(catalogue: Catalogue, settings: Settings) -> Callable[[Meta], Mapping[str, str]]:
    """What differs, by stream, from the definitions of our catalogue and settings.

    Computed once for each content of `meta`, because every page and scrape needs it.
    """

    @lru_cache(maxsize=4)
    def known(streams: tuple[tuple[str, Bound], ...]) -> Mapping[str, str]:
        return redefined(Meta(dict(streams), 0, {}, {}), settings, catalogue)

    return lambda meta: known(tuple(meta.streams.items()))


def health(mirror: Mirror, page: Page) -> Answer:
    """200 while Redis answers; the body says why streams are withheld, which is not a fault of this process."""
    faults, reading = page.faults(now_ms()), mirror.reading
    body = {
        "redis_answers": mirror.redis_answers,
        "redis": mirror.redis_fault,
        "redis_checked": reading is not None and reading.process is not None and reading.process.is_checked,
        "withheld": faults,
        "open_transactions": page.held_up(now_ms()),
        "not_fed": page.not_fed,
    }
    status = HTTPStatus.OK if mirror.redis_answers else HTTPStatus.SERVICE_UNAVAILABLE
    return Answer(json.dumps(body, indent=2) + "\n", "application/json", status)


def _refresh_until(stop: threading.Event, mirror: Mirror) -> None:
    """Refresh once a second. Any error other than a silent Redis ends the process."""
    answered: bool | None = None
    while not stop.is_set():
        began_s = time.monotonic()
        mirror.refresh(now_ms())
        if mirror.redis_answers != answered:
            answered = mirror.redis_answers
            write_log: Callable[..., object] = log.info if answered else log.warning
            write_log("redis answers" if answered else "redis does not answer", detail=mirror.redis_fault)
        stop.wait(max(0.05, REFRESH_S - (time.monotonic() - began_s)))


def _read_tokens_until(stop: threading.Event, tokens: TokenWindows, failed: list[Exception]) -> None:
    """Read measures of tokens once a minute; every second until Redis has answered once.

    An error ends the process, as in the other loop: without this loop their figures would be missing for good.
    """
    try:
        while not stop.is_set():
            tokens.refresh(now_ms())
            stop.wait(TOKENS_EVERY_S if tokens.reading.as_of_ms else REFRESH_S)
    except Exception as error:  # noqa: BLE001 - `run` raises it
        failed.append(error)
        stop.set()
