"""When the Watchdog was last heard, and what each other road still has to be told. No clock, no I/O.

The Watchdog is an alert that always fires. When it stops coming, then Prometheus, Alertmanager or what
lies between has died, and no other alert can come by that way either.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

FIRST_RETRY_S = 1.0
LONGEST_RETRY_S = 60.0

News = Literal["silent", "back"]


class Moment(NamedTuple):
    """One moment on two clocks."""

    steady_s: float  # a clock that nobody sets; silence is measured on it
    wall_ms: int  # Unix time, for people


@dataclass(frozen=True, slots=True)
class Watch:
    """What is known of the Watchdog.

    Args:
        since: When it was last heard; our own start while it never was.
        heard: Whether it was ever heard.
        silent_s: It counts as silent from so many seconds after `since`.
    """

    since: Moment
    heard: bool
    silent_s: float

    def hear(self, now: Moment) -> Watch:
        """It fired just now."""
        return replace(self, since=now, heard=True)

    def quiet_for_s(self, now: Moment) -> float:
        """Seconds since it was last heard."""
        return now.steady_s - self.since.steady_s

    def is_silent(self, now: Moment) -> bool:
        """Whether the other roads must be raised."""
        return self.quiet_for_s(now) >= self.silent_s


@dataclass(frozen=True, slots=True)
class Road:
    """What one other road was told. Told of silence again each `repeat_s`, of the return once.

    A message that failed may have arrived all the same, so a try counts as told where that is the
    careful reading: whoever may have heard of silence is told of the return, and after a return that
    may have arrived, new silence is told at once.
    """

    repeat_s: float
    owes_return: bool = False  # silence was told, or tried to be
    silence_told_s: float | None = None  # steady time of the last message of silence that arrived
    failures: int = 0  # in a row
    not_before_s: float = float("-inf")  # steady time of the next try

    def due(self, is_silent: bool, now_s: float) -> News | None:
        """What to tell now, if anything."""
        if now_s < self.not_before_s:
            return None
        if not is_silent:
            return "back" if self.owes_return else None
        told_s = self.silence_told_s
        return "silent" if told_s is None or now_s - told_s >= self.repeat_s else None

    def arrived(self, news: News, now_s: float) -> Road:
        """The message arrived."""
        if news == "back":
            return Road(self.repeat_s)
        return Road(self.repeat_s, owes_return=True, silence_told_s=now_s)

    def failed(self, news: News, now_s: float) -> Road:
        """The message did not arrive, as far as we know: wait 1 s, then twice as long each time, up to 60 s."""
        wait_s = min(LONGEST_RETRY_S, FIRST_RETRY_S * 2 ** min(self.failures, 10))
        return Road(
            self.repeat_s,
            owes_return=True,
            silence_told_s=None if news == "back" else self.silence_told_s,
            failures=self.failures + 1,
            not_before_s=now_s + wait_s,
        )
