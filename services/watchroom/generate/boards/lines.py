"""Lines: how numbers have changed over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from grafana_foundation_sdk.builders import common, prometheus, timeseries
from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.models import common as shapes
from grafana_foundation_sdk.models import dashboard as model

from watchroom.catalogue.formatting import NOT_FED
from watchroom.generate.boards import palette
from watchroom.generate.boards.panels import COUNT, NO_NAMES, Head, Query, SizedPanel, finished
from watchroom.generate.boards.queries import not_fed
from watchroom.generate.boards.states import line_mappings, steps

DASHES: Final = ([0], [10, 6], [3, 4], [14, 4, 2, 4])


def trend(
    head: Head, queries: Sequence[Query], *, lines: Sequence[str] = (), limit: float | None = None,
    band: tuple[str, str] | None = None, is_wide: bool = False,
    words: Mapping[str, str] = NO_NAMES, width: int = 12, height: int = 9
) -> SizedPanel:  # fmt: skip
    """How a number has changed over time; gaps stay visible, and no last number stays in the legend.

    Args:
        head: The panel's head.
        queries: Range queries.
        lines: Names of series, or /patterns/ of names, each of which gets its own ink and dash.
        limit: A target, drawn as a dashed line.
        band: Names of the highest and the lowest series; the space between them is filled.
        words: A name of `lines` -> what is written instead.
        is_wide: Whether small numbers must be visible next to large ones: the axis is linear up to 1, then logarithmic.
        width: In the grid.
        height: In the grid.
    """
    panel = timeseries.Panel().line_width(2).fill_opacity(0).span_nulls(False).axis_soft_min(0)
    panel.show_points(shapes.VisibilityMode.NEVER).thresholds(steps() if limit is None else steps(limit))
    if is_wide:
        scale = common.ScaleDistributionConfig().type(shapes.ScaleDistribution.SYMLOG).log(10).linear_threshold(1)
        panel.scale_distribution(scale).min(0)
    elif head.unit == COUNT:
        panel.axis_soft_max(10)
    elif head.unit == "percentunit":
        panel.axis_soft_max(1)
    if limit is not None:
        dashed = common.GraphThresholdsStyleConfig().mode(shapes.GraphThresholdsStyleMode.DASHED)
        panel.thresholds_style(dashed)
    panel.color_scheme(build.FieldColor().mode(model.FieldColorModeId.FIXED).fixed_color(palette.INKS[0]))
    legend = common.VizLegendOptions().show_legend(True).display_mode(shapes.LegendDisplayMode.TABLE)
    panel.legend(legend.placement(shapes.LegendPlacement.BOTTOM).calcs(["min", "max"]))
    for place, name in enumerate(lines):
        style: dict[str, object] = {"fill": "solid"} if place == 0 else {"fill": "dash", "dash": DASHES[place % 4]}
        ink = palette.PAST_INK if band and name in band else palette.INKS[place % len(palette.INKS)]
        colour = {"mode": "fixed", "fixedColor": ink}
        properties: dict[str, object] = {"color": colour, "custom.lineStyle": style}
        if name in words:
            properties["displayName"] = words[name]
        if band and name == band[0]:
            properties |= {"custom.fillBelowTo": band[1], "custom.fillOpacity": 15}
        override = panel.override_by_regexp if name.startswith("/") else panel.override_by_name
        override(name, [model.DynamicConfigValue(id_val=k, value=v) for k, v in properties.items()])
    asked = [*queries, *_not_fed(head)]
    targets = [prometheus.Dataquery().expr(query.expr).legend_format(query.name).range() for query in asked]
    return finished(panel, head, targets, None, width=width, height=height, said=line_mappings())


def _not_fed(head: Head) -> list[Query]:
    """A line without values (0 / 0) whose name in the legend says that a stream of the panel is not fed."""
    return [Query(f"0 * ({not_fed(head.streams)}) / 0", NOT_FED)] if head.streams else []
