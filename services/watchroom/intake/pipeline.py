"""Puts the parts of one worker together: definitions, store, and an applier for each partition."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from watchroom.admission.admit import Admission
from watchroom.admission.returns import checks
from watchroom.catalogue.model import Catalogue
from watchroom.errors import RebuildNeeded
from watchroom.events.partitioner import CountInUse
from watchroom.fold.batch import Folder
from watchroom.fold.contributions import Contributor
from watchroom.intake.judging import SendRefused
from watchroom.intake.memory import Memory, Part
from watchroom.intake.partition import PartitionApplier
from watchroom.intake.topics import Topics
from watchroom.rolling.calendar import Calendar
from watchroom.settings import Settings
from watchroom.store.backoff import Backoff
from watchroom.store.definition import definition_of
from watchroom.store.write import Store
from watchroom.streams import STREAMS


def make_store(
    settings: Settings,
    catalogue: Catalogue,
    topics: Topics,
    but: Collection[str] = (),
    backoff: Backoff | None = None,
) -> Store:
    """Redis for this worker, with what decides each stream's figures (its topic's partition count among it).

    Args:
        settings: Which Redis, and the streams.
        catalogue: The measures.
        topics: What the broker says.
        but: Streams that this worker must not feed.
        backoff: Of all clients of Redis that this process has.
    """
    counts = {stream: topics.partitions[settings.topic(stream)] for stream in settings.streams if stream not in but}
    definitions = {stream: definition_of(settings, catalogue, stream, count) for stream, count in counts.items()}
    return Store(settings.redis, settings.force, definitions, topics.log_ids, backoff)


async def check_redis(settings: Settings, backoff: Backoff) -> bool:
    """True if figures can be kept in this Redis; raises as `Store.check`. Nothing is written before that is known."""
    store = Store(settings.redis, settings.force, {}, backoff=backoff)
    try:
        await store.check()
    finally:
        await store.close()
    return True


class Appliers:
    """Makes the applier of a partition; called once for each partition that is assigned to us."""

    def __init__(
        self, settings: Settings, catalogue: Catalogue, topics: Topics, store: Store, send_refused: SendRefused
    ) -> None:
        self._settings = settings
        self._catalogue = catalogue
        self._topics = topics
        self._store = store
        self._send_refused = send_refused
        self._memory = Memory()
        self._checks = checks(catalogue.measures.values())
        self._calendar = Calendar(settings.zone)
        self._streams = {topic: stream for stream, topic in settings.topics.items()}

    def __call__(
        self, topic: str, partition: int, counts: Sequence[CountInUse] = (), known: Part | None = None
    ) -> PartitionApplier:
        """The applier of one partition.

        Args:
            topic: Whose records.
            partition: Likewise.
            counts: The counts that the topic has had, for records from before the present one.
            known: Where to hold entities, if not apart from other partitions.

        Raises:
            RebuildNeeded: The topic has more partitions than when this worker started.
        """
        settings, stream, count = self._settings, self._streams[topic], self._topics.partitions[topic]
        if partition >= count:
            raise RebuildNeeded(f"{topic} had {count} partitions and now has one numbered {partition}")
        lateness_ms, keeping_ms = settings.lateness_days.ms(stream), settings.keeping_days.ms(stream)
        sources = settings.sources.get(stream, {})
        history = [name for name, rule in sources.items() if rule.history]
        return PartitionApplier(
            topic,
            partition,
            store=self._store,
            admission=Admission(
                stream,
                partition,
                count,
                history_sources=history,
                lateness_ms=lateness_ms,
                future_ms=round(settings.future_s * 1000),
                keeping_ms=keeping_ms,
                checks=self._checks,
                counts=counts,
            ),
            folder=Folder(
                STREAMS[stream],
                Contributor(STREAMS[stream], topic, self._catalogue.of_stream(stream)),
                keeping_ms=keeping_ms,
                closes_after_ms=settings.closes_after_ms(stream),
                calendar=self._calendar,
                topic=topic,
                partition=partition,
            ),
            calendar=self._calendar,
            keeping_ms=keeping_ms,
            step_events=settings.step_events,
            send_refused=self._send_refused,
            memory=self._memory,
            sources=sources,
            known=known,
        )

    def merging(self, topic: str, counts: Sequence[CountInUse]) -> dict[int, PartitionApplier]:
        """Appliers of all partitions of a topic, for one caller that applies one batch at a time.

        They hold entities together, since one may have records in several partitions.
        """
        known = self._memory.part()
        return {number: self(topic, number, counts, known) for number in range(self._topics.partitions[topic])}
