"""A Redis filled by the real worker's own parts, without a broker: admit, fold, atomic step."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from watchroom.admission.models import STREAM_OF
from watchroom.catalogue.load import load_catalogue
from watchroom.events.headers import LATEST
from watchroom.events.record import Record
from watchroom.events.times import LATEST_MS, to_ms
from watchroom.importer.mapped import Mapped
from watchroom.intake.batches import RecordBatch
from watchroom.intake.partition import Appliers, make_store
from watchroom.kafka.topics import Topics
from watchroom.reports.months import read_months
from watchroom.reports.rows import Row
from watchroom.settings import Settings, SourceRule, read_settings
from watchroom.streams import STREAMS

SOURCE = "log"
NOW_MS = to_ms("2022-02-01T12:00:00Z")
MAY_BE_TO_COME = ((LATEST, str(LATEST_MS).encode()),)


class Happened(NamedTuple):
    """One event; `arrived` is its own time unless given."""

    type: str
    subject: str
    time: str
    data: dict[str, Any] = {}  # noqa: RUF012  # never changed
    arrived: str = ""


def settings_on(redis_url: str, **more: Any) -> Settings:
    """Settings over a Redis, with every stream fed and our source declared as history."""
    rules = {stream: {SOURCE: SourceRule(heartbeats=False, history=True)} for stream in STREAMS}
    fed = tuple(STREAMS)
    return read_settings(**{"redis_url": redis_url, "partitions": 1, "sources": rules, "streams": fed, **more})


def fill(settings: Settings, events: Sequence[Happened], *, fresh_ms: int = NOW_MS) -> None:
    """Apply the events in this order, then say that every partition is fresh as of `fresh_ms`."""
    asyncio.run(_fill(settings, events, fresh_ms))


async def _fill(settings: Settings, events: Sequence[Happened], fresh_ms: int) -> None:
    topics = Topics({settings.topic(stream): 1 for stream in settings.streams}, {})
    catalogue = load_catalogue(settings.schemas / "measures", settings.areas)
    store = make_store(settings, catalogue, topics)

    async def no_letters(topic: str, partition: int, refused: Sequence[Any]) -> None:
        raise AssertionError((topic, partition, refused))

    appliers = Appliers(settings, catalogue, topics, store, no_letters)
    try:
        await store.open()
        for stream in settings.streams:
            topic = settings.topic(stream)
            applier = appliers(topic, 0)
            base = await applier.start() or 0
            records = [
                _record(base + number, event)
                for number, event in enumerate(event for event in events if STREAM_OF[event.type] == stream)
            ]
            await applier.apply(RecordBatch(topic, 0, base, records, base + len(records)), fresh_ms, NOW_MS)
            await applier.write_freshness(fresh_ms, NOW_MS)
    finally:
        await store.close()


def _record(offset: int, event: Happened) -> Record:
    time_ms = to_ms(event.time)
    arrival_ms = to_ms(event.arrived) if event.arrived else time_ms
    kind, subject = event.type, event.subject
    made = Mapped(kind, f"{kind}:{subject}:{event.time}", subject, time_ms, arrival_ms, event.data)
    return Record(offset, NOW_MS, subject.encode(), made.value(SOURCE), MAY_BE_TO_COME)


def months(settings: Settings, *, only: Collection[str] = (), measures: Collection[str] = ()) -> list[Row]:
    """Rows of months as the command reads them."""
    return read_months(settings, only=only, measures=measures).rows
