"""The part of a TOML entry that says how a measure is shown, before its terms are checked."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from watchroom.kinds.shown import Alert, Burn, Shown, Tile

Text = Annotated[str, Field(min_length=3)]
Number = Annotated[float | int, Field(allow_inf_nan=False)]
Share = Annotated[float, Field(gt=0, lt=1)]


class Strict(BaseModel):
    """A table that refuses unknown keys and converts no types."""

    model_config = ConfigDict(extra="forbid", strict=True, populate_by_name=True, use_attribute_docstrings=True)


class ShownEntry(Strict):
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

    def shown(self) -> Shown:
        """The checked value."""
        return Shown(self.show, self.where, self.window, self.split)


class TileEntry(ShownEntry):
    """One tile of the wall; `warning` and `critical` both or neither."""

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

    def tile(self) -> Tile:
        """The checked value."""
        shown = replace(self.shown(), rest=self.rest)
        return Tile(self.title, self.place, shown, self.warning, self.critical, self.judged)


class BurnEntry(Strict):
    """`objective` is the share that should meet the target."""

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

    def burn(self) -> Burn:
        """The checked value."""
        return Burn(self.objective, self.factor, self.long, self.short)


class AlertEntry(ShownEntry):
    """One alert; exactly one of above, below and burn."""

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
    burn: BurnEntry | None = None
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
    """One sentence: what the alert says. It gives the threshold as a number.
    Example: `meaning = "A 999 call has waited for more than a minute."`."""
    impact: Text
    """One sentence: what happens if nobody acts. Example: `impact = "Callers in danger hang up."`."""
    action: Annotated[list[Text], Field(min_length=1)]
    """What to do now, one step per text, in order.
    Example: `action = ["Ask the supervisor to open another position."]`."""

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if sum(each is not None for each in (self.above, self.below, self.burn)) != 1:
            raise ValueError("exactly one of above (>), below (<) and burn")
        return self

    def alert(self) -> Alert:
        """The checked value."""
        return Alert(
            name=self.name,
            severity=self.severity,
            shown=replace(self.shown(), unlisted=True),
            above=self.above,
            below=self.below,
            burn=self.burn.burn() if self.burn else None,
            at_least=self.at_least,
            for_s=self.for_s,
            keep_s=self.keep_s,
            meaning=self.meaning,
            impact=self.impact,
            action=tuple(self.action),
        )
