"""Commands that send or simulate events: extracts, a simulated force, a month of alerts, and tokens for events."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Literal

import typer

from watchroom.cli.options import (
    Format,
    Kafka,
    messages,
    number,
    progress,
    refuse,
    results,
    settings_with,
    whole_number,
    without_password,
)
from watchroom.entered import month_faults
from watchroom.errors import Fault
from watchroom.events.tokens import Kind
from watchroom.settings import Settings, read_settings
from watchroom.wording import printable

PHASES = {"start": "starting", "read": "reading", "send": "sending", "apply": "applying"}

RULES = Path(__file__).resolve().parents[3] / "deploy" / "prometheus" / "rules"

ForS = Annotated[
    float | None,
    typer.Option(
        "--for",
        parser=number,
        metavar="SECONDS",
        help="Stop the live part after this many seconds; by default, it runs until Ctrl-C.",
    ),
]
Busy = Annotated[
    float,
    typer.Option(
        parser=number, metavar="FACTOR", help="Demand during the live part, as a multiple of a normal day's demand."
    ),
]
Good = Annotated[
    bool, typer.Option("--good", help="Simulate a force that meets its targets, not one with the published figures.")
]
Seed = Annotated[
    int,
    typer.Option(parser=whole_number(), metavar="NUMBER", help="Random seed; a different seed gives different events."),
]


def replay(
    files: Annotated[
        list[Path],
        typer.Argument(help="Extracts to send: CSV or .xlsx files, optionally compressed.", show_default=False),
    ],
    mapping: Annotated[
        Path, typer.Option("--map", metavar="FILE", help="Mapping: a TOML file that defines how columns become events.")
    ],
    as_of: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Send only rows that had arrived by this time, in the mapping's time zone; default: all.",
        ),
    ] = None,
    as_live: Annotated[
        bool, typer.Option("--as-live", help="Shift the extract in time so that it ends now, and keep the board live.")
    ] = False,
    kafka: Annotated[
        str | None, typer.Option("--kafka", metavar="HOST:PORT,...", help="Kafka brokers; default: an embedded broker.")
    ] = None,
    redis: Annotated[
        str | None,
        typer.Option(
            "--redis",
            metavar="URL",
            help="Redis URL without a password. With --kafka, defaults to WATCHROOM_REDIS_URL if that is set;"
            " otherwise defaults to an embedded server.",
            callback=without_password,
        ),
    ] = None,
    output: Format = "table",
) -> None:
    """Send a real extract through the whole pipeline and print every measure that it changed.

    Runs on its own embedded stack, or on the servers given by --kafka and --redis.
    """
    from watchroom.importer.command import Request
    from watchroom.importer.command import replay as run
    from watchroom.importer.keep_alive import stay_live
    from watchroom.importer.summary import lines
    from watchroom.reports.months import moved_rows
    from watchroom.reports.output import write

    request = Request(mapping, tuple(files), as_of, as_live, kafka, redis)
    with ExitStack() as stack:
        with progress() as show_progress:
            outcome = stack.enter_context(
                run(
                    settings_with(kafka, redis),
                    request,
                    refused=lambda row: messages.print(str(row), style="yellow"),
                    progress=lambda phase, done, total: show_progress(PHASES.get(phase, phase), done, total),
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
    """Simulate a force: load 28 days quickly, then continue live in the terminal and on /metrics."""
    from watchroom.demo.command import run_demo

    settings = read_settings()
    raise typer.Exit(
        run_demo(settings, progress=progress, for_s=for_s, busy=busy, good=good, seed=seed, examine=examined)
    )


def examined(settings: Settings) -> str:
    """What `watchroom doctor` says about an embedded stack."""
    from watchroom.doctor.examine import examine
    from watchroom.doctor.finding import as_text

    return printable(as_text(examine(settings, embedded=True)))


def simulate(
    days: Annotated[
        float | None,
        typer.Option(
            parser=number, metavar="DAYS", help="Number of days to simulate up to now; 0 simulates none; default: 28."
        ),
    ] = None,
    months: Annotated[
        int | None,
        typer.Option(
            parser=whole_number(),
            metavar="NUMBER",
            help="Number of complete months to simulate, plus the current one; by default, --days applies instead.",
        ),
    ] = None,
    live: Annotated[bool, typer.Option("--live", help="Continue with live events.")] = False,
    for_s: ForS = None,
    busy: Busy = 1.0,
    good: Good = False,
    seed: Seed = 1,
    published_year: Annotated[
        bool,
        typer.Option(
            "--published-year", help="Send the events of the published report, December 2020 to November 2021."
        ),
    ] = False,
    scale: Annotated[
        float,
        typer.Option(
            parser=number,
            metavar="PART",
            help="With --published-year: fraction of calls and contacts to send, 0.1 to 1; other events are sent"
            " in full.",
        ),
    ] = 1.0,
    baselines: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="With --published-year: write CSV files for `watchroom months import` to this folder; by default,"
            " none are written.",
        ),
    ] = None,
    kafka: Kafka = None,
) -> None:
    """Send the events of a simulated force to an existing Kafka. A worker must have created the topics."""
    from watchroom.simulator.command import run_published_year, run_simulate

    settings = settings_with(kafka)
    others = {"--days": days, "--months": months, "--live": live, "--for": for_s, "--good": good}
    _only_with(published_year, others, {"--scale": scale != 1, "--baselines": baselines})
    if published_year:
        raise typer.Exit(run_published_year(settings, scale=scale, baselines=baselines))
    code = run_simulate(settings, days=days, months=months, live=live, for_s=for_s, busy=busy, good=good, seed=seed)
    raise typer.Exit(code)


def _only_with(published_year: bool, others: Mapping[str, object], its_own: Mapping[str, object]) -> None:
    """Raise ConfigurationInvalid for options that do not apply to what is asked for."""
    wrong = [name for name, value in (others if published_year else its_own).items() if value not in (None, False)]
    found, write = (
        ("--published-year as well", "only one of the two") if published_year else ("no --published-year", "both")
    )
    refuse([Fault(name, "", found, write) for name in wrong])


def token(kind: Annotated[Kind, typer.Option(help="What each line contains.", show_default=False)]) -> None:
    """Turn each line of standard input into a token, using the key WATCHROOM_TOKEN_KEY. Empty lines stay empty.

    A line that is not of this kind becomes an empty line; its number, never its text, is reported on standard error,
    and the exit code is 1. A telephone number without a + is treated as a number from WATCHROOM_TOKEN_COUNTRY.
    """
    from watchroom.events.tokeniser import NotNormalised
    from watchroom.importer.token_key import tokeniser

    tokens, wrong = tokeniser(read_settings()), False
    for line_number, line in enumerate(sys.stdin.buffer, start=1):
        try:
            made = tokens.token(kind, line.decode("utf-8-sig" if line_number == 1 else "utf-8", "surrogateescape"))
        except NotNormalised as error:
            made, wrong = "", True
            messages.print(f"line {line_number}: no token: {error}")
        sys.stdout.write(f"{made}\n")
    raise typer.Exit(int(wrong))


def backtest(
    month: Annotated[str, typer.Option(metavar="YYYY-MM", help="Month to simulate.", show_default=False)],
    force: Annotated[
        Literal["published", "good"],
        typer.Option(help="published: misses most targets, as in the published report; good: meets its targets."),
    ] = "published",
    seed: Seed = 1,
    bad_day: Annotated[
        str,
        typer.Option(metavar="YYYY-MM-DD", help="Quadruple the demand on this day from 14:00 to 17:00."),
    ] = "",
    step: Annotated[
        int,
        typer.Option(
            parser=whole_number(),
            metavar="SECONDS",
            help="Time between evaluations, from 5 (as shipped) to 300; a run with 60 takes a minute or two.",
        ),
    ] = 60,
    rules: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE", help="Rule file to evaluate; repeatable; default: all shipped files.", show_default=False
        ),
    ] = None,
    output: Format = "table",
) -> None:
    """Evaluate every alert over a simulated month in a real Prometheus, and print how often, when and why it fired.

    Requires prometheus and promtool on the PATH. Inhibition and muting are not applied: every firing counts.
    """
    from watchroom.backtest.output import write
    from watchroom.backtest.run import Request
    from watchroom.backtest.run import backtest as run

    refuse(month_faults("--month", [month]))
    settings = read_settings()
    request = Request(month, good=force == "good", seed=seed, bad_day=bad_day, step_s=step)
    with progress() as show_progress:
        evaluated = run(settings, request, rules or sorted(RULES.glob("*.yml")), show_progress)
    write(evaluated, output, settings.zone, results)
    pages = sum(len(each.fired) for each in evaluated if each.rule.severity == "page")
    tickets = sum(len(each.fired) for each in evaluated if each.rule.severity == "ticket")
    messages.print(f"{month}, {force} force, seed {seed}: {pages} pages and {tickets} tickets")
