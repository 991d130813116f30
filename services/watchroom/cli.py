"""The command line, and the one place where all rooms meet.

Exit codes: 0 done, 1 the work failed, 2 wrong usage or configuration.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from watchroom.errors import WatchroomError, WorkFailed
from watchroom.settings import Settings, read_settings

if TYPE_CHECKING:
    from watchroom.intake.letters import Letter

app = typer.Typer(
    help="Watchroom: a live performance monitor for police control rooms. Settings are WATCHROOM_* variables.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
messages = Console(stderr=True)
results = Console()
PHASES = {"send": "sending", "apply": "applying"}

Format = Annotated[Literal["table", "json", "csv"], typer.Option("--format", help="How to print.")]
Kafka = Annotated[str | None, typer.Option("--kafka", help="Brokers, host:port; default WATCHROOM_KAFKA.")]
RedisUrl = Annotated[str | None, typer.Option("--redis", help="Redis URL; default WATCHROOM_REDIS_URL.")]


def main() -> None:
    """Run a command; our own errors become one clear message and their exit code."""
    try:
        app()
    except WatchroomError as error:
        messages.print(str(error), style="red", markup=False, highlight=False)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)


def settings_with(kafka: str | None = None, redis_url: str | None = None) -> Settings:
    """Settings of the environment, with the options given on the command line over them."""
    given = {"kafka": kafka, "redis_url": redis_url}
    return read_settings(**{name: value for name, value in given.items() if value is not None})


@contextmanager
def progress_bar(what: str) -> Iterator[tuple[Progress, TaskID]]:
    """A progress bar on standard error; plain where that is no terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=messages, transient=not messages.is_terminal) as progress:
        yield progress, progress.add_task(what, total=None)


@app.command()
def worker() -> None:
    """Fold events from Kafka into Redis until stopped (SIGTERM). Health page on WATCHROOM_HEALTH_PORT."""
    from watchroom.intake.worker import run

    raise typer.Exit(run(read_settings()))


@app.command()
def exporter() -> None:
    """Serve /metrics on WATCHROOM_EXPORTER_PORT (default 9464) until stopped."""
    from watchroom.exporter.run import run

    raise typer.Exit(run(read_settings()))


@app.command()
def replay(
    files: Annotated[list[Path], typer.Argument(help="Extracts as CSV.", show_default=False)],
    mapping: Annotated[Path, typer.Option("--map", help="How columns become events: a TOML file.")],
    as_of: Annotated[
        str | None, typer.Option(help="Only what had arrived by this local time of the mapping's zone.")
    ] = None,
    as_live: Annotated[
        bool, typer.Option("--as-live", help="Shift the extract to end now, and keep it alive for a board.")
    ] = False,
    kafka: Kafka = None,
    redis: RedisUrl = None,
    output: Format = "table",
) -> None:
    """Put a real extract through the whole pipeline and print every measure that it moved.

    On an embedded stack of its own, or on --kafka and --redis.
    """
    from watchroom.replay.command import Request
    from watchroom.replay.command import replay as run
    from watchroom.replay.live import stay_live
    from watchroom.replay.summary import lines
    from watchroom.reports.output import write
    from watchroom.reports.replayed import moved_rows

    request = Request(mapping, tuple(files), as_of, as_live, kafka, redis)
    with ExitStack() as stack:
        with progress_bar("replaying") as (progress, task):
            outcome = stack.enter_context(
                run(
                    read_settings(),
                    request,
                    refused=lambda row: messages.print(str(row), style="yellow", markup=False, highlight=False),
                    progress=lambda phase, done, total: progress.update(
                        task, description=PHASES.get(phase, phase), completed=done, total=total
                    ),
                )
            )
        write(moved_rows(outcome.settings, outcome.streams, outcome.months, outcome.now_ms), output, results)
        for line in lines(outcome):
            messages.print(line, markup=False, highlight=False)
        if as_live:
            page = f"http://{outcome.settings.exporter_host}:{outcome.settings.exporter_port}/metrics"
            messages.print(f"live on {page} until Ctrl-C", markup=False)
            stay_live(outcome)


@app.command()
def months(
    month: Annotated[list[str] | None, typer.Option("--month", help="Only this month (2021-11); repeatable.")] = None,
    measure: Annotated[list[str] | None, typer.Option("--measure", help="Only this measure; repeatable.")] = None,
    log: Annotated[bool, typer.Option("--log", help="Print the restatement log instead, as JSON.")] = False,
    redis: RedisUrl = None,
    output: Format = "table",
) -> None:
    """Print the months as they stand, as they were published, and how often they changed since."""
    from watchroom.reports.months import months as rows_of
    from watchroom.reports.months import restatements
    from watchroom.reports.output import write

    settings = settings_with(redis_url=redis)
    if log:
        for entry in restatements(settings, only=month or ()):
            sys.stdout.write(json.dumps(entry) + "\n")
    else:
        write(rows_of(settings, only=month or (), measures=measure or ()), output, results)


@app.command()
def demo(
    for_s: Annotated[float | None, typer.Option("--for", help="End so many seconds after it is live.")] = None,
    busy: Annotated[float, typer.Option(help="Demand of the live part; 1 is a normal day.")] = 1.0,
    good: Annotated[bool, typer.Option("--good", help="A force that meets its targets.")] = False,
    seed: Annotated[int, typer.Option(help="Another seed, other events.")] = 1,
) -> None:
    """Simulate a force: 28 days loaded fast, then live in the terminal and on /metrics."""
    from watchroom.replay.demo import run_demo

    raise typer.Exit(run_demo(read_settings(), for_s=for_s, busy=busy, good=good, seed=seed))


@app.command()
def simulate(
    days: Annotated[float | None, typer.Option(help="Simulated days up to now; 28, or none of them with 0.")] = None,
    months: Annotated[int | None, typer.Option(help="Instead: so many complete months, and the running one.")] = None,
    live: Annotated[bool, typer.Option("--live", help="Then go on live.")] = False,
    for_s: Annotated[float | None, typer.Option("--for", help="End the live part after so many seconds.")] = None,
    busy: Annotated[float, typer.Option(help="Demand of the live part; 1 is a normal day.")] = 1.0,
    good: Annotated[bool, typer.Option("--good", help="A force that meets its targets.")] = False,
    seed: Annotated[int, typer.Option(help="Another seed, other events.")] = 1,
    kafka: Kafka = None,
) -> None:
    """Send a simulated force's events to a Kafka that is there; a worker makes the topics."""
    from watchroom.replay.simulate import run_simulate

    settings = settings_with(kafka)
    raise typer.Exit(
        run_simulate(settings, days=days, months=months, live=live, for_s=for_s, busy=busy, good=good, seed=seed)
    )


@app.command("open")
def open_(
    measure: Annotated[str, typer.Option(help="An open measure, for example incidents_unresourced.")],
    redis: RedisUrl = None,
    output: Format = "table",
) -> None:
    """List the ids behind a tile, oldest first: labels, since when, age and deadline."""
    from watchroom.exporter.open_list import open_list

    sys.stdout.write(open_list(settings_with(redis_url=redis), measure, int(time.time() * 1000), output))


@app.command()
def generate(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; exit 1 and show what differs.")] = False,
) -> None:
    """Write the derived files: event schemas, AsyncAPI document, measures page."""
    from watchroom.generate.outputs import generate as write

    if not write(Path(__file__).resolve().parents[2], check=check):
        raise typer.Exit(1)


@app.command()
def rebuild(
    lose_before: Annotated[
        str | None, typer.Option(help="Accept losing months before this one (2021-04) that the log no longer holds.")
    ] = None,
    kafka: Kafka = None,
    redis: RedisUrl = None,
) -> None:
    """Clear this force's figures and make them anew from the topics. Refuses while a worker runs."""
    from watchroom.intake.rebuild import rebuild as run

    with progress_bar("rebuilding") as (progress, task):
        applied = run(
            settings_with(kafka, redis),
            lose_before,
            lambda done, known: progress.update(task, completed=done, total=known),
        )
    messages.print(f"rebuilt from {applied:,} records")


letters_app = typer.Typer(help="Events that could not be used: list, show, or send them again after a fix.")
app.add_typer(letters_app, name="dead-letters", no_args_is_help=True)
Reason = Annotated[str | None, typer.Option(help="Only letters with this reason, for example late.")]
Topic = Annotated[str | None, typer.Option(help="Only letters of this topic.")]


@letters_app.command("list")
def list_letters(reason: Reason = None, topic: Topic = None, kafka: Kafka = None, output: Format = "table") -> None:
    """List the letters: where each lay, when it first arrived, and why it was refused."""
    from watchroom.intake.letters import read_letters
    from watchroom.reports.output import as_csv, as_json

    found = read_letters(settings_with(kafka), lambda letter: _is_wanted(letter, reason, topic))
    columns = ("topic", "partition", "offset", "arrived", "reason", "detail")
    rows = [{name: getattr(letter, name) for name in columns} for letter in found]
    if output == "table":
        table = Table(*columns)
        for row in rows:
            table.add_row(*(Text(str(value)) for value in row.values()))
        results.print(table)
    else:
        sys.stdout.write(as_json(rows) if output == "json" else as_csv(rows))


@letters_app.command("show")
def show_letter(topic: str, partition: int, offset: int, kafka: Kafka = None) -> None:
    """Show one letter: why it was refused, then its bytes, untouched, on standard output."""
    from watchroom.intake.letters import read_letters

    found = read_letters(settings_with(kafka), lambda letter: letter[:3] == (topic, partition, offset))
    if not found:
        raise WorkFailed(
            f"no dead letter of {topic} partition {partition} offset {offset}; `dead-letters list` has all"
        )
    for name in ("reason", "detail", "arrived", "is_cut", "key"):
        messages.print(f"{name}: {getattr(found[0], name)}", markup=False, highlight=False)
    sys.stdout.buffer.write(found[0].value or b"")


@letters_app.command("replay")
def replay_letters_(reason: Reason = None, topic: Topic = None, kafka: Kafka = None) -> None:
    """Send letters to their topics again; those that are still wrong come back. Repeating is harmless."""
    from watchroom.intake.letters import read_letters, replay_letters

    settings = settings_with(kafka)
    found = read_letters(settings, lambda letter: _is_wanted(letter, reason, topic))
    sent = replay_letters(settings, found)
    messages.print(f"sent {sent:,} of {len(found):,} letters again; {len(found) - sent:,} had been cut")


def _is_wanted(letter: Letter, reason: str | None, topic: str | None) -> bool:
    return reason in (None, letter.reason) and topic in (None, letter.topic)
