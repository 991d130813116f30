"""The queue of calls: callers, handlers by shift, and what happens when there are too few.

A 999 call takes a handler kept for 999, otherwise a shared one, otherwise it waits. A 101 call takes a shared
handler, and only when no 999 call waits. No call is interrupted. Callers hang up when their
patience ends. Answer times are not drawn but follow from this, so they grow with demand.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from math import exp, log
from random import Random

from watchroom.rolling.buckets import HOUR_MS
from watchroom.simulator.callers import Callers
from watchroom.simulator.demand import EMERGENCY, OFFICE
from watchroom.simulator.world import World, chance

OpenIncident = Callable[[str, str, float], None]  # origin, id of the call, moment (ms)
TALK_SPREAD = 0.6  # sigma of talk and wrap-up times; assumption
SHAPES = {"999": EMERGENCY, "101": OFFICE}


class Call:
    """A caller in the queue."""

    __slots__ = ("left", "line", "subject")

    def __init__(self, line: str, subject: str) -> None:
        self.line = line
        self.subject = subject
        self.left = False


class CallCentre:
    """Telephony: makes the `call.*` events, and decides who answers when."""

    def __init__(self, world: World, opens: OpenIncident) -> None:
        self._world = world
        self._force = world.force
        self._schedule = world.schedule
        self._opens = opens
        self._random = chance(world.seed, "calls")
        self._callers = Callers(world)
        self._callbacks = chance(world.seed, "call-backs")
        self._put = partial(world.outbox.put, "calls")
        self._count = 0
        self._waiting: dict[str, deque[Call]] = {"999": deque(), "101": deque()}
        self._busy = {"emergency": 0, "shared": 0}
        self._limits = {"emergency": 0, "shared": 0}

    def start(self, at_ms: float) -> None:
        """Open the lines."""
        self._change_shift(at_ms)
        for line, levels in self._force.lines.items():
            self._world.at_arrivals(at_ms, line, SHAPES[line], levels.per_day, partial(self._present, line))

    def _change_shift(self, at_ms: float) -> None:
        """Apply the hour's number of handlers; a handler who is on a call finishes it."""
        hour = self._world.demand.hour_of_week(int(at_ms)) % 24
        shift = self._force.shifts[0 if hour < 7 or hour == 23 else 1 if hour < 15 else 2]
        self._limits = {"emergency": shift.emergency, "shared": shift.shared}
        self._serve(at_ms)
        self._schedule(at_ms - at_ms % HOUR_MS + HOUR_MS, self._change_shift)

    def _present(self, line: str, at_ms: float) -> None:
        levels = self._force.lines[line]
        self._count += 1
        subject = f"c-{self._world.tag}-{self._count}"
        self._put("call.presented", subject, at_ms, self._callers.next(line))
        join_ms = at_ms + 1000 * self._random.uniform(*levels.before_queue_s)
        if self._random.random() < levels.hung_up_before_queue:
            self._put("call.ended", subject, join_ms, f'"line":"{line}","reason":"hung_up_in_menu"')
        else:
            self._schedule(join_ms, partial(self._join, Call(line, subject)))

    def _join(self, call: Call, at_ms: float) -> None:
        levels = self._force.lines[call.line]
        if self._random.random() >= self._force.queue_event_missing:
            self._put("call.queued", call.subject, at_ms, f'"line":"{call.line}","queue":"{call.line}"')
        mean_s = levels.hasty_s if self._random.random() < levels.hasty else levels.patience_s
        self._waiting[call.line].append(call)
        self._serve(at_ms)
        if not call.left:
            patience_s = min(self._random.expovariate(1 / mean_s), levels.longest_s)
            self._schedule(at_ms + 1000 * patience_s, partial(self._lose_patience, call))

    def _lose_patience(self, call: Call, at_ms: float) -> None:
        if call.left:
            return
        call.left = True
        if self._callbacks.random() < self._force.lines[call.line].rung_back:
            self._ring_back(call, at_ms)
        else:
            self._put("call.abandoned", call.subject, at_ms, f'"line":"{call.line}"')

    def _ring_back(self, call: Call, at_ms: float) -> None:
        """The caller accepts a call-back and hangs up; somebody outside the queue calls back."""
        made_ms = at_ms + 1000 * self._callbacks.uniform(*self._force.callers.callback_s)
        for kind, moment_ms in (
            ("call.callback_offered", at_ms),
            ("call.callback_accepted", at_ms + 8_000),
            ("call.ended", at_ms + 10_000),
            ("call.callback_made", made_ms),
        ):
            self._put(kind, call.subject, moment_ms, f'"line":"{call.line}"', self._callbacks)

    def _serve(self, at_ms: float) -> None:
        """Assign free handlers to waiting callers: 999 first, then in the order in which they joined."""
        emergency, others = self._waiting["999"], self._waiting["101"]
        while emergency or others:
            queue = emergency or others
            if queue[0].left:
                queue.popleft()
                continue
            if queue is emergency and self._busy["emergency"] < self._limits["emergency"]:
                pool = "emergency"
            elif self._busy["shared"] < self._limits["shared"]:
                pool = "shared"
            else:
                return
            self._answer(at_ms, queue.popleft(), pool)

    def _answer(self, at_ms: float, call: Call, pool: str) -> None:
        levels = self._force.lines[call.line]
        draw = self._random
        call.left = True
        self._busy[pool] += 1
        answered_ms = at_ms + 1000 * draw.lognormvariate(log(levels.ring_s), levels.ring_spread)
        ended_ms = answered_ms + 1000 * _mean_lognormal(draw, levels.talk_s)
        free_ms = ended_ms + 1000 * _mean_lognormal(draw, levels.wrap_up_s)
        line = f'"line":"{call.line}"'
        self._put("call.answered", call.subject, answered_ms, line)
        if draw.random() < self._force.transferred:
            self._put("call.transferred", call.subject, ended_ms - 1, f'{line},"queue":"specialist"')
        self._put("call.ended", call.subject, ended_ms, line)
        self._schedule(free_ms, partial(self._free, pool))
        if draw.random() < levels.incident:
            note_ms = answered_ms + 1000 * draw.uniform(40, 120)
            self._schedule(note_ms, partial(self._opens, call.line, call.subject))

    def _free(self, pool: str, at_ms: float) -> None:
        self._busy[pool] -= 1
        self._serve(at_ms)


def _mean_lognormal(random: Random, mean_s: float) -> float:
    return mean_s * exp(TALK_SPREAD * random.gauss(0.0, 1.0) - TALK_SPREAD * TALK_SPREAD / 2)
