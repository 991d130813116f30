"""A seeded simulator of a Staffordshire-sized force: calls, contacts, incidents and crimes as events, in
arrival order.

Pure: seed and time span in, events out; it reads no clock and does no I/O, and holds only what is
open at the simulated moment, so a year streams in the memory of an hour. It may import `streams` and `rolling`.

Read in this order: `levels` (every number, with its source), `demand` (when calls come), `calls`
(the queue), `callers`, `contacts`, `incidents`, `crimes`, `outbox` (what delivery does to events), `run` (the loop).
"""

from watchroom.simulator.demand import Surge
from watchroom.simulator.envelope import SOURCES, Simulated
from watchroom.simulator.levels import GOOD, PUBLISHED, Force
from watchroom.simulator.run import LEAD_IN_MS, simulate

__all__ = ["GOOD", "LEAD_IN_MS", "PUBLISHED", "SOURCES", "Force", "Simulated", "Surge", "simulate"]
