"""What a worker says about itself: its log, its counters and waits, and its pages.

The pages `/livez`, `/readyz`, `/health` (JSON) and `/metrics` do not use Faust's web server: they answer even before
Kafka can be reached, and report that. Live means progress: what the log is known to hold gets applied. A worker that
waits for a server is live, because a restart would not help, but not ready.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import structlog
from aiohttp import web
from prometheus_client.core import CollectorRegistry, CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from watchroom import process
from watchroom.catalogue.metrics import PLATFORM
from watchroom.errors import ConfigurationInvalid
from watchroom.intake.assigned_partition import AssignedPartition
from watchroom.settings import Settings
from watchroom.timing import now_ms
from watchroom.wording import duration

if TYPE_CHECKING:
    from watchroom.intake.intake import Intake

REPEAT_LOG_S = 30.0
STALL_S = 60.0  # behind, and nothing applied for so long: not live
ANSWER_S = 10.0  # no fetch answer, or no step written to Redis, for so long: not ready
LAG = "watchroom_worker_lag_offsets"
MOST_REMEMBERED = 1000  # lines; texts with a number or an error in them may always be new
# Faust logs every step of its start and end, its base classes also under the names of our subclasses.
QUIET = {
    "aiokafka": logging.WARNING,
    "faust": logging.WARNING,
    "mode": logging.WARNING,
    "watchroom.intake.faust_app": logging.WARNING,
    "watchroom.intake.fetching": logging.WARNING,
    "asyncio": logging.ERROR,
}
_HELP = {family.name: family.about for family in PLATFORM if family.by == "worker"}
COUNTERS = [name.removeprefix("watchroom_worker_").removesuffix("_total") for name in _HELP if name != LAG]

log = structlog.get_logger("watchroom.intake")


def servers_of(settings: Settings) -> dict[str, str]:
    """The servers' names for `Status`, without the password in the Redis URL."""
    return {
        "kafka": f"Kafka at {settings.kafka} (check that it is running, and check WATCHROOM_KAFKA)",
        "redis": f"Redis at {settings.redis_shown} (check that it is running, and check WATCHROOM_REDIS_URL)",
    }


class Status:
    """Counters and current waits of one worker.

    Args:
        servers: By server: its address and the setting that names it, for a person.
    """

    def __init__(self, servers: Mapping[str, str] | None = None) -> None:
        self._servers = dict(servers or {})
        self.counts: Counter[str] = Counter(dict.fromkeys(COUNTERS, 0))
        self._waits: dict[str, tuple[str, float]] = {}  # by server: text, since (monotonic s)
        self._logged_at_s: dict[str, float] = {}

    def count(self, name: str, by: int = 1) -> None:
        """Add to a counter of `COUNTERS`."""
        self.counts[name] += by

    def waiting(self, server: str, text: str, *, is_whole: bool = False) -> None:
        """`server` (kafka, redis) does not answer; logged at once, then at most every 30 s.

        `is_whole`: the text itself names the server and what to check.
        """
        now_s = time.monotonic()
        since_s = self._waits[server][1] if server in self._waits else now_s
        if is_whole:
            text = f"waiting: {text}"
        elif name := self._servers.get(server):
            text = f"waiting for {name}: {text}"
        self._waits[server] = (text, since_s)
        if now_s - self._logged_at_s.get(server, -REPEAT_LOG_S) >= REPEAT_LOG_S:
            self._logged_at_s[server] = now_s
            log.warning(text, waiting_s=round(now_s - since_s, 1))

    def answered(self, server: str) -> None:
        """`server` answers (again)."""
        wait = self._waits.pop(server, None)
        if wait is not None and self._logged_at_s.pop(server, None) is not None:
            log.info("the server answers again", server=server, after_s=round(time.monotonic() - wait[1], 1))

    def waits(self) -> dict[str, str]:
        """What the worker waits for, by server."""
        return {server: text for server, (text, _) in self._waits.items()}


class Health:
    """Checks the worker, and serves the result."""

    def __init__(self, status: Status, stall_s: float = STALL_S) -> None:
        self._status = status
        self._stall_s = stall_s
        self._kafka_tools = ""  # see `Settings`
        self._runner: web.AppRunner | None = None
        self.intake: Intake | None = None  # once the worker has one

    async def start(self, settings: Settings) -> None:
        """Serve on `health_host:health_port`.

        Raises:
            ConfigurationInvalid: The port is in use, or the address is not one of this machine.
        """
        self._kafka_tools = settings.kafka_tools
        registry = CollectorRegistry()
        registry.register(self)
        app = web.Application()
        app.router.add_get("/livez", lambda _: _answer(self.not_live()))
        app.router.add_get("/readyz", lambda _: _answer(self.not_ready(), self.left().values()))
        app.router.add_get("/health", lambda _: _json(self.report()))
        app.router.add_get("/metrics", lambda _: _metrics(registry))
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, settings.health_host, settings.health_port).start()
        except OSError as error:
            fault = process.port_fault("WATCHROOM_HEALTH_PORT", settings.health_host, settings.health_port, error)
            raise ConfigurationInvalid([fault]) from error

    async def stop(self) -> None:
        """Close the port."""
        if self._runner is not None:
            await self._runner.cleanup()

    def _partitions(self) -> list[AssignedPartition]:
        return [] if self.intake is None else list(self.intake.assignment)

    def not_live(self) -> list[str]:
        """Why this process should be restarted; empty if it should not."""
        if self.intake is None or self._status.waits():
            return []
        if self.intake.failure is not None:
            return [f"stopping: {self.intake.failure}"]
        return [
            f"{each.name}: applied up to {each.next_offset} of {each.end}; no progress for {duration(stalled_s)}"
            for each in self._partitions()
            if (stalled_s := each.stalled_s()) > self._stall_s
        ]

    def not_ready(self) -> list[str]:
        """Why this worker cannot work now; empty if it can, even if it has no partitions."""
        reasons = list(self._status.waits().values())
        if self.intake is None or not self.intake.assignment.joined:
            return reasons or ["starting: the worker has not joined the consumer group yet"]
        reasons += [
            found.said(tp.topic, tp.partition, self._kafka_tools)
            for each in self._partitions()
            if (tp := each.topic_partition) and (found := each.open_transaction(now_ms()))
        ]
        reasons += [
            f"topic {topic} has no partitions; it may have been deleted"
            for topic in self.intake.streams.without_partitions
        ]
        for each in self._partitions():
            reasons += self._partition_not_ready(each, self.intake)
        return reasons + self.not_live()

    def _partition_not_ready(self, partition: AssignedPartition, intake: Intake) -> list[str]:
        if not partition.is_reading:
            return [f"{partition.name}: the offset in Redis has not been read yet"]
        reasons = []
        waits = self._status.waits()
        if partition.silent_s(now_ms()) > ANSWER_S and "kafka" not in waits:
            reasons.append(f"{partition.name}: Kafka has not answered a fetch for {ANSWER_S:.0f} s")
        is_waiting = "redis" in waits or partition.topic_partition in intake.without_letters
        if partition.unwritten_s() > ANSWER_S and not is_waiting:
            reasons.append(f"{partition.name}: nothing has been written to Redis for {ANSWER_S:.0f} s")
        return reasons

    def left(self) -> dict[str, str]:
        """The streams that this worker leaves alone, and why. They neither restart the worker nor make it unready."""
        return {} if self.intake is None else self.intake.streams.why_left()

    def report(self) -> dict[str, Any]:
        """All of it, for a person."""
        return {
            "live": not self.not_live(),
            "ready": not self.not_ready(),
            "reasons": self.not_live() or self.not_ready(),
            "waiting_for": self._status.waits(),
            "left": self.left(),
            "partitions": [
                {
                    "topic": each.topic_partition.topic,
                    "partition": each.topic_partition.partition,
                    "placed": each.is_reading,
                    "applied": each.next_offset,
                    "end": each.end,
                    "fresh_ms": each.fresh_ms(each.next_offset),
                }
                for each in sorted(self._partitions(), key=lambda each: each.topic_partition)
            ],
            "counts": dict(self._status.counts),
        }

    def collect(self) -> Iterable[Metric]:
        """Counters of this process, and how far behind each of its partitions is."""
        for name in COUNTERS:
            metric = f"watchroom_worker_{name}"
            yield CounterMetricFamily(metric, _HELP[f"{metric}_total"], value=self._status.counts[name])
        lag = GaugeMetricFamily(LAG, _HELP[LAG], labels=["topic", "partition"])
        for each in self._partitions():
            if each.is_reading and each.end is not None:
                topic, number = each.topic_partition
                lag.add_metric([topic, str(number)], max(0, each.end - each.next_offset))
        yield lag


async def _answer(reasons: list[str], notes: Iterable[str] = ()) -> web.Response:
    text = "\n".join([*(reasons or ["ok"]), *notes])
    return web.Response(status=503 if reasons else 200, text=text + "\n")


async def _json(report: dict[str, Any]) -> web.Response:
    return web.json_response(report)


async def _metrics(registry: CollectorRegistry) -> web.Response:
    return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})


class Repeats(logging.Filter):
    """Shows a logger's line about a partition once in 30 s, with how many were left out.

    While a broker is down, aiokafka tries again many times a second and logs each try. Our own code may do the same.
    """

    def __init__(self, repeat_s: float = REPEAT_LOG_S) -> None:
        super().__init__()
        self._repeat_s = repeat_s
        self._seen: dict[tuple[str, ...], tuple[float, int]] = {}  # oldest first

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to show the record."""
        key, now_s = _key(record), time.monotonic()
        shown_at_s, left_out = self._seen.get(key, (-self._repeat_s, 0))
        if now_s - shown_at_s < self._repeat_s:
            self._seen[key] = (shown_at_s, left_out + 1)
            return False
        self._seen.pop(key, None)
        self._seen[key] = (now_s, 0)
        if len(self._seen) > MOST_REMEMBERED:
            del self._seen[next(iter(self._seen))]
        if left_out:
            _add(record, f" (and {left_out} more like it)")
        return True


def _key(record: logging.LogRecord) -> tuple[str, ...]:
    """What repeated lines have in common: the logger, and the template, or the event and its partition.

    A line of structlog is a mapping with a time, so no two are equal.
    """
    if isinstance(record.msg, dict):
        return (record.name, *(str(record.msg.get(name)) for name in ("event", "topic", "partition")))
    return record.name, str(record.msg)


def _add(record: logging.LogRecord, text: str) -> None:
    if isinstance(record.msg, dict):
        record.msg = {**record.msg, "event": f"{record.msg.get('event')}{text}"}
    else:
        record.msg = f"{record.msg}{text}"


def log_to_stderr() -> None:
    """Set up the worker's log: one line each on stderr, with a limit on repeated lines."""
    process.log_to_stderr(Repeats())
    for name, level in QUIET.items():
        logging.getLogger(name).setLevel(level)
