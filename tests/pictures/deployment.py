"""A control room of a simulated force on real servers: Kafka, Redis, worker, exporter, Prometheus, callers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tests.flow.servers import KafkaServer, RedisServer
from tests.pictures.prometheus import OneForce
from watchroom.demo.command import AREAS, SIMULATED_SOURCES
from watchroom.demo.processes import Process
from watchroom.demo.server import free_port
from watchroom.demo.waiting import wait_applied
from watchroom.rolling.calendar import Calendar
from watchroom.settings import Settings, read_settings
from watchroom.simulator import PUBLISHED, Force, Surge, simulate
from watchroom.simulator.feed import Feed
from watchroom.store.read import Reader

FORCE = "simulated"
SURGE = 60  # times normal demand, 999 alone: as after an explosion in a town
LOADED_WITHIN_S = 60.0

# Callers of a surge; everything else that a force does goes on in the first simulation.
HARDLY = 0.01  # a day; a rate of 0 would have no next event
ONLY_999 = replace(
    PUBLISHED,
    lines={"999": PUBLISHED.lines["999"]},
    incidents=replace(PUBLISHED.incidents, others_per_day=HARDLY),
    crimes=replace(PUBLISHED.crimes, others_per_day=HARDLY),
)


@dataclass
class Deployment:
    """The running parts, and the three things that can happen to them."""

    settings: Settings
    prometheus: OneForce
    worker: Process
    feeds: list[Feed]
    live_from_s: float  # UTC seconds since when Prometheus has scraped it
    _ending: ExitStack

    def surge(self) -> None:
        """From now on many more people dial 999."""
        now_ms = _now_ms()
        self.feeds.append(_simulation(ONLY_999, self.settings, now_ms, seed=2, surges=[Surge(now_ms, None, SURGE)]))
        self._ending.enter_context(self.feeds[-1])

    def let_run(self, seconds: float) -> None:
        """Wait; raises if a part has ended by itself in the meantime."""
        time.sleep(seconds)
        self.worker.check()
        for feed in self.feeds:
            feed.check()

    def kill_feeds(self) -> None:
        """No source sends anything any more, not even heartbeats; all our own parts keep running."""
        self._ending.close()
        self.feeds.clear()

    def kill_worker(self) -> None:
        """The worker ends; Redis keeps its last figures."""
        self.worker.stop()


@contextmanager
def running_deployment(folder: Path, months: int, say: Callable[[str], None]) -> Iterator[Deployment]:
    """A running deployment with `months` complete months of history, scraped by Prometheus."""
    with ExitStack() as ending:
        kafka, redis = KafkaServer(folder / "kafka"), RedisServer(folder / "redis")
        for server in (kafka, redis):
            ending.callback(server.stop)
            server.start()
        settings = _settings(kafka.address, redis.url)
        worker = ending.enter_context(Process("worker", settings, folder / "worker.log"))
        ending.enter_context(Process("exporter", settings, folder / "exporter.log"))
        calendar, now_ms = Calendar(settings.zone), _now_ms()
        start_ms = calendar.month_start_ms(calendar.months_before(calendar.month_of(now_ms), months))
        feeding = ending.enter_context(ExitStack())
        feed = feeding.enter_context(_simulation(PUBLISHED, settings, start_ms, seed=1, heartbeats_from_ms=now_ms))
        _load(settings, feed, worker, say)
        prometheus = OneForce(folder / "prometheus", settings)
        ending.callback(prometheus.stop)
        prometheus.start()
        prometheus.until("max(watchroom_stream_withheld) == 0", LOADED_WITHIN_S)
        yield Deployment(settings, prometheus, worker, [feed], time.time(), feeding)


def _settings(kafka: str, redis_url: str) -> Settings:
    """As shipped, except for ports and the simulator's own names."""
    given = {"kafka": kafka, "redis_url": redis_url, "force": FORCE, "areas": AREAS, "sources": SIMULATED_SOURCES}
    return read_settings(**given, worker_name="pictures", health_port=free_port(), exporter_port=free_port())


def _simulation(
    force: Force,
    settings: Settings,
    start_ms: int,
    *,
    seed: int,
    surges: list[Surge] | None = None,
    heartbeats_from_ms: int | None = None,
) -> Feed:
    events = simulate(
        force,
        seed=seed,
        start_ms=start_ms,
        zone=settings.zone,
        surges=surges or [],
        heartbeats_from_ms=heartbeats_from_ms,
    )
    return Feed(settings, events)


def _load(settings: Settings, feed: Feed, worker: Process, say: Callable[[str], None]) -> None:
    """Wait until the history has been sent and applied."""
    began_s = said_s = time.monotonic()
    while feed.ends is None:
        feed.wait(1.0)
        worker.check()
        if time.monotonic() - said_s > 15:
            said_s = time.monotonic()
            say(f"sent {feed.sent:,} events, up to {time.strftime('%d %B %Y', time.gmtime(feed.sent_to_ms / 1000))}")
    feed.check()
    reader = Reader(settings.redis_url, settings.force)
    try:
        wait_applied(reader, feed.ends, worker.check, lambda _missing: None)
    finally:
        reader.close()
    say(f"{feed.sent:,} events sent and applied in {time.monotonic() - began_s:.0f} s")


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
