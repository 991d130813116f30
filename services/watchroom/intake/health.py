"""The worker's own pages: `/livez`, `/readyz`, `/health` (JSON) and `/metrics` (its counters).

Independent of Faust's web server, so that it is up before Kafka is reachable and can say so.
Live means progress: what the log is known to hold gets applied. A worker that waits for a server
that does not answer is live (a restart would not help it) and not ready.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from aiohttp import web
from prometheus_client.core import CollectorRegistry, CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from watchroom.errors import ConfigurationInvalid
from watchroom.intake.intake import REMEDIES, Intake, left_said, now_ms
from watchroom.intake.lanes import Lane
from watchroom.intake.status import COUNTERS, Status
from watchroom.intake.transactions import open_transaction
from watchroom.process import port_fault
from watchroom.settings import Settings

STALL_S = 60.0  # behind, and nothing applied for so long: not live
ANSWER_S = 10.0  # no fetch answer, or no touch of Redis, for so long: not ready


class Health:
    """Judges the worker, and serves the judgement."""

    def __init__(self, status: Status, stall_s: float = STALL_S) -> None:
        self._status = status
        self._stall_s = stall_s
        self._kafka_tools = ""  # see `Settings`
        self._runner: web.AppRunner | None = None
        self.intake: Intake | None = None  # set when the worker has got so far

    async def start(self, settings: Settings) -> None:
        """Serve on `health_host:health_port`.

        Raises:
            ConfigurationInvalid: The port is taken, or the address is not ours.
        """
        self._kafka_tools = settings.kafka_tools
        registry = CollectorRegistry()
        registry.register(self)
        app = web.Application()
        app.router.add_get("/livez", lambda _: _answer(self.not_live()))
        app.router.add_get("/readyz", lambda _: _answer(self.not_ready(), self.left()))
        app.router.add_get("/health", lambda _: _json(self.report()))
        app.router.add_get("/metrics", lambda _: _metrics(registry))
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, settings.health_host, settings.health_port).start()
        except OSError as error:
            fault = port_fault("WATCHROOM_HEALTH_PORT", settings.health_host, settings.health_port, error)
            raise ConfigurationInvalid([fault]) from error

    async def stop(self) -> None:
        """Close the port."""
        if self._runner is not None:
            await self._runner.cleanup()

    def not_live(self) -> list[str]:
        """Why this process should be restarted; empty if it should not."""
        if self.intake is None or self._status.waits():
            return []
        if self.intake.failure is not None:
            return [f"ending: {self.intake.failure}"]
        return [
            f"{lane.place.topic} partition {lane.place.partition}: applied {lane.stands} of {lane.end}, "
            f"and nothing for {stood_s:.0f} s"
            for lane in self.intake.lanes
            if lane.behind() and (stood_s := time.monotonic() - lane.moved_at_s) > self._stall_s
        ]

    def not_ready(self) -> list[str]:
        """Why this worker does not do its work now; empty if it does (or could, without partitions)."""
        reasons = list(self._status.waits().values())
        if self.intake is None or not self.intake.lanes.joined:
            return reasons or ["starting: not yet in the consumer group"]
        reasons += [
            found.said(*lane.place, self._kafka_tools)
            for lane in self.intake.lanes
            if (found := open_transaction(lane, now_ms()))
        ]
        reasons += [f"topic {topic} has no partitions: was it deleted?" for topic in self.intake.without_partitions]
        for lane in self.intake.lanes:
            reasons += self._lane_not_ready(lane)
        return reasons + self.not_live()

    def _lane_not_ready(self, lane: Lane) -> list[str]:
        name = f"{lane.place.topic} partition {lane.place.partition}"
        if not lane.placed:
            return [f"{name}: not placed at Redis's offset yet"]
        reasons = []
        if lane.silent_s(now_ms()) > ANSWER_S and "kafka" not in self._status.waits():
            reasons.append(f"{name}: no fetch answer from Kafka for {ANSWER_S:.0f} s")
        if (
            time.monotonic() - max(lane.touched_at_s, lane.placed_at_s) > ANSWER_S
            and "redis" not in self._status.waits()
            and not (self.intake and lane.place in self.intake.without_letters)
        ):
            reasons.append(f"{name}: Redis not written for {ANSWER_S:.0f} s")
        return reasons

    def left(self) -> list[str]:
        """Streams that this worker leaves alone, and why: no reason to restart it, or to count it as missing."""
        if self.intake is None:
            return []
        return [*(left_said(*each) for each in self.intake.left.items()), *self.intake.added.values()]

    def report(self) -> dict[str, Any]:
        """All of it, for a person."""
        lanes = [] if self.intake is None else list(self.intake.lanes)
        left = {} if self.intake is None else self.intake.left
        added = {} if self.intake is None else self.intake.added
        return {
            "live": not self.not_live(),
            "ready": not self.not_ready(),
            "reasons": self.not_live() or self.not_ready(),
            "waiting_for": self._status.waits(),
            "left": {**{stream: f"{changed}; {REMEDIES}" for stream, changed in left.items()}, **added},
            "partitions": [
                {
                    "topic": lane.place.topic,
                    "partition": lane.place.partition,
                    "placed": lane.placed,
                    "applied": lane.stands,
                    "end": lane.end,
                    "fresh_ms": lane.fresh_ms(lane.stands),
                }
                for lane in sorted(lanes, key=lambda lane: lane.place)
            ],
            "counts": dict(self._status.counts),
        }

    def collect(self) -> Iterable[Metric]:
        """Counters of this process, and how far behind each of its partitions is."""
        for name, says in COUNTERS.items():
            yield CounterMetricFamily(f"watchroom_worker_{name}", says, value=self._status.counts[name])
        lag = GaugeMetricFamily(
            "watchroom_worker_lag_offsets",
            "Offsets known to be in the log and not applied.",
            labels=["topic", "partition"],
        )
        for lane in () if self.intake is None else self.intake.lanes:
            if lane.placed and lane.end is not None:
                lag.add_metric([lane.place.topic, str(lane.place.partition)], max(0, lane.end - lane.stands))
        yield lag


async def _answer(reasons: list[str], notes: Iterable[str] = ()) -> web.Response:
    text = "\n".join([*(reasons or ["ok"]), *notes])
    return web.Response(status=503 if reasons else 200, text=text + "\n")


async def _json(report: dict[str, Any]) -> web.Response:
    return web.json_response(report)


async def _metrics(registry: CollectorRegistry) -> web.Response:
    return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})
