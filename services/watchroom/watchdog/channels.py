"""The fallback channels: a webhook and a command. Both get the same JSON."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from ipaddress import ip_address
from urllib.parse import urlsplit
from urllib.request import (  # type: ignore[attr-defined]  # typeshed has the second one on some systems only
    getproxies_environment,
    proxy_bypass_environment,
)

import aiohttp

from watchroom.errors import ConfigurationInvalid, Fault, WorkFailed
from watchroom.settings import Settings

SEND_TIMEOUT_S = 10.0

Message = Mapping[str, object]
Send = Callable[[Message], Awaitable[None]]
"""Delivers a message, or raises WorkFailed with the reason."""


def channels_of(settings: Settings, timeout_s: float = SEND_TIMEOUT_S) -> dict[str, Send]:
    """Every configured channel, by a name without secrets.

    Raises:
        ConfigurationInvalid: None is configured, so nobody could be alerted.
    """
    channels: dict[str, Send] = {}
    if url := settings.watchdog_webhook:
        parts = urlsplit(url)  # path and query often hold a token
        channels[f"webhook {parts.hostname}" + (f":{parts.port}" if parts.port else "")] = _to_webhook(url, timeout_s)
    if command := settings.watchdog_command:
        channels[f"command {command[0]}"] = _to_command(command, timeout_s)
    if not channels:
        write = "a URL, or a program with its arguments in WATCHROOM_WATCHDOG_COMMAND"
        raise ConfigurationInvalid([Fault("WATCHROOM_WATCHDOG_WEBHOOK", "", "no fallback channel", write)])
    return channels


def _to_webhook(url: str, timeout_s: float) -> Send:
    async def send(message: Message) -> None:
        timeout = aiohttp.ClientTimeout(total=timeout_s)
        proxy = _proxy_for(url)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.post(url, json=message, allow_redirects=False, proxy=proxy) as answer,
            ):
                if not answer.ok or 300 <= answer.status < 400:
                    raise WorkFailed(f"the webhook answered with status {answer.status}")
        except TimeoutError as error:
            raise WorkFailed(f"the webhook did not answer within {timeout_s:g} s") from error
        except (aiohttp.ClientError, OSError) as error:
            # Its text may hold the URL, and that a token.
            through = " through the environment's proxy" if proxy else ""
            raise WorkFailed(f"the webhook could not be reached{through} ({type(error).__name__})") from error

    return send


def _proxy_for(url: str) -> str | None:
    """The proxy that the environment names for a URL, by HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY.

    `trust_env` of aiohttp would also send a password from `.netrc`. A proxy cannot reach our loopback.

    Raises:
        WorkFailed: Its scheme is not supported.
    """
    parts, proxies = urlsplit(url), getproxies_environment()
    host = parts.hostname or ""
    if _is_loopback(host) or proxy_bypass_environment(parts.netloc.rpartition("@")[2], proxies):
        return None
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    if proxy and "://" not in proxy:
        proxy = f"http://{proxy}"
    if proxy and urlsplit(proxy).scheme not in ("http", "https"):
        raise WorkFailed(
            f"the proxy that the environment sets for {parts.scheme}:// uses {urlsplit(proxy).scheme}://; set one that "
            "uses http:// or https://, or add the webhook's host to NO_PROXY"
        )
    return proxy


def _is_loopback(host: str) -> bool:
    with contextlib.suppress(ValueError):
        return ip_address(host).is_loopback
    return host == "localhost"


def _to_command(command: Sequence[str], timeout_s: float) -> Send:
    async def send(message: Message) -> None:
        try:
            process = await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.PIPE)
        except OSError as error:
            raise WorkFailed(f"{command[0]} could not be started ({error.strerror})") from error
        try:
            async with asyncio.timeout(timeout_s):
                await process.communicate(json.dumps(message).encode() + b"\n")
        except TimeoutError as error:
            raise WorkFailed(f"{command[0]} did not finish within {timeout_s:g} s") from error
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if process.returncode:
            raise WorkFailed(f"{command[0]} exited with code {process.returncode}")

    return send
