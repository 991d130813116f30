"""The keys and types of a TOML entry, before its terms are checked. Unknown keys are errors."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, model_validator

from watchroom.kinds import KINDS
from watchroom.kinds.measure import AREA, Condition, Target
from watchroom.kinds.shown import Alert, Display, Share, Strict, Text, Tile
from watchroom.streams import BOARDS, STREAMS

Value = Annotated[str, Field(pattern=r"^[a-z0-9]+(_[a-z0-9]+)*$")]  # what `slug` makes of an event's text
AREA_WINDOWS: Final = ("24h", "28d", "month")  # the default windows by area: each costs one series per area
Seconds = Annotated[float | int, Field(gt=0, allow_inf_nan=False)]


def _one_of(known: Iterable[str]) -> AfterValidator:
    """Accepts only names from a registry."""
    names = tuple(known)

    def check(name: str) -> str:
        if name not in names:
            raise ValueError(f"one of {', '.join(map(repr, names))}")
        return name

    return AfterValidator(check)


class LabelEntry(Strict):
    """One table of labels.toml."""

    brief: Text
    """What the label says about an entity, in a few words. Example: `brief = "Grade of the incident"`."""
    values: list[Value] = Field(default_factory=list)
    """The values that have figures of their own, in the order in which tables show them. Any other text is counted
    as `other`. Example: `values = ["1", "2", "3"]`."""
    values_from: Literal["areas"] | None = None
    """Instead of `values`: the areas of the setting `WATCHROOM_AREAS`. Example: `values_from = "areas"`."""
    aliases: dict[Value, Value] = Field(default_factory=dict)
    """Other spellings of listed values, as a feed may send them. Example: `aliases = { emergency = "1" }`."""
    absent: Literal["unknown", "ungraded", "not_stated"] = "unknown"
    """The value for entities whose events do not give one. Example: `absent = "ungraded"`."""
    title: Text = ""
    """What tables and panels call the label itself, if its name does not read well.
    Example: `title = "Type of incident"`."""
    titles: dict[Value, Text] = Field(default_factory=dict)
    """What tables and panels call a value, if its own text does not read well.
    Example: `titles = { asb = "Antisocial behaviour" }`."""

    @model_validator(mode="after")
    def _aliases_are_of_values(self) -> LabelEntry:
        if wrong := [
            alias for alias, value in self.aliases.items() if value not in self.values or alias in self.values
        ]:
            raise ValueError(f"aliases that map an unlisted spelling to a listed value, unlike {', '.join(wrong)}")
        return self

    @model_validator(mode="after")
    def _titles_are_of_values(self) -> LabelEntry:
        if wrong := [value for value in self.titles if value not in self.values]:
            raise ValueError(f"titles for listed values only, not for {', '.join(wrong)}")
        return self


class TargetEntry(Strict):
    """`below_s` is <, `within_s` is <=; exactly one of them. `share` is how many should meet it, 0 to 1."""

    where: dict[str, str] = Field(default_factory=dict)
    """The label values that the target applies to; if empty, it applies to every entity of the measure.
    Example: `where = { line = "999" }`."""
    below_s: Seconds | None = None
    """The target is met by a duration below this many seconds. Exactly one of `below_s` and `within_s`.
    Example: `below_s = 10`."""
    within_s: Seconds | None = None
    """The target is met by a duration of this many seconds or less. Exactly one of `below_s` and `within_s`.
    Example: `within_s = 900`."""
    share: Share | None = None
    """The objective: the share of entities that should meet the target. Example: `share = 0.9`."""

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
    """The id of a count that is not itself a sum. Example: `measure = "contact_volume"`."""
    where: dict[str, Annotated[list[str], Field(min_length=1)]] = Field(default_factory=dict)
    """Adds only these label values; if empty, all of them. Example: `where = { channel = ["email", "live_chat"] }`."""


class MeasureEntry(Strict):
    """One measure as written: the keys of all kinds. `checks` refuses those that its kind does not have."""

    kind: Annotated[str, _one_of(KINDS), Field(json_schema_extra={"enum": [*KINDS]})]
    """The kind of measure: a count, a share, a duration and so on. Example: `kind = "duration"`."""
    stream: Annotated[str, _one_of(STREAMS), Field(json_schema_extra={"enum": [*STREAMS]})]
    """The stream whose entities it counts. Example: `stream = "calls"`."""
    brief: Text
    """The name of the measure in tables and panels. Example: `brief = "Time to answer"`."""
    definition: Text
    """One or two sentences that say exactly what is counted.
    Example: `definition = "From joining the queue to the answer."`."""
    source: Text
    """Who defined it, or where the definition is published. Example: `source = "Contact performance report, row 3"`."""
    at: str = ""
    """The moment at which an entity is counted. For an open measure: the moment from which its age is measured.
    Example: `at = "answered"`."""
    start: str = ""
    """The moment at which a duration begins. It ends at `at`. Example: `start = "queued"`."""
    by: dict[str, str] = Field(default_factory=dict)
    """The labels by which the measure is split: the name of a label in `labels.toml`, and the value of the stream that
    it takes. Example: `by = { line = "line", area = "area" }`."""
    where: dict[str, list[str | bool] | str | int | float] = Field(default_factory=dict)
    """Counts only entities that meet this condition: a list of accepted texts for each value, and at most one
    [interval](#intervals). Example: `where = { line = ["999"] }`."""
    part: dict[str, list[str | bool] | str | int | float] = Field(default_factory=dict)
    """The condition for the part of a share, in the same form as `where`.
    Example: `part = { left_by = ["abandoned"] }`."""
    state: str = ""
    """The state that an entity is in while an open measure counts it. Example: `state = "waiting"`."""
    tokens: str = ""
    """The value whose tokens are counted. Example: `tokens = "caller"`."""
    targets: list[TargetEntry] = Field(default_factory=list)
    """The targets of a duration, or of the age of open entities; each is a `[[<id>.targets]]`, see [Targets](#targets).
    Example: `targets = [{ where = { line = "999" }, below_s = 10, share = 0.9 }]`."""
    edges_s: list[Seconds] = Field(default_factory=list)
    """Further durations in seconds at which counts are exact, in addition to the targets.
    Example: `edges_s = [60, 120]`."""
    give_up_s: int = Field(default=0, ge=0)
    """After this many seconds an open entity is treated as never closed by its feed, and leaves the measure. Must be
    above 0 if the kind requires it. Example: `give_up_s = 3600`."""
    windows: list[str] = Field(default_factory=list)
    """The windows over which the measure is published. Example: `windows = ["5m", "1h", "24h", "28d", "month"]`."""
    sum_of: list[SummandEntry] = Field(default_factory=list)
    """The measures that a sum adds up; each is a `[[<id>.sum_of]]`, see [Sums](#sums).
    Example: `sum_of = [{ measure = "contact_volume" }]`."""
    area_windows: list[str] | None = None
    """The windows in which the measure is split by area; defaults to `24h`, `28d` and `month`. Each costs one
    series per area. Example: `area_windows = ["24h", "month"]`."""
    rows: list[Annotated[int, Field(ge=1, le=64)]] = Field(default_factory=list)
    """The rows of the published report that the measure provides. Example: `rows = [15]`."""
    excludes: Text = Display().excludes
    """What the measure leaves out, for the page that explains it. Example: `excludes = "calls that were abandoned"`."""
    board: Annotated[str, _one_of(BOARDS), Field(json_schema_extra={"enum": [*BOARDS]})] | None = None
    """The board that shows the measure; defaults to its stream's board. Example: `board = "demand"`."""
    baseline: bool = False
    """Whether the same local hour of each of the last six weeks is published as well as the last hour.
    Example: `baseline = true`."""
    overdue_from: str = ""
    """An open measure whose overdue entities count as missed in the live share within target.
    Example: `overdue_from = "incidents_unattended"`."""
    tiles: list[Tile] = Field(default_factory=list)
    """The tiles of the wall that show the measure; each is a `[[<id>.tiles]]`, see [Tiles](#tiles).
    Example: `tiles = [{ title = "Waiting", place = 1, show = "open" }]`."""
    alerts: list[Alert] = Field(default_factory=list)
    """The alerts on the measure; each is a `[[<id>.alerts]]`, see [Alerts](#alerts).
    Example: `alerts = [{ name = "LongWait", severity = "ticket", show = "oldest", above = 600 }]`."""
    why_unused: dict[str, Text] = Field(default_factory=dict)
    """The reason why no board or rule uses a metric. The key is the metric's suffix.
    Example: `why_unused = { due = "A 999 call is due at once." }`."""

    def shown_by_area(self) -> tuple[str, ...]:
        """The windows in which it is published by area; none without a label for areas."""
        if AREA not in self.by.values():
            return ()
        asked = AREA_WINDOWS if self.area_windows is None else self.area_windows
        return tuple(window for window in self.windows if window in asked)

    def display(self) -> Display:
        """How it is shown, and its alerts."""
        return Display(
            excludes=self.excludes,
            board=self.board or STREAMS[self.stream].board.name,
            tiles=tuple(self.tiles),
            alerts=tuple(self.alerts),
            baseline=self.baseline,
            overdue_from=self.overdue_from,
            objectives=tuple((target.where, target.share) for target in self.targets if target.share is not None),
            why_unused=self.why_unused,
        )


EVERY_KIND: Final = (
    "kind", "stream", "brief", "definition", "source", "by", "area_windows", "rows", "excludes", "board", "tiles",
    "alerts", "why_unused",
)  # fmt: skip


def keys_of(kind: str) -> tuple[str, ...]:
    """The keys that an entry of a kind may have; empty for an unknown kind."""
    known = KINDS.get(kind)
    if known is None:
        return ()
    return (*EVERY_KIND, *known.keys(), *(key.name for key in known.own_keys))


def condition(table: dict[str, list[str | bool] | str | int | float]) -> Condition:
    """A condition from its table: `from`, `to` and `within_s` make an interval, other keys are terms.

    Raises:
        ValueError: The message says what to write.
    """
    interval = {key: table[key] for key in ("from", "to", "within_s") if key in table}
    accepted = {key: value for key, value in table.items() if key not in interval}
    if wrong := [key for key, value in accepted.items() if not isinstance(value, list) or not value]:
        raise ValueError(f"a list of accepted values for {', '.join(wrong)}")
    if interval and len(interval) != 3:
        raise ValueError("all three of from, to and within_s, or none of them")
    within_s = interval.get("within_s", 1)
    if not isinstance(within_s, int | float) or isinstance(within_s, bool) or not 0 < within_s < inf:
        raise ValueError("a number of seconds above 0 for within_s")
    return Condition(
        accepted={key: tuple(value) for key, value in accepted.items() if isinstance(value, list)},
        start=str(interval.get("from", "")),
        end=str(interval.get("to", "")),
        within_ms=round(within_s * 1000) if interval else 0,
    )
