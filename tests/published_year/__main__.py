"""`make published-year` (`ARGS="--scale 0.1"`): the published year through real Kafka and the worker, and its page."""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import cast

from rich.console import Console

from tests.flow.servers import KafkaServer, RedisServer
from tests.flow.servers.kafka import end_offsets
from tests.published_year.applied import import_baselines, settings_on
from tests.published_year.compare import Line
from tests.published_year.page import PAGE, write_page
from tests.published_year.read import read_lines
from watchroom.demo.processes import Process
from watchroom.demo.server import free_port
from watchroom.demo.waiting import wait_applied
from watchroom.errors import WorkFailed
from watchroom.kafka.produce import Ends
from watchroom.settings import Settings
from watchroom.simulator.command import run_published_year
from watchroom.simulator.published_year import Printed, load_printed
from watchroom.store.read import Reader

PARTITIONS = 2


def run(folder: Path, scale: float, console: Console) -> tuple[Printed, list[Line], int]:
    """Start the servers and a worker, send the year, wait until it is applied, read the report, end the servers.

    Returns:
        The printed numbers with ours, and the number of events.

    Raises:
        WorkFailed: The worker ended, stalled, or refused an event.
    """
    kafka, redis = KafkaServer(folder / "kafka"), RedisServer(folder / "redis")
    with ExitStack() as ending:
        for server in (kafka, redis):
            ending.callback(server.stop)
            server.start()
        settings = settings_on(redis.url, kafka=kafka.address, partitions=PARTITIONS, health_port=free_port())
        printed = load_printed(settings.schemas)
        worker = ending.enter_context(Process("worker", settings, folder / "worker.log"))
        run_published_year(settings, scale=scale, console=console)
        events = _applied(settings, worker)
        with redis.client() as client:
            used_mb = cast("dict[str, int]", client.info("memory"))["used_memory"] / 1e6
        console.print(f"{events:,} events applied; Redis holds {used_mb:,.0f} MB", highlight=False)
        import_baselines(settings, printed, scale)
        return printed, read_lines(settings, printed, scale, time.time_ns() // 1_000_000), events


def _applied(settings: Settings, worker: Process) -> int:
    """Wait until the worker has reached the end of every partition; returns how many events it applied."""
    ends: Ends = {
        (topic, partition): end
        for topic in settings.topics.values()
        for partition, end in asyncio.run(end_offsets(settings.kafka, topic)).items()
        if end
    }
    reader = Reader(settings.redis_url, settings.force)
    try:
        wait_applied(reader, ends, worker.check, lambda _: None)
        if refused := reader.dead_letters():
            raise WorkFailed(f"events were refused: {refused}")
    finally:
        reader.close()
    return sum(ends.values())


def main() -> None:
    """Run, write, and exit with 1 if a number is neither the printed one nor different by as much as the table says."""
    parser = argparse.ArgumentParser(prog="python -m tests.published_year", description="The published year's page.")
    parser.add_argument("--scale", type=float, default=1.0, help="part of the calls and contacts (default 1)")
    parser.add_argument("--to", type=Path, default=PAGE, help="file that gets the page")
    given = parser.parse_args()
    console = Console()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it complains while the broker is starting
    with tempfile.TemporaryDirectory(prefix="watchroom-published-year-") as folder:
        printed, lines, events = run(Path(folder), given.scale, console)
    write_page(lines, printed, events, given.scale, given.to)
    console.print(f"written to {given.to}")
    wrong = [line for line in lines if not line.is_right]
    for line in wrong:
        console.print(f"row {line.entry.row}, {line.name}: printed {line.printed}, ours {line.ours}", highlight=False)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
