"""Exporter, Prometheus and Alertmanager over HTTP: their answers, and how they are shown in findings."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

import aiohttp

from watchroom.doctor.facts import Monitoring, Page
from watchroom.doctor.finding import Finding, finding
from watchroom.settings import Settings

TIMEOUT_S: Final = 5.0
MOST_BYTES: Final = 32 * 1024 * 1024


async def fetch_pages(settings: Settings) -> Monitoring:
    """Their answers. Proxies and redirects are not followed, so only the addresses of the settings are asked."""
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


def exporter_address(settings: Settings) -> str:
    """The address of the exporter; if it listens on all addresses, that of this machine."""
    if settings.exporter_url:
        return settings.exporter_url.rstrip("/")
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - compared, not listened on
    host = everywhere.get(settings.exporter_host, settings.exporter_host)
    return f"http://{host}:{settings.exporter_port}"


def shown(url: str) -> str:
    """A URL without user and password."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}"


def no_answer(check: str, subject: str, page: Page) -> Finding:
    """A monitoring server that does not answer, or something else at its address."""
    failure = page.failure or f"gives an unexpected answer (HTTP {page.status})"
    login = " (https://user:password@host/ if it requires a login)" if page.status in (401, 403) else ""
    return finding(f"{check}.silent", subject, failure=failure, login=login)


def readable(found: Iterable[Finding], otherwise: Finding) -> list[Finding]:
    """The findings; only `otherwise` if an answer does not have the expected form."""
    try:
        return list(found)
    except (AttributeError, KeyError, TypeError, ValueError, re.error):
        return [otherwise]


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
    """The reason without the URL, which may contain a password."""
    cause = getattr(error, "os_error", None) or getattr(error, "certificate_error", None) or error
    return getattr(cause, "verify_message", None) or getattr(cause, "strerror", None) or type(error).__name__
