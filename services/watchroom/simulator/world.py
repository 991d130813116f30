"""The objects that the parts of the simulated force share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import Random

from watchroom.simulator.demand import Demand
from watchroom.simulator.levels import Force
from watchroom.simulator.outbox import Outbox

Act = Callable[[float], None]  # gets the moment at which it is done, in ms
Schedule = Callable[[float, Act], None]


def chance(seed: int, name: str) -> Random:
    """Random numbers of one part; they do not depend on what other parts draw."""
    return Random(f"{seed}:{name}")  # noqa: S311  # must be repeatable, guards nothing


class Choice:
    """One of several texts, by weight."""

    def __init__(self, weights: Mapping[str, float]) -> None:
        self._names = tuple(weights)
        self._weights = tuple(accumulate(weights.values()))

    def draw(self, random: Random) -> str:
        """A text; weights need not sum to 1."""
        return random.choices(self._names, cum_weights=self._weights)[0]


@dataclass(frozen=True, slots=True)
class World:
    """One run: its levels, its demand, and where its events go."""

    force: Force
    demand: Demand
    outbox: Outbox
    schedule: Schedule
    seed: int
    tag: str  # in every entity's id, made of seed and start

    def at_arrivals(self, from_ms: float, name: str, shape: Sequence[float], per_day: float, act: Act) -> None:
        """Do `act` whenever something arrives that comes `per_day` times on a normal day."""
        draw = chance(self.seed, f"arrivals of {name}")

        def expect(at_ms: float) -> None:
            self.schedule(self.demand.next_ms(draw, at_ms, shape, per_day), arrive)

        def arrive(at_ms: float) -> None:
            expect(at_ms)
            act(at_ms)

        expect(from_ms)
