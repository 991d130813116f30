"""A crime: its latest class at the moment it was recorded, and its latest outcome.

A cancelled crime is out of everything.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from watchroom.events.record import Event
from watchroom.fold.stamps import Stamp, earliest_ms, last, latest_ms

# time, event id, offence code, Home Office group, police.uk category ("" where not stated)
Offence = tuple[int, str, str, str, str]


class Crime(NamedTuple):
    """What is known about one crime; times in ms since the epoch."""

    last_arrival_ms: int
    first_ms: int
    recorded_ms: int | None = None
    offence: Offence | None = None
    area: Stamp | None = None
    outcome: Stamp | None = None
    cancelled: bool = False


def fold(state: Crime | None, event: Event, arrival_ms: int) -> Crime:
    """The state after one more event; the same whatever the order, and however often."""
    if state is None:
        state = Crime(arrival_ms, event.time_ms)
    at, kind, data = event.time_ms, event.type, event.data
    changed: dict[str, object] = {
        "last_arrival_ms": latest_ms(state.last_arrival_ms, arrival_ms),
        "first_ms": earliest_ms(state.first_ms, at),
    }
    if area := data.get("area"):
        changed["area"] = last(state.area, (at, event.id, area))
    if kind in ("crime.recorded", "crime.reclassified"):
        stated = tuple(data.get(key) or "" for key in ("offence_code", "group", "category"))
        if any(stated):
            changed["offence"] = last(state.offence, (at, event.id, *stated))
    if kind == "crime.recorded":
        changed["recorded_ms"] = earliest_ms(state.recorded_ms, at)
    elif kind == "crime.outcome_assigned":
        changed["outcome"] = last(state.outcome, (at, event.id, outcome_code(data["outcome"])))
    elif kind == "crime.cancelled":
        changed["cancelled"] = True
    return state._replace(**changed)  # type: ignore[arg-type]  # each value has its field's type


def outcome_code(text: str) -> str:
    """An outcome's code as the catalogue writes it: feeds also say `1a`, ` 1A` or `01`."""
    return text.strip().upper().lstrip("0")


def is_orphan(crime: Crime) -> bool:
    """`crime.recorded` has not come yet."""
    return crime.recorded_ms is None


def is_out(crime: Crime) -> bool:
    """A cancelled record never counts again."""
    return crime.cancelled


def facts(crime: Crime) -> Mapping[str, object]:
    """Every word of the stream's vocabulary for this crime."""
    return {
        "recorded": crime.recorded_ms,
        "outcome_assigned": None if crime.outcome is None else crime.outcome[0],
        "group": (crime.offence[3] or None) if crime.offence else None,
        "category": (crime.offence[4] or None) if crime.offence else None,
        "outcome": None if crime.outcome is None else crime.outcome[2],
        "area": None if crime.area is None else crime.area[2],
    }
