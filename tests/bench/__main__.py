"""`make bench` (`ARGS="--rounds 1"`): events per second and CPU per event, on real Kafka and Redis. Under 3 minutes.

A round: each contender starts on an empty topic and is paused; the topic is filled; one after the other they
are let go and looked at until they are done. So nothing of a start is in the figures, and no two run at once.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import secrets
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from tests.bench.calls import EVENTS_A_CALL, Event, calls
from tests.bench.contenders import Child, Contender, Measured, Watchroom, measure, pause
from tests.bench.feed import fill
from tests.bench.latency import latencies_ms
from tests.bench.report import RESULTS, Found, show, write
from tests.flow.servers import KafkaServer, RedisServer
from watchroom.catalogue.load import load_catalogue
from watchroom.demo.server import free_port
from watchroom.errors import WorkFailed
from watchroom.kinds.names import COUNT, parse_field
from watchroom.settings import Settings, read_settings
from watchroom.store.read import Reader

CALLS = 50_000
PARTITIONS = 4
FAUST_SHARE = 4  # plain Faust is slow, and timed over the first quarter: its cost per event stays the same
STEADY_PER_S, STEADY_S = 500, 10


class Bench:
    """The servers, and the rounds on them."""

    def __init__(self, folder: Path, kafka: KafkaServer, redis: RedisServer, number: int) -> None:
        self._folder = folder
        self._kafka = kafka
        self._redis = redis
        self._number = number
        self.events = calls(number, PARTITIONS, _now_ms())
        self.measures = 0

    def round(self, name: str, *, last: bool) -> tuple[dict[str, Measured], list[float]]:
        """Run every contender once; after the last round also the latencies, in a worker that knows its calls."""
        settings = self._settings(name)
        self.measures = len(load_catalogue(settings.schemas / "measures", settings.areas).of_stream("calls"))
        started: list[Contender] = []
        try:
            worker = self._start(settings, started)
            for contender in started:
                pause(contender)
            asyncio.run(fill(self._kafka.address, settings.topic("calls"), self.events))
            measured = {contender.name: self._measure(contender, started) for contender in started[:]}
            _check(settings, self._number)
            return measured, self._latencies(worker, settings) if last else []
        finally:
            for contender in started:
                contender.stop()

    def _start(self, settings: Settings, started: list[Contender]) -> Watchroom:
        name, topic, kafka, events = settings.force, settings.topic("calls"), self._kafka.address, len(self.events)
        worker = Watchroom(settings, events, self._folder / f"{name}-worker.log")
        started.append(worker)  # first, because it creates the topic
        log = self._folder / f"{name}-floor.log"
        started.append(Child("floor", "floor", events, log, kafka, topic, PARTITIONS, events))
        few, log = events // FAUST_SHARE, self._folder / f"{name}-faust.log"
        started.append(Child("faust", "plain_faust", few, log, kafka, topic, few, self._folder / f"{name}-faust"))
        return worker

    def _measure(self, contender: Contender, started: list[Contender]) -> Measured:
        measured = measure(contender, self._redis.server.pid)
        if not isinstance(contender, Watchroom):
            started.remove(contender)
            contender.stop()
        return measured

    def _latencies(self, worker: Watchroom, settings: Settings) -> list[float]:
        events = self._fresh(STEADY_PER_S * STEADY_S)
        return latencies_ms(worker, self._kafka.address, settings.topic("calls"), events, STEADY_PER_S)

    def _fresh(self, number: int) -> list[Event]:
        return calls(number // EVENTS_A_CALL, PARTITIONS, _now_ms(), prefix="later")

    def _settings(self, name: str) -> Settings:
        named = dict.fromkeys(("force", "topic_prefix", "group", "worker_name"), name)
        return read_settings(
            kafka=self._kafka.address,
            redis_url=self._redis.url,
            partitions=PARTITIONS,
            session_timeout_s=60,  # it is paused while the topic is filled
            health_port=free_port(),
            **named,
        )


def _check(settings: Settings, number: int) -> None:
    """A fast worker that counts wrong is useless."""
    reader = Reader(settings.redis_url, settings.force)
    try:
        months = reader.buckets([f"month:{month}" for month in reader.months()])
    finally:
        reader.close()
    cells = ((parse_field(name), count) for bucket in months for name, count in bucket.items())
    counted = sum(count for cell, count in cells if cell.measure == "call_volume" and cell.field == COUNT)
    if counted != number:
        raise WorkFailed(f"Redis holds {counted:,} calls and {number:,} were sent; look into {settings.force}")


def _now_ms() -> int:
    return int(time.time() * 1000)


def run(folder: Path, rounds: int, number: int, console: Console) -> Found:
    """Start the servers, run the rounds, stop the servers."""
    load, kafka, redis = os.getloadavg()[0], KafkaServer(folder / "kafka"), RedisServer(folder / "redis")
    try:
        kafka.start()
        redis.start()
        bench = Bench(folder, kafka, redis, number)
        found: list[dict[str, Measured]] = []
        latencies: Sequence[float] = ()
        for index in range(rounds):
            measured, latencies = bench.round(f"bench-{secrets.token_hex(4)}", last=index == rounds - 1)
            found.append(measured)
            rates = ", ".join(f"{name} {one.events_per_s:,.0f}/s" for name, one in measured.items())
            console.print(f"round {index + 1} of {rounds}: {rates}", highlight=False)
    finally:
        kafka.stop()
        redis.stop()
    return Found(
        rounds={name: [measured[name] for measured in found] for name in ("floor", "faust", "watchroom")},
        what={
            "floor": "raw aiokafka getmany: counts",
            "faust": f"decodes JSON, counts by type in memory (the first 1/{FAUST_SHARE} of the events)",
            "watchroom": f"whole path to exact Redis state, {bench.measures} measures",
        },
        latencies_ms=latencies,
        events=len(bench.events),
        bytes_per_event=sum(len(event.value) for event in bench.events) / len(bench.events),
        partitions=PARTITIONS,
        measures=bench.measures,
        steady_per_s=STEADY_PER_S,
        load=load,
    )


def main() -> None:
    """Run, print, write."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="What the worker costs.")
    parser.add_argument("--rounds", type=int, default=3, help="each contender runs so often (default 3)")
    parser.add_argument("--calls", type=int, default=CALLS, help="calls of 4 events each (default 50,000)")
    parser.add_argument("--to", type=Path, default=RESULTS, help="JSON file that gets the figures")
    given = parser.parse_args()
    console = Console()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # it complains while the broker is starting
    with tempfile.TemporaryDirectory(prefix="watchroom-bench-") as folder:
        found = run(Path(folder), given.rounds, given.calls, console)
    show(found, console)
    write(found, given.to)
    console.print(f"written to {given.to}")


if __name__ == "__main__":
    main()
