"""The part of a TOML entry that says how a measure is shown and judged, before its words are checked."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from watchroom.kinds.shown import Alert, Burn, Shown, Tile

Text = Annotated[str, Field(min_length=3)]
Number = Annotated[float | int, Field(allow_inf_nan=False)]
Share = Annotated[float, Field(gt=0, lt=1)]


class Strict(BaseModel):
    """No unknown keys, no guessing of types."""

    model_config = ConfigDict(extra="forbid", strict=True, populate_by_name=True)


class ShownEntry(Strict):
    """What tiles and alerts have in common."""

    show: str
    where: dict[str, str] = Field(default_factory=dict)
    window: str = ""
    split: str = ""

    def shown(self) -> Shown:
        """The checked value."""
        return Shown(self.show, self.where, self.window, self.split)


class TileEntry(ShownEntry):
    """One tile of the wall; `warning` and `critical` both or neither."""

    title: Text
    place: Annotated[int, Field(ge=1, le=99)]
    warning: Number | None = None
    critical: Number | None = None
    judged: dict[str, str] = Field(default_factory=dict)
    rest: bool = False

    @model_validator(mode="after")
    def _both_or_neither(self) -> Self:
        if (self.warning is None) != (self.critical is None) or (
            self.warning is not None and self.warning == self.critical
        ):
            raise ValueError("two different limits, warning and critical, or neither")
        return self

    def tile(self) -> Tile:
        """The checked value."""
        shown = replace(self.shown(), rest=self.rest)
        return Tile(self.title, self.place, shown, self.warning, self.critical, self.judged)


class BurnEntry(Strict):
    """`objective` is the share that should meet the target."""

    objective: Share
    factor: Annotated[float | int, Field(gt=1)]
    long: str
    short: str

    @model_validator(mode="after")
    def _can_fire(self) -> Self:
        most = 1 / (1 - self.objective)
        if self.factor >= most:
            raise ValueError(f"a factor below {most:g}: with this objective no burn can be higher")
        return self

    def burn(self) -> Burn:
        """The checked value."""
        return Burn(self.objective, self.factor, self.long, self.short)


class AlertEntry(ShownEntry):
    """One alert; exactly one of above, below and burn."""

    name: Annotated[str, Field(pattern=r"^([A-Z][a-z0-9]+)+[0-9]*$")]
    severity: Literal["page", "ticket"]
    above: Number | None = None
    below: Number | None = None
    burn: BurnEntry | None = None
    at_least: Annotated[int, Field(ge=0)] = 0
    for_s: Annotated[int, Field(ge=0)] = 60
    keep_s: Annotated[int, Field(ge=0)] = 180
    meaning: Text
    impact: Text
    action: Annotated[list[Text], Field(min_length=1)]

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
