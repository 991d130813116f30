"""From one partition's batches to Redis: admission, dead letters, fold, atomic step.

States of entities are held in memory while this worker owns the partition, and forgotten whenever that may no longer
be so: Redis has the truth. A step whose reply was lost is kept and sent again unchanged, so that nothing is folded
twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from weakref import WeakValueDictionary

from watchroom.admission.admit import Admission
from watchroom.admission.returns import checks
from watchroom.catalogue.model import Catalogue
from watchroom.errors import Moved, OtherDefinitions, RebuildNeeded, StoreUnavailable
from watchroom.events.partitioner import CountInUse
from watchroom.events.record import Record
from watchroom.fold.batch import Folder, Known
from watchroom.fold.contributions import Contributor
from watchroom.intake.admission import BatchAdmission, SendRefused
from watchroom.intake.batches import RecordBatch
from watchroom.kafka.topics import Topics
from watchroom.rolling.buckets import spread
from watchroom.rolling.calendar import Calendar
from watchroom.settings import Settings
from watchroom.store.backoff import Backoff
from watchroom.store.definition import definition_of
from watchroom.store.step import Step, token_hashes
from watchroom.store.write import OTHERS, Store
from watchroom.streams import STREAMS

# Whether an entity is known is decided by arrivals; its state must still be stored after workers were down for a while.
STATE_SLACK_MS = 14 * 86_400_000
ENTITIES_HELD = 200_000  # about 2 kB each, so 400 MB of a worker, however many partitions it has


class Entities(dict[str, Known]):
    """What is held in memory of the entities of one partition, by subject."""


def make_store(
    settings: Settings,
    catalogue: Catalogue,
    topics: Topics,
    but: Collection[str] = (),
    backoff: Backoff | None = None,
) -> Store:
    """Redis for a worker, with the definitions of its streams.

    Args:
        settings: Which Redis, and the streams.
        catalogue: The measures.
        topics: What the broker says; a topic's partition count is part of its stream's definition.
        but: Streams that this worker must not feed.
        backoff: Shared by all clients of Redis in this process.
    """
    counts = {stream: topics.partitions[settings.topic(stream)] for stream in settings.streams if stream not in but}
    definitions = {stream: definition_of(settings, catalogue, stream, count) for stream, count in counts.items()}
    return Store(settings.redis, settings.force, definitions, topics.log_ids, backoff)


class Appliers:
    """What the partitions of one process share; called once for each partition, it returns the applier."""

    def __init__(
        self, settings: Settings, catalogue: Catalogue, topics: Topics, store: Store, send_refused: SendRefused
    ) -> None:
        self.settings = settings
        self.catalogue = catalogue
        self.store = store
        self.send_refused = send_refused
        self.checks = checks(catalogue.measures.values())
        self.calendar = Calendar(settings.zone)
        self.streams = {topic: stream for stream, topic in settings.topics.items()}
        self.partitions = topics.partitions
        self.entities_held = ENTITIES_HELD
        self._all_entities: WeakValueDictionary[int, Entities] = WeakValueDictionary()  # by id

    def __call__(
        self, topic: str, partition: int, counts: Sequence[CountInUse] = (), entities: Entities | None = None
    ) -> PartitionApplier:
        """The applier of one partition.

        Args:
            topic: Whose records.
            partition: Likewise.
            counts: The partition counts that the topic has had, for records from before the present one.
            entities: Shared with other partitions, of which then only one may be applied at a time.

        Raises:
            RebuildNeeded: The topic has more partitions than when this worker started.
        """
        if partition >= self.partitions[topic]:
            raise RebuildNeeded(
                f"topic {topic} had {self.partitions[topic]} partitions and now has partition {partition}"
            )
        entities = Entities() if entities is None else entities
        self._all_entities[id(entities)] = entities
        return PartitionApplier(self, topic, partition, counts, entities)

    def merging(self, topic: str, counts: Sequence[CountInUse]) -> dict[int, PartitionApplier]:
        """Appliers of all partitions of a topic, for a caller that applies one batch at a time.

        They share entities, because one entity may have records in several partitions.
        """
        entities = Entities()
        return {number: self(topic, number, counts, entities) for number in range(self.partitions[topic])}

    def forget_excess(self, entities: Entities) -> None:
        """Forget these entities if all partitions together hold too many, and these are more than their share.

        A partition calls it between two batches only: what a fold has read must stay until its end. So a worker may
        hold more for as long as a batch takes, and up to twice as much until an idle partition's next freshness
        heartbeat.
        """
        held = [len(each) for each in self._all_entities.values()]
        if sum(held) > self.entities_held and len(entities) * len(held) > self.entities_held:
            entities.clear()


class PartitionApplier:
    """Applies the batches of one partition to Redis, each exactly once. `Appliers` makes it."""

    def __init__(
        self, shared: Appliers, topic: str, partition: int, counts: Sequence[CountInUse], entities: Entities
    ) -> None:
        settings, stream = shared.settings, shared.streams[topic]
        self.topic, self.partition = topic, partition
        self._shared, self._store = shared, shared.store
        self._keeping_ms = settings.keeping_days.ms(stream)
        self._entities = entities
        self._next_offset: int | None = None
        self._unanswered: tuple[Step, dict[str, Known]] | None = None
        sources = settings.sources.get(stream, {})
        admission = Admission(
            stream,
            partition,
            shared.partitions[topic],
            history_sources=[name for name, rule in sources.items() if rule.history],
            lateness_ms=settings.lateness_days.ms(stream),
            future_ms=round(settings.future_s * 1000),
            keeping_ms=self._keeping_ms,
            checks=shared.checks,
            counts=counts,
        )
        self._admission = BatchAdmission(topic, partition, admission, sources)
        self._folder = Folder(
            STREAMS[stream],
            Contributor(STREAMS[stream], topic, shared.catalogue.of_stream(stream)),
            keeping_ms=self._keeping_ms,
            closes_after_ms=settings.closes_after_ms(stream),
            calendar=shared.calendar,
            topic=topic,
            partition=partition,
        )

    async def start(self) -> int | None:
        """Returns Redis's next offset, None if it has none; forgets everything held in memory.

        Raises:
            OtherDefinitions: Redis holds the stream, and perhaps others, under another definition.
            StoreUnavailable: Redis did not answer.
        """
        self._forget()
        left = await self._store.open()
        if self._folder.stream.name in left:
            raise OtherDefinitions(OTHERS, left)
        self._next_offset = await self._store.next_offset(self.topic, self.partition)
        return self._next_offset

    async def apply(self, batch: RecordBatch, fresh_ms: int | None, now_ms: int) -> None:
        """Apply a batch; calling again after StoreUnavailable or BrokerUnavailable is safe.

        Args:
            batch: It begins at the next offset, or an earlier try has applied a part of it.
            fresh_ms: Applied until when, once all of it is applied.
            now_ms: The wall clock.

        Raises:
            Moved: Redis has another offset, or the batch begins elsewhere; nothing was written.
            OtherDefinitions: Redis holds the stream under another definition by now; nothing was written.
            StoreUnavailable: Redis did not answer.
            BrokerUnavailable: Dead letters could not be sent.
        """
        await self._settle()
        if self._next_offset is None:
            base = batch.base
        elif batch.base <= self._next_offset <= batch.next_offset:
            base = self._next_offset
        else:
            raise Moved(self._next_offset)
        records = [record for record in batch.records if record.offset >= base]
        size = self._shared.settings.step_events
        chunks = [records[i : i + size] for i in range(0, len(records), size)] or [[]]
        for chunk in chunks[:-1]:
            await self._apply_chunk(chunk, chunk[-1].offset + 1, None, now_ms)
        await self._apply_chunk(chunks[-1], batch.next_offset, fresh_ms, now_ms)

    async def write_freshness(self, fresh_ms: int | None, now_ms: int) -> None:
        """Write freshness and compare offsets, which notices a Redis that went back; raises as `apply`."""
        await self._settle()
        self._shared.forget_excess(self._entities)
        if self._next_offset is not None:
            await self._write(self._step(self._next_offset, fresh_ms, now_ms))

    async def begin(self, offset: int, now_ms: int) -> None:
        """Write the beginning of the log as the next offset where Redis has none; raises as `apply`.

        So an empty partition can be fresh. A log that does not begin at 0 has lost what came before; that is counted.
        """
        await self._settle()
        if self._next_offset is None:
            await self._write(self._step(offset, None, now_ms, lost=offset))

    async def lost(self, start: int, end: int, now_ms: int) -> None:
        """Count offsets `start` to `end` - 1, which the log no longer holds, and go on at `end`; raises as `apply`."""
        await self._settle()
        if self._next_offset is None or self._next_offset < end:  # else an earlier try has just been found applied
            await self._write(self._step(end, None, now_ms, lost=end - start))

    async def _apply_chunk(
        self, records: Sequence[Record], next_offset: int, fresh_ms: int | None, now_ms: int
    ) -> None:
        admitted = self._admission.admit(records, self._entities)
        await self._read_states(admitted.by_subject)
        if admitted.refused:
            await self._shared.send_refused(self.topic, self.partition, admitted.refused)
        folded = self._folder.fold_entities(admitted.by_subject, self._entities)
        pack = self._folder.stream.pack
        step = self._step(next_offset, fresh_ms, now_ms)
        step.states = {subject: pack(known.state) for subject, known in folded.entities.items()}
        step.buckets = spread(folded.increments, now_ms, self._shared.calendar)
        step.tokens = token_hashes(folded.tokens, self._shared.calendar)
        step.folded = folded
        step.last_seen = admitted.last_seen
        step.dead_letters = Counter(refused.why.reason for refused in admitted.refused)
        step.ignored_fields = admitted.ignored_fields
        step.raw_identifiers = admitted.raw_identifiers
        await self._write(step, folded.entities)

    async def _read_states(self, subjects: Iterable[str]) -> None:
        self._shared.forget_excess(self._entities)
        missing = [subject for subject in subjects if subject not in self._entities]
        stored = await self._store.states(self.topic, missing)
        for subject, state in zip(missing, stored, strict=True):
            if state is not None:
                self._entities[subject] = self._folder.known(self._folder.stream.unpack(state))

    def _step(self, next_offset: int, fresh_ms: int | None, now_ms: int, lost: int = 0) -> Step:
        return Step(
            topic=self.topic,
            partition=self.partition,
            base=self._next_offset,
            next_offset=next_offset,
            now_ms=now_ms,
            keeping_ms=self._keeping_ms,
            state_slack_ms=STATE_SLACK_MS,
            fresh_ms=fresh_ms,
            lost=lost,
        )

    async def _write(self, step: Step, entities: dict[str, Known] | None = None, *, again: bool = False) -> None:
        entities = entities or {}
        try:
            await self._store.step(step, again=again)
        except StoreUnavailable:
            self._unanswered = step, entities
            raise
        except BaseException:
            self._forget()
            raise
        self._unanswered = None
        self._next_offset = step.next_offset
        self._entities.update(entities)

    async def _settle(self) -> None:
        """Before anything else, send a step whose reply was lost again."""
        if self._unanswered is not None:
            step, entities = self._unanswered
            await self._write(step, entities, again=True)

    def _forget(self) -> None:
        self._entities.clear()
        self._unanswered = None
