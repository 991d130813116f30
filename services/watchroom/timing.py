"""Waiting for a server: the wall clock, pauses that double, and the one loop that calls until it is answered."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from watchroom.errors import BrokerRefuses, StoreRefuses

T = TypeVar("T")
Clock = Callable[[], float]
"""Seconds since any fixed moment; never goes back."""


def now_ms() -> int:
    """The wall clock, milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


class Pause:
    """The pause before the next try: it doubles from `first_s` up to `most_s` seconds."""

    def __init__(self, first_s: float, most_s: float) -> None:
        self._first_s = self._next_s = first_s
        self._most_s = most_s

    def next_s(self) -> float:
        """How long to wait before the next try, seconds."""
        pause_s, self._next_s = self._next_s, min(2 * self._next_s, self._most_s)
        return pause_s

    def reset(self) -> None:
        """Begin with the shortest pause again."""
        self._next_s = self._first_s


async def insist(
    call: Callable[[], Awaitable[T]],
    failed: Callable[[Exception], None],
    *,
    pause: Pause,
    refused: Pause,
    is_wanted: Callable[[], bool] = lambda: True,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> T | None:
    """Call until the server answers; returns its answer, or None once it is no longer wanted.

    Args:
        call: Safe to repeat after every error that `failed` accepts.
        failed: Called with each error. It raises if trying again cannot help.
        pause: Between tries.
        refused: Between tries that the server refuses: somebody must change something first.
        is_wanted: Asked before each try and each pause.
        sleep: Waits so many seconds, or less if there is a reason to stop.
    """
    while is_wanted():
        try:
            return await call()
        except Exception as error:  # noqa: BLE001 - `failed` decides which errors go on
            failed(error)
            if isinstance(error, BrokerRefuses | StoreRefuses):
                pause_s = refused.next_s()
            else:
                pause_s = pause.next_s()
                refused.reset()
        if is_wanted():
            await sleep(pause_s)
    return None
