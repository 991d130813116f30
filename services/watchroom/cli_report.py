"""`watchroom months`, `report` and `measures`: what analysts ask for."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Annotated, Literal

import typer

from watchroom.cli_options import Format, RedisUrl, messages, results, servers_named, settings_with, whole_number
from watchroom.command_output import as_json, print_table
from watchroom.errors import ConfigurationInvalid, Fault
from watchroom.wording import counted

months_app = typer.Typer(invoke_without_command=True)


@months_app.callback()
def months(
    context: typer.Context,
    month: Annotated[
        list[str] | None, typer.Option("--month", help="Only this month (2021-11); repeatable; default: all.")
    ] = None,
    measure: Annotated[
        list[str] | None, typer.Option("--measure", help="Only this measure; repeatable; default: all.")
    ] = None,
    log: Annotated[bool, typer.Option("--log", help="Print the restatement log instead, one JSON object a line.")] = (
        False
    ),
    redis: RedisUrl = None,
    output: Format = "table",
) -> None:
    """Print the months as they stand, as they were published, and how often they changed since.

    Durations are in seconds; JSON and CSV hold whole numbers beside every share. A stream that Redis holds under
    another definition than ours is left out, and named on standard error.
    """
    from watchroom.reports.freshness import freshness
    from watchroom.reports.months import read_months, restatements
    from watchroom.reports.output import write

    if context.invoked_subcommand is not None:
        if month or measure or log or redis or output != "table":
            write_instead = f"the options of {context.invoked_subcommand} behind it"
            raise ConfigurationInvalid(
                [Fault("months", "", f"options before {context.invoked_subcommand}", write_instead)]
            )
        return
    settings = settings_with(redis_url=redis)
    with servers_named(settings):
        if log:
            for entry in restatements(settings, only=month or (), warn=messages.print):
                sys.stdout.write(json.dumps(entry) + "\n")
        else:
            found = read_months(settings, only=month or (), measures=measure or (), warn=messages.print)
            write(found.rows, output, results)
            for line in freshness(found.as_of, settings, int(time.time() * 1000)):
                if output == "table":
                    results.print(line.text, style="" if line.is_fresh else "bold red", markup=False, soft_wrap=True)
                elif not line.is_fresh:  # fresh or not, every row says it; without rows nothing would
                    messages.print(line.text)


@months_app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV with month, measure, a column a label, field, value.")],
    baseline: Annotated[str, typer.Option(help="Name of a baseline in schemas/baselines.toml, for example 2018/19.")],
    redis: RedisUrl = None,
) -> None:
    """Import months of a baseline: of years for which this force has no events.

    They are kept apart from this force's own months and never added to them; reports compare with them where the own
    months of the baseline are not all held. What the baseline had before of a month and measure in the file is
    replaced, so that importing a file again changes nothing. `watchroom rebuild` leaves imported months as they are. A
    row that cannot be used is named, the others are imported, and the exit code is 1.
    """
    from watchroom.catalogue.load import load_catalogue
    from watchroom.reports.baseline_file import read_baseline_file
    from watchroom.reports.baselines import baselines_named, load_baselines
    from watchroom.store.baselines import put_baseline

    settings = settings_with(redis_url=redis)
    known = baselines_named(load_baselines(settings.schemas), [baseline])
    catalogue = load_catalogue(settings.schemas / "measures", settings.areas)
    found = read_baseline_file(file, known[baseline], catalogue)
    with servers_named(settings):
        put_baseline(settings.redis, settings.force, baseline, found.cells)
    for fault in found.faults:
        messages.print(str(fault), style="red")
    months_found = len({month for month, _ in found.cells})
    refused = f"; {counted(len(found.faults), 'row')} refused" if found.faults else ""
    rows = counted(len(found.cells), "row")
    messages.print(f"imported {rows} of {counted(months_found, 'month')} into {baseline}{refused}")
    if found.faults:
        raise typer.Exit(1)


def report(
    to: Annotated[
        str | None, typer.Option(help="Last month (2021-11); default: the last month held that is over.")
    ] = None,
    months_: Annotated[
        int, typer.Option("--months", parser=whole_number(1, 600), help="How many months, 1 to 600.")
    ] = 12,
    as_at: Annotated[
        str | None,
        typer.Option(help="Day (2022-01-27) up to which figures produced elsewhere count; default: the end of --to."),
    ] = None,
    baseline: Annotated[
        list[str] | None,
        typer.Option(help="Compare with this baseline of schemas/baselines.toml; repeatable; default: none."),
    ] = None,
    section: Annotated[
        list[str] | None,
        typer.Option(help="Only this section of schemas/report.toml; repeatable; default: all."),
    ] = None,
    form: Annotated[
        Literal["table", "json", "csv", "html", "xlsx"], typer.Option("--format", help="How to print.")
    ] = "table",
    output: Annotated[
        Path | None, typer.Option("--output", help="File to write, needed for xlsx; default: standard output.")
    ] = None,
    redis: RedisUrl = None,
) -> None:
    """Print the published report: its sections in their order, each row with its baselines, areas and restatements.

    Rows of events stand as of now, with how often they changed since their months were closed; --as-at does not move
    them. A stream that Redis holds under another definition than ours is left out, and named on standard error.
    """
    from watchroom.reports.month_reader import Asked
    from watchroom.reports.read_report import read_report
    from watchroom.reports.report_output import print_report, report_csv, report_json

    if form == "xlsx" and output is None and sys.stdout.isatty():
        raise ConfigurationInvalid(
            [Fault("--output", "", "nothing", "a file for the workbook, for example report.xlsx")]
        )
    settings = settings_with(redis_url=redis)
    asked = Asked(to, months_, as_at, baseline or (), section or ())
    with servers_named(settings):
        found = read_report(settings, asked, int(time.time() * 1000), messages.print)
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


def measures(
    form: Annotated[Literal["table", "json"], typer.Option("--format", help="How to print.")] = "table",
) -> None:
    """Print what each measure is: the rows of the published report that it serves, definition, unit, target, source."""
    from watchroom.catalogue.load import load_catalogue
    from watchroom.reports.measures import measures as rows_of
    from watchroom.reports.measures import measures_table

    settings = settings_with()
    catalogue = load_catalogue(settings.schemas / "measures", settings.areas)
    if form == "json":
        sys.stdout.write(as_json(rows_of(catalogue)))
    else:
        print_table(measures_table(catalogue), results, 120)


def _write(content: bytes, output: Path | None) -> None:
    if output is None:
        sys.stdout.buffer.write(content)
        return
    try:
        output.write_bytes(content)
    except OSError as error:
        fault = Fault("--output", "", f"{output} ({error.strerror})", "a file that can be written")
        raise ConfigurationInvalid([fault]) from error
