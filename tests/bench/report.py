"""The result of a run: a table for people, `results/latest.json` for programs."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table

from tests.bench.contenders import Measured

RESULTS = Path(__file__).parent / "results" / "latest.json"
ABSENT = {"quix": "not compared yet", "bytewax": "not compared yet"}


@dataclass(frozen=True)
class Found:
    """One run."""

    rounds: Mapping[str, Sequence[Measured]]  # by contender, the floor first
    what: Mapping[str, str]  # what each contender does with an event
    latencies_ms: Sequence[float]  # sorted
    events: int
    bytes_per_event: float
    partitions: int
    measures: int  # fed by the stream
    steady_per_s: int
    load: float  # the machine's load average before the run

    def middle(self, name: str, field: str) -> float:
        """Median over the rounds."""
        values: list[float] = [getattr(measured, field) for measured in self.rounds[name]]
        return median(values)

    def latency_ms(self, percent: int) -> float:
        """Nearest rank."""
        return self.latencies_ms[-(-len(self.latencies_ms) * percent // 100) - 1]


def write(found: Found, path: Path = RESULTS) -> None:
    """The figures as JSON."""
    names = list(found.rounds)
    content = {
        "throughput": {name: round(found.middle(name, "events_per_s")) for name in names} | dict.fromkeys(ABSENT),
        "cpu_us_per_event": {name: round(found.middle(name, "cpu_us_per_event"), 2) for name in names},
        "latency_ms": {"p50": round(found.latency_ms(50), 1), "p95": round(found.latency_ms(95), 1)},
        "memory_mb": {name: round(found.middle(name, "memory_mb")) for name in names},
        "redis_cpu_us_per_event": round(found.middle("watchroom", "beside_us_per_event"), 2),
        "rounds": {
            name: [{field: round(value, 1) for field, value in one._asdict().items()} for one in found.rounds[name]]
            for name in names
        },
        "why_null": ABSENT,
        "conditions": {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "events": found.events,
            "bytes_per_event": round(found.bytes_per_event),
            "partitions": found.partitions,
            "measures": found.measures,
            "latency_at_events_per_s": found.steady_per_s,
            "timed_over": dict(found.what),
            "python": platform.python_version(),
            "cores": os.cpu_count(),
            "load_average_before": round(found.load, 1),
        },
    }
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def show(found: Found, console: Console) -> None:
    """The figures as a table."""
    table = Table(title=f"{found.events:,} call events of {found.bytes_per_event:.0f} B, {found.partitions} partitions")
    table.add_column("process")
    for heading in ("events/s", "of the floor", "us CPU an event", "MB"):
        table.add_column(heading, justify="right")
    floor = found.middle("floor", "events_per_s")
    for name in found.rounds:
        rate = found.middle(name, "events_per_s")
        cells = (f"{rate:,.0f}", f"{rate / floor:.1%}", f"{found.middle(name, 'cpu_us_per_event'):.2f}")
        table.add_row(name, *cells, f"{found.middle(name, 'memory_mb'):.0f}")
    console.print(table)
    for name, what in found.what.items():
        console.print(f"{name}: {what}", highlight=False)
    console.print(
        f"From produce to visible in Redis at {found.steady_per_s} events/s: "
        f"p50 {found.latency_ms(50):.1f} ms, p95 {found.latency_ms(95):.1f} ms. "
        f"Redis's own CPU: {found.middle('watchroom', 'beside_us_per_event'):.1f} us an event. "
        f"Rounds: {len(found.rounds['floor'])}, medians; {os.cpu_count()} cores shared with Kafka and Redis, load "
        f"average {found.load:.1f} before the run: if it is not near 0, look at ratios and CPU time.",
        highlight=False,
    )
