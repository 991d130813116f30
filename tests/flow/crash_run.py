"""The parts of the crash test: processes to kill, lag to wait for, the log read back."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from redis import Redis
from redis.exceptions import RedisError

from tests.oracle.traffic import Outgoing
from tests.parts import ROOT
from watchroom.settings import Settings
from watchroom.streams import STREAMS

PartitionKey = tuple[str, int]
WITHIN_S = 90.0


class StepSeen(NamedTuple):
    """One step that Redis applied, as seen by the worker that sent it."""

    worker: str  # its name, which it keeps over restarts
    pid: int
    at_ms: int
    topic: str
    partition: int
    base: int
    next_offset: int


class Child:
    """A process of this test that is killed and started again; its log is kept."""

    def __init__(self, name: str, arguments: list[str], environment: Mapping[str, str], log: Path) -> None:
        self.name = name
        self._arguments = arguments
        self._environment = dict(environment)
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *more: str) -> None:
        """Start it with these arguments at the end."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", *self._arguments, *more],
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, cwd=ROOT, env=self._environment,
            )  # fmt: skip

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The process that is running, or ran last."""
        if self._process is None:
            raise RuntimeError(f"{self.name} was not started")
        return self._process

    def alive(self) -> None:
        """Fail with its log when it has ended."""
        if (code := self.process.poll()) is not None:
            raise AssertionError(f"{self.name} ended with {code}:\n{self.log()}")

    def log(self) -> str:
        """The end of its output."""
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-30:])

    def hold(self) -> None:
        """SIGSTOP."""
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """SIGCONT; has no effect if it was not held."""
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """SIGTERM; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)

    def gone(self) -> int | None:
        """Its exit code; None while it runs."""
        return self._process.poll() if self._process else None


class Watch:
    """How far the workers are, seen from outside."""

    def __init__(self, settings: Settings, redis: Redis, consumer: AIOKafkaConsumer, steps: Path) -> None:
        self._redis: Any = redis
        self._consumer = consumer
        self._head = f"{{{settings.force}}}:partition:"
        self._steps = steps
        self.places = [
            TopicPartition(settings.topic(stream), n) for stream in STREAMS for n in range(settings.partitions)
        ]

    def of_stream(self, stream: str) -> list[TopicPartition]:
        """The partitions of one stream."""
        return [tp for tp in self.places if tp.topic.endswith(f".{stream}")]

    async def ends(self) -> dict[PartitionKey, int]:
        """Log ends."""
        return {(tp.topic, tp.partition): end for tp, end in (await self._consumer.end_offsets(self.places)).items()}

    def stored(self, redis: Redis | None = None) -> dict[PartitionKey, int]:
        """The next offsets in Redis, or in the given one; 0 where there is none."""
        client: Any = redis or self._redis
        pipe = client.pipeline(transaction=False)
        for topic, partition in self.places:
            pipe.hget(f"{self._head}{topic}:{partition}", "next_offset")
        return {(tp.topic, tp.partition): int(raw or 0) for tp, raw in zip(self.places, pipe.execute(), strict=True)}

    async def lag(self) -> int:
        """Records in the log that Redis does not have yet."""
        stored = self.stored()
        return sum(end - stored[place] for place, end in (await self.ends()).items())

    def applied(self) -> int:
        """Records that Redis has."""
        return sum(self.stored().values())

    def steps(self) -> list[StepSeen]:
        """Every step recorded so far, in the order of writing."""
        if not self._steps.exists():
            return []
        return [StepSeen(**json.loads(line)) for line in self._steps.read_text().splitlines()]

    async def until_lag(self, above: int, *children: Child) -> int:
        """Wait until the workers are behind by more than this; they must be running."""
        return await until(f"a lag above {above}", lambda lag: lag > above, self.lag, *children)

    async def until_applied_beyond(self, records: int, *children: Child) -> int:
        """Wait until Redis has more records than this; the workers must be running."""

        async def applied() -> int:
            return self.applied()

        return await until(f"more than {records} records applied", lambda count: count > records, applied, *children)

    async def until_applied(self, *children: Child) -> None:
        """Wait until everything in the log is in Redis."""
        await until("no lag", lambda lag: lag == 0, self.lag, *children)


async def until(what: str, enough: Callable[[int], bool], measure: Any, *children: Child) -> int:
    """Measure again and again until the value is enough."""
    deadline_s, value = time.monotonic() + WITHIN_S, 0
    while time.monotonic() < deadline_s:
        for child in children:
            child.alive()
        try:
            value = await measure()
        except (RedisError, OSError):
            value = -1
        if enough(value):
            return value
        await asyncio.sleep(0.01)
    logs = "\n".join(f"--- {child.name}\n{child.log()}" for child in children)
    raise AssertionError(f"no {what} after {WITHIN_S:g} s, last seen {value}\n{logs}")


async def until_died(child: Child) -> None:
    """Wait until a worker has killed itself where it was instructed to."""

    async def code() -> int:
        return child.gone() or 0

    await until(f"death of {child.name}", lambda seen: seen != 0, code)
    if child.gone() != -signal.SIGKILL:
        raise AssertionError(f"{child.name} ended with {child.gone()}, not where it was told to:\n{child.log()}")


async def produce(settings: Settings, records: list[Outgoing], for_s: float) -> None:
    """Send all records over this many seconds: half of them steadily, half in bursts every 4 s."""
    ticks = round(for_s * 10)
    burst_every = 40
    steady = len(records) // 2 // ticks
    burst = (len(records) - steady * ticks) // -(-ticks // burst_every)
    sent, waiting = 0, []
    loop = asyncio.get_running_loop()
    async with AIOKafkaProducer(bootstrap_servers=settings.kafka, linger_ms=5, max_request_size=1 << 20) as producer:
        began_s = loop.time()
        for tick in range(ticks):
            most = len(records) if tick == ticks - 1 else sent + steady + (burst if tick % burst_every == 20 else 0)
            due = records[sent:most]
            waiting += [
                await producer.send(settings.topic(r.stream), r.value, r.key, r.partition, headers=r.headers)
                for r in due
            ]
            sent = min(most, len(records))
            await asyncio.sleep(max(0.0, began_s + (tick + 1) * 0.1 - loop.time()))
        await asyncio.gather(*waiting)


async def read_all(kafka: str, places: list[TopicPartition]) -> dict[PartitionKey, list[ConsumerRecord]]:
    """Everything in these partitions, in order."""
    found: dict[PartitionKey, list[ConsumerRecord]] = {(tp.topic, tp.partition): [] for tp in places}
    async with AIOKafkaConsumer(
        bootstrap_servers=kafka, enable_auto_commit=False, auto_offset_reset="earliest"
    ) as reader:
        reader.assign(places)
        await reader.seek_to_beginning(*places)
        ends = await reader.end_offsets(places)
        while any([await reader.position(tp) < end for tp, end in ends.items()]):
            for tp, records in (await reader.getmany(timeout_ms=500)).items():
                found[tp.topic, tp.partition] += records
    return found
