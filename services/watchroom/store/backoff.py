"""Limits calls to a Redis that refuses us: it may lock a user out, and somebody must change something first."""

from __future__ import annotations

import threading
import time
from typing import Final

from watchroom.errors import StoreRefuses
from watchroom.timing import Clock, Pause

FIRST_S: Final = 1.0
MOST_S: Final = 15.0
AGAIN_WITHIN_S: Final = 60.0  # a refusal within this time of the last one continues its pauses


class Backoff:
    """After a refusal, lets the next call of all clients that share it through after 1, 2, 4, 8, then every 15 s.

    Calls in between get the same refusal at once. So together the clients call at most 8 times a minute. Any thread may
    use it.
    """

    def __init__(self, clock_s: Clock = time.monotonic) -> None:
        self._clock_s = clock_s
        self._refusal = ""
        self._pause = Pause(FIRST_S, MOST_S)
        self._refused_at_s = -AGAIN_WITHIN_S
        self._next_at_s = 0.0
        self._is_trying = False
        self._lock = threading.Lock()

    @property
    def is_refused(self) -> bool:
        """Whether the latest call was refused."""
        return bool(self._refusal)

    def check(self) -> None:
        """Raise StoreRefuses if it is too early to try again; otherwise this caller tries."""
        with self._lock:
            if not self._refusal:
                return
            now_s = self._clock_s()
            if now_s < self._next_at_s:
                raise StoreRefuses(self._refusal)
            self._is_trying = True
            self._next_at_s = now_s + MOST_S  # for all other callers, until this one has its answer

    def refused(self, error: StoreRefuses) -> None:
        """The server has refused a call."""
        with self._lock:
            now_s = self._clock_s()
            if self._refusal and not self._is_trying:
                return  # it was already under way when the first call was refused
            self._is_trying = False
            if now_s - self._refused_at_s >= AGAIN_WITHIN_S:
                self._pause.reset()
            self._refusal, self._refused_at_s, self._next_at_s = str(error), now_s, now_s + self._pause.next_s()

    def failed(self, error: Exception) -> None:
        """A call failed: the server refused it, or did not answer."""
        if isinstance(error, StoreRefuses):
            self.refused(error)
        else:
            self.ended()

    def ended(self) -> None:
        """A call was not refused: it was answered, or the server cannot be reached."""
        with self._lock:
            self._refusal, self._is_trying = "", False


class Seldom:
    """Lets something that we can do without be tried again once a minute after a refusal."""

    def __init__(self, clock_s: Clock = time.monotonic) -> None:
        self._clock_s = clock_s
        self._next_at_s = 0.0

    @property
    def is_due(self) -> bool:
        """Whether it was not refused in the last minute."""
        return self._clock_s() >= self._next_at_s

    def refused(self) -> None:
        """It was refused now."""
        self._next_at_s = self._clock_s() + AGAIN_WITHIN_S
