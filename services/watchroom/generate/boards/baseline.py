"""The last complete local hour, compared with the same local hour of the last six weeks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from watchroom.generate import promql
from watchroom.generate.boards import describe, queries
from watchroom.generate.boards.lines import trend
from watchroom.generate.boards.measure_panels import MOST_LINES, MeasurePanels, in_words
from watchroom.generate.boards.panels import COUNT, Query, SizedPanel, rows
from watchroom.kinds.labels import value_words
from watchroom.kinds.measure import Label, Measure

COMPARED: Final = (
    "**Compared with.** The same local hour in each of the last 6 weeks, if it is known. Clock changes do not shift it."
)


def table(make: MeasurePanels, height: int) -> SizedPanel:
    """Rows: values of the first label."""
    label = make.first
    head = make.head(
        "baseline", f"{make.measure.brief}: last complete hour against the last 6 weeks", COUNT, also=(COMPARED,)
    )
    asked = [*_queries(make.measure, {}, label), _weeks_held(make.measure, label)]
    values = list(label.values) if label else []
    return rows(
        head, asked, [(label.name, describe.column(label))] if label else [],
        is_descending=values > sorted(values), width=12, height=height, names=in_words([label] if label else []),
    )  # fmt: skip


def graphs(make: MeasurePanels) -> Iterator[SizedPanel]:
    """One for each value of the first label, where they are few."""
    label = make.first
    for value in label.values if label and len(label.values) <= MOST_LINES else []:
        said = value_words(label, value) if label else ""
        title = f"{make.measure.brief}, {said}: complete hour against the last 6 weeks"
        asked = list(_queries(make.measure, {label.name: value} if label else {}, None))
        yield trend(
            make.head(f"baseline/{value}", title, COUNT, also=(COMPARED,)), asked,
            lines=[query.name for query in asked], band=("Highest", "Lowest"), height=10,
        )  # fmt: skip


def _weeks_held(measure: Measure, label: Label | None) -> Query:
    """For how many weeks the hour is known: a median of one says little."""
    split = label.name if label else ""
    by = ", ".join(["force", *([split] if split else [])])
    expr = f"count by ({by}) ({promql.local_hour(measure, {}, split, '[1-6]', queries.CHOSEN)})"
    return Query(expr, "Weeks of data")


def _queries(measure: Measure, where: Mapping[str, str], label: Label | None) -> Iterator[Query]:
    split = label.name if label else ""
    by = ", ".join(["force", *([split] if split else [])])
    last = promql.local_hour(measure, where, split, "0", queries.CHOSEN)
    weeks = promql.local_hour(measure, where, split, "[1-6]", queries.CHOSEN)
    for expr, name in (
        (f"max by ({by}) ({last})", "Last hour"),
        (f"quantile by ({by}) (0.5, {weeks})", "Median"),
        (f"max by ({by}) ({weeks})", "Highest"),
        (f"min by ({by}) ({weeks})", "Lowest"),
    ):
        yield Query(expr, name)
