"""The report as an XLSX workbook: one sheet for each section, one for definitions. Numbers are stored as numbers."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from functools import cache
from typing import NamedTuple

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from watchroom.kinds import kind_of
from watchroom.kinds.kind import Unit
from watchroom.reports.figure import VALUE, Change, Exact, Figure, rounded
from watchroom.reports.page import Definition, definitions
from watchroom.reports.read_report import Report
from watchroom.reports.report import ReportRow
from watchroom.reports.report_columns import parts_of, period_of
from watchroom.reports.report_output import heading, name_text
from watchroom.reports.report_text import finality_text, nested_name, part_name, reasons
from watchroom.reports.sections import DEFINITIONS

SECONDS, PERCENT, POINTS, WHOLE = '#,##0.0" s"', "0.0%", '+0.0" points";-0.0" points";0.0" points"', "#,##0"
SIGNED = {SECONDS: '+#,##0.0" s";-#,##0.0" s";0.0" s"', PERCENT: "+0.0%;-0.0%;0.0%", WHOLE: "+#,##0;-#,##0;0"}
HEAD = ("row", "measure", "part", "area", "period", "what")
NUMBERS = ("value", "numerator", "denominator")
FINALITY = ("fed by", "as at", "held months", "of months", "restatements", "remarks")
CHANGES = ("change", "change %", "change in points")


class Number(NamedTuple):
    """A number, rounded once to the decimals of its format."""

    value: float
    form: str


Cell = str | Number | None


def workbook(report: Report) -> bytes:
    """The file."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(
        content, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    ) as book:
        formats = _Formats(
            bold=book.add_format({"bold": True}),
            head=book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "bottom"}),
            of=cache(lambda form: book.add_format({"num_format": form})),
        )
        for section, rows in report.sections:
            sheet = book.add_worksheet(section.name)
            top = [[section.title], *([line.text] for line in heading(report))]
            _fill(sheet, formats, top, list(_table(report, rows)))
        _fill(book.add_worksheet(DEFINITIONS), formats, [["Definitions"]], [Definition._fields, *definitions(report)])
    return content.getvalue()


class _Formats(NamedTuple):
    """The formats of a workbook, each created once."""

    bold: Format
    head: Format
    of: Callable[[str], Format]  # by the format of a number


def _fill(sheet: Worksheet, formats: _Formats, top: Sequence[Sequence[str]], table: Sequence[Sequence[Cell]]) -> None:
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    for number, line in enumerate(top):
        sheet.write_row(number, 0, line, formats.bold if number == 0 else None)
    first = len(top) + 1
    for number, cells in enumerate(table, first):
        for column, cell in enumerate(cells):
            if isinstance(cell, Number):
                sheet.write_number(number, column, cell.value, formats.of(cell.form))
            elif cell is not None:
                sheet.write_string(number, column, cell, formats.head if number == first else None)
    sheet.freeze_panes(first + 1, 2)
    sheet.repeat_rows(first)
    sheet.set_column(0, 0, 8)
    sheet.set_column(1, 1, 44)
    sheet.set_column(2, 40, 14)


def _table(report: Report, rows: Sequence[ReportRow]) -> Iterator[list[Cell]]:
    nested = _nested_names(rows)
    titles = [f"{group}: {nested_name(name)}" for group, name in nested]
    of_baseline = (*NUMBERS, *titles, *CHANGES)
    baselines = [f"{name}: {column}" for name in report.baselines for column in of_baseline]
    yield [*HEAD, *NUMBERS, *titles, *baselines, *FINALITY]
    for row in rows:
        yield from _lines(report, row, nested)


def _nested_names(rows: Sequence[ReportRow]) -> list[tuple[str, str]]:
    """Groups of counts inside figures, and the names in them: `bins`, `under_10`."""
    figures = [figure for row in rows for figure in (row.figure, *(each.figure for each in row.compared.values()))]
    groups = [group for figure in figures if figure is not None for group in figure.nested.items()]
    return list(dict.fromkeys((group, name) for group, counts in groups for name in counts))


def _lines(report: Report, row: ReportRow, nested: Sequence[tuple[str, str]]) -> Iterator[list[Cell]]:
    numbers, name = ", ".join(map(str, row.rows)), name_text(row)
    period = row.own.period if row.own else period_of(row.months)
    remarks = "; ".join([*finality_text(row), *reasons(row)])
    titles = {name: each.title for name, each in kind_of(row.measure).quotients.items()} or {VALUE: _unit(row)}
    for column, title in titles.items():
        if row.figure is not None and column not in row.figure.exact:
            continue  # without a target there is no share within it
        then = [cell for baseline in report.baselines for cell in _then(row, baseline, column, nested)]
        held = [None, None] if row.own else [_count(row.held_months), _count(len(row.months))]
        as_at = row.own.as_at if row.own else ""
        finality: list[Cell] = [kind_of(row.measure).fed_by, as_at or None, *held, _count(row.restatements), remarks]
        yield [numbers, name, "total", "all", period, title, *_numbers(row.figure, column, nested), *then, *finality]
        for what, part in parts_of(row.areas):
            yield [numbers, name, what, part_name(row, part), period, title, *_numbers(part.figure, column, nested)]


def _unit(row: ReportRow) -> str:
    return "" if row.measure.unit == "1" else row.measure.unit


def _then(row: ReportRow, baseline: str, column: str, nested: Sequence[tuple[str, str]]) -> list[Cell]:
    found = row.compared[baseline]
    exact = None if found.figure is None else found.figure.exact.get(column)
    change = found.changes.get(column, Change())
    form = None if exact is None else _form(exact)
    return [
        *_numbers(found.figure, column, nested),
        _shown(change.absolute, SIGNED.get(form or "", WHOLE)),
        _shown(None if change.percent is None else change.percent / 100, SIGNED[PERCENT]),
        _shown(change.points, POINTS),
    ]


def _numbers(figure: Figure | None, column: str, nested: Sequence[tuple[str, str]]) -> list[Cell]:
    """A column of a figure; the line of its value also has the nested counts."""
    counts = figure.nested if figure is not None and column == VALUE else {}
    inside = [counts.get(group, {}).get(name) for group, name in nested]
    exact = None if figure is None else figure.exact.get(column)
    return [*_exact(exact), *(_count(each) if isinstance(each, int) else None for each in inside)]


def _exact(exact: Exact | None) -> list[Cell]:
    if exact is None:
        return [None, None, None]
    form, value = _form(exact), exact.value
    of_seconds = exact.unit is Unit.SECONDS
    return [
        _shown(value / 100 if exact.is_percent and value is not None else value, form),
        _shown(exact.above, SECONDS if of_seconds else _plain(exact.per)),
        _shown(exact.below, _plain(exact.of_per)),
    ]


def _form(exact: Exact) -> str:
    if exact.is_percent or exact.unit is Unit.SHARE:
        return PERCENT
    return SECONDS if exact.unit is Unit.SECONDS else _plain(exact.per)


def _plain(per: int) -> str:
    """The format of a number with as many decimals as it is stored with: one for 10 per unit."""
    decimals = len(str(per)) - 1
    return f"{WHOLE}.{'0' * decimals}" if decimals else WHOLE


def _shown(value: Fraction | None, form: str) -> Number | None:
    """A number rounded to the decimals of its format."""
    if value is None:
        return None
    number = form.partition(";")[0].partition('"')[0]  # the format of positive numbers
    decimals = number.partition(".")[2].count("0") + (2 if "%" in form else 0)
    return Number(float(rounded(value, decimals)), form)


def _count(number: int) -> Number:
    return Number(number, WHOLE)
