"""The report as a table for people, as JSON and CSV for programs."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from watchroom.command_output import as_csv, as_json, print_table, table
from watchroom.kinds import kind_of
from watchroom.kinds.labels import where_text
from watchroom.reports.freshness import Line
from watchroom.reports.read_report import Report
from watchroom.reports.report import ReportRow
from watchroom.reports.report_columns import as_lines, as_objects, column_order, period_of
from watchroom.reports.report_text import areas_text, finality_text, lines, nested_text, reasons
from watchroom.wording import counted


def report_json(report: Report) -> str:
    """A JSON array, one object for each row."""
    return as_json(as_objects(report))


def report_csv(report: Report) -> str:
    """A header, and one line for each row and part. Labels, figures and a baseline's figures have columns."""
    found = list(as_lines(report))
    return as_csv(found, column_order(found, report))


def print_report(report: Report, console: Console) -> None:
    """One table for each section."""
    for line in heading(report):
        console.print(line.text, style="" if line.is_fresh else "bold red", markup=False, highlight=False)
    for section, rows in report.sections:
        compared = [column for name in report.baselines for column in (name, "change")]
        numbers = ("value", "counts", *compared)
        columns, unbroken = ("row", "measure", "fed by", *numbers), ("row", "fed by", "value")
        shown = table(*columns, title=section.title, right=numbers, unbroken=unbroken)
        shown.columns[1].min_width = 34
        for row in rows:
            _add(shown, row)
        console.print()
        print_table(shown, console, 100 + 30 * len(report.baselines))  # numbers stay on one line, text is wrapped
        if not rows:
            console.print("the catalogue has no measure for this section", markup=False)


def heading(report: Report) -> Iterator[Line]:
    """What the report covers and how fresh it is, for the table, the page and the workbook."""
    number = counted(len(report.months), "month")
    said = [f"{report.force}: {period_of(report.months)}, {number}; figures as at {report.as_at}"]
    said += [f"compared with {name}: {words}" for name, words in report.baselines.items()]
    said += report.notes
    said.append(
        f"A small number is based on a count below {report.small_below}. Numbers are rounded once, half away from zero."
    )
    yield from (Line(text, is_fresh=True) for text in said)
    yield from report.applied


def name_text(row: ReportRow) -> str:
    """The name of a row."""
    label = where_text(row.measure, row.by)
    return f"{row.measure.brief}: {label}" if label else row.measure.brief


def _add(shown: Table, row: ReportRow) -> None:
    remarks = [*areas_text(row), *nested_text(row), *finality_text(row), *reasons(row)]
    found = lines(row)
    for number, line in enumerate(found):
        is_first, is_last = number == 0, number == len(found) - 1
        name = Text(" ".join(filter(None, (name_text(row) if is_first else "", line.title))))
        if is_last and remarks:
            name.append("\n" + " · ".join(remarks), style="dim")
        then = [text for each in line.then.values() for text in each]
        numbers = Text(", ".join(map(str, row.rows)) if is_first else "")
        fed_by = kind_of(row.measure).fed_by if is_first else ""
        shown.add_row(numbers, name, *map(Text, (fed_by, line.figure, line.counts, *then)), end_section=is_last)
