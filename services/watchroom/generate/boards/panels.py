"""The four kinds of panel, each with what every panel must have: unit, description, NO DATA and links.

A missing number must never look like a normal one: no panel keeps an old value (`last` of an
instant query, never `lastNotNull`), an absent series has its own colour and word, and a normal number has no
fill at all.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeVar
from zlib import crc32

from grafana_foundation_sdk.builders import bargauge, common, prometheus, stat, table, timeseries
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models import common as shapes
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from watchroom.catalogue.formatting import NO_DATA
from watchroom.generate.boards import palette
from watchroom.generate.boards.queries import not_fed
from watchroom.generate.boards.states import NOT_FED_TEXT, Limits, StateText, mappings, steps

SOURCE: Final = shapes.DataSourceRef(type_val="prometheus", uid="${datasource}")
TITLE_PX: Final = 28
MOST_STACKED: Final = 12  # columns; in a wider panel the name is next to the number
LONG_NAME: Final = 11  # characters
NAMES_PX: Final = 230
LEAST_PX: Final = 64  # of a column: with Grafana's default of 150 the last columns would not fit
MINUTES: Final = "time:m [min] ss [s]"  # of ms; everything shown in this unit is shorter than an hour
REFS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

Builder = TypeVar("Builder", stat.Panel, bargauge.Panel, table.Panel, timeseries.Panel)


NO_NAMES: Final[Mapping[str, str]] = {}
NO_STATE_TEXTS: Final[Mapping[int, StateText]] = {}
COUNT: Final = "locale"  # 83,584


def panel_id(key: str) -> int:
    """A number from 1 to 2^31 - 1: enough that two keys of one board do not collide."""
    return crc32(key.encode()) % (2**31 - 1) + 1


class Query(NamedTuple):
    """One query, and how its series (or its column) is named."""

    expr: str
    name: str


class Link(NamedTuple):
    """Where a click leads."""

    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Head:
    """What every panel has. `key` makes the id: it stays the same when other panels come and go."""

    key: str
    title: str
    about: str
    unit: str
    links: tuple[Link, ...]
    decimals: int = 0
    words: Mapping[int, StateText] = field(default_factory=dict)
    streams: tuple[str, ...] = ()  # whose figures it shows; empty: the platform's
    nothing: str = NO_DATA  # what it says while there is no series


class SizedPanel(NamedTuple):
    """A finished panel and its size in the grid of 24 columns."""

    panel: model.Panel
    width: int
    height: int


def number(
    head: Head,
    queries: Sequence[Query],
    *,
    limits: Limits | None = None,
    named: bool = False,
    fills: Mapping[str, str] = NO_NAMES,
    fill_unit: str = "",
    long: Sequence[Query] = (),
    name_px: int = TITLE_PX,
    data_links: Sequence[Link] = (),
    width: int = 6,
    height: int = 5,
    size: int | None = None,
) -> SizedPanel:
    """One number, or a few named ones, that somebody acts on; filled only when it is not normal.

    Args:
        head: The panel's head.
        queries: Instant queries, one or more series each.
        limits: The limits from which a number is filled with colour.
        named: Whether names are shown with the numbers.
        fills: A /pattern/ of names -> the fill of those, whatever their number.
        fill_unit: Their unit; empty: the same as the others.
        long: Queries of waits of 100 s and more, in ms: they are written in minutes.
        name_px: Size of names.
        data_links: Where a click on a number leads.
        width: In the grid.
        height: In the grid.
        size: Of the numbers, px: the same for numbers that are read together; None: as large as there is room.
    """
    panel = stat.Panel().color_mode(shapes.BigValueColorMode.BACKGROUND_SOLID).wide_layout(width > MOST_STACKED)
    panel.graph_mode(shapes.BigValueGraphMode.NONE).justify_mode(shapes.BigValueJustifyMode.CENTER)
    panel.text_mode(shapes.BigValueTextMode.VALUE_AND_NAME if named else shapes.BigValueTextMode.VALUE)
    text = common.VizTextDisplayOptions().title_size(name_px)
    panel.text(text if size is None else text.value_size(size))
    panel.reduce_options(common.ReduceDataOptions().calcs(["last"]).values(False).fields(""))
    panel.color_scheme(build.FieldColor().mode(model.FieldColorModeId.THRESHOLDS))
    panel.thresholds(steps()).data_links([_link(link) for link in data_links])
    for pattern, colour in fills.items():
        override = [model.DynamicConfigValue(id_val="color", value={"mode": "fixed", "fixedColor": colour})]
        if fill_unit:
            override.append(model.DynamicConfigValue(id_val="unit", value=fill_unit))
        panel.override_by_regexp(pattern, override)
    for ref in REFS[len(queries) : len(queries) + len(long)]:
        panel.override_by_query(ref, [model.DynamicConfigValue(id_val="unit", value=MINUTES)])
    asked = [*queries, *long, *_not_fed(head)]
    return finished(panel, head, [_instant(query) for query in asked], limits, width=width, height=height)


def ranking(
    head: Head, query: Query, names: Mapping[str, str] = NO_NAMES, *, width: int = 12, height: int = 9
) -> SizedPanel:
    """Bars, longest first; at most ten can be compared. `names` say label values in words."""
    panel = bargauge.Panel().display_mode(shapes.BarGaugeDisplayMode.BASIC).show_unfilled(False)
    panel.orientation(shapes.VizOrientation.HORIZONTAL).value_mode(shapes.BarGaugeValueMode.COLOR).min(0)
    panel.reduce_options(common.ReduceDataOptions().calcs(["last"]).values(False).fields(""))
    panel.color_scheme(build.FieldColor().mode(model.FieldColorModeId.FIXED).fixed_color(palette.INKS[0]))
    panel.thresholds(steps())
    for value, said in names.items():
        panel.override_by_name(value, [model.DynamicConfigValue(id_val="displayName", value=said)])
    asked = [query, *_not_fed(head)]
    return finished(panel, head, [_instant(each) for each in asked], None, width=width, height=height)


class Column(NamedTuple):
    """How the numbers of one column of a table are written."""

    unit: str
    words: Mapping[int, StateText] = NO_STATE_TEXTS
    decimals: int = 0
    warning: float | None = None  # filled from here on; the column's title is the word
    empty: str = ""  # what a cell says that can have no number
    may_be_negative: bool = False  # then -1 is a number; the other columns show whether the stream is fed


def rows(
    head: Head, queries: Sequence[Query], labels: Sequence[tuple[str, str]], *, order: str = "",
    hide: Sequence[str] = (), is_descending: bool = False, width: int = 24, height: int = 8,
    columns: Mapping[str, Column] | None = None,
    names: Mapping[str, Mapping[str, str]] | None = None, label_px: int = 0,
) -> SizedPanel:  # fmt: skip
    """A table: one row for each set of labels, one column for each query.

    Args:
        head: The panel's head; its unit is every column's unless `columns` gives another.
        queries: One for each column, all with the same labels.
        labels: Label and title of the columns that name a row, in order.
        order: Label that the rows are ordered by; empty: the first.
        hide: Labels that are not shown.
        is_descending: Whether the highest comes first.
        width: In the grid.
        height: In the grid.
        columns: Title of a column -> how its numbers are written.
        names: Title of a label's column -> its values in words.
        label_px: Width of the labels' columns; 0: as wide as the others, or as long names need.
    """
    panel = table.Panel().cell_height(shapes.TableCellHeight.SM)
    cell = shapes.TableColoredBackgroundCellOptions(mode=shapes.TableCellBackgroundDisplayMode.BASIC)
    panel.cell_options(cell).filterable(False).thresholds(steps()).min_width(LEAST_PX)
    panel.color_scheme(build.FieldColor().mode(model.FieldColorModeId.THRESHOLDS))
    places = {name: place for place, (name, _) in enumerate(labels)}
    titles = dict(labels)
    for place, query in enumerate(queries):
        # One query's column is called "Value", several are told apart by their letters.
        name = f"Value #{REFS[place]}" if len(queries) > 1 else "Value"
        places[name], titles[name] = len(labels) + place, query.name
    hidden = {name: True for name in ("Time", "force", *hide) if name not in titles}
    organised: dict[str, object] = {"excludeByName": hidden, "indexByName": places, "renameByName": titles}
    by = [{"field": order or labels[0][0], "desc": is_descending}] if labels else []
    for kind, options in (("merge", {}), *((("sortBy", {"sort": by}),) if by else ()), ("organize", organised)):
        panel.with_transformation(model.DataTransformerConfig(id_val=kind, options=options))
    panel.override_by_regexp("/.*/", [model.DynamicConfigValue(id_val="custom.wrapHeaderText", value=True)])
    for _, title in labels:
        panel.override_by_name(title, _label_column((names or {}).get(title, {}), label_px))
    for title, column in (columns or {}).items():
        panel.override_by_name(title, _written(column))
    asked = [_or_not_fed(query, head) for query in queries]
    targets = [prometheus.Dataquery().expr(query.expr).instant().format(PromQueryFormat.TABLE) for query in asked]
    return finished(panel, head, targets, None, width=width, height=height)


def _label_column(names: Mapping[str, str], label_px: int) -> list[model.DynamicConfigValue]:
    """Texts without a unit: with one they would be read as numbers, Grade 1 as 100 %."""
    found: dict[str, object] = {"unit": "string"}
    if label_px or max(map(len, names.values()), default=0) > LONG_NAME:
        found["custom.width"] = label_px or NAMES_PX
    if names:
        found["mappings"] = mappings({value: StateText(text) for value, text in names.items()}, None)
    return [model.DynamicConfigValue(id_val=name, value=value) for name, value in found.items()]


def _not_fed(head: Head) -> list[Query]:
    """A number instead of all others, where a stream of the panel is not fed."""
    return [Query(not_fed(head.streams), " or ".join(head.streams))] if head.streams else []


def _or_not_fed(query: Query, head: Head) -> Query:
    """The same in the first row of a table, which has no other then and no label."""
    return query._replace(expr=f"{query.expr} or {not_fed(head.streams)}") if head.streams else query


def _written(column: Column) -> list[model.DynamicConfigValue]:
    found: dict[str, object] = {"unit": column.unit, "decimals": column.decimals}
    not_fed = {} if column.may_be_negative else NOT_FED_TEXT
    if column.words or column.empty or column.warning is not None or column.may_be_negative:
        limits = None if column.warning is None else Limits(column.warning, math.inf, "", "")
        found["mappings"] = mappings({**column.words, **not_fed}, limits, column.empty)
    return [model.DynamicConfigValue(id_val=name, value=value) for name, value in found.items()]


def _instant(query: Query) -> prometheus.Dataquery:
    return prometheus.Dataquery().expr(query.expr).legend_format(query.name).instant()


def finished(
    panel: Builder,
    head: Head,
    targets: Sequence[prometheus.Dataquery],
    limits: Limits | None,
    *,
    width: int,
    height: int,
    said: list[model.ValueMapping] | None = None,
) -> SizedPanel:
    """Gives a panel what all panels have; `said` replaces the mappings of its head and limits."""
    panel.id(panel_id(head.key)).title(head.title).description(head.about).datasource(SOURCE)
    panel.unit(head.unit).decimals(head.decimals).no_value(head.nothing)
    words = {**head.words, **(NOT_FED_TEXT if head.streams else {})}
    panel.mappings(mappings(words, limits) if said is None else said)
    for ref, target in zip(REFS, targets, strict=False):
        panel.with_target(target.ref_id(ref))
    panel.links([_link(link) for link in head.links])
    return SizedPanel(panel.build(), width, height)


def _link(link: Link) -> build.DashboardLink:
    made = build.DashboardLink(link.title).type(model.DashboardLinkType.LINK).url(link.url)
    return made.target_blank(not link.url.startswith("/d/"))
