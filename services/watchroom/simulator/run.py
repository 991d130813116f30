"""The loop that runs the simulated force."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from heapq import heappop, heappush
from zlib import crc32

from watchroom.admission.models import HEARTBEAT
from watchroom.simulator.calls import CallCentre
from watchroom.simulator.contacts import ContactDesk
from watchroom.simulator.crimes import CrimeBook
from watchroom.simulator.demand import Demand, Surge
from watchroom.simulator.envelope import SOURCES, Simulated, envelope
from watchroom.simulator.incidents import LONGEST_MS, IncidentDesk
from watchroom.simulator.levels import PUBLISHED, Force
from watchroom.simulator.outbox import Outbox
from watchroom.simulator.returns import ReturnsDesk
from watchroom.simulator.world import Act, World, chance
from watchroom.streams import STREAMS

HEARTBEAT_MS = 30_000
LEAD_IN_MS = LONGEST_MS  # after this, incidents that end are as old as in a force that has always existed


class Agenda:
    """The next acts of the simulated force, by time."""

    def __init__(self) -> None:
        self._acts: list[tuple[float, int, Act]] = []
        self._count = 0

    def at(self, at_ms: float, act: Act) -> None:
        """Do `act` at `at_ms`; acts of one moment happen in the order they were entered."""
        self._count += 1
        heappush(self._acts, (at_ms, self._count, act))

    def next(self) -> tuple[float, Act]:
        """Take out the next act and its moment."""
        at_ms, _, act = heappop(self._acts)
        return at_ms, act


def simulate(
    force: Force = PUBLISHED,
    *,
    seed: int,
    start_ms: int,
    end_ms: int | None = None,
    zone: str = "Europe/London",
    surges: Sequence[Surge] = (),
    heartbeats_from_ms: int | None = None,
) -> Iterator[Simulated]:
    """The events of a force, in arrival order; the same for the same arguments.

    Args:
        force: Its levels: `PUBLISHED`, `GOOD`, or one of your own.
        seed: Runs with the same seed and start are the same event for event, however long.
        start_ms: The first moment, UTC milliseconds; nothing is open then, so attendance that takes days is
            missing at first: the published levels hold from `LEAD_IN_MS` later.
        end_ms: Only what arrives before it; None: without end.
        zone: Time zone of the daily and weekly shape and of the shifts.
        surges: When demand differs from the normal.
        heartbeats_from_ms: From when each source says every 30 s that it is alive; None: never.

    Yields:
        One delivery after the other, repeats included. Entity ids carry a tag made of seed and
        start, so that two runs never write to the same entity.
    """
    tag = f"{crc32(f'{seed}:{start_ms}'.encode()):08x}"
    agenda, outbox = Agenda(), Outbox(force.delivery, chance(seed, "delivery"))
    world = World(force, Demand(zone, surges), outbox, agenda.at, seed, tag)
    crimes = CrimeBook(world)
    incidents = IncidentDesk(world, crimes)
    calls = CallCentre(world, incidents.open)
    for part in (crimes, incidents, calls, ContactDesk(world), ReturnsDesk(world)):
        part.start(float(start_ms))
    if heartbeats_from_ms is not None:
        agenda.at(float(heartbeats_from_ms), partial(_beat, agenda, outbox))
    while True:
        at_ms, act = agenda.next()
        if end_ms is not None and at_ms >= end_ms:
            yield from outbox.until(end_ms - 1)
            return
        yield from outbox.until(int(at_ms))
        act(at_ms)


def _beat(agenda: Agenda, outbox: Outbox, at_ms: float) -> None:
    """Every source that is waited for is alive; a heartbeat is never delayed or repeated."""
    moment_ms = int(at_ms)
    for stream, source in SOURCES.items():
        if not STREAMS[stream].is_waited_for:
            continue
        beat_id = f"{source}.{moment_ms}"
        value = envelope(stream, HEARTBEAT, beat_id, source, time_ms=moment_ms, arrival_ms=moment_ms)
        outbox.put_now(Simulated(moment_ms, stream, source, value))
    agenda.at(at_ms + HEARTBEAT_MS, partial(_beat, agenda, outbox))
