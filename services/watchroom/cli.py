"""The command line, and the one place where all rooms meet.

Exit codes: 0 done, 1 the work failed, 2 wrong usage or configuration.
"""

from __future__ import annotations

import errno
import io
import logging
import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from watchroom import cli_backtest, cli_doctor, cli_figures, cli_letters, cli_replay, cli_report, cli_tokens
from watchroom.cli_options import (
    Format,
    Kafka,
    RedisUrl,
    check_months,
    default,
    messages,
    progress,
    servers_named,
    settings_with,
)
from watchroom.errors import WatchroomError
from watchroom.settings import read_settings


class Commands(TyperGroup):
    """Words what is wrong with an option's value without the words of the library that checks it."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401  # what typer passes and returns
        """Run the command that was named."""
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            error.message = error.message.removeprefix("Value error, ")
            raise


app = typer.Typer(
    cls=Commands,
    help="Watchroom: a live performance monitor for police control rooms. Settings are WATCHROOM_* variables.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(cli_replay.replay)
app.command()(cli_replay.demo)
app.command()(cli_replay.simulate)
app.command()(cli_backtest.backtest)
app.command()(cli_doctor.doctor)
app.command()(cli_tokens.token)
app.command()(cli_report.report)
app.command()(cli_report.measures)
app.add_typer(cli_report.months_app, name="months")
app.add_typer(cli_figures.app, name="figures", no_args_is_help=True)
app.add_typer(cli_letters.app, name="dead-letters", no_args_is_help=True)


def main() -> None:
    """Run a command; our own errors become one clear message and their exit code."""
    # Libraries tell every try of theirs; what failed in the end is said once, by us. A worker's own log has them all.
    for name in ("aiokafka", "asyncio"):
        logging.getLogger(name).addHandler(logging.NullHandler())
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal without a locale lacks many characters
    try:
        try:
            app()
        finally:
            sys.stdout.flush()  # else the interpreter does, and a full disk ends it with a code of its own
    except WatchroomError as error:
        messages.print(str(error), style="red")
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EPIPE):
            raise
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left goes nowhere
        if error.errno != errno.EPIPE:
            messages.print(f"the results cannot be written: {error.strerror}", style="red")
        sys.exit(1)


@app.command(
    help=f"Fold events from Kafka into Redis until stopped (SIGTERM). Health page: port {default('health_port')}."
)
def worker() -> None:
    """Run a worker."""
    from watchroom.intake.worker import run

    raise typer.Exit(run(read_settings()))


@app.command(help=f"Serve /metrics until stopped (SIGTERM). Port {default('exporter_port')}.")
def exporter() -> None:
    """Run an exporter."""
    from watchroom.exporter.run import run

    raise typer.Exit(run(read_settings()))


@app.command(
    help=f"Alert through a fallback channel while the Watchdog alert is missing. Port {default('watchdog_port')}."
)
def watchdog(
    try_: Annotated[
        bool, typer.Option("--try", help="Send one test message through each channel instead, and end.")
    ] = False,
) -> None:
    """Run a watchdog."""
    from watchroom.watchdog.run import run

    raise typer.Exit(run(read_settings(), trial=try_))


@app.command("open")
def open_(
    measure: Annotated[str, typer.Option(help="An open measure, for example incidents_unresourced.")],
    redis: RedisUrl = None,
    output: Format = "table",
) -> None:
    """List the ids behind a tile, oldest first: labels, since when, age (JSON, CSV: seconds) and deadline.

    Below the table, and in `stale` of JSON and CSV: why it is not live (partitions that stand still, silent feeds).
    """
    from watchroom.exporter.open_list import open_list

    settings = settings_with(redis_url=redis)
    with servers_named(settings):
        text = open_list(settings, measure, int(time.time() * 1000), output, warn=messages.print)
    sys.stdout.write(text)


@app.command("top")
def top_(
    measure: Annotated[str, typer.Option(help="A measure of the kind top, for example top_callers.")],
    window: Annotated[str, typer.Option(help="28d, month (the running one) or 12mo; default 12mo.")] = "12mo",
    redis: RedisUrl = None,
    output: Format = "table",
) -> None:
    """List what occurs most: the ten most frequent unless the measure says more, each with how often.

    Tokens are shortened.
    """
    from watchroom.exporter.top_list import top_list

    settings = settings_with(redis_url=redis)
    with servers_named(settings):
        text = top_list(settings, measure, window, int(time.time() * 1000), output, warn=messages.print)
    sys.stdout.write(text)


@app.command()
def generate(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 and show what differs.")] = False,
) -> None:
    """Write the derived files: event schemas and documents, reference pages, boards, rules, runbooks."""
    from watchroom import cli_reference
    from watchroom.generate.outputs import generate as write

    pages = cli_reference.outputs(typer.main.get_command(app))
    if not write(Path(__file__).resolve().parents[2], check=check, more=pages):
        raise typer.Exit(1)


@app.command()
def rebuild(
    lose_before: Annotated[
        str | None,
        typer.Option(help="Accept losing months before this one (2021-04) that no log holds any more; default: none."),
    ] = None,
    partitions_before: Annotated[
        list[str] | None,
        typer.Option(
            help="Partitions that a topic had before some were added (calls=4), where Redis was lost since; repeatable;"
            " default: as noted.",
        ),
    ] = None,
    kafka: Kafka = None,
    redis: RedisUrl = None,
) -> None:
    """Clear this force's figures and count them again from the topics. Refuses while a worker runs."""
    from watchroom.intake.rebuild import rebuild as run

    check_months("--lose-before", [] if lose_before is None else [lose_before])
    settings = settings_with(kafka, redis)
    with servers_named(settings), progress() as tell:
        done = run(settings, lose_before, lambda at, known: tell("rebuilding", at, known), partitions_before or ())
    messages.print(f"rebuilt from {done.records:,} records, of which {done.refused:,} are dead letters")
