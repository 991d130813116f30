"""The words a catalogue entry may use: what is known about a call, an incident, a crime.

`fold` computes exactly these for an entity's state (a test compares the two), the loader refuses
every other word, and the measures page prints the meanings. A *moment* is a time in milliseconds
or None; a *value* is a text or a truth; a *state* says whether an entity is between two moments now.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words of one stream, each with its meaning."""

    entity: str
    moments: Mapping[str, str]
    values: Mapping[str, str]
    states: Mapping[str, str]
    closed: Mapping[str, tuple[str | bool, ...]]  # values of ours, not of the feed: what they can be


STREAMS: Mapping[str, Vocabulary] = {
    "calls": Vocabulary(
        entity="call",
        moments={
            "offered": "presented, or queued if that is all that is known",
            "presented": "the earliest call.presented: handed over by the national operator",
            "queued": "the earliest call.queued: joined the control room's own queue",
            "answered": "the earliest call.answered: a person took it",
            "abandoned": "the earliest call.abandoned of a call that nobody answered",
            "left_queue": "answered or abandoned, whichever ended a queued call's wait",
            "ended": "the latest call.ended",
        },
        values={
            "line": "the line of the earliest event that names one",
            "left_by": "answered or abandoned: how a queued call left the queue",
        },
        states={
            "waiting": "queued, and neither answered, abandoned nor ended",
            "in_progress": "answered and not ended",
        },
        closed={"left_by": ("answered", "abandoned")},
    ),
    "incidents": Vocabulary(
        entity="incident",
        moments={
            "created": "the earliest incident.created",
            "first_assigned": "the earliest incident.resource_assigned",
            "first_on_scene": "the earliest incident.resource_on_scene",
        },
        values={
            "grade": "the latest grade",
            "grade_at_attendance": "the last grade at or before the first arrival, else the first after it",
            "area": "the latest area",
            "resourced": "true once any resource was assigned or on scene",
            "arrived": "true once any resource was on scene",
        },
        states={
            "unresourced": "nobody assigned now, not attended, not closed or cancelled",
            "unattended": "no resource has been on scene, not closed or cancelled",
        },
        closed={"resourced": (True, False), "arrived": (True, False)},
    ),
    "crimes": Vocabulary(
        entity="crime",
        moments={
            "recorded": "the earliest crime.recorded",
            "outcome_assigned": "the latest crime.outcome_assigned",
        },
        values={
            "group": "Home Office offence group of the latest class",
            "category": "police.uk category of the latest class",
            "outcome": "code of the latest outcome, 1 to 22 with letters",
            "area": "the latest area",
        },
        states={},
        closed={},
    ),
}

# Names of the windows that `rolling.windows` can compute; "month" is each London month shown.
WINDOWS = ("5m", "15m", "30m", "1h", "6h", "24h", "today", "7d", "28d", "month", "12mo")
