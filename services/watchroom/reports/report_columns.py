"""A report's rows as columns for JSON and CSV. Programs rely on their names: see schemas/measures/ANALYSTS.md. Pure.

Numbers are rounded once, from whole numbers, half away from zero, to six digits.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from watchroom.events.times import to_text
from watchroom.kinds import KINDS, kind_of
from watchroom.kinds.columns import PUBLISHED_VALUE
from watchroom.kinds.measure import AREA
from watchroom.reports.compare import Compared
from watchroom.reports.figure import NOTHING, VALUE, Change, Figure, as_number
from watchroom.reports.read_report import Report
from watchroom.reports.report import Areas, Part, ReportRow

Columns = dict[str, object]
NESTED: Final = frozenset(name for kind in KINDS.values() for name in kind.nested)
FIRST: Final = ("section", "rows", "measure")


def as_objects(report: Report) -> Iterator[Columns]:
    """One object for each row, in the order of the report."""
    for section, rows in report.sections:
        for row in rows:
            yield {"section": section.name, **_row(row)}


def as_lines(report: Report) -> Iterator[Columns]:
    """One flat line for each row, and one for each of its parts: `part` says what it is, `area` which."""
    for section, rows in report.sections:
        for row in rows:
            yield _flat({"section": section.name, **_row(row), "part": "total", "area": ""})
            for what, part in parts_of(row.areas):
                head = {"section": section.name, **_head(row), **_part(part), "part": what, "area": part.name}
                yield _flat(head)


def span_of(months: tuple[str, ...]) -> str:
    """The label `span` of these months."""
    return {1: "month", 12: "12mo"}.get(len(months), "range")


def period_of(months: tuple[str, ...]) -> str:
    """`2021-11` or `2020-12/2021-11`."""
    return months[0] if len(months) == 1 else f"{months[0]}/{months[-1]}"


def _head(row: ReportRow) -> Columns:
    period, span = (row.own.period, row.own.span) if row.own else (period_of(row.months), span_of(row.months))
    return {
        "rows": list(row.rows), "measure": row.measure.id, "by": dict(row.by), "period": period or None,
        "span": span or None,
    }  # fmt: skip


def _row(row: ReportRow) -> Columns:
    return {
        **_head(row),
        **_figure(row, row.figure),
        "unit": row.measure.unit,
        "small": row.small,
        "fed_by": kind_of(row.measure).fed_by,
        "as_at": None if row.own is None or row.own.as_at_ms is None else to_text(row.own.as_at_ms),
        "held_months": None if row.own else row.held_months,
        "of_months": None if row.own else len(row.months),
        "as_of": None if row.as_of_ms is None else to_text(row.as_of_ms),
        "closed": row.closed,
        **_published(row),
        "restatements": row.restatements,
        "remark": row.note,
        "ranked": [each._asdict() for each in row.ranked],
        "notes": list(row.notes),
        "areas": None if row.areas is None else _areas(row.areas),
        "baselines": {name: _compared(row, each) for name, each in row.compared.items()},
    }


def _figure(row: ReportRow, figure: Figure | None) -> Columns:
    """The columns of a figure; all of them are null if there is none."""
    kind = kind_of(row.measure)
    inside = {name for group in kind.nested.values() for name in group}
    names = [name for name in (column.name for column in kind.columns) if name not in inside]
    absent: Columns = dict.fromkeys((*PUBLISHED_VALUE, *names, *kind.nested))
    return absent | (figure or NOTHING).columns()


def _published(row: ReportRow) -> Columns:
    figure = row.published or NOTHING
    columns = {**figure.columns(), **{name: each for group in figure.nested.values() for name, each in group.items()}}
    names = dict.fromkeys((*PUBLISHED_VALUE, *kind_of(row.measure).published))
    return {f"published_{name}": columns.get(name) for name in names}


def _compared(row: ReportRow, found: Compared) -> Columns:
    columns = (found.figure or NOTHING).columns()
    kind = kind_of(row.measure)
    absent: Columns = dict.fromkeys((*PUBLISHED_VALUE, *kind.quotients, *kind.nested))
    changes: Columns = {}
    for name in kind.quotients or (VALUE,):
        head, change = "" if name == VALUE else f"{name}_", found.changes.get(name, Change())
        changes |= {
            f"{head}change": as_number(change.absolute),
            f"{head}change_percent": as_number(change.percent),
            f"{head}change_points": as_number(change.points),
        }
    return {
        "words": found.words,
        "months": list(found.months),
        **absent,
        **{name: value for name, value in columns.items() if name in absent},
        **changes,
        "small": found.small,
        "imported": found.imported,
        "reason": found.reason,
    }


def _areas(areas: Areas) -> Columns:
    of = {part.name: _part(part) for part in areas.residual_of}
    return {
        "parts": {part.name: _part(part) for part in areas.parts},
        "groups": {part.name: _part(part) for part in areas.groups},
        "residual": {**_part(areas.residual), "of": of},
    }


def _part(part: Part) -> Columns:
    figures = part.figure.columns()
    exact = {name: figures[name] for name in (*PUBLISHED_VALUE, *part.figure.exact)}
    return {**exact, **{name: figures[name] for name in part.figure.nested}, "share_of_total": as_number(part.of_total)}


def parts_of(areas: Areas | None) -> Iterator[tuple[str, Part]]:
    """The parts of a row, each with its type: the parts of type `area` and the `residual` add up to the row."""
    if areas is None:
        return
    yield from (("area", part) for part in areas.parts)
    yield from (("group", part) for part in areas.groups)
    yield "residual", areas.residual
    yield from (("residual_of", part) for part in areas.residual_of)


def _flat(columns: Mapping[str, object]) -> Columns:
    """Without nested objects: labels and bins have their own names, a baseline's columns begin with its name."""
    flat: Columns = {}
    for name, value in columns.items():
        if name == "areas" or (value is None and name in NESTED):
            continue
        if name == "baselines" and isinstance(value, dict):
            for baseline, of in value.items():
                flat |= {f"{baseline} {column}": each for column, each in _flat(of).items()}
        elif isinstance(value, dict):
            flat |= value
        elif name == "ranked" and isinstance(value, list):
            flat[name] = " · ".join(" ".join(map(str, filter(None, each.values()))) for each in value)
        elif isinstance(value, list):
            flat[name] = " ".join(map(str, value))
        else:
            flat[name] = value
    return flat


def column_order(lines: Sequence[Mapping[str, object]], report: Report) -> list[str]:
    """The columns of lines: measure, labels, part and period, then the others in the order of their appearance."""
    measures = [row.measure for _, rows in report.sections for row in rows]
    labels = [label.name for measure in measures for label in measure.labels if label.name != AREA]
    found = dict.fromkeys(name for line in lines for name in line)
    return list(dict.fromkeys((*FIRST, *labels, "part", AREA, "period", "span", *found)))
