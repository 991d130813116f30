"""What the watchdog answers: `POST /watchdog` for Alertmanager, `GET /healthz` for whoever looks after it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from aiohttp import web

from watchroom.errors import EventRefused
from watchroom.watchdog.message import ALERT, holds_watchdog

MOST_BYTES = 1024 * 1024
READ_TIMEOUT_S = 10.0
LET_GO_S = 2.0  # for a sender that we have answered, or leave


def runner(
    hear: Callable[[], None], report: Callable[[], dict[str, Any]], read_timeout_s: float = READ_TIMEOUT_S
) -> web.AppRunner:
    """A server of the two pages, not yet set up.

    Args:
        hear: Called for each message that holds the firing Watchdog.
        report: What `/healthz` shows.
        read_timeout_s: A body that takes longer is given up.
    """

    async def watchdog(request: web.Request) -> web.Response:
        try:
            async with asyncio.timeout(read_timeout_s):
                body = await request.read()  # larger than MOST_BYTES: aiohttp answers 413
        except TimeoutError:
            return web.Response(status=408, text=f"the body did not come within {read_timeout_s:g} s\n")
        try:
            heard = holds_watchdog(body)
        except EventRefused as refused:
            return web.Response(status=400, text=f"{refused.detail}\n")
        if not heard:
            return web.Response(text=f"not counted: no firing alert named {ALERT} in it\n")
        hear()
        return web.Response(text="heard\n")

    async def healthz(_: web.Request) -> web.Response:
        return web.json_response(report())

    app = web.Application(client_max_size=MOST_BYTES)
    app.router.add_post("/watchdog", watchdog)
    app.router.add_get("/healthz", healthz)
    return web.AppRunner(app, access_log=None, lingering_time=LET_GO_S, shutdown_timeout=LET_GO_S)
