"""Month: every measure that is kept by month, for the current month and the last 12, against its objectives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from watchroom.catalogue.rows import UNLISTED, decides_targets, month_labels, values_shown
from watchroom.generate import promql
from watchroom.generate.boards import palette, queries
from watchroom.generate.boards.age import data_age
from watchroom.generate.boards.board import AGE_HEIGHT, COLUMNS, MOST_OPEN_ROWS, Board, Section, Sources
from watchroom.generate.boards.measure_panels import MOST_LINES, MeasurePanels
from watchroom.generate.boards.panels import COUNT, REFS, Column, Query, SizedPanel, rows
from watchroom.generate.boards.states import StateText
from watchroom.kinds import is_additive, kind_of
from watchroom.kinds.labels import title_of, value_title
from watchroom.kinds.measure import AREA, Label, Measure
from watchroom.kinds.shown import Shown
from watchroom.rolling.windows import MONTH

WRITTEN: Final = "written"  # label: the month as it is written, "2026-11 (so far)"
MONTHS: Final = 13
MONTH_PX: Final = 132  # "2026-11 (so far)"
NARROW: Final = COLUMNS // 3
HEIGHT: Final = MONTHS + 2
BY_AREA: Final = (
    " Only the current month and the last complete month are published by area; `watchroom months` shows older months "
    "by area."
)
MOST_NARROW: Final = 5  # columns next to the month
MET: Final = {
    0: StateText("MISSED", palette.QUIET),
    1: StateText("MET", palette.QUIET),
    2: StateText("MISSED so far", palette.WARNING),  # the only month whose result can still be changed
    3: StateText("MET so far", palette.QUIET),
}


def make(sources: Sources) -> Sequence[Section]:
    """Each measure with the window `month`: its headline open, the rest behind its heading."""
    measures = [
        measure
        for measure in sources.catalogue.measures.values()
        if MONTH in measure.windows and kind_of(measure).by_month
    ]
    lines = (MOST_OPEN_ROWS - AGE_HEIGHT - len(measures)) // HEIGHT
    first = {m.id: _headline(m) for m in measures[: lines * (COLUMNS // NARROW)]}
    closed = [Section(m.brief, list(_more(sources, m, first.get(m.id))), is_closed=True) for m in measures]
    return [
        Section("", [data_age(sources, 24, AGE_HEIGHT)]),
        Section("", [_table(sources, m, *first[m.id], width=NARROW) for m in measures if m.id in first]),
        *(section for section in closed if section.panels),
    ]


BOARD: Final = Board(
    "month",
    "Month",
    "The current month and the last 12, as known today; `watchroom months` also shows restatements.",
    "1h",
    make,
)


def _headline(measure: Measure) -> tuple[str, Label | None]:
    """The quantity and the label that are open on the board: few columns, and the target if there is one."""
    kind = kind_of(measure)
    label = next((each for each in month_labels(measure) if len(each.values) <= MOST_LINES), None)
    shown = [what for what in kind.trends if what in kind.by_month and _can_be_shown(measure, what, label)]
    return next(iter(shown), kind.base), label


def _can_be_shown(measure: Measure, what: str, label: Label | None) -> bool:
    """Whether a quantity can be shown by this label: one with a target only where the label decides which target."""
    if not kind_of(measure).quantities[what].needs_target:
        return True
    return bool(measure.targets) and label is not None and decides_targets(measure, label)


def _more(sources: Sources, measure: Measure, headline: tuple[str, Label | None] | None) -> Iterator[SizedPanel]:
    kind = kind_of(measure)
    for what in kind.by_month:
        quantity = kind.quantities[what]
        if quantity.needs_target and not measure.targets:
            continue
        if not quantity.is_additive and len(measure.labels) > 1:
            continue  # ranks cannot be added over a label
        for label in month_labels(measure) or (None,):
            if quantity.needs_target and label and not decides_targets(measure, label):
                continue
            if (what, label) != headline:
                is_wide = label and len(label.values) > MOST_NARROW
                yield _table(sources, measure, what, label, width=COLUMNS if is_wide else NARROW)


def _table(sources: Sources, measure: Measure, what: str, label: Label | None, *, width: int) -> SizedPanel:
    """Rows: months. Columns: values of a label, whether an objective was met, all, and the count behind a share."""
    kind = kind_of(measure)
    quantity = kind.quantities[what]
    asked: list[Query] = []
    columns: dict[str, Column] = {}
    for value in values_shown(measure, label, what) if label else []:
        where = {label.name: value} if label else {}
        title = value_title(label, value) if label else ""
        expr = queries.one(sources.catalogue, measure, what, where=where, window=MONTH)
        asked.append(Query(expr, title))
        objective = measure.display.objective_for(where) if quantity.is_met_share else None
        if objective is not None:
            met = f"ceil((sgn({expr} - {objective:g}) + 1) / 2)"  # 0 or 1; NaN stays NaN: nothing was missed
            met = f"{met} + on (force, {MONTH}) 2 * {queries.MONTH_RUNNING}"
            asked.append(Query(met, f"{title}: objective {objective:.0%}"))
            columns[asked[-1].name] = Column(COUNT, MET)
    if label and what == kind.base:
        rest = promql.rest(sources.catalogue, measure, Shown(what, {}, MONTH, label.name), queries.CHOSEN)
        asked.append(Query(rest, UNLISTED))
    all_of_it = queries.one(sources.catalogue, measure, what, window=MONTH)
    if what == kind.base:
        asked.append(Query(_written(all_of_it), "All"))
    else:
        if is_additive(measure, what) or not label:
            asked.append(Query(all_of_it, "All"))
        asked.append(Query(_written(queries.one(sources.catalogue, measure, kind.base, window=MONTH)), "Of all"))
        columns["Of all"] = Column(COUNT)
    make = MeasurePanels(sources, measure)
    by = f", by {title_of(label)}" if label else ""
    threshold = ", ".join(
        f"{name}: highlighted if missed so far in the current month" for name in columns if name != "Of all"
    )
    months = (
        "**Rows.** The current month is not complete, and the first month shown may be incomplete because the feed "
        f"began during it. `All` also counts unlisted and absent values (`{UNLISTED}` in tables of counts); `Of all` "
        "is the count that each figure is based on."
    )
    if label and label.value_of == AREA:
        months += BY_AREA
    key, title = f"{what}/{label.name if label else ''}", f"{measure.brief}: {make.title(what)}{by}"
    head = make.head(key, title, make.units[quantity.unit], threshold, (months,), on_month=True)
    return rows(
        head, asked[: len(REFS)], [(WRITTEN, "Month")], order=MONTH, hide=(MONTH,), is_descending=True,
        width=width, height=HEIGHT, columns=columns, label_px=MONTH_PX,
    )  # fmt: skip


def _written(expr: str) -> str:
    """Each month with how it is written: the current month is not complete."""
    months = f"max by (force, {MONTH}, {WRITTEN}) (watchroom_month_running{{{queries.CHOSEN[0]}}})"
    return f"{expr} + on (force, {MONTH}) group_left ({WRITTEN}) 0 * {months}"
