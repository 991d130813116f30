"""What the pages of the worker and the exporter say."""

from __future__ import annotations

import asyncio
import urllib.error
import urllib.request

from watchroom.demo.server import LOOPBACK


def page(port: int, path: str) -> str:
    """The text of a page, whatever its status."""
    try:
        with urllib.request.urlopen(f"http://{LOOPBACK}:{port}{path}", timeout=5) as answer:
            return str(answer.read().decode())
    except urllib.error.HTTPError as error:
        return error.read().decode()
    except urllib.error.URLError as error:
        if not isinstance(error.reason, ConnectionRefusedError):  # else it is not there yet
            raise
        return str(error)


async def until_page_says(what: str, within_s: float, path: str, port: int) -> None:
    """Wait until a page contains this text."""
    text = ""
    try:
        async with asyncio.timeout(within_s):
            while what not in (text := await asyncio.to_thread(page, port, path)):  # noqa: ASYNC110 - a page sends no notification
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise AssertionError(f"{path} does not say {what!r} within {within_s} s, but:\n{text[:3000]}") from None
