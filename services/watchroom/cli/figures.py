"""`watchroom figures`: figures that are produced elsewhere and reported to Watchroom."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from watchroom import timing
from watchroom.cli.options import Format, Kafka, RedisUrl, messages, results, servers_named, settings_with
from watchroom.command_output import as_csv, as_json, print_table, table
from watchroom.errors import ConfigurationInvalid, Fault
from watchroom.wording import counted

if TYPE_CHECKING:
    from watchroom.reports.returned import Reported

app = typer.Typer(help="Figures that are produced elsewhere: import them from CSV, or list what was reported.")


@app.command("import")
def import_(
    file: Annotated[
        Path | None,
        typer.Argument(help="CSV file in UTF-8. Required unless --template is given.", show_default=False),
    ] = None,
    template: Annotated[
        bool, typer.Option("--template", help="Print only an empty CSV that lists every figure in the catalogue.")
    ] = False,
    reported_by: Annotated[
        str,
        typer.Option(
            metavar="TEAM", help="Team or role, not a person, that reports the rows whose reported_by is empty."
        ),
    ] = "not stated",
    kafka: Kafka = None,
) -> None:
    """Send a return.figure event for each row of a CSV file. Importing a file twice changes nothing.

    Numbers are in the measure's unit. Rows in which the period, as-at date and numbers are all empty are skipped. Rows
    that cannot be used are reported with file, line and column, what was found and what to write. The others are still
    sent, and the exit code is 1.
    """
    from watchroom.catalogue.load import load_catalogue
    from watchroom.importer.figures_csv import records
    from watchroom.importer.figures_csv import template as empty
    from watchroom.kafka.produce import check_topics, produce
    from watchroom.streams.returns import STREAM

    settings = settings_with(kafka)
    catalogue = load_catalogue(settings.schemas / "measures", settings.areas)
    if template:
        sys.stdout.write(empty(catalogue))
        return
    if file is None:
        raise ConfigurationInvalid([Fault("FILE", "", "nothing", "a CSV file, or --template for an empty one")])
    topic = settings.topics.get(STREAM.name)
    if topic is None:
        write = f"a list that includes {STREAM.name}, here and for the workers"
        raise ConfigurationInvalid([Fault("WATCHROOM_STREAMS", "", ",".join(settings.streams), write)])
    now_ms = timing.now_ms()
    sent, faults = records(file, catalogue, topic, now_ms=now_ms, reported_by=reported_by)
    for fault in faults:
        messages.print(str(fault), style="yellow")
    if sent:
        check_topics(settings, [topic])
        produce(settings, sent)
    bad = len({fault.where for fault in faults})
    rest = f"; {counted(bad, 'row')} could not be used" if bad else ""
    messages.print(f"sent {counted(len(sent), 'figure')}{rest}")
    if faults:
        raise typer.Exit(1)


@app.command("list")
def list_(redis: RedisUrl = None, output: Format = "table") -> None:
    """List the latest version of each figure and note: its value, as-at date, who reported it and when (UTC)."""
    from watchroom.catalogue.load import load_catalogue
    from watchroom.reports.returned import Reported, reported
    from watchroom.store.read import Reader

    settings = settings_with(redis_url=redis)
    known = load_catalogue(settings.schemas / "measures", settings.areas).measures
    with servers_named(settings), closing(Reader(settings.redis, settings.force)) as reader:
        found = reported(reader, settings, known)
    if output == "json":
        sys.stdout.write(as_json(each._asdict() for each in found))
    elif output == "csv":
        sys.stdout.write(as_csv(({**each._asdict(), "by": _labels(each.by)} for each in found), Reported._fields))
    else:
        print_table(_table(found), results)


def _table(found: Sequence[Reported]) -> Table:
    shown = table("type", "measure and labels", "period", "as at", "value", "reported", "note and remark")
    for each in found:
        value = f"{each.numerator} of {each.denominator}" if each.denominator else each.numerator
        by = f"by {each.reported_by} " if each.reported_by else ""
        shown.add_row(
            each.type,
            Text("\n".join(filter(None, (each.measure, _labels(each.by))))),
            Text(" ".join(filter(None, (each.period, f"({each.span})" * bool(each.span))))),
            each.as_at,
            Text(value),
            Text(f"{by}through {each.source}\nat {each.time}\narrived {each.arrived}"),
            Text("\n".join(filter(None, (each.note, each.remark)))),
            end_section=True,
        )
    return shown


def _labels(by: Mapping[str, str]) -> str:
    return ";".join(f"{name}={value}" for name, value in by.items())
