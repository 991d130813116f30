"""What tiles, panels and alerts show of a measure: which quantity of its kind, of what, over which window.

`Tile`, `Alert` and `Burn` are tables of an entry as they are written; `catalogue.display_checks` checks their terms.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Text = Annotated[str, Field(min_length=3)]
Number = Annotated[float | int, Field(allow_inf_nan=False)]
Share = Annotated[float, Field(gt=0, lt=1)]


class Strict(BaseModel):
    """A TOML table that refuses unknown keys and converts no types."""

    model_config = ConfigDict(extra="forbid", strict=True, use_attribute_docstrings=True)


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


class ShownKeys(Strict, frozen=True):
    """What tiles and alerts have in common."""

    show: str
    """The number that is shown or compared: a quantity of the kind, see [Quantities](#quantities).
    Example: `show = "share"`."""
    where: dict[str, str] = Field(default_factory=dict)
    """Restricts the number to these label values. Labels that are neither here nor in `split` are added up.
    Example: `where = { line = "999" }`."""
    window: str = ""
    """One of the measure's windows; empty for an open measure. Example: `window = "1h"`."""
    split: str = ""
    """A label; there is one number for each of its values. Example: `split = "grade"`."""


class Tile(ShownKeys):
    """One number on the wall: the Live board and the built-in page show the same tiles.

    A number at a low limit still meets it: 90 % is 90 %. With `judged`, only numbers with these label values have a
    state: an emergency for Grade 1 is normal work for Grade 3.
    """

    title: Text
    """The heading of the tile. Example: `title = "999 below 10 s"`."""
    place: Annotated[int, Field(ge=1, le=99)]
    """The position on the wall, starting at 1. The wall has room for eleven tiles. Example: `place = 3`."""
    warning: Number | None = None
    """The number from which the tile is in the warning state. Give both `warning` and `critical` or neither.
    Example: `warning = 0.9`."""
    critical: Number | None = None
    """The number from which the tile is critical. If it is below `warning`, low numbers are bad.
    Example: `critical = 0.8`."""
    judged: dict[str, str] = Field(default_factory=dict)
    """With `split`: only the number for this label value has a state. Example: `judged = { grade = "1" }`."""
    rest: bool = False
    """With `split`: one more number for all values that are not listed. Example: `rest = true`."""

    @model_validator(mode="after")
    def _both_or_neither(self) -> Self:
        if (self.warning is None) != (self.critical is None) or (
            self.warning is not None and self.warning == self.critical
        ):
            raise ValueError("`warning` and `critical` with different values, or neither")
        return self

    @cached_property
    def shown(self) -> Shown:
        """What it shows."""
        return Shown(self.show, self.where, self.window, self.split, rest=self.rest)

    def has_limits(self, by: Mapping[str, str]) -> bool:
        """Whether a number with these label values has a state."""
        return self.warning is not None and all(by.get(name) == value for name, value in self.judged.items())

    @property
    def limits_every_number(self) -> bool:
        """Whether its limits apply to every number that it shows, whatever the labels."""
        return self.warning is not None and not self.judged and not self.shown.where

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


class Burn(Strict, frozen=True):
    """How fast the misses of an objective are used up, over a long window and a short one.

    Burn 1: exactly as many miss the target as the objective allows. It cannot exceed 1 / (1 - objective).
    Source of the shape: Google, The Site Reliability Workbook, chapter 5, "multiwindow, multi-burn-rate".
    """

    objective: Share
    """The share of entities that should meet the target. Example: `objective = 0.9`."""
    factor: Annotated[float | int, Field(gt=1)]
    """The burn rate above which the alert fires, in both windows. Example: `factor = 3`."""
    long: str
    """The long window: it shows that the problem is large enough. Example: `long = "6h"`."""
    short: str
    """The short window: it shows that the problem is still going on. Example: `short = "30m"`."""

    @model_validator(mode="after")
    def _can_fire(self) -> Self:
        most = 1 / (1 - self.objective)
        if self.factor >= most:
            raise ValueError(f"a factor below {most:g}: with this objective the burn rate cannot exceed that")
        return self

    @property
    def miss_limit(self) -> float:
        """The share that misses the target above which the alert fires."""
        return round(self.factor * (1 - self.objective), 6)


class Alert(ShownKeys):
    """When somebody is alerted, and what the alert says: exactly one of `above` (>), `below` (<) and `burn`."""

    name: Annotated[str, Field(pattern=r"^([A-Z][a-z0-9]+)+[0-9]*$")]
    """The name of the alert and of its runbook, unique in the catalogue. Example: `name = "Unanswered999"`."""
    severity: Literal["page", "ticket"]
    """`page` alerts somebody at any hour; `ticket` goes to the ticket queue at once, and by email in office hours.
    Example: `severity = "page"`."""
    above: Number | None = None
    """The alert fires while the number is above this. Exactly one of `above`, `below` and `burn`.
    Example: `above = 60`."""
    below: Number | None = None
    """The alert fires while the number is below this. Exactly one of `above`, `below` and `burn`.
    Example: `below = 0.8`."""
    burn: Burn | None = None
    """The alert fires while too many miss the objective; see [Burn rates](#burn-rates). Exactly one of `above`, `below`
    and `burn`. Example: `burn = { objective = 0.9, factor = 3, long = "6h", short = "30m" }`."""
    at_least: Annotated[int, Field(ge=0)] = 0
    """The smallest number of entities on which the figure may be based; with fewer, the alert does not fire.
    Example: `at_least = 10`."""
    for_s: Annotated[int, Field(ge=0)] = 60
    """How many seconds the condition must hold before the alert fires. Example: `for_s = 120`."""
    keep_s: Annotated[int, Field(ge=0)] = 180
    """How many seconds the alert stays active after the condition has ended. Example: `keep_s = 300`."""
    meaning: Text
    """One sentence that says what is wrong and gives the threshold as a number.
    Example: `meaning = "A 999 call has waited for more than a minute."`."""
    impact: Text
    """One sentence that says what happens if nobody acts. Example: `impact = "Callers in danger hang up."`."""
    action: Annotated[list[Text], Field(min_length=1)]
    """What to do now, one step per text, in order.
    Example: `action = ["Ask the supervisor to open another position."]`."""

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if sum(each is not None for each in (self.above, self.below, self.burn)) != 1:
            raise ValueError("exactly one of above (>), below (<) and burn")
        return self

    @cached_property
    def shown(self) -> Shown:
        """What it compares."""
        return Shown(self.show, self.where, self.window, self.split, unlisted=True)


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
