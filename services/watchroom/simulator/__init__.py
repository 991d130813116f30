"""A seeded simulator of a Staffordshire-sized force: calls, contacts, incidents and crimes as events, in arrival order.

In: a seed and a time span. Out: events; `command` and `feed` send them to Kafka. All other modules are pure: they read
no clock, do no I/O, and keep only the entities that are open, so a year streams in the memory of an hour. It may
import `kafka`, `settings` and everything below.

Read in this order: `levels` (every number, with its source in `levels.toml`), `demand` (when calls come), `calls` (the
queue), `callers`, `contacts`, `incidents`, `crimes`, `outbox` (delivery), `run` (the loop), then `command`.
"""

from watchroom.simulator.demand import Surge
from watchroom.simulator.envelope import SOURCES, Simulated
from watchroom.simulator.levels import GOOD, PUBLISHED, Force
from watchroom.simulator.run import LEAD_IN_MS, simulate

__all__ = ["GOOD", "LEAD_IN_MS", "PUBLISHED", "SOURCES", "Force", "Simulated", "Surge", "simulate"]
