"""`watchroom doctor`: checks a deployment and says what is wrong, why it matters and what to do."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from watchroom.cli_options import Kafka, RedisUrl, printable

if TYPE_CHECKING:
    from watchroom.doctor.finding import Finding


def doctor(
    kafka: Kafka = None,
    redis: RedisUrl = None,
    output: Annotated[Literal["table", "json"], typer.Option("--format", help="How to print.")] = "table",
) -> None:
    """Check a deployment: settings, Kafka, Redis, workers, sources, exporter, Prometheus, Alertmanager.

    Changes nothing. Exit code 1 if anything is wrong; 0 with warnings, or where something could not be checked.
    """
    from watchroom.doctor.examine import examine_environment
    from watchroom.doctor.finding import Severity

    given = {"kafka": kafka, "redis_url": redis}
    found = examine_environment(**{name: value for name, value in given.items() if value is not None})
    sys.stdout.write(as_json(found) if output == "json" else as_text(found))
    if any(one.severity is Severity.WRONG for one in found):
        raise typer.Exit(1)


def as_text(found: Sequence[Finding]) -> str:
    """Lines for a person."""
    lines = []
    for one in found:
        lines += [
            f"{one.severity.upper()}: {_line(one.subject)}: {_line(one.what)} [{one.check}]",
            f"    why: {_line(one.why)}",
            f"    do:  {_line(one.fix)}",
        ]
    return "\n".join([*lines, summary(found)]) + "\n"


def summary(found: Sequence[Finding]) -> str:
    """How many of each."""
    counts = Counter(one.severity.value for one in found)
    said = [f"{number} {severity}" for severity, number in counts.items()]
    return f"doctor: {', '.join(said)}" if said else "doctor: nothing wrong was found"


def as_json(found: Sequence[Finding]) -> str:
    """An array of objects, one a line."""
    rows = [{name: _line(str(value)) for name, value in one._asdict().items()} for one in found]
    return "[\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n]\n" if rows else "[]\n"


def _line(text: str) -> str:
    """Texts of servers are among them: no control characters, and one line."""
    return printable(" ".join(text.splitlines()))
