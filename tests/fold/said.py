"""One entity's events in short form, and what they contribute to one measure.

All are folded in both orders, twice over, and through the stored form: what a test reads is the same
for each of these, or the helper fails. Times are UTC on Saturday 27 November 2021, a winter day, so
London's clock is the same.
"""

from __future__ import annotations

from datetime import UTC, datetime

from tests.fold.pipeline import catalogue
from watchroom.admission.models import STREAM_OF
from watchroom.events.record import Event
from watchroom.fold.contributions import Contributor
from watchroom.kinds.kind import Contribution
from watchroom.kinds.names import parse_field, parse_series
from watchroom.streams import STREAMS
from watchroom.streams.stream import State

DAY_MS = 1_637_971_200_000  # 2021-11-27T00:00:00Z
CONTRIBUTORS = {
    name: Contributor(stream, f"watchroom.{name}", catalogue().of_stream(name)) for name, stream in STREAMS.items()
}


def at(clock: str) -> int:
    """Milliseconds of `09:00:08` or `09:00:08.500` on that day; `-1 23:00:00` and `+2 01:00:00` on others."""
    day, _, text = clock.rpartition(" ")
    hours, minutes, seconds = text.split(":")
    whole_ms = DAY_MS + int(day or 0) * 86_400_000 + int(hours) * 3_600_000 + int(minutes) * 60_000
    return whole_ms + round(float(seconds) * 1000)


def clock(at_ms: int) -> str:
    """The time of day of a moment, for comparing."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%H:%M:%S")


def said(kind: str, when: str, event_id: str = "", **data: object) -> Event:
    """One event; its id is its kind and time unless given."""
    return Event(kind, event_id or f"{kind} {when}", "src", "17", at(when), None, data)


def state_of(*events: Event) -> State:
    """The state after these events, which must be the same in both orders and if each comes twice."""
    stream = STREAMS[STREAM_OF[events[0].type]]

    def folded(order: tuple[Event, ...]) -> State:
        state = None
        for event in order:
            state = stream.fold(state, event, DAY_MS)
            state = stream.unpack(stream.pack(state))
        return state

    state = folded(events)
    assert folded(events[::-1]) == state, "the order of events matters"
    assert folded(events + events) == state, "a repeated event matters"
    return state


def contribution(*events: Event) -> Contribution:
    """Everything that an entity with these events contributes."""
    return CONTRIBUTORS[STREAM_OF[events[0].type]].of(state_of(*events))


def adds(measure: str, *events: Event) -> dict[str, int]:
    """What they contribute to a measure, by `labels field`: {"line=999 count": 1}."""
    found = {}
    for name, (_, amount) in contribution(*events).increments.items():
        cell = parse_field(name)
        if cell.measure == measure:
            found[" ".join(filter(None, (_labels(cell.by), cell.field)))] = amount
    return found


def placed(measure: str, *events: Event) -> set[str]:
    """The 10 s buckets in which they contribute to a measure: {"09:00:00"}."""
    increments = contribution(*events).increments
    return {clock(start_ms) for name, (start_ms, _) in increments.items() if parse_field(name).measure == measure}


def open_in(measure: str, *events: Event) -> dict[str, str]:
    """The labels under which an open measure holds them, and since when: {"line=999": "09:00:00"}."""
    opened = contribution(*events).open_sets
    return {
        _labels(parse_series(name)[1]): clock(ms) for name, ms in opened.items() if parse_series(name)[0] == measure
    }


def _labels(by: dict[str, str]) -> str:
    return ",".join(f"{name}={value}" for name, value in by.items())
