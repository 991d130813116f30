"""Web servers: where they are reached, how they are shown, and what is said when they do not answer. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from watchroom.doctor.facts import Page
from watchroom.doctor.finding import Finding, unchecked, wrong
from watchroom.settings import Settings


def exporter_address(settings: Settings) -> str:
    """Where the exporter is reached; one that listens everywhere is reached on this machine."""
    if settings.exporter_url:
        return settings.exporter_url.rstrip("/")
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - compared, not listened on
    host = everywhere.get(settings.exporter_host, settings.exporter_host)
    return f"http://{host}:{settings.exporter_port}"


def shown(url: str) -> str:
    """A URL without user and password."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}"


def not_set(check: str, name: str, setting: str, what: str) -> Finding:
    """An address that is not set; `what` can then not be checked."""
    why = f"{what} can be checked only with its address."
    return unchecked(check, name, f"{setting} is not set", why, f"Set {setting} (deploy/settings.md).")


def no_answer(check: str, subject: str, page: Page, setting: str) -> Finding:
    """A server of monitoring that does not answer, or something else at its address."""
    what = page.failure or f"answers something else (HTTP {page.status})"
    fix = f"Check that it runs, and {setting}"
    fix += " (https://user:password@host/, if it asks for them)." if page.status in (401, 403) else "."
    return wrong(check, subject, what, "Nothing is known of alerts, and perhaps none is sent.", fix)


def readable(found: Iterable[Finding], otherwise: Finding) -> list[Finding]:
    """The findings; `otherwise` alone where an answer does not have the form that they were to be made from."""
    try:
        return list(found)
    except (AttributeError, KeyError, TypeError, ValueError, re.error):
        return [otherwise]
