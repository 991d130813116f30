"""Returns: once a month the figures that other teams produce, of the twelve months before, and a note.

Levels: Public Performance Meeting, 27 January 2022, every month the same.
"""

from __future__ import annotations

import json
from functools import partial

from watchroom.events.times import to_text
from watchroom.rolling.buckets import DAY_MS, HOUR_MS
from watchroom.rolling.calendar import Calendar
from watchroom.simulator.envelope import Simulated, envelope
from watchroom.simulator.levels import GIVEN
from watchroom.simulator.world import World

STREAM = "returns"
DELAY_MS = 1_000
REPORTED_DAY = 8  # of the month that follows; assumption

FIGURES = GIVEN["figures"]
WITHDRAWN = "conduct_matters"  # an hour later, as if it had been of another year; assumption


class ReturnsDesk:
    """Reports the figures of the last complete month when it begins, and every month after it."""

    def __init__(self, world: World) -> None:
        self._world = world

    def start(self, at_ms: float) -> None:
        """Begin with the figures that were reported last."""
        self._world.schedule(at_ms, self._report)
        self._note(int(at_ms))

    def _report(self, at_ms: float) -> None:
        now_ms = int(at_ms)
        day = to_text(now_ms)[:10]
        last = Calendar.months_before(day[:7], 1)
        period = f"{Calendar.months_before(last, 11)}/{last}"
        for figure in FIGURES:
            by = figure.get("by", {})
            labels = ",".join(f"{name}={value}" for name, value in by.items())
            data = {**figure, "by": by, "period": period, "as_at": day, "reported_by": "simulator"}
            self._put("return.figure", f"{figure['measure']}|{labels}|{period}", now_ms, json.dumps(data))
        self._world.schedule(at_ms + HOUR_MS, partial(self._withdraw, period))
        self._world.schedule(self._next_ms(now_ms), self._report)

    def _withdraw(self, period: str, at_ms: float) -> None:
        now_ms = int(at_ms)
        data = f'{{"measure":"{WITHDRAWN}","period":"{period}","as_at":"{to_text(now_ms)}"}}'
        self._put("return.withdrawn", f"{WITHDRAWN}||{period}", now_ms, data)

    def _note(self, at_ms: int) -> None:
        data = f'{{"text":"The simulated feed begins.","from":"{to_text(at_ms)[:10]}"}}'
        self._world.schedule(float(at_ms), partial(self._send_note, data))

    def _send_note(self, data: str, at_ms: float) -> None:
        self._put("return.note", f"note|simulation {self._world.tag}", int(at_ms), data)

    def _put(self, kind: str, subject: str, time_ms: int, data: str) -> None:
        """Send it without trouble: nothing of another part's chances moves."""
        arrival_ms = time_ms + DELAY_MS
        event_id = f"{subject}.{time_ms}"
        value = envelope(STREAM, kind, event_id, subject, time_ms=time_ms, arrival_ms=arrival_ms, data=data)
        self._world.outbox.put_now(Simulated(arrival_ms, STREAM, subject, value))

    @staticmethod
    def _next_ms(at_ms: int) -> float:
        """09:00 (UTC) of the day of the next month on which figures are reported."""
        next_ms = at_ms - at_ms % DAY_MS + DAY_MS
        while int(to_text(next_ms)[8:10]) != REPORTED_DAY:
            next_ms += DAY_MS
        return float(next_ms + 9 * HOUR_MS)
