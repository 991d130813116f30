"""The four kinds of panel, each with what every panel must have: unit, description, NO DATA and links.

A number that is not there must never look like one that is fine: no panel keeps an old value (`last` of an
instant query, never `lastNotNull`), an absent series has its own colour and word, and a normal number has no
fill at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeVar
from zlib import crc32

from grafana_foundation_sdk.builders import bargauge, common, prometheus, stat, table, timeseries
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models import common as shapes
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from watchroom.generate.boards import palette
from watchroom.generate.boards.states import Limits, Word, mappings, steps

SOURCE: Final = shapes.DataSourceRef(type_val="prometheus", uid="${datasource}")
TITLE_PX: Final = 28
MOST_STACKED: Final = 12  # columns; in a wider panel the name stands beside the number
REFS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

Builder = TypeVar("Builder", stat.Panel, bargauge.Panel, table.Panel, timeseries.Panel)


NO_NAMES: Final[Mapping[str, str]] = {}


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
    words: Mapping[int, Word] = field(default_factory=dict)


class Placed(NamedTuple):
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
    data_links: Sequence[Link] = (),
    width: int = 6,
    height: int = 5,
    size: int | None = None,
) -> Placed:
    """One number, or a few named ones, that somebody acts on; filled only when it is not normal.

    Args:
        head: Of the panel.
        queries: Instant queries, one or more series each.
        limits: From where a number is filled.
        named: Whether names stand beside the numbers.
        fills: A /pattern/ of names -> the fill of those, whatever their number.
        data_links: Where a click on a number leads.
        width: In the grid.
        height: In the grid.
        size: Of the numbers, px: the same for numbers that are read together; None: as large as there is room.
    """
    panel = stat.Panel().color_mode(shapes.BigValueColorMode.BACKGROUND_SOLID).wide_layout(width > MOST_STACKED)
    panel.graph_mode(shapes.BigValueGraphMode.NONE).justify_mode(shapes.BigValueJustifyMode.CENTER)
    panel.text_mode(shapes.BigValueTextMode.VALUE_AND_NAME if named else shapes.BigValueTextMode.VALUE)
    text = common.VizTextDisplayOptions().title_size(TITLE_PX)
    panel.text(text if size is None else text.value_size(size))
    panel.reduce_options(common.ReduceDataOptions().calcs(["last"]).values(False).fields(""))
    panel.color_scheme(build.FieldColor().mode(model.FieldColorModeId.THRESHOLDS))
    panel.thresholds(steps()).data_links([_link(link) for link in data_links])
    for pattern, colour in fills.items():
        fixed = {"mode": "fixed", "fixedColor": colour}
        panel.override_by_regexp(pattern, [model.DynamicConfigValue(id_val="color", value=fixed)])
    return _finished(panel, head, [_instant(query) for query in queries], limits, width=width, height=height)


def ranking(
    head: Head, query: Query, names: Mapping[str, str] = NO_NAMES, *, width: int = 12, height: int = 9
) -> Placed:
    """Bars, longest first; at most ten can be compared. `names` say label values in words."""
    panel = bargauge.Panel().display_mode(shapes.BarGaugeDisplayMode.BASIC).show_unfilled(False)
    panel.orientation(shapes.VizOrientation.HORIZONTAL).value_mode(shapes.BarGaugeValueMode.COLOR).min(0)
    panel.reduce_options(common.ReduceDataOptions().calcs(["last"]).values(False).fields(""))
    panel.color_scheme(build.FieldColor().mode(model.FieldColorModeId.FIXED).fixed_color(palette.INKS[0]))
    panel.thresholds(steps())
    for value, said in names.items():
        panel.override_by_name(value, [model.DynamicConfigValue(id_val="displayName", value=said)])
    return _finished(panel, head, [_instant(query)], None, width=width, height=height)


def rows(
    head: Head, queries: Sequence[Query], labels: Sequence[tuple[str, str]], *, descending: str = "", width: int = 24,
    height: int = 8, column_words: Mapping[str, tuple[str, Mapping[int, Word]]] | None = None,
    names: Mapping[str, Mapping[str, str]] | None = None
) -> Placed:  # fmt: skip
    """A table: one row for each set of labels, one column for each query.

    Args:
        head: Of the panel; its unit is every column's unless `column_words` gives another.
        queries: One for each column, all with the same labels.
        labels: Label and title of the columns that name a row, in order.
        descending: Title of the column that the rows are ordered by, highest first; empty: the first, lowest first.
        width: In the grid.
        height: In the grid.
        column_words: Title of a column -> its unit and the words of its numbers.
        names: Title of a label's column -> its values in words.
    """
    panel = table.Panel().cell_height(shapes.TableCellHeight.SM)
    cell = shapes.TableColoredBackgroundCellOptions(mode=shapes.TableCellBackgroundDisplayMode.BASIC)
    panel.cell_options(cell).filterable(False).thresholds(steps())
    panel.color_scheme(build.FieldColor().mode(model.FieldColorModeId.THRESHOLDS))
    order = {name: place for place, (name, _) in enumerate(labels)}
    titles = dict(labels)
    for place, query in enumerate(queries):
        # One query's column is called "Value", several are told apart by their letters.
        name = f"Value #{REFS[place]}" if len(queries) > 1 else "Value"
        order[name], titles[name] = len(labels) + place, query.name
    hidden = {name: True for name in ("Time", "force", "__name__", "window") if name not in titles}
    organised: dict[str, object] = {"excludeByName": hidden, "indexByName": order, "renameByName": titles}
    by = [{"field": descending or labels[0][1], "desc": bool(descending)}] if labels else []
    for kind, options in (("merge", {}), ("organize", organised), *((("sortBy", {"sort": by}),) if by else ())):
        panel.with_transformation(model.DataTransformerConfig(id_val=kind, options=options))
    for title, (unit, words) in (column_words or {}).items():
        override = [model.DynamicConfigValue(id_val="unit", value=unit)]
        if words:
            override.append(model.DynamicConfigValue(id_val="mappings", value=mappings(words, None)))
        panel.override_by_name(title, override)
    for title, said in (names or {}).items():
        values = mappings({value: Word(text, palette.QUIET) for value, text in said.items()}, None)
        panel.override_by_name(title, [model.DynamicConfigValue(id_val="mappings", value=values)])
    targets = [_instant(query).format(PromQueryFormat.TABLE) for query in queries]
    return _finished(panel, head, targets, None, width=width, height=height)


def trend(
    head: Head, queries: Sequence[Query], *, lines: Sequence[str] = (), limit: float | None = None,
    band: tuple[str, str] | None = None, width: int = 12, height: int = 9
) -> Placed:  # fmt: skip
    """How a number has gone; a gap is a gap, and no last number stays in the legend.

    Args:
        head: Of the panel.
        queries: Range queries.
        lines: Names of series, or /patterns/ of names, each of which gets its own ink and dash.
        limit: A target, drawn as a dashed line.
        band: Names of the highest and the lowest series, between which is filled.
        width: In the grid.
        height: In the grid.
    """
    panel = timeseries.Panel().line_width(2).fill_opacity(0).span_nulls(False).axis_soft_min(0)
    panel.show_points(shapes.VisibilityMode.NEVER).thresholds(steps() if limit is None else steps(limit))
    if limit is not None:
        dashed = common.GraphThresholdsStyleConfig().mode(shapes.GraphThresholdsStyleMode.DASHED)
        panel.thresholds_style(dashed)
    panel.color_scheme(build.FieldColor().mode(model.FieldColorModeId.FIXED).fixed_color(palette.INKS[0]))
    legend = common.VizLegendOptions().show_legend(True).display_mode(shapes.LegendDisplayMode.TABLE)
    panel.legend(legend.placement(shapes.LegendPlacement.BOTTOM).calcs(["min", "max"]))
    for place, name in enumerate(lines):
        style: dict[str, object] = {"fill": "solid"} if place == 0 else {"fill": "dash", "dash": _DASHES[place % 4]}
        colour = {"mode": "fixed", "fixedColor": palette.INKS[place % len(palette.INKS)]}
        properties: dict[str, object] = {"color": colour, "custom.lineStyle": style}
        if band and name == band[0]:
            properties |= {"custom.fillBelowTo": band[1], "custom.fillOpacity": 15}
        override = panel.override_by_regexp if name.startswith("/") else panel.override_by_name
        override(name, [model.DynamicConfigValue(id_val=k, value=v) for k, v in properties.items()])
    targets = [prometheus.Dataquery().expr(query.expr).legend_format(query.name).range() for query in queries]
    return _finished(panel, head, targets, None, width=width, height=height)


_DASHES: Final = ([0], [10, 6], [3, 4], [14, 4, 2, 4])


def _instant(query: Query) -> prometheus.Dataquery:
    return prometheus.Dataquery().expr(query.expr).legend_format(query.name).instant()


def _finished(
    panel: Builder,
    head: Head,
    targets: Sequence[prometheus.Dataquery],
    limits: Limits | None,
    *,
    width: int,
    height: int,
) -> Placed:
    """Gives a panel what all have."""
    panel.id(crc32(head.key.encode()) % 1_000_000 + 1).title(head.title).description(head.about).datasource(SOURCE)
    panel.unit(head.unit).decimals(head.decimals).mappings(mappings(head.words, limits)).no_value("NO DATA")
    for ref, target in zip(REFS, targets, strict=False):
        panel.with_target(target.ref_id(ref).datasource(SOURCE))
    panel.links([_link(link) for link in head.links])
    return Placed(panel.build(), width, height)


def _link(link: Link) -> build.DashboardLink:
    made = build.DashboardLink(link.title).type(model.DashboardLinkType.LINK).url(link.url)
    return made.target_blank(not link.url.startswith("/d/"))
