"""When the Watchdog alert last arrived, and what each fallback channel must send next. No clock, no I/O.

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

    steady_s: float  # monotonic clock, for durations
    wall_ms: int  # Unix time, for people


@dataclass(frozen=True, slots=True)
class Watch:
    """What is known about the Watchdog alert.

    Args:
        since: When it last arrived; the start of this process if it never has.
        seen: Whether it has ever arrived.
        silent_s: It counts as missing this many seconds after `since`.
    """

    since: Moment
    seen: bool
    silent_s: float

    def received(self, now: Moment) -> Watch:
        """After the alert has arrived now."""
        return replace(self, since=now, seen=True)

    def quiet_for_s(self, now: Moment) -> float:
        """Seconds since it last arrived."""
        return now.steady_s - self.since.steady_s

    def is_silent(self, now: Moment) -> bool:
        """Whether to alert through the fallback channels."""
        return self.quiet_for_s(now) >= self.silent_s


@dataclass(frozen=True, slots=True)
class Channel:
    """What was sent through one channel. `silent` is repeated every `repeat_s`; `back` is sent once.

    A message that seemed to fail may still have arrived. So `back` follows every attempt at `silent`, and after an
    attempt at `back` the next `silent` is sent at once.
    """

    repeat_s: float
    owes_return: bool = False  # `silent` was sent, or attempted
    silence_sent_s: float | None = None  # steady time of the last `silent` that arrived
    failures: int = 0  # in a row
    not_before_s: float = float("-inf")  # steady time of the next attempt

    def due(self, is_silent: bool, now_s: float) -> News | None:
        """What to send now, if anything."""
        if now_s < self.not_before_s:
            return None
        if not is_silent:
            return "back" if self.owes_return else None
        sent_s = self.silence_sent_s
        return "silent" if sent_s is None or now_s - sent_s >= self.repeat_s else None

    def arrived(self, news: News, now_s: float) -> Channel:
        """The message arrived."""
        if news == "back":
            return Channel(self.repeat_s)
        return Channel(self.repeat_s, owes_return=True, silence_sent_s=now_s)

    def failed(self, news: News, now_s: float) -> Channel:
        """The message seems not to have arrived: wait 1 s, then twice as long each time, up to 60 s."""
        wait_s = min(LONGEST_RETRY_S, FIRST_RETRY_S * 2 ** min(self.failures, 10))
        return Channel(
            self.repeat_s,
            owes_return=True,
            silence_sent_s=None if news == "back" else self.silence_sent_s,
            failures=self.failures + 1,
            not_before_s=now_s + wait_s,
        )
