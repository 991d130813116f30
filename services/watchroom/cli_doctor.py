"""`watchroom doctor`: checks a deployment and says what is wrong, why it matters and what to do."""

from __future__ import annotations

import sys
from typing import Annotated, Literal

import typer

from watchroom.cli_options import Kafka, RedisUrl
from watchroom.command_output import as_json
from watchroom.wording import printable


def doctor(
    kafka: Kafka = None,
    redis: RedisUrl = None,
    output: Annotated[Literal["table", "json"], typer.Option("--format", help="How to print.")] = "table",
) -> None:
    """Check a deployment: settings, Kafka, Redis, workers, sources, exporter, Prometheus, Alertmanager.

    Changes nothing. Exit code 1 if anything is wrong; 0 with warnings, or where something could not be checked.
    """
    from watchroom.doctor.examine import examine_environment
    from watchroom.doctor.finding import Severity, as_text, in_one_line

    given = {"kafka": kafka, "redis_url": redis}
    found = examine_environment(**{name: value for name, value in given.items() if value is not None})
    text = as_json(in_one_line(one)._asdict() for one in found) if output == "json" else printable(as_text(found))
    sys.stdout.write(text)
    if any(one.severity is Severity.WRONG for one in found):
        raise typer.Exit(1)
