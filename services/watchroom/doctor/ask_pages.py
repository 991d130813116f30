"""Asks exporter, Prometheus and Alertmanager over HTTP, at the addresses of the settings and nowhere else."""

from __future__ import annotations

import asyncio
import json
from typing import Final

import aiohttp

from watchroom.doctor.facts import Monitoring, Page
from watchroom.doctor.web import exporter_address
from watchroom.settings import Settings

TIMEOUT_S: Final = 5.0
MOST_BYTES: Final = 32 * 1024 * 1024


async def ask_pages(settings: Settings) -> Monitoring:
    """What they say. Neither proxies nor redirects are followed."""
    prometheus, alertmanager = settings.prometheus_url, settings.alertmanager_url
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_S), trust_env=False) as session:

        async def page(address: str, path: str) -> Page | None:
            return await _page(session, address.rstrip("/") + path) if address else None

        exporter, *others = await asyncio.gather(
            _page(session, f"{exporter_address(settings)}/healthz"),
            page(prometheus, "/api/v1/targets?state=active"),
            page(prometheus, "/api/v1/rules"),
            page(prometheus, "/api/v1/alertmanagers"),
            page(alertmanager, "/api/v2/status"),
            page(alertmanager, "/api/v2/alerts?filter=alertname%3D%22Watchdog%22"),
        )
    return Monitoring(exporter, *others)


async def _page(session: aiohttp.ClientSession, url: str) -> Page:
    try:
        async with session.get(url, allow_redirects=False) as answer:
            body = await answer.content.read(MOST_BYTES) if answer.status else b""
            while not answer.content.at_eof() and len(body) < MOST_BYTES:
                body += await answer.content.read(MOST_BYTES - len(body))
            return Page(answer.status, body=_json(body))
    except TimeoutError:
        return Page(failure=f"does not answer within {TIMEOUT_S:g} s")
    except (aiohttp.ClientError, OSError, ValueError) as error:
        return Page(failure=f"does not answer ({_why(error)})")


def _json(body: bytes) -> object:
    try:
        return json.loads(body)
    except ValueError:
        return None


def _why(error: Exception) -> str:
    """The reason without the URL, which may hold a password."""
    cause = getattr(error, "os_error", None) or getattr(error, "certificate_error", None) or error
    return getattr(cause, "verify_message", None) or getattr(cause, "strerror", None) or type(error).__name__
