"""Commands that print figures: months, report, measures, and the lists behind tiles."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from watchroom import timing
from watchroom.cli.options import (
    Format,
    RedisUrl,
    TableOrJson,
    messages,
    refuse,
    results,
    servers_named,
    settings_with,
    whole_number,
)
from watchroom.command_output import as_json, json_line, print_table
from watchroom.entered import name_faults
from watchroom.errors import ConfigurationInvalid, Fault
from watchroom.wording import counted

months_app = typer.Typer(invoke_without_command=True)


@months_app.callback()
def months(
    context: typer.Context,
    month: Annotated[
        list[str] | None,
        typer.Option("--month", metavar="YYYY-MM", help="Print only this month; repeatable; default: all."),
    ] = None,
    measure: Annotated[
        list[str] | None,
        typer.Option("--measure", metavar="MEASURE", help="Print only this measure; repeatable; default: all."),
    ] = None,
    log: Annotated[
        bool, typer.Option("--log", help="Print the log of restatements instead, one JSON object per line.")
    ] = (False),
    redis: RedisUrl = None,
    output: Format = "table",
) -> None:
    """Print each month's figures as they are now and as they were published, and how often they have changed since.

    Durations are in seconds. JSON and CSV include the numerator and denominator of every share. Streams that Redis
    holds under definitions other than the current ones are left out and named on standard error.
    """
    from watchroom.reports.freshness import freshness
    from watchroom.reports.months import read_months, restatements
    from watchroom.reports.output import write

    if context.invoked_subcommand is not None:
        if month or measure or log or redis or output != "table":
            write_instead = f"the options after {context.invoked_subcommand}"
            raise ConfigurationInvalid(
                [Fault("months", "", f"options before {context.invoked_subcommand}", write_instead)]
            )
        return
    settings = settings_with(redis_url=redis)
    with servers_named(settings):
        if log:
            for entry in restatements(settings, only=month or (), warn=messages.print):
                sys.stdout.write(json_line(entry) + "\n")
        else:
            found = read_months(settings, only=month or (), measures=measure or (), warn=messages.print)
            write(found.rows, output, results)
            for line in freshness(found.as_of, settings, timing.now_ms()):
                if output == "table":
                    results.print(line.text, style="" if line.is_fresh else "bold red", markup=False, soft_wrap=True)
                elif not line.is_fresh:  # every row says it, but there may be no rows
                    messages.print(line.text)


@months_app.command("import")
def import_(
    file: Annotated[
        Path, typer.Argument(help="CSV file with the columns month, measure, field and value, and one for each label.")
    ],
    baseline: Annotated[
        str, typer.Option(metavar="NAME", help="A baseline from schemas/baselines.toml, for example 2018/19.")
    ],
    redis: RedisUrl = None,
) -> None:
    """Import a baseline's months for years in which this force has no events.

    Imported months are kept separate from this force's own months and are never added to them. Reports use them for
    comparison where the force's own months of the baseline are incomplete. An import replaces the baseline's figures
    for each month and measure in the file, so importing a file twice changes nothing. `watchroom rebuild` keeps
    imported months. Rows that cannot be used are reported; the others are still imported, and the exit code is 1.
    """
    from watchroom.catalogue.load import load_catalogue
    from watchroom.reports.baseline_file import read_baseline_file
    from watchroom.reports.baselines import load_baselines
    from watchroom.store.baselines import put_baseline

    settings = settings_with(redis_url=redis)
    known = load_baselines(settings.schemas)
    refuse(name_faults("--baseline", [baseline], known))
    catalogue = load_catalogue(settings.schemas / "measures", settings.areas)
    found = read_baseline_file(file, known[baseline], catalogue)
    with servers_named(settings):
        put_baseline(settings.redis, settings.force, baseline, found.entries)
    for fault in found.faults:
        messages.print(str(fault), style="red")
    months_found = len({month for month, _ in found.entries})
    refused = f"; {counted(len(found.faults), 'row')} refused" if found.faults else ""
    rows = counted(len(found.entries), "row")
    messages.print(f"imported {rows} for {counted(months_found, 'month')} into {baseline}{refused}")
    if found.faults:
        raise typer.Exit(1)


def report(
    to: Annotated[
        str | None,
        typer.Option(metavar="YYYY-MM", help="Last month of the report; default: the last complete month in Redis."),
    ] = None,
    months_: Annotated[
        int, typer.Option("--months", parser=whole_number(1, 600), metavar="NUMBER", help="Number of months, 1 to 600.")
    ] = 12,
    as_at: Annotated[
        str | None,
        typer.Option(
            metavar="YYYY-MM-DD",
            help="For figures that are produced elsewhere, use the values as at this date; default: the end of the"
            " report's last month.",
        ),
    ] = None,
    baseline: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Compare with this baseline from schemas/baselines.toml; repeatable; by default, nothing is compared.",
        ),
    ] = None,
    section: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="Print only this section from schemas/report.toml; repeatable; default: all."
        ),
    ] = None,
    form: Annotated[
        Literal["table", "json", "csv", "html", "xlsx"], typer.Option("--format", help="Output format.")
    ] = "table",
    output: Annotated[
        Path | None, typer.Option("--output", metavar="FILE", help="File to write; default: standard output.")
    ] = None,
    redis: RedisUrl = None,
) -> None:
    """Print the published report: its sections in order, each row with its baselines, areas and restatements.

    Rows that count events show today's figures, and how often these have changed since their months closed; --as-at
    does not affect them. Streams that Redis holds under definitions other than the current ones are left out and named
    on standard error.
    """
    from watchroom.reports.month_reader import Request
    from watchroom.reports.read_report import read_report
    from watchroom.reports.report_output import print_report, report_csv, report_json

    if form == "xlsx" and output is None and sys.stdout.isatty():
        raise ConfigurationInvalid(
            [Fault("--output", "", "nothing", "a file for the workbook, for example report.xlsx")]
        )
    settings = settings_with(redis_url=redis)
    request = Request(to, months_, as_at, baseline or (), section or ())
    with servers_named(settings):
        found = read_report(settings, request, timing.now_ms(), messages.print)
    if form == "table":
        print_report(found, results)
        return
    if form == "xlsx":
        from watchroom.reports.workbook import workbook

        _write(workbook(found), output)
    elif form == "html":
        from watchroom.reports.page import page

        _write(page(found).encode(), output)
    else:
        _write((report_json(found) if form == "json" else report_csv(found)).encode(), output)


def measures(form: TableOrJson = "table") -> None:
    """Print each measure's definition, unit, target, source, and the rows of the published report that use it."""
    from watchroom.catalogue.load import load_catalogue
    from watchroom.reports.measures import measures as rows_of
    from watchroom.reports.measures import measures_table

    settings = settings_with()
    catalogue = load_catalogue(settings.schemas / "measures", settings.areas)
    if form == "json":
        sys.stdout.write(as_json(rows_of(catalogue)))
    else:
        print_table(measures_table(catalogue), results, 120)


def open_(
    measure: Annotated[
        str, typer.Option(metavar="MEASURE", help="A measure of kind open, for example incidents_unresourced.")
    ],
    redis: RedisUrl = None,
    output: Format = "table",
) -> None:
    """List the entities that a tile counts, oldest first: id, labels, start time, age and deadline.

    JSON and CSV give the age in seconds. If the list is not up to date, the lines below the table, or the field
    `stale` in JSON and CSV, say why: partitions that are not applied, or silent feeds.
    """
    from watchroom.exporter.open_list import open_list

    settings = settings_with(redis_url=redis)
    with servers_named(settings):
        text = open_list(settings, measure, timing.now_ms(), output, warn=messages.print)
    sys.stdout.write(text)


def top(
    measure: Annotated[str, typer.Option(metavar="MEASURE", help="A measure of kind top, for example top_callers.")],
    window: Annotated[
        str,
        typer.Option(
            metavar="WINDOW", help="Window to count in: 28d, month (the current month) or 12mo; default: 12mo."
        ),
    ] = "12mo",
    redis: RedisUrl = None,
    output: Format = "table",
) -> None:
    """List the tokens that occur most often, with the number of occurrences.

    Lists ten, or the number set by the measure. Tokens are shortened.
    """
    from watchroom.exporter.top_list import top_list

    settings = settings_with(redis_url=redis)
    with servers_named(settings):
        text = top_list(settings, measure, window, timing.now_ms(), output, warn=messages.print)
    sys.stdout.write(text)


def _write(content: bytes, output: Path | None) -> None:
    if output is None:
        sys.stdout.buffer.write(content)
        return
    try:
        output.write_bytes(content)
    except OSError as error:
        fault = Fault("--output", "", f"{output} ({error.strerror})", "a writable file")
        raise ConfigurationInvalid([fault]) from error
