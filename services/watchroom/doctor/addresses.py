"""Addresses of web servers: where they are reached, and how they are shown. Pure."""

from __future__ import annotations

from urllib.parse import urlsplit

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
