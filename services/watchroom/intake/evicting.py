"""While the worker runs: does Redis evict keys, or may it from now on?"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from watchroom.errors import StoreUnavailable
from watchroom.intake.intake import Intake


async def end_when_evicting(intake: Intake, check: Callable[[], Awaitable[None]], every_s: float) -> None:
    """Ask every `every_s` seconds, and end the process when Redis may evict keys.

    Args:
        intake: Of this worker.
        check: `Store.check_evictions`.
        every_s: As often as freshness is written.
    """
    while True:
        await asyncio.sleep(every_s)
        try:
            with suppress(StoreUnavailable):  # the step says so
                await check()
        except Exception as error:  # noqa: BLE001  # nobody awaits this task
            intake.fail(error)
