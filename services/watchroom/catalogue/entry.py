"""The shape of one TOML entry, before its words are checked. Unknown keys are errors."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, model_validator

from watchroom.catalogue import own
from watchroom.catalogue.display_entry import AlertEntry, Share, Strict, Text, TileEntry
from watchroom.kinds import KINDS
from watchroom.kinds.measure import AREA, Condition, Target
from watchroom.kinds.shown import Display
from watchroom.streams import BOARDS, STREAMS

Value = Annotated[str, Field(pattern=r"^[a-z0-9]+(_[a-z0-9]+)*$")]  # what `slug` makes of an event's text
AREA_WINDOWS: Final = ("24h", "28d", "month")  # by area, unless an entry says others: each costs a series an area
Seconds = Annotated[float | int, Field(gt=0, allow_inf_nan=False)]


def _one_of(known: Iterable[str]) -> AfterValidator:
    """A name out of a registry."""
    names = tuple(known)

    def check(name: str) -> str:
        if name not in names:
            raise ValueError(f"one of {', '.join(map(repr, names))}")
        return name

    return AfterValidator(check)


class LabelEntry(Strict):
    """One table of labels.toml."""

    brief: Text
    values: list[Value] = Field(default_factory=list)
    values_from: Literal["areas"] | None = None
    aliases: dict[Value, Value] = Field(default_factory=dict)
    absent: Literal["unknown", "ungraded", "not_stated"] = "unknown"
    title: Text = ""  # the words of its name where nothing is said
    titles: dict[Value, Text] = Field(default_factory=dict)  # of values whose own words do not read well

    @model_validator(mode="after")
    def _aliases_lead_somewhere(self) -> LabelEntry:
        if wrong := [
            alias for alias, value in self.aliases.items() if value not in self.values or alias in self.values
        ]:
            raise ValueError(f"listed values for the aliases {', '.join(wrong)}, which are not listed themselves")
        return self

    @model_validator(mode="after")
    def _titles_are_of_values(self) -> LabelEntry:
        if wrong := [value for value in self.titles if value not in self.values]:
            raise ValueError(f"titles of listed values, not of {', '.join(wrong)}")
        return self


class TargetEntry(Strict):
    """`below_s` is <, `within_s` is <=; exactly one of them. `share` is how many should meet it, 0 to 1."""

    where: dict[str, str] = Field(default_factory=dict)
    below_s: Seconds | None = None
    within_s: Seconds | None = None
    share: Share | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> TargetEntry:
        if (self.below_s is None) == (self.within_s is None):
            raise ValueError("exactly one of below_s (<) and within_s (<=)")
        return self

    def target(self) -> Target:
        """The checked target, in milliseconds."""
        limit_s = self.below_s if self.within_s is None else self.within_s
        return Target(where=self.where, limit_ms=round((limit_s or 0) * 1000), inclusive=self.within_s is not None)


class SummandEntry(Strict):
    """One of the measures that a sum adds up; `where` names a label's accepted values."""

    measure: str
    where: dict[str, Annotated[list[str], Field(min_length=1)]] = Field(default_factory=dict)


class MeasureEntry(Strict):
    """One measure as written: the keys of all kinds; `checks` refuses those that its own does not have."""

    kind: Annotated[str, _one_of(KINDS)]
    stream: Annotated[str, _one_of(STREAMS)]
    brief: Text
    definition: Text
    source: Text
    at: str = ""
    start: str = ""
    by: dict[str, str] = Field(default_factory=dict)
    where: dict[str, list[str | bool] | str | int | float] = Field(default_factory=dict)
    part: dict[str, list[str | bool] | str | int | float] = Field(default_factory=dict)
    state: str = ""
    tokens: str = ""
    targets: list[TargetEntry] = Field(default_factory=list)
    edges_s: list[Seconds] = Field(default_factory=list)
    give_up_s: int = Field(default=0, ge=0)
    windows: list[str] = Field(default_factory=list)
    sum_of: list[SummandEntry] = Field(default_factory=list)
    area_windows: list[str] | None = None
    rows: list[Annotated[int, Field(ge=1, le=64)]] = Field(default_factory=list)
    excludes: Text = Display().excludes
    board: Annotated[str, _one_of(BOARDS)] | None = None
    baseline: bool = False
    overdue_from: str = ""
    tiles: list[TileEntry] = Field(default_factory=list)
    alerts: list[AlertEntry] = Field(default_factory=list)
    why_unused: dict[str, Text] = Field(default_factory=dict)

    def shown_by_area(self) -> tuple[str, ...]:
        """The windows in which it is published by area; none without a label of areas."""
        if AREA not in self.by.values():
            return ()
        asked = AREA_WINDOWS if self.area_windows is None else self.area_windows
        return tuple(window for window in self.windows if window in asked)

    def display(self) -> Display:
        """How it is shown and judged."""
        return Display(
            excludes=self.excludes,
            board=self.board or STREAMS[self.stream].board.name,
            tiles=tuple(tile.tile() for tile in self.tiles),
            alerts=tuple(alert.alert() for alert in self.alerts),
            baseline=self.baseline,
            overdue_from=self.overdue_from,
            objectives=tuple((target.where, target.share) for target in self.targets if target.share is not None),
            why_unused=self.why_unused,
        )


EVERY_KIND: Final = (
    "kind", "stream", "brief", "definition", "source", "by", "area_windows", "rows", "excludes", "board", "tiles",
    "alerts", "why_unused",
)  # fmt: skip
own.check_keys(KINDS.values(), MeasureEntry.model_fields)


def keys_of(kind: str) -> tuple[str, ...]:
    """The keys that an entry of a kind may have; none where there is no such kind, and nobody knows."""
    known = KINDS.get(kind)
    if known is None:
        return ()
    return (*EVERY_KIND, *known.keys(), *(key.name for key in known.own_keys))


def condition(table: dict[str, list[str | bool] | str | int | float]) -> Condition:
    """A condition from its table; `from`, `to` and `within_s` make an interval, other keys are words.

    Raises:
        ValueError: The message says what to write.
    """
    interval = {key: table[key] for key in ("from", "to", "within_s") if key in table}
    accepted = {key: value for key, value in table.items() if key not in interval}
    if wrong := [key for key, value in accepted.items() if not isinstance(value, list) or not value]:
        raise ValueError(f"a list of accepted values for {', '.join(wrong)}")
    if interval and len(interval) != 3:
        raise ValueError("all of from, to and within_s, or none")
    within_s = interval.get("within_s", 1)
    if not isinstance(within_s, int | float) or isinstance(within_s, bool) or not 0 < within_s < inf:
        raise ValueError("a number of seconds above 0 for within_s")
    return Condition(
        accepted={key: tuple(value) for key, value in accepted.items() if isinstance(value, list)},
        start=str(interval.get("from", "")),
        end=str(interval.get("to", "")),
        within_ms=round(within_s * 1000) if interval else 0,
    )
