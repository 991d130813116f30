"""The published year in a real Redis through the worker's own parts, without a broker: admit, fold, atomic step."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any, Final

from watchroom.catalogue.load import load_catalogue
from watchroom.events.record import Record
from watchroom.events.times import to_ms
from watchroom.intake.batches import RecordBatch
from watchroom.intake.partition import Appliers, make_store
from watchroom.kafka.topics import Topics
from watchroom.reports.baseline_file import parse_baseline
from watchroom.reports.baselines import load_baselines
from watchroom.settings import Settings, SourceRule, read_settings
from watchroom.simulator import SOURCES, Simulated
from watchroom.simulator.published_year import NAMES, Printed, baseline_csv, published_year
from watchroom.store.baselines import put_baseline
from watchroom.streams import STREAMS

NOW_MS: Final = to_ms("2022-02-01T12:00:00Z")
BATCH: Final = 2_000


def settings_on(redis_url: str, **more: Any) -> Settings:
    """Settings for a Redis, with every stream fed and the simulator's sources declared as history."""
    rules = {stream: {source: SourceRule(heartbeats=False, history=True)} for stream, source in SOURCES.items()}
    return read_settings(
        **{"redis_url": redis_url, "partitions": 1, "sources": rules, "streams": tuple(STREAMS), **more}
    )


def apply_year(settings: Settings, printed: Printed, scale: float) -> None:
    """Apply every event, then mark each partition as fresh."""
    asyncio.run(_apply(settings, published_year(printed, zone=settings.zone, scale=scale)))


def import_baselines(settings: Settings, printed: Printed, scale: float) -> None:
    """What `watchroom months import` does, for each baseline."""
    catalogue = load_catalogue(settings.schemas / "measures", settings.areas)
    known = load_baselines(settings.schemas)
    for name in NAMES:
        found = parse_baseline(name, baseline_csv(name, printed, scale), known[name], catalogue)
        assert found.faults == []
        put_baseline(settings.redis_url, settings.force, name, found.entries)


async def _apply(settings: Settings, events: Iterable[Simulated]) -> None:
    topics = Topics({settings.topic(stream): 1 for stream in settings.streams}, {})
    catalogue = load_catalogue(settings.schemas / "measures", settings.areas)
    store = make_store(settings, catalogue, topics)

    async def no_letters(topic: str, partition: int, refused: Sequence[Any]) -> None:
        raise AssertionError((topic, partition, refused[:3]))

    appliers = Appliers(settings, catalogue, topics, store, no_letters)
    applier = {stream: appliers(settings.topic(stream), 0) for stream in settings.streams}
    waiting: dict[str, list[Record]] = {stream: [] for stream in settings.streams}
    sent = dict.fromkeys(waiting, 0)

    async def step(stream: str) -> None:
        topic, records = settings.topic(stream), waiting[stream]
        base = sent[stream] - len(records)
        await applier[stream].apply(RecordBatch(topic, 0, base, records, sent[stream]), NOW_MS, NOW_MS)
        waiting[stream] = []

    try:
        await store.open()
        for each in applier.values():
            await each.start()
        for event in events:
            record = Record(sent[event.stream], NOW_MS, event.subject.encode(), event.value)
            waiting[event.stream].append(record)
            sent[event.stream] += 1
            if len(waiting[event.stream]) >= BATCH:
                await step(event.stream)
        for stream in settings.streams:
            await step(stream)
            await applier[stream].write_freshness(NOW_MS, NOW_MS)
    finally:
        await store.close()
