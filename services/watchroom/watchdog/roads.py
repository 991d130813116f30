"""The other roads themselves: a webhook, and a command. Each gets the same JSON."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from urllib.parse import urlsplit

import aiohttp

from watchroom.errors import ConfigurationInvalid, Fault, WorkFailed
from watchroom.settings import Settings

SEND_TIMEOUT_S = 10.0

Message = Mapping[str, object]
Send = Callable[[Message], Awaitable[None]]
"""Delivers a message, or raises WorkFailed with the reason."""


def roads_of(settings: Settings, timeout_s: float = SEND_TIMEOUT_S) -> dict[str, Send]:
    """Every road that is set, by a name that is safe to show.

    Raises:
        ConfigurationInvalid: None is set, so silence could be told to nobody.
    """
    roads: dict[str, Send] = {}
    if url := settings.watchdog_webhook:
        parts = urlsplit(url)  # path and query often hold a token
        roads[f"webhook {parts.hostname}" + (f":{parts.port}" if parts.port else "")] = _to_webhook(url, timeout_s)
    if command := settings.watchdog_command:
        roads[f"command {command[0]}"] = _to_command(command, timeout_s)
    if not roads:
        write = "a URL there, or a program with its arguments in WATCHROOM_WATCHDOG_COMMAND"
        raise ConfigurationInvalid([Fault("WATCHROOM_WATCHDOG_WEBHOOK", "", "no road to raise", write)])
    return roads


def _to_webhook(url: str, timeout_s: float) -> Send:
    async def send(message: Message) -> None:
        timeout = aiohttp.ClientTimeout(total=timeout_s)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout) as session,
                session.post(url, json=message, allow_redirects=False) as answer,
            ):
                if not answer.ok or 300 <= answer.status < 400:
                    raise WorkFailed(f"the webhook answered {answer.status}")
        except TimeoutError as error:
            raise WorkFailed(f"the webhook did not answer within {timeout_s:g} s") from error
        except (aiohttp.ClientError, OSError) as error:
            # Its text may hold the URL, and that a token.
            raise WorkFailed(f"the webhook was not reached ({type(error).__name__})") from error

    return send


def _to_command(command: Sequence[str], timeout_s: float) -> Send:
    async def send(message: Message) -> None:
        try:
            process = await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.PIPE)
        except OSError as error:
            raise WorkFailed(f"{command[0]} did not start ({error.strerror})") from error
        try:
            async with asyncio.timeout(timeout_s):
                await process.communicate(json.dumps(message).encode() + b"\n")
        except TimeoutError as error:
            raise WorkFailed(f"{command[0]} did not end within {timeout_s:g} s") from error
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if process.returncode:
            raise WorkFailed(f"{command[0]} ended with {process.returncode}")

    return send
