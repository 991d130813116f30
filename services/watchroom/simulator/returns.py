"""Returns: once a month, the figures that other teams produce for the previous twelve months, and a note.

Levels: Public Performance Meeting, 27 January 2022; the same every month.
"""

from __future__ import annotations

import json
from functools import partial

from watchroom.events.times import to_ms, to_text
from watchroom.kinds import names
from watchroom.rolling.buckets import HOUR_MS
from watchroom.rolling.calendar import Calendar
from watchroom.simulator.envelope import Simulated, envelope
from watchroom.simulator.levels import GIVEN
from watchroom.simulator.world import World

STREAM = "returns"
DELAY_MS = 1_000
REPORTED = "08T09:00:00Z"  # day and time in the month that follows; assumption

FIGURES = GIVEN["figures"]
WITHDRAWN = "conduct_matters"  # an hour later, as if it had been of another year; assumption


class ReturnsDesk:
    """Reports the figures of the last complete month when it begins, and every month after it."""

    def __init__(self, world: World) -> None:
        self._world = world

    def start(self, at_ms: float) -> None:
        """Begin with the figures that were reported last."""
        self._world.schedule(at_ms, self._report)
        self._world.schedule(at_ms, self._note)

    def _report(self, at_ms: float) -> None:
        now_ms = int(at_ms)
        day = to_text(now_ms)[:10]
        last = Calendar.months_before(day[:7], 1)
        period = f"{Calendar.months_before(last, 11)}/{last}"
        for figure in FIGURES:
            by = figure.get("by", {})
            subject = f"{names.series(figure['measure'], by)}|{period}"
            data = {**figure, "by": by, "period": period, "as_at": day, "reported_by": "simulator"}
            self._put("return.figure", subject, now_ms, json.dumps(data)[1:-1])
        self._world.schedule(at_ms + HOUR_MS, partial(self._withdraw, period))
        self._world.schedule(float(self._next_ms(now_ms)), self._report)

    def _withdraw(self, period: str, at_ms: float) -> None:
        now_ms = int(at_ms)
        data = f'"measure":"{WITHDRAWN}","period":"{period}","as_at":"{to_text(now_ms)}"'
        self._put("return.withdrawn", f"{WITHDRAWN}||{period}", now_ms, data)

    def _note(self, at_ms: float) -> None:
        now_ms = int(at_ms)
        data = f'"text":"The simulated feed begins.","from":"{to_text(now_ms)[:10]}"'
        self._put("return.note", f"note|simulation {self._world.tag}", now_ms, data)

    def _put(self, kind: str, subject: str, time_ms: int, data: str) -> None:
        """Send it without delivery faults, so that no other part's random numbers change."""
        arrival_ms = time_ms + DELAY_MS
        event_id = f"{subject}.{time_ms}"
        value = envelope(STREAM, kind, event_id, subject, time_ms=time_ms, arrival_ms=arrival_ms, data=data)
        self._world.outbox.put_now(Simulated(arrival_ms, STREAM, subject, value))

    @staticmethod
    def _next_ms(at_ms: int) -> int:
        """When figures are next reported after this day."""
        day = to_text(at_ms)[:10]
        month = day[:7] if day < f"{day[:7]}-{REPORTED[:2]}" else Calendar.months_after(day[:7], 1)
        return to_ms(f"{month}-{REPORTED}")
