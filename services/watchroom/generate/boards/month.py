"""Month: every measure that is kept by month, the running one and the last 12, against its objectives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from watchroom.catalogue.model import Label, Measure
from watchroom.catalogue.shown import PERCENTILES, WORDS
from watchroom.generate.boards import ask, describe, palette
from watchroom.generate.boards.age import data_age
from watchroom.generate.boards.board import Board, Section, Sources, links
from watchroom.generate.boards.panels import REFS, Head, Placed, Query, rows
from watchroom.generate.boards.states import Word

MONTH: Final = "month"
MET: Final = {0: Word("MISSED", palette.WARNING), 1: Word("MET", palette.QUIET)}
MONTHS: Final = 13
UNITS: Final = {"count": "none", "share": "percentunit", "s": "s"}
WORDS_SHOWN: Final = {
    "count": ("number",),
    "share": ("share", "part", "whole"),
    "duration": ("within", "met", "observations", "mean", "p50", "p90"),
}


def make(sources: Sources) -> Sequence[Section]:
    """Each measure with the window `month`."""
    measures = [measure for measure in sources.catalogue.measures.values() if MONTH in measure.windows]
    found = [Section(measure.brief, list(_tables(sources, measure))) for measure in measures]
    return [Section("", [data_age(sources, 24, 4)]), *found]


BOARD: Final = Board(
    "month",
    "Month",
    "The running month and the last 12, as they stand today; `watchroom months` also says what was restated.",
    "1h",
    make,
)


def _tables(sources: Sources, measure: Measure) -> Iterator[Placed]:
    for what in WORDS_SHOWN[measure.kind]:
        if what in ("within", "met") and not measure.targets:
            continue
        if what in PERCENTILES and len(measure.labels) > 1:
            continue  # ranks cannot be added over a label
        for label in measure.labels or (None,):
            if what in ("within", "met") and label and not _has_targets(measure, label):
                continue
            yield _table(sources, measure, what, label)


def _table(sources: Sources, measure: Measure, what: str, label: Label | None) -> Placed:
    """Rows: months. Columns: values of a label, all, and whether an objective was met."""
    queries: list[Query] = []
    columns: dict[str, tuple[str, Mapping[int, Word]]] = {}
    for value in ask.values_shown(measure, label, what) if label else []:
        where = {label.name: value} if label else {}
        title = describe.label_value(label, value) if label else ""
        expr = ask.one(sources.catalogue, measure, what, where=where, window=MONTH)
        queries.append(Query(expr, title))
        objective = measure.display.objective_for(where) if what == "within" else None
        if objective is not None:
            met = f"(({expr}) >= bool {objective:g}) + 0 * ({expr})"  # NaN stays NaN: nothing was missed
            queries.append(Query(met, f"{title}: objective {objective:.0%}"))
            columns[queries[-1].name] = ("none", MET)
    if ask.adds_up(measure, what) or not label:
        queries.append(Query(ask.one(sources.catalogue, measure, what, window=MONTH), "All"))
    unit, said = _unit(measure, what)
    by = f", by {label.name}" if label else ""
    threshold = ", ".join(name for name in columns) or describe.NO_LIMITS
    months = "**Rows.** The running month is not complete. `All` counts unlisted and absent values as well."
    head = Head(
        f"month/{measure.id}/{what}/{label.name if label else ''}", f"{measure.brief}: {said}{by}",
        describe.measure_card(measure, threshold, [months]), unit,
        links(sources, measure, measure.display.board), 0 if unit == "none" else 1,
    )  # fmt: skip
    width = 24 if len(queries) > 5 else 12
    month = [("month", "Month")]
    return rows(
        head, queries[: len(REFS)], month, descending="Month", width=width, height=MONTHS + 3, column_words=columns
    )


def _unit(measure: Measure, what: str) -> tuple[str, str]:
    """Unit and words of a column; two words are only ever shown here."""
    beside = {"met": ("none", "number within the target"), "whole": ("none", "the whole, number")}
    if what in beside:
        return beside[what]
    if what == "part":
        return "none", "the part, number"
    word = WORDS[measure.kind][what]
    return UNITS[word.unit], word.meaning


def _has_targets(measure: Measure, label: Label) -> bool:
    """Whether a target can be told from this label alone."""
    return all(set(target.where) <= {label.name} for target in measure.targets)
