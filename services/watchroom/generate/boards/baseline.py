"""The last complete local hour, compared with the same local hour of the last six weeks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from watchroom.generate import promql
from watchroom.generate.boards import describe, queries
from watchroom.generate.boards.lines import trend
from watchroom.generate.boards.measure_panels import MOST_LINES, MeasurePanels, value_titles
from watchroom.generate.boards.panels import COUNT, Query, SizedPanel, rows
from watchroom.kinds.labels import value_title
from watchroom.kinds.measure import Label, Measure

COMPARED: Final = (
    "**Compared with.** The same local hour in each of the last 6 weeks, where known. Clock changes do not shift it."
)


def table(make: MeasurePanels, height: int) -> SizedPanel:
    """Rows: values of the first label."""
    label = make.first
    head = make.head(
        "baseline", f"{make.measure.brief}: last complete hour, compared with the last 6 weeks", COUNT, also=(COMPARED,)
    )
    asked = _queries(make.measure, {}, label, with_weeks=True)
    values = list(label.values) if label else []
    return rows(
        head, asked, [(label.name, describe.column(label))] if label else [],
        is_descending=values > sorted(values), width=12, height=height, names=value_titles([label] if label else []),
    )  # fmt: skip


def graphs(make: MeasurePanels) -> Iterator[SizedPanel]:
    """One for each value of the first label, where they are few."""
    label = make.first
    for value in label.values if label and len(label.values) <= MOST_LINES else []:
        said = value_title(label, value) if label else ""
        title = f"{make.measure.brief}, {said}: complete hour, compared with the last 6 weeks"
        asked = _queries(make.measure, {label.name: value} if label else {}, None)
        yield trend(
            make.head(f"baseline/{value}", title, COUNT, also=(COMPARED,)), asked,
            lines=[query.name for query in asked], band=("Highest", "Lowest"), height=10,
        )  # fmt: skip


def _queries(
    measure: Measure, where: Mapping[str, str], label: Label | None, *, with_weeks: bool = False
) -> list[Query]:
    """`with_weeks`: also show for how many weeks the hour is known, because a median of one week says little."""
    split = label.name if label else ""
    by = ", ".join(["force", *([split] if split else [])])
    last = promql.local_hour(measure, where, split, "0", queries.CHOSEN)
    weeks = promql.local_hour(measure, where, split, "[1-6]", queries.CHOSEN)
    return [
        Query(f"max by ({by}) ({last})", "Last hour"),
        Query(f"quantile by ({by}) (0.5, {weeks})", "Median"),
        Query(f"max by ({by}) ({weeks})", "Highest"),
        Query(f"min by ({by}) ({weeks})", "Lowest"),
        *([Query(f"count by ({by}) ({weeks})", "Weeks of data")] if with_weeks else []),
    ]
