"""The program: all commands, and how an error ends one."""

from __future__ import annotations

import errno
import io
import logging
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from watchroom.cli import dead_letters, events, figures, processes, reports
from watchroom.cli.options import default, messages
from watchroom.errors import WatchroomError


class Commands(TyperGroup):
    """The commands; a message about an option's value does not show the prefix of the library that checks it."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401  # what typer passes and returns
        """Run the command that was named."""
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            error.message = error.message.removeprefix("Value error, ")
            raise


app = typer.Typer(
    cls=Commands,
    help="Watchroom: a live performance monitor for police control rooms. Settings come from WATCHROOM_* variables.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
_health, _board, _watchdog = default("health_port"), default("exporter_port"), default("watchdog_port")
app.command(help=f"Fold events from Kafka into Redis until stopped (SIGTERM). Health page: port {_health}.")(
    processes.worker
)
app.command(help=f"Serve the board and /metrics until stopped (SIGTERM). Port {_board}.")(processes.exporter)
app.command(help=f"Alert through a fallback channel while the Watchdog alert is missing. Port {_watchdog}.")(
    processes.watchdog
)
app.command()(processes.rebuild)
app.command()(processes.doctor)
app.command("open")(reports.open_)
app.command()(reports.top)
app.command()(reports.report)
app.command()(reports.measures)
app.add_typer(reports.months_app, name="months")
app.add_typer(figures.app, name="figures", no_args_is_help=True)
app.add_typer(dead_letters.app, name="dead-letters", no_args_is_help=True)
app.command()(events.replay)
app.command()(events.simulate)
app.command()(events.demo)
app.command()(events.token)
app.command()(events.backtest)


def main() -> None:
    """Run a command; our own errors become one clear message and their exit code."""
    # Libraries log every attempt; we report once what failed in the end. A worker logs all of them.
    for name in ("aiokafka", "asyncio"):
        logging.getLogger(name).addHandler(logging.NullHandler())
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a terminal without a locale lacks many characters
    try:
        try:
            app()
        finally:
            sys.stdout.flush()  # otherwise the interpreter does, and a full disk gives another exit code
    except WatchroomError as error:
        messages.print(str(error), style="red")
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EPIPE):
            raise
        with suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the rest is discarded
        if error.errno != errno.EPIPE:
            messages.print(f"cannot write the results: {error.strerror}", style="red")
        sys.exit(1)


@app.command()
def generate(
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; show what differs, and exit with code 1 if anything does.")
    ] = False,
) -> None:
    """Write the derived files: event schemas and documents, reference pages, boards, rules, runbooks."""
    from watchroom.cli import reference
    from watchroom.generate.outputs import generate as write

    pages = reference.outputs(typer.main.get_command(app))
    if not write(Path(__file__).resolve().parents[3], check=check, more=pages):
        raise typer.Exit(1)
