"""Commands that run a process, or check and repair a deployment."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from watchroom.cli.options import Kafka, RedisUrl, TableOrJson, messages, progress, refuse, servers_named, settings_with
from watchroom.command_output import as_json
from watchroom.entered import month_faults
from watchroom.settings import read_settings
from watchroom.wording import printable


def worker() -> None:
    """Run a worker."""
    from watchroom.intake.worker import run

    raise typer.Exit(run(read_settings()))


def exporter() -> None:
    """Run an exporter."""
    from watchroom.exporter.run import run

    raise typer.Exit(run(read_settings()))


def watchdog(
    try_: Annotated[bool, typer.Option("--try", help="Send one test message through each channel, then exit.")] = False,
) -> None:
    """Run a watchdog."""
    from watchroom.watchdog.run import run

    raise typer.Exit(run(read_settings(), trial=try_))


def rebuild(
    lose_before: Annotated[
        str | None,
        typer.Option(
            metavar="YYYY-MM",
            help="Accept the loss of months before this one if Kafka no longer has their events;"
            " by default, none may be lost.",
        ),
    ] = None,
    partitions_before: Annotated[
        list[str] | None,
        typer.Option(
            metavar="STREAM=NUMBER",
            help="Number of partitions that a topic had before some were added, if Redis has lost it; repeatable;"
            " default: the number in Redis.",
        ),
    ] = None,
    kafka: Kafka = None,
    redis: RedisUrl = None,
) -> None:
    """Clear this force's figures and count them again from Kafka. Refuses to run while a worker is running."""
    from watchroom.intake.rebuild import rebuild as run

    refuse(month_faults("--lose-before", [] if lose_before is None else [lose_before]))
    settings = settings_with(kafka, redis)
    with servers_named(settings), progress() as show_progress:
        done = run(
            settings, lose_before, lambda at, known: show_progress("rebuilding", at, known), partitions_before or ()
        )
    messages.print(f"rebuilt from {done.records:,} records; {done.refused:,} of them are dead letters")


def doctor(
    kafka: Kafka = None,
    redis: RedisUrl = None,
    output: TableOrJson = "table",
) -> None:
    """Check a deployment: settings, Kafka, Redis, workers, sources, exporter, Prometheus, Alertmanager.

    Changes nothing. The exit code is 1 if anything is wrong, and 0 if there are only warnings or checks that could not
    be run.
    """
    from watchroom.doctor.examine import examine_environment
    from watchroom.doctor.finding import Severity, as_text, in_one_line

    given = {"kafka": kafka, "redis_url": redis}
    found = examine_environment(**{name: value for name, value in given.items() if value is not None})
    text = as_json(in_one_line(one)._asdict() for one in found) if output == "json" else printable(as_text(found))
    sys.stdout.write(text)
    if any(one.severity is Severity.WRONG for one in found):
        raise typer.Exit(1)
