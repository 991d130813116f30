"""The command that asks how often the shipped alerts would have fired."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from watchroom.cli_options import Format, check_months, messages, progress, results, whole_number
from watchroom.settings import read_settings

RULES = Path(__file__).resolve().parents[2] / "deploy" / "prometheus" / "rules"


def backtest(
    month: Annotated[str, typer.Option(help="The month to simulate, as 2026-10.", show_default=False)],
    force: Annotated[
        Literal["published", "good"],
        typer.Option(help="published: misses most targets, as the published report says; good: meets them."),
    ] = "published",
    seed: Annotated[int, typer.Option(parser=whole_number(), help="Another seed, other events.")] = 1,
    bad_day: Annotated[
        str, typer.Option(help="A day of the month with four times the demand from 14:00 to 17:00; default: none.")
    ] = "",
    step: Annotated[
        int,
        typer.Option(
            parser=whole_number(), help="Seconds between evaluations, 5 (as shipped) to 300; 60 takes a minute or two."
        ),
    ] = 60,
    rules: Annotated[
        list[Path] | None,
        typer.Option(help="Rule file; repeatable; default: all shipped ones.", show_default=False),
    ] = None,
    output: Format = "table",
) -> None:
    """Run every alert over a simulated month, by Prometheus itself, and print how often it fired, when and why.

    Needs prometheus and promtool on the PATH. Inhibition and muting are not applied: each firing is counted.
    """
    from watchroom.backtest.output import write
    from watchroom.backtest.run import Request
    from watchroom.backtest.run import backtest as run

    check_months("--month", [month])
    settings = read_settings()
    request = Request(month, good=force == "good", seed=seed, bad_day=bad_day, step_s=step)
    with progress() as tell:
        found = run(settings, request, rules or sorted(RULES.glob("*.yml")), tell)
    write(found, output, settings.zone, results)
    pages = sum(len(each.fired) for each in found if each.rule.severity == "page")
    tickets = sum(len(each.fired) for each in found if each.rule.severity == "ticket")
    messages.print(f"{month}, {force} force, seed {seed}: {pages} pages and {tickets} tickets")
