"""The pages of the watchdog: `POST /watchdog` for Alertmanager, `GET /healthz` for its operators."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from aiohttp import web

from watchroom.errors import EventRefused
from watchroom.watchdog.message import ALERT, holds_watchdog

MOST_BYTES = 1024 * 1024
READ_TIMEOUT_S = 10.0
CLOSE_TIMEOUT_S = 2.0  # for a sender that has its answer, or has been given up


def runner(
    on_alert: Callable[[], None], report: Callable[[], dict[str, Any]], read_timeout_s: float = READ_TIMEOUT_S
) -> web.AppRunner:
    """A server of the two pages, not yet set up.

    Args:
        on_alert: Called for each message that holds the firing Watchdog.
        report: Makes what `/healthz` shows.
        read_timeout_s: A body that takes longer is refused.
    """

    async def watchdog(request: web.Request) -> web.Response:
        try:
            async with asyncio.timeout(read_timeout_s):
                body = await request.read()  # larger than MOST_BYTES: aiohttp answers 413
        except TimeoutError:
            return web.Response(status=408, text=f"the body did not arrive within {read_timeout_s:g} s\n")
        try:
            is_received = holds_watchdog(body)
        except EventRefused as refused:
            return web.Response(status=400, text=f"{refused.detail}\n")
        if not is_received:
            return web.Response(text=f"not counted: the message contains no firing alert named {ALERT}\n")
        on_alert()
        return web.Response(text="received\n")

    async def healthz(_: web.Request) -> web.Response:
        return web.json_response(report())

    app = web.Application(client_max_size=MOST_BYTES)
    app.router.add_post("/watchdog", watchdog)
    app.router.add_get("/healthz", healthz)
    return web.AppRunner(app, access_log=None, lingering_time=CLOSE_TIMEOUT_S, shutdown_timeout=CLOSE_TIMEOUT_S)
