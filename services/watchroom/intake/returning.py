"""Streams that are left alone: has Redis come to hold one under our definition again?

A failover to a snapshot and back does that, and so does a rebuild under our catalogue.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection

from watchroom.errors import StoreUnavailable
from watchroom.intake.intake import Intake


async def end_when_returned(intake: Intake, ask: Callable[[], Awaitable[Collection[str]]], every_s: float) -> None:
    """While streams are left alone, ask every `every_s` seconds, and end the process when one is ours again.

    Args:
        intake: Of this worker.
        ask: Which streams Redis holds under our definitions.
        every_s: As often as freshness is written.
    """
    while True:
        await asyncio.sleep(every_s)
        if intake.left:
            await _ask(intake, ask)


async def _ask(intake: Intake, ask: Callable[[], Awaitable[Collection[str]]]) -> None:
    try:
        ours = await ask()
    except StoreUnavailable as error:
        intake.wait_for("redis", error)
    except Exception as error:  # noqa: BLE001  # nobody awaits this task
        intake.fail(error)
    else:
        intake.status.answered("redis")
        intake.ours(ours)
