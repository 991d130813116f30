"""The lines of the page from a Redis that holds the year."""

from __future__ import annotations

from tests.published_year.compare import Line, lines
from tests.reports.redis_months import months as kept_months
from watchroom.reports.month_reader import Request
from watchroom.reports.read_report import read_report
from watchroom.reports.report_columns import as_objects
from watchroom.settings import Settings
from watchroom.simulator.published_year import NAMES, Printed


def read_lines(settings: Settings, printed: Printed, scale: float, now_ms: int) -> list[Line]:
    """Our numbers and the printed ones."""
    request = {entry.months for entry in printed.entries.values()}
    reports = {
        many: list(as_objects(read_report(settings, Request(printed.last_month, many, printed.as_at, NAMES), now_ms)))
        for many in sorted(request)
    }
    of_figures = {entry.measure for entry in printed.entries.values() if entry.period}
    return lines(printed, reports, kept_months(settings, measures=of_figures), scale)
