"""A server that refuses us is asked by one caller at a time, and seldom: each try may be a login that fails."""

from __future__ import annotations

import time

FIRST_S, MOST_S = 2.0, 16.0


class AskingSeldom:
    """When a server that has refused us may be asked again: after 2, 4, 8, then every 16 s, until it answers."""

    def __init__(self) -> None:
        self._wait_s = 0.0  # 0: it does not refuse us
        self._until_s = 0.0
        self._is_try = False  # somebody asks, and its answer is not there yet

    @property
    def refuses(self) -> bool:
        """Whether its latest answer was a refusal."""
        return self._wait_s > 0

    def may_ask(self) -> bool:
        """Whether to ask now. After a refusal the first caller may whose turn has come, and no other until the next."""
        now_s = time.monotonic()
        if now_s < self._until_s:
            return False
        if self._wait_s:
            self._is_try, self._until_s = True, now_s + self._wait_s
        return True

    def refused(self) -> None:
        """It has refused us; what was asked before the first refusal came says nothing new."""
        if self._is_try or not self._wait_s:
            self._wait_s = min(2 * self._wait_s or FIRST_S, MOST_S)
            self._until_s = time.monotonic() + self._wait_s
        self._is_try = False

    def answered(self) -> None:
        """It does what we ask."""
        self._wait_s = self._until_s = 0.0
        self._is_try = False
