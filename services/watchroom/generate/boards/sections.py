"""What a board shows of one measure, by the form that its kind names; a measure that is added later gets the same.

One line is open on the board: a table of now or of the last hour, and next to it the same over time. The other
windows and quantities are below, behind a heading that a click opens.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import prod
from typing import NamedTuple, assert_never

from watchroom.catalogue.formatting import window_text
from watchroom.catalogue.rows import deciding_labels, excluded, has, windows_by
from watchroom.generate.boards import baseline, describe, queries
from watchroom.generate.boards.board import Section
from watchroom.generate.boards.measure_panels import LENGTHS, MOST_LINES, MeasurePanels, value_titles
from watchroom.generate.boards.panels import COUNT, Column, Query, SizedPanel, ranking, rows
from watchroom.generate.boards.states import NO_FIGURE
from watchroom.kinds import figure
from watchroom.kinds.kind import Form, Over, Quantity, Unit
from watchroom.kinds.labels import capital, title_of, value_title
from watchroom.kinds.measure import Label

MOST_BARS = 10
LEAST_HEIGHT = 8  # of a graph with its legend
MOST_HEIGHT = 20  # of a table: a longer one is scrolled
NO_TARGET = "no target"
NO_SUM = "not summed"
NEVER_CLOSED = "Never closed by the feed (not counted)"
SPAN = "span"


class Parts(NamedTuple):
    """Everything about one measure."""

    shown: Sequence[SizedPanel]  # one or two lines of the grid
    more: Section


def of_measure(make: MeasurePanels) -> Parts:
    """What is shown at once, and what is behind a heading."""
    form = make.kind.form
    match form:
        case Form.TALLY:
            shown, more = _tally(make), _more_tally(make)
        case Form.SUMMARY:
            shown, more = _summary(make), _more_summary(make)
        case Form.NOW:
            shown, more = _now(make), _more_now(make)
        case Form.FIGURE:
            shown, more = _figure(make), iter(())
        case Form.LIST | Form.TEXT:
            return Parts((), Section(make.measure.brief, (), is_closed=True))
        case _:
            assert_never(form)
    return Parts(list(shown), Section(make.measure.brief, list(more), is_closed=True))


def _short(make: MeasurePanels) -> Label | None:
    """The label with the fewest values: the one that fits next to a graph."""
    return min(make.labels, key=lambda label: len(label.values), default=None)


def _height(label: Label | None) -> int:
    return max(LEAST_HEIGHT, 5 + len(label.values if label else ()))


def _available(make: MeasurePanels, whats: Sequence[str]) -> list[str]:
    """The quantities that this measure has."""
    return [what for what in whats if has(make.measure, make.kind.quantities[what])]


def _heading(quantity: Quantity) -> str:
    return quantity.column or capital(quantity.meaning)


# ---------------------------------------------------------------------------------------------- tally


def _tally(make: MeasurePanels) -> Iterator[SizedPanel]:
    label = make.first if make.measure.display.baseline else _short(make)
    height = _height(label)
    long = next((each for each in make.labels if len(each.values) > MOST_LINES), None)
    what = make.kind.base
    if make.measure.display.baseline:
        yield baseline.table(make, height)
        yield make.line(what, height=height)
    elif long:
        yield make.by_window(what, label, height=10)
        yield _ranking(make, what, long)
    else:
        yield make.by_window(what, label, height=height)
        yield make.line(what, height=height)


def _more_tally(make: MeasurePanels) -> Iterator[SizedPanel]:
    measure = make.measure
    what = make.kind.base
    is_long = any(len(each.values) > MOST_LINES for each in make.labels)
    if measure.display.baseline:
        yield from baseline.graphs(make)
    for label in make.labels or (None,):
        if measure.display.baseline or (label is not _short(make)):
            yield make.by_window(what, label)
    if len(make.labels) == 2 and len(make.labels[0].values) <= MOST_LINES:
        yield make.by_window(what, None)
    if is_long and not measure.display.baseline:
        yield make.line(what)


def _ranking(make: MeasurePanels, what: str, label: Label) -> SizedPanel:
    windows = windows_by(make.measure, label)
    window = "28d" if "28d" in windows else windows[-1]
    expr = queries.one(make.catalogue, make.measure, what, window=window, split=label.name)
    title = f"{make.measure.brief}: highest by {title_of(label)}, {window_text(window)}"
    head = make.head(f"ranking/{label.name}", title, COUNT)
    names = {value: value_title(label, value) for value in label.values}
    query = Query(f"sort_desc(topk({MOST_BARS}, {expr}))", f"{{{{{label.name}}}}}")
    return ranking(head, query, names, height=10)


# -------------------------------------------------------------------------------------------- summary


def _summary(make: MeasurePanels) -> Iterator[SizedPanel]:
    unit, titles, columns = make.units[make.kind.unit], {}, {}
    for what in _available(make, make.kind.summary):
        quantity = make.kind.quantities[what]
        if not quantity.is_additive and len(make.measure.labels) > 1:
            continue  # ranks cannot be added over a label
        titles[what] = _heading(quantity)
        empty = NO_TARGET if quantity.needs_target else "" if quantity.is_additive else NO_SUM
        if empty or make.units[quantity.unit] != unit:
            decimals = 0 if quantity.unit is Unit.NUMBER else 1
            columns[what] = Column(make.units[quantity.unit], decimals=decimals, empty=empty)
    height = _height(make.first)
    yield make.summary(titles, unit, columns, make.first, height=height)
    what = _available(make, make.kind.trends)[0]
    yield make.line(what, height=height)


def _more_summary(make: MeasurePanels) -> Iterator[SizedPanel]:
    quantities = {what: make.kind.quantities[what] for what in _available(make, make.kind.summary)}
    shares = [what for what, quantity in quantities.items() if quantity.unit is Unit.SHARE]
    for what in shares:
        for label in deciding_labels(make.measure, what) or (None,):
            yield make.by_window(what, label)
    for what, quantity in quantities.items():
        if what not in shares:
            label = make.first if quantity.is_additive else None
            if not windows_by(make.measure, label, what):
                continue  # ranks by area are published in few windows, perhaps in none of this measure's
            yield make.by_window(what, label)
    if len(make.labels) == 2:
        for what in shares:
            yield make.by_window(what, None)
    for what in _available(make, make.kind.trends)[1:]:
        yield make.line(what)
    if excluded(make.measure, Over.WINDOWS):
        yield make.excluded()


# ------------------------------------------------------------------------------------------------ now


def _now(make: MeasurePanels) -> Iterator[SizedPanel]:
    measure, kind = make.measure, make.kind
    found = {what: kind.quantities[what] for what in _available(make, kind.summary)}
    shown = {what: each for what, each in found.items() if each.suffix not in measure.display.why_unused}
    asked = [Query(make.now(what), _heading(each)) for what, each in shown.items()]
    asked += [Query(make.now(suffix), NEVER_CLOSED) for suffix in excluded(measure, Over.NOW)]
    count = prod(len(label.values) for label in measure.labels)
    length = "dtdhms" if make.units[Unit.SECONDS] == LENGTHS else LENGTHS
    columns = {_heading(each): Column(length) for each in kind.quantities.values() if each.unit is Unit.SECONDS}
    limited = [tile for tile in measure.display.tiles if tile.limits_every_number]
    for tile in limited:
        columns[_heading(kind.quantities[tile.shown.what])] = Column(COUNT, warning=tile.warning)
    threshold = "; ".join(
        f"{_heading(kind.quantities[tile.shown.what])} is highlighted from {tile.warning:g}" for tile in limited
    )
    head = make.head("now", f"{measure.brief}: now", COUNT, threshold)
    height = min(MOST_HEIGHT, max(LEAST_HEIGHT, 4 + count))
    yield make.rows(head, asked, None, height=height, columns=columns)
    yield make.line(kind.trends[0], is_wide=True, height=height)


def _more_now(make: MeasurePanels) -> Iterator[SizedPanel]:
    for what in _available(make, make.kind.trends[1:]):
        yield make.line(what, is_wide=True)


# -------------------------------------------------------------------------------------------- figures


def _figure(make: MeasurePanels) -> Iterator[SizedPanel]:
    """For each label set and span, the figure whose period ends latest, with its as-at date; none need be sent."""
    measure = make.measure
    names = ("force", *(label.name for label in measure.labels), SPAN)
    as_at = queries.own(measure, "as_at_timestamp_seconds", names)
    asked = [
        Query(queries.own(measure, "", names), "Figure"),
        Query(queries.own(measure, "numerator", names), "Numerator"),
        Query(queries.own(measure, "denominator", names), "Out of"),
        Query(f"1000 * ({as_at})", "As at"),
        Query(f"time() - ({as_at})", "Age"),
    ]
    max_age_days = figure.MAX_AGE_DAYS.of(measure)
    decimals = figure.DECIMALS.of(measure)
    columns = {
        "Figure": Column(COUNT, decimals=decimals, may_be_negative=figure.SIGNED.of(measure)),
        "Numerator": Column(COUNT, decimals=decimals, may_be_negative=figure.SIGNED.of(measure)),
        "As at": Column("dateTimeAsIso"),
        "Age": Column(LENGTHS, warning=max_age_days * 86_400),
    }
    unit = figure.UNIT.of(measure)
    head = make.head(
        "latest", f"{measure.brief} ({unit})", COUNT, f"Age is highlighted from {max_age_days:g} days",
        ("Empty until a figure is reported. Each span shows its latest period; figures are never added up.",),
    )  # fmt: skip
    head = replace(head, nothing=NO_FIGURE)
    labels = [(label.name, describe.column(label)) for label in measure.labels]
    height = min(14, 4 + max(1, *(len(label.all_values()) for label in measure.labels), 0) if measure.labels else 5)
    yield rows(
        head,
        asked,
        [*labels, (SPAN, "Span")],
        width=12,
        height=height,
        columns=columns,
        names=value_titles(measure.labels),
    )
