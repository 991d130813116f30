"""When the Watchdog alert last arrived, and what each fallback channel must send next. No clock, no I/O.

The Watchdog alert always fires. When it stops arriving, Prometheus, Alertmanager or the connection between them
has failed, and no other alert can arrive that way either.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from watchroom.timing import Pause

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


class Channel:
    """What was sent through one channel. `silent` is repeated every `repeat_s`; `back` is sent once.

    A message that seemed to fail may still have arrived. So `back` follows every attempt at `silent`, and after an
    attempt at `back` the next `silent` is sent at once.
    """

    def __init__(self, repeat_s: float) -> None:
        self._repeat_s = repeat_s
        self._owes_return = False  # `silent` was sent, or attempted
        self._silence_sent_s: float | None = None  # steady time of the last `silent` that arrived
        self._pause = Pause(FIRST_RETRY_S, LONGEST_RETRY_S)
        self.failures = 0  # in a row
        self.not_before_s = float("-inf")  # steady time of the next attempt

    def due(self, is_silent: bool, now_s: float) -> News | None:
        """What to send now, if anything."""
        if now_s < self.not_before_s:
            return None
        if not is_silent:
            return "back" if self._owes_return else None
        sent_s = self._silence_sent_s
        return "silent" if sent_s is None or now_s - sent_s >= self._repeat_s else None

    def arrived(self, news: News, now_s: float) -> None:
        """The message arrived."""
        self._owes_return = news == "silent"
        self._silence_sent_s = now_s if news == "silent" else None
        self._pause.reset()
        self.failures = 0

    def failed(self, news: News, now_s: float) -> None:
        """The message seems not to have arrived: wait 1 s, then twice as long each time, up to 60 s."""
        self._owes_return = True
        if news == "back":
            self._silence_sent_s = None
        self.not_before_s = now_s + self._pause.next_s()
        self.failures += 1
