"""One partition's way into Redis: admit, dead letters, fold, atomic step.

Entities' states are held in memory while this worker owns the partition, and forgotten whenever
that may no longer be so; Redis is the truth. A step whose reply was lost is kept and sent again as
it was, so that it is never folded twice.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from watchroom.admission.admit import Admission
from watchroom.errors import Moved, OtherDefinitions, StoreUnavailable
from watchroom.events.record import Record
from watchroom.fold.batch import Folder, Known
from watchroom.intake.batch import RecordBatch
from watchroom.intake.judging import Judge, SendRefused
from watchroom.intake.memory import Memory, Part
from watchroom.rolling.buckets import spread
from watchroom.rolling.calendar import Calendar
from watchroom.store.step import Step, token_hashes
from watchroom.store.write import OTHERS, Store

# Arrivals decide whether an entity is known; its stored state must outlive them by any stop of the workers.
STATE_SLACK_MS = 14 * 86_400_000


class PartitionApplier:
    """Applies the batches of one partition, each exactly once; implements `intake.applier.Applier`.

    Args:
        topic, partition: Whose batches.
        store: Redis.
        admission: Judges records.
        folder: Folds events.
        calendar: Reporting zone of the buckets.
        keeping_ms: How long a state is kept after it was last written.
        step_events: Most records in one atomic step.
        send_refused: Sends dead letters.
        memory: What all partitions of this worker may hold of entities.
        sources: The stream's declared sources.
        known: Where to hold entities, if not apart from other partitions: then no two may be applied at once.
    """

    def __init__(
        self,
        topic: str,
        partition: int,
        *,
        store: Store,
        admission: Admission,
        folder: Folder,
        calendar: Calendar,
        keeping_ms: int,
        step_events: int,
        send_refused: SendRefused,
        memory: Memory,
        sources: Collection[str] = (),
        known: Part | None = None,
    ) -> None:
        self.topic = topic
        self.partition = partition
        self._store = store
        self._judge = Judge(topic, partition, admission, sources)
        self._folder = folder
        self._calendar = calendar
        self._keeping_ms = keeping_ms
        self._step_events = step_events
        self._send_refused = send_refused
        self._known: dict[str, Known] = memory.part() if known is None else known
        self._memory = memory
        self._stands: int | None = None
        self._unanswered: tuple[Step, dict[str, Known]] | None = None

    async def start(self) -> int | None:
        """Redis's next offset, None if it has none; forgets everything held in memory.

        Raises:
            OtherDefinitions: Redis holds the stream, and perhaps others, under another definition than ours.
        """
        self._forget()
        left = await self._store.open()
        if self._folder.stream.name in left:
            raise OtherDefinitions(OTHERS, left)
        self._stands = (await self._store.position(self.topic, self.partition)).next_offset
        return self._stands

    async def apply(self, batch: RecordBatch, fresh_ms: int | None, now_ms: int) -> None:
        """Apply a batch; calling again after StoreUnavailable or BrokerUnavailable is safe.

        Raises:
            Moved: The partition does not stand at the batch's base, nor inside it after an earlier try.
        """
        await self._settle()
        if self._stands is None:
            base = batch.base
        elif batch.base <= self._stands <= batch.next_offset:
            base = self._stands
        else:
            raise Moved(self._stands)
        records = [record for record in batch.records if record.offset >= base]
        chunks = [records[i : i + self._step_events] for i in range(0, len(records), self._step_events)] or [[]]
        for chunk in chunks[:-1]:
            await self._apply_chunk(chunk, chunk[-1].offset + 1, None, now_ms)
        await self._apply_chunk(chunks[-1], batch.next_offset, fresh_ms, now_ms)

    async def touch(self, fresh_ms: int | None, now_ms: int) -> None:
        """Write freshness by the same compare; finds a Redis that went back under an idle partition."""
        await self._settle()
        self._memory.make_room(self._known)
        if self._stands is not None:
            await self._write(self._step(self._stands, fresh_ms, now_ms), {})

    async def begin(self, offset: int, now_ms: int) -> None:
        """Where nothing is stored yet: stand at the log's beginning, so that an empty partition can be fresh.

        A log that no longer begins at 0 has lost what came before; that is counted.
        """
        await self._settle()
        if self._stands is None:
            step = self._step(offset, None, now_ms)
            step.lost = offset
            await self._write(step, {})

    async def lost(self, start: int, end: int, now_ms: int) -> None:
        """The log no longer holds offsets `start` to `end` - 1: count them and stand at `end`."""
        await self._settle()
        if self._stands is not None and self._stands >= end:
            return  # an earlier try whose reply was lost has just been found applied
        step = self._step(end, None, now_ms)
        step.lost = end - start
        await self._write(step, {})

    async def _apply_chunk(
        self, records: Sequence[Record], next_offset: int, fresh_ms: int | None, now_ms: int
    ) -> None:
        admitted = self._judge.admit(records, self._known)
        await self._read_states(admitted.by_subject)
        if admitted.refused:
            await self._send_refused(self.topic, self.partition, admitted.refused)
        folded = self._folder.fold_entities(admitted.by_subject, self._known)
        pack = self._folder.stream.pack
        step = self._step(next_offset, fresh_ms, now_ms)
        step.states = {subject: pack(known.state) for subject, known in folded.entities.items()}
        step.buckets = spread(folded.increments, now_ms, self._calendar)
        step.tokens = token_hashes(folded.tokens, self._calendar)
        step.folded = folded
        step.heard = admitted.heard
        step.dead_letters = Counter(refused.why.reason for refused in admitted.refused)
        step.ignored_fields = admitted.ignored_fields
        step.raw_identifiers = admitted.raw_identifiers
        await self._write(step, folded.entities)

    async def _read_states(self, subjects: Iterable[str]) -> None:
        self._memory.make_room(self._known)
        missing = [subject for subject in subjects if subject not in self._known]
        stored = await self._store.states(self.topic, missing)
        for subject, state in zip(missing, stored, strict=True):
            if state is not None:
                self._known[subject] = self._folder.known(self._folder.stream.unpack(state))

    def _step(self, next_offset: int, fresh_ms: int | None, now_ms: int) -> Step:
        return Step(
            topic=self.topic,
            partition=self.partition,
            base=self._stands,
            next_offset=next_offset,
            now_ms=now_ms,
            keeping_ms=self._keeping_ms,
            state_slack_ms=STATE_SLACK_MS,
            fresh_ms=fresh_ms,
        )

    async def _write(self, step: Step, entities: dict[str, Known], *, again: bool = False) -> None:
        try:
            await self._store.step(step, again=again)
        except StoreUnavailable:
            self._unanswered = step, entities
            raise
        except BaseException:
            self._forget()
            raise
        self._unanswered = None
        self._stands = step.next_offset
        self._known.update(entities)

    async def _settle(self) -> None:
        """Send a step whose reply was lost again, before anything else."""
        if self._unanswered is not None:
            step, entities = self._unanswered
            await self._write(step, entities, again=True)

    def _forget(self) -> None:
        self._known.clear()
        self._unanswered = None
