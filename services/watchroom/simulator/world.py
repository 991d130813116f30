"""The objects that the parts of the simulated force share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from watchroom.simulator.demand import Demand
from watchroom.simulator.levels import Force
from watchroom.simulator.outbox import Outbox

Schedule = Callable[[float, Callable[[float], None]], None]  # (moment in ms, what to do then)


def chance(seed: int, name: str) -> Random:
    """Random numbers of one part; they do not depend on what other parts draw."""
    return Random(f"{seed}:{name}")  # noqa: S311  # must be repeatable, guards nothing


@dataclass(frozen=True, slots=True)
class World:
    """One run: its levels, its demand, and where its events go."""

    force: Force
    demand: Demand
    outbox: Outbox
    schedule: Schedule
    seed: int
    tag: str  # in every entity's id, made of seed and start
