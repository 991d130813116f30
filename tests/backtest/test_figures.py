"""The back-test has the exporter's figures: the same events go through the real step, Redis and page."""

from __future__ import annotations

from collections import defaultdict

import pytest

from tests.exporter.store import Samples, parsed
from tests.flow.servers import RedisServer
from tests.fold.pipeline import catalogue
from watchroom.backtest.figures import Figures
from watchroom.backtest.selectors import Matcher, Selector
from watchroom.backtest.simulated_store import SimulatedStore
from watchroom.catalogue.metrics import families
from watchroom.catalogue.shares import PART, WHOLE
from watchroom.errors import WorkFailed
from watchroom.events.record import Record
from watchroom.exporter.mirror import Mirror
from watchroom.exporter.page import Page
from watchroom.exporter.run import definition_differences
from watchroom.intake.batches import RecordBatch
from watchroom.intake.partition import Appliers, make_store
from watchroom.kafka.topics import Topics
from watchroom.kinds import kind_of
from watchroom.kinds.kind import Reads
from watchroom.rolling.calendar import Calendar
from watchroom.settings import Settings, SourceRule
from watchroom.simulator import SOURCES, Simulated, simulate
from watchroom.store.read import Reader
from watchroom.streams import STREAMS

START_MS = 1_790_805_600_000  # 2026-10-01 00:00 in London
HOUR_MS = 3_600_000
# A quiet night, two neighbouring minutes of an afternoon, one off every border, an evening.
MOMENTS_MS = [START_MS + round(hours * HOUR_MS) for hours in (3.5, 14.1, 14.1 + 1 / 60, 14.4321, 21)]
MONTHS = {("window", "month"), ("window", "12mo")}
NOT_MONTHS = Matcher("window", "!~", "month|12mo")
SIMULATED = [m for m in catalogue().measures.values() if kind_of(m).reads in (Reads.BUCKETS, Reads.OPEN_SET)]
FAMILIES = [family for measure in SIMULATED for family in families(measure) if "weeks_ago" not in family.labels]


class RealPipeline:
    """One worker's step, a Redis and an exporter's page."""

    def __init__(self, redis_url: str) -> None:
        rules = {stream: {source: SourceRule(heartbeats=False, history=True)} for stream, source in SOURCES.items()}
        self.settings = Settings(redis_url=redis_url, sources=rules, streams=tuple(STREAMS))
        self._counts = {self.settings.topic(stream): 1 for stream in STREAMS}
        topics = Topics(self._counts, {})
        self.store = make_store(self.settings, catalogue(), topics)
        self._appliers = Appliers(self.settings, catalogue(), topics, self.store, self._keep)
        reader = Reader(redis_url, self.settings.force)
        self._mirror = Mirror(reader, catalogue(), Calendar(self.settings.zone))
        self._page = Page(self._mirror, self.settings, definition_differences(catalogue(), self.settings))
        self._next: dict[str, int] = defaultdict(int)

    async def _keep(self, *_: object) -> None:
        raise AssertionError("an event was refused")

    async def start(self) -> None:
        """Get every partition assigned."""
        await self.store.open()
        self._owned = {topic: self._appliers(topic, 0) for topic in self._counts}
        for applier in self._owned.values():
            await applier.start()

    async def apply(self, deliveries: list[Simulated], now_ms: int) -> None:
        """One batch of each topic; all is fresh as of now."""
        for stream in STREAMS:
            topic, base = self.settings.topic(stream), self._next[stream]
            records = [
                Record(base + place, each.arrival_ms, each.subject.encode(), each.value)
                for place, each in enumerate(each for each in deliveries if each.stream == stream)
            ]
            self._next[stream] += len(records)
            await self._owned[topic].apply(RecordBatch(topic, 0, base, records, self._next[stream]), now_ms, now_ms)

    def page(self, now_ms: int) -> Samples:
        """What it publishes for the measures that the back-test simulates."""
        self._mirror.refresh(now_ms)
        names = {PART, WHOLE, *(family.name for family in FAMILIES)}
        found = parsed(self._page.text(now_ms))
        return {key: value for key, value in found.items() if key[0] in names and not MONTHS & key[1]}


async def test_every_figure_equals_that_on_the_exporters_page(redis_server: RedisServer) -> None:
    """With different figures, the back-test would choose thresholds for a different monitor."""
    real = RealPipeline(redis_server.url)
    await real.start()
    calendar = Calendar(real.settings.zone)
    selectors = [Selector(family.name, (NOT_MONTHS,)) for family in FAMILIES]
    selectors += [Selector(PART, ()), Selector(WHOLE, ())]
    figures = Figures(catalogue(), selectors, "here", calendar)
    store = SimulatedStore(catalogue(), figures.measures, real.settings, calendar)
    events = list(simulate(seed=3, start_ms=START_MS, end_ms=MOMENTS_MS[-1] + 1))
    before_ms = 0
    try:
        for now_ms in MOMENTS_MS:
            arrived = [each for each in events if before_ms < each.arrival_ms <= now_ms]
            store.apply(arrived, now_ms)
            await real.apply(arrived, now_ms)
            text = "".join(f"{series} {value!r}\n" for series, value in figures.at(store, now_ms))
            ours = {(name, labels - {("force", "here")}): value for (name, labels), value in parsed(text).items()}
            assert ours == real.page(now_ms)
            assert len(ours) > 2000
            before_ms = now_ms
    finally:
        await real.store.close()
    waiting = [value for (name, _), value in ours.items() if name == "watchroom_call_volume"]
    assert sum(waiting) > 1000, "the day was empty: nothing was compared"
    assert sum(value for (name, _), value in ours.items() if name == WHOLE) > 100


def test_a_rule_on_a_local_hour_is_refused() -> None:
    """A rule on a baseline would otherwise never fire, because the six weeks before the month are not simulated."""
    with pytest.raises(WorkFailed, match="watchroom_call_volume_local_hour"):
        Figures(catalogue(), [Selector("watchroom_call_volume_local_hour", ())], "here", Calendar("Europe/London"))
