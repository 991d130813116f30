"""One partition's applier on a real Redis: records are made by hand, dead letters are kept in a list."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from tests.fold.pipeline import catalogue
from tests.fold.said import at
from watchroom.events.record import Record
from watchroom.intake.admission import Refused
from watchroom.intake.batches import RecordBatch
from watchroom.intake.partition import Appliers, PartitionApplier, make_store
from watchroom.kafka.topics import Topics
from watchroom.settings import read_settings
from watchroom.store.read import Reader
from watchroom.streams import STREAMS

NOW_MS = at("09:10:00")
FORCE = "force"


def when(at_ms: int) -> str:
    """A moment as RFC 3339."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")


def record(offset: int, kind: str, clock: str, subject: str = "17", **more: Any) -> Record:
    """One event of `clock` on 27 November 2021, which arrives at once unless `arrived` (ms) says otherwise.

    `key` and `source` may be given; every other argument goes into the event's data.
    """
    key, source = more.pop("key", subject), more.pop("source", "acd")
    arrival_ms, headers = more.pop("arrived", at(clock)), more.pop("headers", ())
    event = {"specversion": "1.0", "id": f"{subject}-{kind}-{clock}", "source": source, "type": kind}
    for name in ("recordedtime",):
        if name in more:
            event[name] = more.pop(name)
    event |= {"time": when(at(clock)), "subject": subject, "data": more}
    return Record(offset, arrival_ms, key.encode(), json.dumps(event).encode(), headers)


def batch(
    base: int, *records: Record, stream: str = "calls", partition: int = 0, end: int | None = None
) -> RecordBatch:
    """A fetched batch; it ends after its last record unless `end` says otherwise."""
    last = records[-1].offset + 1 if records else base
    return RecordBatch(f"watchroom.{stream}", partition, base, records, last if end is None else end)


def queued(calls: int) -> dict[str, int]:
    """What this many waiting 999 calls add to their month."""
    counted = ("call_volume|line=999", "call_volume_by_class|class=unknown", "call_volume_by_cli_type|cli_type=unknown")
    return {f"{series}|count": calls for series in counted}


class Letters:
    """What was sent to the dead letters; `before` is called first and may raise."""

    def __init__(self) -> None:
        self.sent: list[tuple[int, str]] = []  # (offset, reason)
        self.before: Callable[[], None] = lambda: None

    async def send(self, topic: str, partition: int, refused: Sequence[Refused]) -> None:
        """As `intake.dead_letters` does, without Kafka."""
        if not topic.startswith("watchroom.") or partition < 0:
            raise ValueError(f"{topic} partition {partition} is none of ours")
        self.before()
        self.sent += [(item.record.offset, item.why.reason) for item in refused]


class OnePartition:
    """A worker's appliers and a reader, under one force."""

    def __init__(self, redis_url: str, *, partitions: int = 1, **more: Any) -> None:
        settings = read_settings(redis_url=redis_url, force=FORCE, streams=tuple(STREAMS), **more)
        topics = Topics({settings.topic(stream): partitions for stream in STREAMS}, {})
        self.served = {stream: settings.topic(stream) for stream in STREAMS}
        self.letters = Letters()
        self.reader = Reader(redis_url, FORCE)
        self.store = make_store(settings, catalogue(), topics)
        self._appliers = Appliers(settings, catalogue(), topics, self.store, self.letters.send)

    def applier(self, stream: str = "calls", partition: int = 0) -> PartitionApplier:
        """A new applier, as after an assignment; it is not started."""
        return self._appliers(f"watchroom.{stream}", partition)

    async def started(self, stream: str = "calls", partition: int = 0) -> PartitionApplier:
        """A new applier that has read Redis's next offset."""
        applier = self.applier(stream, partition)
        await applier.start()
        return applier

    async def agreeing(self) -> set[str]:
        """Streams that Redis holds under our definitions."""
        return await self.store.agreeing()

    def month(self) -> dict[str, int]:
        """What November 2021 holds, without zeros."""
        return {name: n for name, n in self.reader.buckets(["month:2021-11"])[0].items() if n}

    def next_offset(self, stream: str = "calls", partition: int = 0) -> int | None:
        """Redis's next offset."""
        return self.reader.partitions()[f"watchroom.{stream}", partition].next_offset

    async def close(self) -> None:
        """Close the connections."""
        self.reader.close()
        await self.store.close()
