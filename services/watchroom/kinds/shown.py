"""What tiles, panels and alerts show of a measure: which quantity of its kind, of what, over which window."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Shown:
    """One number of a measure, or one for each listed value of the label `split`.

    Labels that are neither in `where` nor `split` are added up (the oldest: the highest). With `unlisted` the
    values `other` and what is absent have their numbers too: an emergency in no known area is one.
    """

    what: str  # a quantity of the measure's kind
    where: Mapping[str, str] = field(default_factory=dict)  # label -> value
    window: str = ""  # one of the measure's; empty for open measures
    split: str = ""
    unlisted: bool = False
    rest: bool = False  # of a split: one more number, under the name of what is absent, for all that is not listed


@dataclass(frozen=True, slots=True)
class Tile:
    """One number on the wall: the Live board and the built-in page show the same tiles.

    From `warning` and from `critical` on, the state has that word and colour. Critical below warning:
    low is bad, and a number at a limit still meets it: 90 % is 90 %. None: no state but normal. With `limits_for`,
    only numbers under these label values have a state: what is an emergency for Grade 1 is the day's work for
    Grade 3.
    """

    title: str
    order: int  # order on the wall, 1 is first; Data age stands before all
    shown: Shown
    warning: float | None = None
    critical: float | None = None
    limits_for: Mapping[str, str] = field(default_factory=dict)

    def has_limits(self, by: Mapping[str, str]) -> bool:
        """Whether a number under these label values has a state."""
        return self.warning is not None and all(by.get(name) == value for name, value in self.limits_for.items())

    @property
    def limits_every_number(self) -> bool:
        """Whether it has limits that hold for every number of what it shows, whatever the labels."""
        return self.warning is not None and not self.limits_for and not self.shown.where

    @property
    def low_is_bad(self) -> bool:
        """Whether the number is bad when it is small."""
        return self.warning is not None and self.critical is not None and self.critical < self.warning

    def state(self, value: float) -> Literal["normal", "warning", "critical"]:
        """The state of a number: at a high limit it is beyond it, at a low one it meets it."""
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
    """When somebody is told, and what they are told.

    Exactly one of `above` (>), `below` (<) and `burn`. `at_least` is the smallest count on which the figure
    may be limits_for: of the whole or the observations in the (long) window, or of those open now.
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
    meaning: str  # what it says, one sentence
    impact: str  # what happens if nobody acts
    action: tuple[str, ...]  # what to do now, in order


@dataclass(frozen=True, slots=True)
class Display:
    """How a measure is shown and limits_for; nothing here changes a contribution."""

    excludes: str = "nothing beyond its definition"
    board: str = ""  # name of a stream's board
    tiles: tuple[Tile, ...] = ()
    alerts: tuple[Alert, ...] = ()
    baseline: bool = False  # the same local hour of the last six weeks is published beside the last one
    overdue_from: str = ""  # open measure whose overdue entities count as missed in `live_within`
    objectives: tuple[tuple[Mapping[str, str], float], ...] = ()  # where -> share that should meet the target
    why_unused: Mapping[str, str] = field(default_factory=dict)  # metric suffix -> why no board or rule uses it

    def objective_for(self, by: Mapping[str, str]) -> float | None:
        """The share that should meet the target under these label values; None: nobody has set one."""
        for where, share in self.objectives:
            if all(by.get(name) == value for name, value in where.items()):
                return share
        return None
