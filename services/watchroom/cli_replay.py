"""The commands that send events themselves: a real extract, or a simulated force."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from watchroom.cli_options import (
    Format,
    Kafka,
    messages,
    number,
    progress,
    results,
    settings_with,
    whole_number,
    without_password,
)
from watchroom.errors import ConfigurationInvalid, Fault
from watchroom.settings import Settings, read_settings
from watchroom.wording import printable

PHASES = {"start": "starting", "read": "reading", "send": "sending", "apply": "applying"}

ForS = Annotated[
    float | None,
    typer.Option("--for", parser=number, help="End the live part after so many seconds; default: Ctrl-C."),
]
Busy = Annotated[float, typer.Option(parser=number, help="Demand of the live part, as a multiple of a normal day's.")]
Good = Annotated[bool, typer.Option("--good", help="A force that meets its targets; default: the published figures.")]
Seed = Annotated[int, typer.Option(parser=whole_number(), help="Another seed, other events.")]


def replay(
    files: Annotated[list[Path], typer.Argument(help="Extracts: CSV or .xlsx, packed or not.", show_default=False)],
    mapping: Annotated[Path, typer.Option("--map", help="How columns become events: a TOML file.")],
    as_of: Annotated[
        str | None,
        typer.Option(help="Only what had arrived by this local time of the mapping's zone; default: everything."),
    ] = None,
    as_live: Annotated[
        bool, typer.Option("--as-live", help="Shift the extract to end now, and keep it alive for a board.")
    ] = False,
    kafka: Annotated[str | None, typer.Option("--kafka", help="Brokers, host:port; default: an embedded one.")] = None,
    redis: Annotated[
        str | None,
        typer.Option(
            "--redis",
            help="Redis URL without a password; default: WATCHROOM_REDIS_URL if it is set and --kafka is given, else an"
            " embedded one.",
            callback=without_password,
        ),
    ] = None,
    output: Format = "table",
) -> None:
    """Put a real extract through the whole pipeline and print every measure that it moved.

    On an embedded stack of its own, or on --kafka and --redis.
    """
    from watchroom.importer.command import Request
    from watchroom.importer.command import replay as run
    from watchroom.importer.keep_alive import stay_live
    from watchroom.importer.summary import lines
    from watchroom.reports.months import moved_rows
    from watchroom.reports.output import write

    request = Request(mapping, tuple(files), as_of, as_live, kafka, redis)
    with ExitStack() as stack:
        with progress() as tell:
            outcome = stack.enter_context(
                run(
                    settings_with(kafka, redis),
                    request,
                    refused=lambda row: messages.print(str(row), style="yellow"),
                    progress=lambda phase, done, total: tell(PHASES.get(phase, phase), done, total),
                )
            )
        write(moved_rows(outcome.settings, outcome.streams, outcome.months, outcome.now_ms), output, results)
        for line in lines(outcome):
            messages.print(line)
        if as_live:
            page = f"http://{outcome.settings.exporter_host}:{outcome.settings.exporter_port}/metrics"
            messages.print(f"live on {page} until Ctrl-C")
            stay_live(outcome)
        if outcome.tally.has_open_quotes:
            raise typer.Exit(1)


def demo(for_s: ForS = None, busy: Busy = 1.0, good: Good = False, seed: Seed = 1) -> None:
    """Simulate a force: 28 days loaded fast, then live in the terminal and on /metrics."""
    from watchroom.demo.command import run_demo

    raise typer.Exit(run_demo(read_settings(), for_s=for_s, busy=busy, good=good, seed=seed, examine=examined))


def examined(settings: Settings) -> str:
    """What `watchroom doctor` says of an embedded stack."""
    from watchroom.doctor.examine import examine
    from watchroom.doctor.finding import as_text

    return printable(as_text(examine(settings, embedded=True)))


def simulate(
    days: Annotated[
        float | None, typer.Option(parser=number, help="Simulated days up to now; default: 28, and 0 for none.")
    ] = None,
    months: Annotated[
        int | None,
        typer.Option(parser=whole_number(), help="Complete months, and the running one; default: as --days says."),
    ] = None,
    live: Annotated[bool, typer.Option("--live", help="Then go on live.")] = False,
    for_s: ForS = None,
    busy: Busy = 1.0,
    good: Good = False,
    seed: Seed = 1,
    published_year: Annotated[
        bool, typer.Option("--published-year", help="Instead: December 2020 to November 2021 as the report prints it.")
    ] = False,
    scale: Annotated[
        float,
        typer.Option(
            parser=number, help="Of --published-year: part of the calls and contacts, 0.1 to 1; the rest is whole."
        ),
    ] = 1.0,
    baselines: Annotated[
        Path | None,
        typer.Option(help="Of --published-year: folder for the CSVs of `watchroom months import`; default: none."),
    ] = None,
    kafka: Kafka = None,
) -> None:
    """Send a simulated force's events to a Kafka that is there; a worker makes the topics."""
    from watchroom.simulator.command import run_published_year, run_simulate

    settings = settings_with(kafka)
    others = {"--days": days, "--months": months, "--live": live, "--for": for_s, "--good": good}
    _only_with(published_year, others, {"--scale": scale != 1, "--baselines": baselines})
    if published_year:
        raise typer.Exit(run_published_year(settings, scale=scale, baselines=baselines))
    code = run_simulate(settings, days=days, months=months, live=live, for_s=for_s, busy=busy, good=good, seed=seed)
    raise typer.Exit(code)


def _only_with(published_year: bool, others: Mapping[str, object], its_own: Mapping[str, object]) -> None:
    """Raise ConfigurationInvalid for options that say nothing about what is asked for."""
    wrong = [name for name, value in (others if published_year else its_own).items() if value not in (None, False)]
    found, write = ("--published-year as well", "one of the two") if published_year else ("alone", "--published-year")
    if wrong:
        raise ConfigurationInvalid([Fault(name, "", found, write) for name in wrong])
