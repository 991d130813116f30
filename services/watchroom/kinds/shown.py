"""What tiles, panels and alerts show of a measure: which quantity of its kind, of what, over which window."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Shown:
    """One number of a measure, or one for each listed value of the label `split`.

    Labels that are neither in `where` nor `split` are added up (for the oldest: the highest). With `unlisted`, `other`
    and absent values have numbers too: an emergency in an unknown area is still an emergency.
    """

    what: str  # a quantity of the measure's kind
    where: Mapping[str, str] = field(default_factory=dict)  # label -> value
    window: str = ""  # one of the measure's; empty for open measures
    split: str = ""
    unlisted: bool = False
    rest: bool = False  # with a split: one more number for everything that is not listed, under the absent value


@dataclass(frozen=True, slots=True)
class Tile:
    """One number on the wall: the Live board and the built-in page show the same tiles.

    From `warning` and from `critical` on, the tile has that state. If critical is below warning, low numbers are bad,
    and a number at a limit still meets it: 90 % is 90 %. None: the state is always normal. With `limits_for`, only
    numbers with these label values have a state: an emergency for Grade 1 is normal work for Grade 3.
    """

    title: str
    order: int  # order on the wall, 1 is first; Data age comes before all
    shown: Shown
    warning: float | None = None
    critical: float | None = None
    limits_for: Mapping[str, str] = field(default_factory=dict)

    def has_limits(self, by: Mapping[str, str]) -> bool:
        """Whether a number with these label values has a state."""
        return self.warning is not None and all(by.get(name) == value for name, value in self.limits_for.items())

    @property
    def limits_every_number(self) -> bool:
        """Whether its limits apply to every number that it shows, whatever the labels."""
        return self.warning is not None and not self.limits_for and not self.shown.where

    @property
    def low_is_bad(self) -> bool:
        """Whether low numbers are bad."""
        return self.warning is not None and self.critical is not None and self.critical < self.warning

    def state(self, value: float) -> Literal["normal", "warning", "critical"]:
        """The state of a number: at a high limit it has passed it, at a low one it still meets it."""
        if self.warning is None or self.critical is None:
            return "normal"
        if self.low_is_bad:
            return "critical" if value < self.critical else "warning" if value < self.warning else "normal"
        return "critical" if value >= self.critical else "warning" if value >= self.warning else "normal"


@dataclass(frozen=True, slots=True)
class Burn:
    """How fast the misses of an objective are used up, over a long window and a short one.

    Burn 1: exactly as many miss the target as the objective allows. It cannot exceed 1 / (1 - objective).
    Source of the shape: Google, The Site Reliability Workbook, chapter 5, "multiwindow, multi-burn-rate".
    """

    objective: float  # share that should meet the target, 0 to 1
    factor: float
    long: str
    short: str

    @property
    def miss_limit(self) -> float:
        """The share that misses the target above which the alert fires."""
        return round(self.factor * (1 - self.objective), 6)


@dataclass(frozen=True, slots=True)
class Alert:
    """When somebody is alerted, and what the alert says.

    Exactly one of `above` (>), `below` (<) and `burn`. `at_least` is the smallest number that the figure may rest on:
    the whole or the observations in the (long) window, or what is open now.
    """

    name: str  # CamelCase, once in the catalogue
    severity: Literal["page", "ticket"]
    shown: Shown
    above: float | None
    below: float | None
    burn: Burn | None
    at_least: int
    for_s: int
    keep_s: int  # keep_firing_for
    meaning: str  # what it means, in one sentence
    impact: str  # what happens if nobody acts
    action: tuple[str, ...]  # what to do now, in order


@dataclass(frozen=True, slots=True)
class Display:
    """How a measure is shown, and its limits; nothing here changes a contribution."""

    excludes: str = "nothing beyond its definition"
    board: str = ""  # name of a stream's board
    tiles: tuple[Tile, ...] = ()
    alerts: tuple[Alert, ...] = ()
    baseline: bool = False  # the last local hour is published with the same hour of the last six weeks
    overdue_from: str = ""  # open measure whose overdue entities count as missed in `live_within`
    objectives: tuple[tuple[Mapping[str, str], float], ...] = ()  # where -> share that should meet the target
    why_unused: Mapping[str, str] = field(default_factory=dict)  # metric suffix -> why no board or rule uses it

    def objective_for(self, by: Mapping[str, str]) -> float | None:
        """The share that should meet the target with these label values; None if there is none."""
        for where, share in self.objectives:
            if all(by.get(name) == value for name, value in where.items()):
                return share
        return None
