"""When the Watchdog alert last arrived, and what each fallback channel must still send. No clock, no I/O.

The Watchdog alert always fires. When it stops arriving, Prometheus, Alertmanager or the connection between them
has failed, and no other alert can arrive that way either.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

FIRST_RETRY_S = 1.0
LONGEST_RETRY_S = 60.0

News = Literal["silent", "back"]


class Moment(NamedTuple):
    """One moment on two clocks."""

    steady_s: float  # a clock that nobody sets; used for durations
    wall_ms: int  # Unix time, for people


@dataclass(frozen=True, slots=True)
class Watch:
    """What is known of the Watchdog.

    Args:
        since: When it last arrived; our own start if it never has.
        heard: Whether it has ever arrived.
        silent_s: It counts as missing this many seconds after `since`.
    """

    since: Moment
    heard: bool
    silent_s: float

    def hear(self, now: Moment) -> Watch:
        """It fired just now."""
        return replace(self, since=now, heard=True)

    def quiet_for_s(self, now: Moment) -> float:
        """Seconds since it last arrived."""
        return now.steady_s - self.since.steady_s

    def is_silent(self, now: Moment) -> bool:
        """Whether to alert through the fallback channels."""
        return self.quiet_for_s(now) >= self.silent_s


@dataclass(frozen=True, slots=True)
class Channel:
    """What was sent through one channel. `silent` is repeated every `repeat_s`; `back` is sent once.

    A message that seemed to fail may have arrived all the same. So `back` follows every `silent` that was tried, and
    after a `back` that was tried the next `silent` is sent at once.
    """

    repeat_s: float
    owes_return: bool = False  # `silent` was sent, or tried
    silence_told_s: float | None = None  # steady time of the last `silent` that arrived
    failures: int = 0  # in a row
    not_before_s: float = float("-inf")  # steady time of the next try

    def due(self, is_silent: bool, now_s: float) -> News | None:
        """What to send now, if anything."""
        if now_s < self.not_before_s:
            return None
        if not is_silent:
            return "back" if self.owes_return else None
        told_s = self.silence_told_s
        return "silent" if told_s is None or now_s - told_s >= self.repeat_s else None

    def arrived(self, news: News, now_s: float) -> Channel:
        """The message arrived."""
        if news == "back":
            return Channel(self.repeat_s)
        return Channel(self.repeat_s, owes_return=True, silence_told_s=now_s)

    def failed(self, news: News, now_s: float) -> Channel:
        """The message did not arrive, as far as we know: wait 1 s, then twice as long each time, up to 60 s."""
        wait_s = min(LONGEST_RETRY_S, FIRST_RETRY_S * 2 ** min(self.failures, 10))
        return Channel(
            self.repeat_s,
            owes_return=True,
            silence_told_s=None if news == "back" else self.silence_told_s,
            failures=self.failures + 1,
            not_before_s=now_s + wait_s,
        )
