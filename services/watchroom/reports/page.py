"""The report as one HTML file that loads nothing else and prints on A4 landscape."""

from __future__ import annotations

from typing import NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined

from watchroom.kinds import kind_of
from watchroom.reports.read_report import Report
from watchroom.reports.report import ReportRow
from watchroom.reports.report_output import heading, name_text
from watchroom.reports.report_text import Line, areas_text, finality_text, lines, nested_text, reasons, target_text


class Definition(NamedTuple):
    """The definition of a measure on the page."""

    id: str
    name: str
    definition: str
    excluded: str
    target: str
    source: str


class Shown(NamedTuple):
    """A row of the page."""

    rows: str
    name: str
    fed_by: str
    lines: list[Line]
    remarks: list[str]  # its areas, how final it is, why a baseline is missing


def page(report: Report) -> str:
    """The whole file."""
    environment = Environment(
        loader=PackageLoader("watchroom.reports", ""), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    return environment.get_template("page.html").render(
        title=f"Performance report, {' to '.join(dict.fromkeys((report.months[0], report.months[-1])))}",
        heading=list(heading(report)),
        baselines=list(report.baselines),
        sections=[(section, [_shown(row) for row in rows]) for section, rows in report.sections],
        definitions=definitions(report),
    )


def definitions(report: Report) -> list[Definition]:
    """Every measure of the report once, in the order of the report."""
    measures = {row.measure.id: row.measure for _, rows in report.sections for row in rows}
    return [
        Definition(each.id, each.brief, each.definition, each.display.excludes, target_text(each), each.source)
        for each in measures.values()
    ]


def _shown(row: ReportRow) -> Shown:
    numbers = ", ".join(map(str, row.rows))
    finality = [*nested_text(row), *finality_text(row)]
    remarks = [*areas_text(row), *(" · ".join(some) for some in (finality, list(reasons(row))) if some)]
    return Shown(numbers, name_text(row), kind_of(row.measure).fed_by, lines(row), remarks)
