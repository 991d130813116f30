"""The work between a fetched batch and Redis: apply, retry, notice that Redis moved, give up.

No exception leaves `handle`: Faust would acknowledge the batch that failed and go on. What can be
waited for (Redis, the dead letters' broker) is retried here until it answers or the lane is taken
away; a place that moved is found again; everything else ends the process.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from types import MappingProxyType

import structlog

from watchroom.errors import (
    BrokerRefuses,
    BrokerUnavailable,
    ConfigurationInvalid,
    DefinitionsReturned,
    Fault,
    Moved,
    OtherDefinitions,
    PartitionsAdded,
    RebuildNeeded,
    StoreRefuses,
    StoreUnavailable,
    WatchroomError,
)
from watchroom.intake.applier import MakeApplier
from watchroom.intake.lanes import Fetched, Lane, Lanes, Place
from watchroom.intake.membership import Membership
from watchroom.intake.status import Status
from watchroom.store.partition_counts import Count
from watchroom.store.write import OTHERS

RETRY_FIRST_S, RETRY_MOST_S = 0.05, 2.0
LETTERS = "dead letters"  # what `Status` calls the wait for them
REMEDIES = (
    "give this worker the catalogue and settings under which Redis was filled, "
    "or stop all workers and run `watchroom rebuild`"
)
FINISH_WITHIN_S = 15.0  # a step that is under way; a call to Redis gives up after 10 s

log = structlog.get_logger("watchroom.intake")


def now_ms() -> int:
    """The wall clock, milliseconds since the epoch."""
    return int(time.time() * 1000)


def log_left(stream: str, changed: str) -> None:
    """Say, once, that a stream is left alone."""
    log.error(left_said(stream, changed))


def left_said(stream: str, changed: str) -> str:
    """The sentence on a stream that this worker leaves alone."""
    return f"{stream} is left alone because Redis holds it under another definition: {changed}; {REMEDIES}"


def added_said(topic: str, found: int, known: int, *, is_least: bool = False) -> str:
    """The sentence on a topic whose partitions were added to: what to do, as no worker can go on."""
    return (
        f"topic {topic} has {'at least ' * is_least}{found} partitions and this force's figures were made from {known}:"
        " its stream is withheld;"
        " stop all workers of this force and run `watchroom rebuild`"
    )


class Intake:
    """Everything a worker does with its lanes; `failed` tells how it ended.

    Args:
        make_applier: Called for each partition that is assigned to us.
        status: Counters and waits of the worker.
        session_s: Session timeout of the consumer group.
        log_ids: By topic: of the logs that Redis is filled from.
        topics: Topics of our streams, by stream.
        left: By stream: why it is left alone from the start.
        partitions: By topic: how many it had when this worker started.
        added: By stream: the sentence on partitions that were added before this worker started.
        asked_ms: When Kafka was asked for `partitions`, milliseconds since the epoch.
    """

    def __init__(
        self,
        make_applier: MakeApplier,
        status: Status,
        session_s: float = 10.0,
        log_ids: Mapping[str, str] | None = None,
        *,
        topics: Mapping[str, str] | None = None,
        left: Mapping[str, str] | None = None,
        partitions: Mapping[str, int] | None = None,
        added: Mapping[str, str] | None = None,
        asked_ms: int = 0,
    ) -> None:
        self.status = status
        self.left = dict(left or {})
        self.added = dict(added or {})  # streams whose topics have partitions that were added, with a sentence on each
        self._partitions = dict(partitions or {})
        # topics whose new count is to be noted, with how many partitions were seen and when
        self.to_note = {
            topic: Count(self._partitions[topic], now_ms())
            for stream, topic in (topics or {}).items()
            if stream in self.added
        }
        not_served = self.left.keys() | self.added.keys()
        self._served = {stream: topic for stream, topic in (topics or {}).items() if stream not in not_served}
        self.without_partitions: Sequence[str] = ()  # subscribed topics that are not there
        self._log_ids = dict(log_ids or {})
        self._membership = Membership(session_s)
        self.lanes = Lanes(make_applier, (topic for stream, topic in (topics or {}).items() if stream in not_served))
        for topic in self._served.values():
            if asked_ms:
                self.lanes.counted(topic, asked_ms)
        self.login_refused: Callable[[], str | None] = lambda: None  # the sentence on a broker that refuses our login
        self.without_letters: set[Place] = set()  # partitions whose dead letters cannot be sent now
        self.failure: Exception | None = None
        self.failed = asyncio.Event()
        self._finishing = False
        self._in_hand: set[asyncio.Task[None]] = set()

    def fail(self, error: Exception) -> None:
        """End the process: the first error is its reason, and nothing is applied from here on."""
        if self.failure is None:
            self.failure = error
            if isinstance(error, WatchroomError):
                log.error(str(error))
            else:
                log.error("unexpected error, the worker ends", exc_info=error)
        self.failed.set()

    def leave(self, streams: Mapping[str, str]) -> None:
        """Go on without these streams, whose definition in Redis changed under us; without any the process ends.

        Args:
            streams: By stream: what changed.
        """
        for stream, changed in streams.items():
            topic = self._served.pop(stream, None)
            if topic is not None:
                self.left[stream] = changed
                self.lanes.leave(topic)
                log_left(stream, changed)
        if not self._served:
            self.fail(OtherDefinitions(OTHERS, self.left or streams))

    def partitions_added(self, topic: str, found: int, seen_ms: int, *, is_least: bool = False) -> None:
        """Go on without the stream of a topic that has more partitions than we read; without any the process ends.

        What we have applied stays right as of its own time; from here on records may lie where nobody reads.
        """
        stream = next((stream for stream, of in self._served.items() if of == topic), None)
        if stream is None:
            return
        self.added[stream] = added_said(topic, found, self._partitions[topic], is_least=is_least)
        self.to_note[topic] = Count(found, seen_ms)
        del self._served[stream]
        self.lanes.leave(topic)
        log.error(self.added[stream])
        if not self._served:
            self.fail(PartitionsAdded(list(self.added.values())))

    def ours(self, streams: Collection[str]) -> None:
        """Redis holds these streams under our definitions; when it is one that we left, the process ends.

        A new process takes the stream up in the one way there is, by starting with it.
        """
        if returned := [stream for stream in self.left if stream in streams]:
            self.fail(DefinitionsReturned(returned))

    def joined(self, member_id: str, places: Iterable[tuple[str, int]]) -> None:
        """The consumer group gave us these partitions, under this id."""
        self.status.count("rebalances")
        if not self._membership.joined(member_id, time.monotonic()):
            found = "a name that another running worker of this consumer group has"
            self.fail(ConfigurationInvalid([Fault("WATCHROOM_WORKER_NAME", "", found, "a name of its own")]))
        self.assign(places)

    def assign(self, places: Iterable[tuple[str, int]]) -> None:
        """These partitions are ours now, and no others."""
        places = list(places)
        beyond = [(topic, n + 1) for topic, n in places if n >= self._partitions.get(topic, n + 1)]
        for topic, least in dict(sorted(beyond)).items():  # others in the group may have those above
            self.partitions_added(topic, least, now_ms(), is_least=True)
        try:
            self.lanes.assign(places)
        except Exception as error:  # noqa: BLE001  # Faust's rebalance must go on, if only to leave the group
            self.fail(error)

    def logs_seen(
        self,
        ids: Mapping[str, str],
        without_partitions: Sequence[str],
        partitions: Mapping[str, int] = MappingProxyType({}),
        asked_ms: int = 0,
    ) -> None:
        """The broker has been asked which logs the topics have; a recreated topic ends the process.

        Args:
            ids: Of each topic's log.
            without_partitions: Topics that are not there.
            partitions: How many each topic has now.
            asked_ms: When it was asked; a topic that has as many as we know had no more until then.
        """
        self.without_partitions = [topic for topic in without_partitions if topic not in self.lanes.left]
        for topic, known in self._log_ids.items():
            if topic not in self.lanes.left and ids.get(topic, known) != known:
                why = f"topic {topic} was deleted and created again: its log is not the one that Redis was filled from"
                self.fail(RebuildNeeded(why))
        for topic, found in partitions.items():
            if found > self._partitions.get(topic, found):
                self.partitions_added(topic, found, now_ms())
            else:
                self.lanes.counted(topic, asked_ms)

    def may_not_read(self, topic: str) -> None:
        """Kafka does not let us read this topic: it is asked for seldom, and the others go on."""
        self.lanes.refuse(topic)
        self.status.count("kafka_retries")
        self.status.waiting(
            f"kafka topic {topic}",
            f"Kafka does not let this user read topic {topic}: grant it READ, see deploy/kafka/rights.md",
            is_whole=True,
        )

    def handle(self, fetched: Fetched) -> None:
        """Apply one batch in its turn, however long Redis takes; drops it if its lane has moved on.

        Returns at once: while Redis runs the step of one partition, the batch of another is folded.
        A lane's lock is given in the order of asking, so its batches keep their order.
        """
        task = asyncio.create_task(self._handle(fetched))
        self._in_hand.add(task)
        task.add_done_callback(self._in_hand.discard)

    async def _handle(self, fetched: Fetched) -> None:
        batch, epoch = fetched
        lane = self.lanes.get((batch.topic, batch.partition))
        if lane is None:
            self.status.count("stale_batches")
            return
        async with lane.lock:
            if lane.epoch != epoch or self.failure is not None:
                self.status.count("stale_batches")
                return
            lane.queued -= 1
            if batch.base != lane.stands:
                lane.displace()
            elif await self._insist(
                lane, epoch, lambda: lane.applier.apply(batch, lane.fresh_ms(batch.next_offset), now_ms())
            ):
                lane.applied(batch.next_offset)
                self.status.count("batches")
                self.status.count("events", len(batch.records))

    async def _insist(self, lane: Lane, epoch: int, call: Callable[[], Awaitable[None]]) -> bool:
        """Call until it succeeds; False when the lane was taken away or must be placed anew."""
        pause_s = RETRY_FIRST_S
        while lane.epoch == epoch and self.failure is None:
            try:
                await call()
            except Moved as moved:
                self.moved(lane, moved)
            except StoreUnavailable as error:
                self.wait_for("redis", error)
                await asyncio.sleep(pause_s)
            except BrokerUnavailable as error:
                self._wait_for_letters(lane, error)
                await asyncio.sleep(RETRY_MOST_S if isinstance(error, BrokerRefuses) else pause_s)
            except OtherDefinitions as other:
                self.leave(other.streams)
            except Exception as error:  # noqa: BLE001  # nothing may leave the agent's loop
                self.fail(error)
            else:
                self._letters_sent(lane)
                self.status.answered("redis")
                return True
            pause_s = min(2 * pause_s, RETRY_MOST_S)
        self._letters_sent(lane)
        return False

    def _wait_for_letters(self, lane: Lane, error: BrokerUnavailable) -> None:
        """The dead letters of a batch cannot be sent: a wait of its own, since fetches may be answered meanwhile."""
        self.without_letters.add(lane.place)
        self.status.waiting(LETTERS, str(error), is_whole=True)

    def _letters_sent(self, lane: Lane) -> None:
        """This lane waits for no dead letters, or not any more."""
        if lane.place in self.without_letters:
            self.without_letters.remove(lane.place)
            if not self.without_letters:
                self.status.answered(LETTERS)

    def wait_for(self, server: str, error: Exception) -> None:
        """`server` (redis, kafka) did not answer, and will be asked again."""
        self.status.count(f"{server}_retries")
        self.status.waiting(server, str(error), is_whole=isinstance(error, (BrokerRefuses, StoreRefuses)))

    def moved(self, lane: Lane, moved: Moved) -> None:
        """Redis stands elsewhere: the lane is to be placed there."""
        topic, partition = lane.place
        log.warning(
            "Redis stands elsewhere, going there",
            topic=topic,
            partition=partition,
            here=lane.stands,
            redis=moved.stored_offset,
        )
        self.status.count("moved")
        lane.displace()

    async def start_lane(self, lane: Lane, begin: int) -> int | None:
        """The offset to fetch from: Redis's, or the log's beginning `begin`; None: not now, ask again.

        What lies below the beginning and was not applied is a loss: it is counted, and the lane goes on.
        """
        epoch = lane.epoch
        if self._finishing or self.failure is not None:
            return None
        async with lane.lock:
            try:
                stored = await lane.applier.start()
                topic, partition = lane.place
                lost_from = stored or 0
                if lost_from < begin:
                    place = {"topic": topic, "partition": partition, "lost_from": lost_from, "lost_to": begin}
                    log.error("the log no longer holds what was due", **place)
                if stored is None:
                    await lane.applier.begin(begin, now_ms())
                elif stored < begin:
                    await lane.applier.lost(stored, begin, now_ms())
                self.status.count("lost_offsets", max(0, begin - lost_from))
            except StoreUnavailable as error:
                self.wait_for("redis", error)
                return None
            except Moved:
                return None
            except OtherDefinitions as other:
                self.leave(other.streams)
                return None
            except Exception as error:  # noqa: BLE001  # nothing may leave the fetch loop
                self.fail(error)
                return None
        self.status.answered("redis")
        return max(stored or 0, begin) if lane.epoch == epoch else None

    async def out_of_range(self, place: tuple[str, int], offset: int) -> None:
        """The broker refused a fetch: below the log's beginning the lane starts over and finds the loss.

        Placed anew at the same offset, the lane knows that the log began no later, at the first refusal too: it
        is the log's end that lies below. Another offset means that retention has gone on meanwhile.
        """
        lane = self.lanes.get(place)
        if lane is not None and lane.placed:
            lane.displace()
            if lane.refused_at == offset:
                self.other_log(lane, offset)
            lane.refused_at = offset

    def other_log(self, lane: Lane, offset: int) -> None:
        """The log ends below the offset at which Redis stands; that ends the process."""
        topic, partition = lane.place
        self.fail(
            RebuildNeeded(
                f"{topic} partition {partition}: Redis stands at offset {offset}, above the end of the log"
                f"{'' if lane.end is None else f' ({lane.end})'}; the topic was created again, or lost its end"
            )
        )

    async def finish(self) -> None:
        """Take no more batches, and wait until those in hand are written."""
        self._finishing = True
        await self.let_go()

    async def let_go(self) -> None:
        """Our partitions are ours no longer: drop what is queued, wait for the batches in hand."""
        for lane in self.lanes:
            lane.displace()
        if self._in_hand:
            await asyncio.wait(self._in_hand, timeout=FINISH_WITHIN_S)
