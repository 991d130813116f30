"""A report's rows as text, for the table and the page. Pure.

Each number is rounded once, from whole numbers, half away from zero; percentages have one decimal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Final, NamedTuple

from watchroom.kinds import kind_of
from watchroom.kinds.kind import Form, Reads, Unit
from watchroom.kinds.labels import from_slug, value_text, where_text
from watchroom.kinds.measure import AREA, Measure
from watchroom.reports.compare import Compared
from watchroom.reports.figure import VALUE, Change, Exact, Figure, as_text, rounded
from watchroom.reports.report import Part, ReportRow
from watchroom.wording import counted, duration

NONE = "none"  # a share or a mean without any count
NOT_HELD, ABSENT = "not held", "absent"
PLAIN = ("1", "count", "percent")  # units that are not shown after a number, or are already in it
HOUR_S = 3_600
STEPS: Final = ((100, Fraction(1, 10)), (HOUR_S, Fraction(1)), (48 * HOUR_S, Fraction(60)))  # below s, by s
NESTED: Final = {
    "1": "once", "2_3": "two or three times", "4_plus": "four times or more",
    "under_10": "under 10 s", "10_to_60": "10 to 60 s", "60_or_more": "60 s or more",
}  # fmt: skip


class Then(NamedTuple):
    """The figure of a baseline, and the change since."""

    figure: str
    change: str


class Line(NamedTuple):
    """One figure of a row."""

    title: str  # "mean"; empty if the measure's name is enough
    figure: str
    counts: str
    then: Mapping[str, Then]  # by baseline


def lines(row: ReportRow) -> list[Line]:
    """The figures of a row."""
    titles = {name: each.title for name, each in kind_of(row.measure).quotients.items()}
    exact: Mapping[str, Exact | None] = {VALUE: None} if row.figure is None else row.figure.exact
    missing = ABSENT if row.held_months else NOT_HELD
    absent = missing if row.own is None and kind_of(row.measure).form is not Form.LIST else ""
    unit = f" {from_slug(row.measure.unit)}" if row.own and row.measure.unit not in PLAIN else ""
    return [
        Line(
            titles.get(name, ""),
            absent if each is None else f"{figure_text(each)}{unit}",
            "" if each is None else counts_text(each),
            {baseline: _then(name, found) for baseline, found in row.compared.items()},
        )
        for name, each in exact.items()
    ]


def figure_text(exact: Exact) -> str:
    """`193,059`, `28.0%`, `24.1 s`, `5 min 00 s`, `28 h 30 min`."""
    value = exact.value
    return NONE if value is None else _in_unit(exact, value)


def counts_text(exact: Exact) -> str:
    """`21,068 of 75,243`; for a mean, only the count that it is based on."""
    if exact.below is None:
        return ""
    of = f"of {_count_text(exact.below, exact.of_per)}"
    return of if exact.unit is Unit.SECONDS else f"{_count_text(exact.above, exact.per)} {of}"


def change_text(change: Change, of: Exact) -> str:
    """`+12,630 (+7.0%)`; for a share, `+4.8 points`."""
    if change.points is not None:
        return f"{as_text(change.points, 1, signed=True)} points"
    if change.absolute is None:
        return ""
    percent = "" if change.percent is None else f" ({as_text(change.percent, 1, signed=True)}%)"
    return f"{_in_unit(of, change.absolute, signed=True)}{percent}"


def nested_text(row: ReportRow) -> Iterator[str]:
    """`bins: under 10 s: 8,123 · 10 to 60 s: 2,104 · 60 s or more: 44`; for a baseline, `2018/19 bins: ...`."""
    yield from _nested("", row.figure)
    for baseline, found in row.compared.items():
        yield from _nested(f"{baseline} ", found.figure)


def _nested(whose: str, figure: Figure | None) -> Iterator[str]:
    for name, counts in (figure.nested if figure else {}).items():
        yield f"{whose}{name}: " + " · ".join(f"{nested_name(each)}: {number:,}" for each, number in counts.items())


def nested_name(name: str) -> str:
    """`under 10 s`, `two or three times`."""
    return NESTED[name.removeprefix("tokens_").removeprefix("occurrences_")]


def restated_text(times: int, before: str, reads: Reads, *, closed: bool) -> str:
    """`restated 3 times since closing: 25 when closed`; how often bands change is not counted.

    A figure that was not yet known when its month closed was not restated, but published later.
    """
    if reads is Reads.FIGURES and closed and not before:
        return "published after closing"
    how_often = f" {'once' if times == 1 else f'{times:,} times'}" if reads is not Reads.TOKENS else ""
    return f"restated{how_often} since closing" + (f": {before} when closed" if before else "")


def ranked_text(row: ReportRow) -> Iterator[str]:
    """`most frequent: k1.abcdef hospital 120 · ...`; `most frequent: none` if months are held."""
    if kind_of(row.measure).form is Form.LIST and row.held_months and not row.ranked:
        yield "most frequent: none"
    if row.ranked:
        entries = (" ".join(filter(None, (each.name, each.word, f"{each.occurrences:,}"))) for each in row.ranked)
        yield f"most frequent: {' · '.join(entries)}"


def areas_text(row: ReportRow) -> Iterator[str]:
    """The areas, their groups, and the residual; nothing for a row without any count."""
    areas, value = row.areas, None if row.figure is None else row.figure.value
    if areas is None or value is None or not value.base:
        return
    yield "by area: " + _parts(row, areas.parts)
    if areas.groups:
        yield "together: " + _parts(row, areas.groups)
    yield f"residual (outside the listed areas): {_amount(areas.residual)} ({_parts(row, areas.residual_of, ', ')})"


def finality_text(row: ReportRow) -> Iterator[str]:
    """How final a row is."""
    if row.own is not None:
        as_at = f"as at {row.own.as_at}" if row.own.as_at else ""
        is_said = row.figure is None and row.note.startswith(row.own.period)
        period = "" if is_said else row.own.period
        yield from filter(None, (period, "" if row.note.startswith(as_at) else as_at, row.note))
    elif row.held_months < len(row.months):
        yield f"{row.held_months} of {counted(len(row.months), 'month')} held" + (f" ({row.note})" if row.note else "")
    elif row.note:
        yield row.note
    if row.figure is not None and not row.closed and row.own is None:
        yield "not closed"
    if row.restatements:
        before = row.published.value if row.published is not None else None
        yield restated_text(
            row.restatements,
            "" if before is None else figure_text(before),
            kind_of(row.measure).reads,
            closed=row.closed,
        )
    if row.small:
        yield "small number"
    yield from ranked_text(row)
    yield from row.notes


def reasons(row: ReportRow) -> Iterator[str]:
    """What is missing from a baseline, and whether it was imported."""
    for name, found in row.compared.items():
        if found.reason:
            yield f"{name}: {found.reason}"
        if found.imported:
            yield f"{name}: imported months"
        if found.small:
            yield f"{name}: small number"


def target_text(measure: Measure) -> str:
    """`line 999 below 10 s, by 90%`; `none`."""
    said = []
    for target in measure.targets:
        where = where_text(measure, target.where) or "all"
        share = measure.display.objective_for(target.where)
        said.append(f"{where} {target.said}" + ("" if share is None else f", by {share:.0%}"))
    return "; ".join(said) or str(measure.own.get("target", "none"))


def _then(name: str, found: Compared) -> Then:
    figure: Figure | None = found.figure
    exact = None if figure is None else figure.exact.get(name)
    if exact is None:
        return Then(ABSENT if found.reason else "", "")
    return Then(figure_text(exact), change_text(found.changes.get(name, Change()), exact))


def _in_unit(exact: Exact, value: Fraction, *, signed: bool = False) -> str:
    if exact.is_percent:
        return f"{as_text(value, _decimals(exact.per), signed=signed)}%"
    if exact.unit is Unit.SHARE:
        return f"{as_text(100 * value, 1, signed=signed)}%"
    if exact.unit is Unit.SECONDS:
        return _length(value, signed=signed)
    return as_text(value, _decimals(exact.per), signed=signed)


def _count_text(count: Fraction, per: int) -> str:
    """A count: `8`, or `8.5` if it is not a whole number."""
    return as_text(count, 0 if count.denominator == 1 else _decimals(per))


def _decimals(per: int) -> int:
    return len(str(per)) - 1


def _length(value: Fraction, *, signed: bool) -> str:
    # rounded to the last unit that is shown, so that nothing is left for `duration` to cut
    step = next((step for below_s, step in STEPS if abs(value) < below_s), Fraction(HOUR_S))
    length = rounded(abs(value) / step, 0) * step
    sign = "" if not length else "-" if value < 0 else "+" if signed else ""
    return sign + duration(float(length), tenths=True)


def part_name(row: ReportRow, part: Part) -> str:
    """`Cannock Chase`, `county, district not known`, `residual`."""
    label = next(label for label in row.measure.labels if label.name == AREA)
    return value_text(label, part.name)


def _parts(row: ReportRow, parts: Sequence[Part], between: str = " · ") -> str:
    return between.join(f"{part_name(row, part)} {_amount(part)}" for part in parts)


def _amount(part: Part) -> str:
    """A part's figure: a number with its share of the row, or a quotient with its counts."""
    exact = part.figure.value
    if exact is None or exact.value is None:
        return NONE
    if exact.denominator is None:
        share = "" if part.of_total is None else f" ({as_text(100 * part.of_total, 1)}%)"
        return f"{figure_text(exact)}{share}"
    return f"{figure_text(exact)} {counts_text(exact)}"
