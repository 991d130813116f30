"""The parts of the rebuild tests: a Redis that a worker filled, its content, and the same from the log."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from redis import Redis

from tests.conftest import new_name
from tests.flow.commands import Done, Running, watchroom
from tests.flow.crash_run import PartitionKey, read_all
from tests.flow.servers import KafkaServer, RedisServer, Stack
from tests.flow.servers.kafka import end_offsets
from tests.oracle.traffic import HISTORY, Outgoing
from watchroom.demo.processes import Process, environment
from watchroom.demo.server import free_port
from watchroom.settings import Settings
from watchroom.streams import STREAMS

SOURCES = {stream: {HISTORY: {"heartbeats": False, "history": True}} for stream in STREAMS}
PASSING = ("seq", "fresh_ms", "life")  # fields of hashes that say when, or since which clearing, not what
SEEN_LAST = "|last|"  # in a field of partition-counts: when a count was last seen


def settings_on(kafka: KafkaServer, redis_server: RedisServer, **more: Any) -> Settings:
    """Settings of a new force."""
    stack = Stack("real", kafka.address, redis_server.url, new_name())
    return stack.settings(sources=SOURCES, streams=tuple(STREAMS), session_timeout_s=2, touch_s=0.5, **more)


OF_STEPS = ("token-ends", "token-versions", "bands")


def dump(client: Redis, force: str) -> dict[str, Any]:
    """Every key of a force with its content, as Redis returns it; none of our code reads it.

    Excluded: what says when, or by how many steps, something was written, and the bands of months, which a worker
    writes later (`tests/intake/test_month_bands.py` rebuilds them). Lists of restatements are in the order of each
    partition.
    """
    raw: Any = client
    found: dict[str, Any] = {}
    head = f"{{{force}}}:"
    for key in raw.scan_iter(f"{head}*", count=1000):
        name = key.decode().removeprefix(head)
        if name in OF_STEPS:
            continue
        match raw.type(key).decode():
            case "hash":
                fields = {f.decode(): v.decode() for f, v in raw.hgetall(key).items()}
                found[name] = {f: v for f, v in fields.items() if f not in PASSING and SEEN_LAST not in f}
            case "zset" if name == "changed" or name.startswith("open-until"):
                found[name] = {member.decode() for member in raw.zrange(key, 0, -1)}
            case "zset":
                found[name] = {member.decode(): at for member, at in raw.zrange(key, 0, -1, withscores=True)}
            case "list":
                found[name] = _by_partition(raw.lrange(key, 0, -1))
            case _:
                found[name] = raw.get(key)
    return found


def _by_partition(lines: list[bytes]) -> dict[PartitionKey, list[Any]]:
    """Entries of a log by partition; those of one event are in no order."""
    entries = [json.loads(line) for line in lines]
    found: dict[PartitionKey, list[Any]] = {}
    for entry in entries:
        found.setdefault((entry["topic"], entry["partition"]), []).append(entry)
    for place, of_place in found.items():
        if [entry["offset"] for entry in of_place] != sorted(entry["offset"] for entry in of_place):
            raise AssertionError(f"the log of {place} is not in its partition's order")
        of_place.sort(key=json.dumps)
    return found


def without(content: dict[str, Any], names: set[str]) -> dict[str, Any]:
    """A dump without some buckets, which may expire while the test looks."""
    kept = {name: value for name, value in content.items() if name not in names}
    kept["changed"] = kept.get("changed", set()) - names
    return kept


class RebuiltForce:
    """One force on real servers."""

    def __init__(self, settings: Settings, client: Redis, folder: Path) -> None:
        self.settings = settings
        self.client = client
        self.folder = folder

    @property
    def environment(self) -> dict[str, str]:
        """The environment of every process of this force."""
        return environment(self.settings)

    def run(self, *arguments: str, **more: str) -> Done:
        """Run a command for this force; `more` are variables that override its own."""
        return watchroom(*arguments, environment={**self.environment, **more})

    def worker(self, **more: Any) -> Process:
        """A worker of this force, not started."""
        settings = self.settings.model_copy(update={"health_port": free_port(), **more})
        return Process("worker", settings, self.folder / "worker.log")

    def dump(self) -> dict[str, Any]:
        """See `dump`."""
        return dump(self.client, self.settings.force)

    def months(self) -> list[str]:
        """Months that Redis holds."""
        return sorted(name.removeprefix("month:") for name in self.dump() if name.startswith("month:"))

    def half_a_minute_passes(self) -> None:
        """Make the freshness that workers stored 31 s older, so that the test need not wait."""
        for key in self.client.scan_iter(f"{{{self.settings.force}}}:partition:*"):
            fresh: Any = self.client.hget(key, "fresh_ms")
            if fresh is not None:
                self.client.hset(key, "fresh_ms", int(fresh) - 31_000)

    def killed_while_clearing(self) -> None:
        """Run a rebuild that is killed when it has removed the first keys."""
        done = Running("tests.flow.dying_rebuild", environment=self.environment).end()
        if done.code != -signal.SIGKILL:
            raise AssertionError(f"the rebuild ended with {done}")

    async def send(self, records: list[Outgoing]) -> None:
        """Produce records as the oracle's traffic describes them."""
        async with AIOKafkaProducer(bootstrap_servers=self.settings.kafka, max_request_size=1 << 20) as producer:
            sent = [
                await producer.send(self.settings.topic(r.stream), r.value, r.key, r.partition, headers=r.headers)
                for r in records
            ]
            await asyncio.gather(*sent)

    async def log(self) -> dict[str, dict[PartitionKey, list[ConsumerRecord]]]:
        """What the broker holds, by stream."""
        return {stream: await read_all(self.settings.kafka, self._places(stream)) for stream in STREAMS}

    def _places(self, stream: str) -> list[TopicPartition]:
        return [TopicPartition(self.settings.topic(stream), n) for n in range(self.settings.partitions)]

    async def is_applied(self, streams: Iterable[str] | None = None) -> bool:
        """Whether Redis has reached the ends of all logs of these streams, or of all that are fed."""
        for stream in self.settings.streams if streams is None else streams:
            topic = self.settings.topic(stream)
            for partition, end in (await end_offsets(self.settings.kafka, topic)).items():
                key = f"{{{self.settings.force}}}:partition:{topic}:{partition}"
                if int(self.client.hget(key, "next_offset") or -1) != end:
                    return False
        return True

    async def until_applied(self, worker: Process) -> None:
        """Wait for it."""
        async with asyncio.timeout(60):
            while not await self.is_applied():
                worker.check()
                await asyncio.sleep(0.1)

    async def until_nobody_is_in_the_group(self) -> None:
        """Wait until no member is left; a static member stays in the group until its session ends."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.settings.kafka)
        await admin.start()
        try:
            async with asyncio.timeout(30):
                while await self._members(admin):  # noqa: ASYNC110 - the broker sends no notification when a session ends
                    await asyncio.sleep(0.1)
        finally:
            await admin.close()

    async def _members(self, admin: AIOKafkaAdminClient) -> list[object]:
        (answer,) = await admin.describe_consumer_groups([self.settings.group])
        return list(answer.groups[0][5])

    async def until_fresh(self, worker: Process) -> None:
        """Wait until a worker has stored that some partition is fresh now."""
        async with asyncio.timeout(60):
            while not any(at_ms > time.time() * 1000 - 5_000 for at_ms in self._fresh_ms()):
                worker.check()
                await asyncio.sleep(0.1)

    def _fresh_ms(self) -> list[int]:
        stored: list[Any] = [
            self.client.hget(key, "fresh_ms") for key in self.client.scan_iter(f"{{{self.settings.force}}}:partition:*")
        ]
        return [int(at_ms) for at_ms in stored if at_ms is not None]
