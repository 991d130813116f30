"""A small November and December 2021 in a real Redis."""

from __future__ import annotations

import pytest

from tests.flow.servers import RedisServer
from tests.reports.redis_months import Happened, fill, settings_on
from watchroom.settings import Settings

EVENTS = (
    # Incident 1: Grade 1, attended in 8 minutes. 2: Grade 1 in 20. 3: Grade 2, not attended yet. 4: creation unknown.
    Happened("incident.created", "1", "2021-11-27T20:00:00Z", {"grade": "1", "area": "stoke"}),
    Happened("incident.resource_assigned", "1", "2021-11-27T20:01:00Z", {"unit": "U1"}),
    Happened("incident.resource_on_scene", "1", "2021-11-27T20:08:00Z", {"unit": "U1"}),
    Happened("incident.created", "2", "2021-11-28T20:00:00Z", {"grade": "1", "area": "stoke"}),
    Happened("incident.resource_on_scene", "2", "2021-11-28T20:20:00Z", {"unit": "U1"}),
    Happened("incident.created", "3", "2021-12-31T23:30:00Z", {"grade": "2", "area": "tamworth"}),
    Happened("incident.closed", "4", "2021-12-05T10:00:00Z"),
    # Calls: one answered in 8 s, one abandoned after 70 s, one answered that never queued.
    Happened("call.queued", "a", "2021-11-27T20:00:00Z", {"line": "999"}),
    Happened("call.answered", "a", "2021-11-27T20:00:08Z"),
    Happened("call.ended", "a", "2021-11-27T20:02:00Z"),
    Happened("call.queued", "b", "2021-11-27T20:10:00Z", {"line": "999"}),
    Happened("call.abandoned", "b", "2021-11-27T20:11:10Z"),
    Happened("call.presented", "c", "2021-11-27T20:12:00Z", {"line": "999"}),
    Happened("call.answered", "c", "2021-11-27T20:12:05Z"),
    # A crime of November, cancelled in January: after November was closed (30 days after its end).
    Happened("crime.recorded", "x", "2021-11-10T10:00:00Z", {"group": "Robbery", "area": "stoke"}),
    Happened("crime.recorded", "y", "2021-11-11T10:00:00Z", {"group": "Robbery", "area": "stoke"}),
    Happened("crime.cancelled", "x", "2022-01-10T10:00:00Z"),
)


@pytest.fixture
def filled(redis_server: RedisServer) -> Settings:
    """Settings for the filled Redis."""
    settings = settings_on(redis_server.url)
    fill(settings, EVENTS)
    return settings
