"""What the consumer group gives this worker: its partitions, and its membership; and which streams it serves."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import structlog
from aiokafka import TopicPartition

from watchroom.errors import DefinitionsReturned, OtherDefinitions, PartitionsAdded, RebuildNeeded
from watchroom.intake.assigned_partition import AssignedPartition
from watchroom.intake.partition import PartitionApplier
from watchroom.intake.partition_counts import added_text
from watchroom.kafka.login import refusal_pause
from watchroom.kafka.topic_metadata import LogsSeen
from watchroom.store.partition_counts import Count
from watchroom.store.write import OTHERS
from watchroom.timing import Clock, Pause, now_ms

NEWCOMER_LOSSES, OLD_LOSSES = 3, 12
REMEDIES = (
    "run this worker with the catalogue and settings that Redis was filled with, "
    "or stop all workers and run `watchroom rebuild`"
)

log = structlog.get_logger("watchroom.intake")


class Assignment:
    """All partitions that are assigned to this worker.

    Args:
        make_applier: Called for each partition that becomes ours.
        clock_s: See `AssignedPartition`.
        left: Topics of which nothing is applied.
    """

    def __init__(
        self, make_applier: Callable[[str, int], PartitionApplier], clock_s: Clock, left: Iterable[str] = ()
    ) -> None:
        self._make_applier = make_applier
        self._clock_s = clock_s
        self._partitions: dict[tuple[str, int], AssignedPartition] = {}
        self.left: frozenset[str] = frozenset(left)  # we unsubscribe from these topics, whatever is assigned
        self._refused: dict[str, tuple[Pause, float]] = {}  # by topic: not fetched before this clock time
        self.counted_ms: dict[str, int] = {}  # by topic, see `counted`
        self.joined = False  # whether the group has ever given us an assignment, even an empty one

    def assign(self, topic_partitions: Iterable[tuple[str, int]]) -> None:
        """Exactly these partitions are ours now, and each starts again."""
        self.joined = True
        ours = [tp for tp in (TopicPartition(*each) for each in topic_partitions) if tp.topic not in self.left]
        for partition in self:
            if partition.topic_partition in ours:
                partition.reset()
            else:
                partition.release()
        self._partitions = {tp: self._partitions.get(tp) or self._new(tp) for tp in ours}

    def _new(self, topic_partition: TopicPartition) -> AssignedPartition:
        partition = AssignedPartition(topic_partition, self._make_applier(*topic_partition), self._clock_s)
        partition.counted_ms = self.counted_ms.get(topic_partition.topic)
        return partition

    def leave(self, topic: str) -> None:
        """Apply nothing more of this topic, whatever is assigned."""
        self.left |= {topic}
        for partition in self.of_topic(topic):
            partition.release()
            del self._partitions[partition.topic_partition]

    def counted(self, topic: str, queried_ms: int) -> None:
        """Kafka, asked at `queried_ms`, has answered that the topic has as many partitions as we know."""
        self.counted_ms[topic] = queried_ms
        for partition in self.of_topic(topic):
            partition.counted_ms = queried_ms

    def refuse(self, topic: str) -> None:
        """Kafka does not let us read this topic: fetch it again after 2, 4, 8, then every 16 s."""
        pause, _ = self._refused.get(topic) or (refusal_pause(), 0.0)
        self._refused[topic] = pause, self._clock_s() + pause.next_s()

    def is_refused(self, topic: str) -> bool:
        """Whether it is too early to fetch this topic again."""
        known = self._refused.get(topic)
        return known is not None and self._clock_s() < known[1]

    def allow(self, topic: str) -> bool:
        """Kafka lets us read this topic; whether it had refused before."""
        return self._refused.pop(topic, None) is not None

    def get(self, topic_partition: tuple[str, int]) -> AssignedPartition | None:
        """The partition, if it is ours."""
        return self._partitions.get(topic_partition)

    def of_topic(self, topic: str) -> list[AssignedPartition]:
        """Our partitions of one topic."""
        return [each for each in self if each.topic_partition.topic == topic]

    def __iter__(self) -> Iterator[AssignedPartition]:
        return iter(tuple(self._partitions.values()))


class Membership:
    """The member ids that this worker was given: does another worker use our name in the consumer group?

    With a static name a restarted worker gets its own membership back at once. If two workers run under one name, each
    takes the membership from the other at every heartbeat: both look ready, and partitions move between them
    without end. The figures stay right because of Redis, but there is no progress. The broker gives a new member id
    each time. Losing an id by silence takes a whole session, so ids that change faster mean a second worker of that
    name. The newer worker ends: it is the one that loses its very first id at once.

    Args:
        session_s: Session timeout of the group.
    """

    def __init__(self, session_s: float) -> None:
        self._session_s = session_s
        self._member_id: str | None = None
        self._first_s: float | None = None  # when the first id was given
        self._newcomer = False  # the first id was lost sooner than a session could end
        self._lost_s: deque[float] = deque(maxlen=OLD_LOSSES)

    def joined(self, member_id: str, now_s: float) -> bool:
        """Note an assignment under this id; returns False if another worker must have the same name."""
        if self._member_id is None:
            self._first_s = now_s
        elif self._member_id != member_id:
            if not self._lost_s:
                self._newcomer = now_s - (self._first_s or 0.0) < self._session_s / 2
            self._lost_s.append(now_s)
        self._member_id = member_id
        losses = NEWCOMER_LOSSES if self._newcomer else OLD_LOSSES
        # by silence an id cannot be lost three times in 1.5 sessions, nor twelve times in six sessions
        within_s = self._session_s * losses / 2
        recent = [lost_s for lost_s in self._lost_s if now_s - lost_s < within_s]
        return len(recent) < losses


class AtStart(NamedTuple):
    """What a worker has found out before it reads anything."""

    topics: Mapping[str, str] = MappingProxyType({})  # by stream
    log_ids: Mapping[str, str] = MappingProxyType({})  # by topic: of the log that Redis is filled from
    left: Mapping[str, str] = MappingProxyType({})  # by stream: why it is left alone
    partitions: Mapping[str, int] = MappingProxyType({})  # partition count by topic
    added: Mapping[str, str] = MappingProxyType({})  # by stream: the sentence about partitions that were added
    queried_ms: int = 0  # when Kafka was asked for `partitions`, milliseconds since the epoch

    @property
    def topics_left(self) -> list[str]:
        """Topics of the streams that are left alone."""
        return [topic for stream, topic in self.topics.items() if stream in self.left or stream in self.added]


class ServedStreams:
    """Which streams are served; when there are none left, the process ends.

    Args:
        at_start: The streams, and what is known of them.
        assignment: Partitions of a stream that is left are released there.
        fail: Ends the process with this error.
    """

    def __init__(self, at_start: AtStart, assignment: Assignment, fail: Callable[[Exception], None]) -> None:
        self.left = dict(at_start.left)  # by stream: what changed in its definition
        self.added = dict(at_start.added)  # by stream: the sentence about its partitions
        self.without_partitions: Sequence[str] = ()  # subscribed topics that do not exist
        self._partitions, self._log_ids = dict(at_start.partitions), dict(at_start.log_ids)
        self._assignment = assignment
        self._fail = fail
        topics = at_start.topics.items()
        self._topics = {stream: topic for stream, topic in topics if topic not in at_start.topics_left}
        # by topic: a partition count that Redis does not have yet
        self.to_note = {
            topic: Count(self._partitions[topic], now_ms()) for stream, topic in topics if stream in self.added
        }
        for topic in self._topics.values():
            if at_start.queried_ms:
                assignment.counted(topic, at_start.queried_ms)

    def why_left(self) -> dict[str, str]:
        """By stream that is left alone: a sentence about it."""
        return {stream: _left_text(stream, changed) for stream, changed in self.left.items()} | self.added

    def leave(self, streams: Mapping[str, str]) -> None:
        """Go on without these streams, whose definition in Redis has changed.

        Args:
            streams: By stream: what changed.
        """
        for stream, changed in streams.items():
            if topic := self._topics.pop(stream, None):
                self.left[stream] = changed
                self._assignment.leave(topic)
                log.error(_left_text(stream, changed))
        if not self._topics:
            self._fail(OtherDefinitions(OTHERS, self.left or streams))

    def assigned(self, topic_partitions: Iterable[tuple[str, int]]) -> None:
        """The consumer group gave us these; one above the known count shows that partitions were added."""
        beyond = [(topic, n + 1) for topic, n in topic_partitions if n >= self._partitions.get(topic, n + 1)]
        for topic, least in dict(sorted(beyond)).items():  # other members may have partitions above these
            self._leave_added(topic, least, is_least=True)

    def logs_seen(self, seen: LogsSeen) -> None:
        """The broker was asked about the topics; a topic that was deleted and created again ends the process."""
        left = self._assignment.left
        self.without_partitions = [topic for topic in seen.without_partitions if topic not in left]
        for topic, known in self._log_ids.items():
            if topic not in left and seen.ids.get(topic, known) != known:
                why = f"topic {topic} was deleted and created again: its log is not the one that Redis was filled from"
                self._fail(RebuildNeeded(why))
        for topic, found in seen.partitions.items():
            if found > self._partitions.get(topic, found):
                self._leave_added(topic, found)
            else:
                self._assignment.counted(topic, seen.queried_ms)

    def _leave_added(self, topic: str, found: int, *, is_least: bool = False) -> None:
        """Go on without the stream of a topic that has more partitions than we read.

        What we have applied stays right as of its own time. From here on there may be records that nobody reads.
        """
        stream = next((stream for stream, of in self._topics.items() if of == topic), None)
        if stream is None:
            return
        self.added[stream] = added_text(topic, found, self._partitions[topic], is_least=is_least)
        self.to_note[topic] = Count(found, now_ms())
        del self._topics[stream]
        self._assignment.leave(topic)
        log.error(self.added[stream])
        if not self._topics:
            self._fail(PartitionsAdded(list(self.added.values())))

    def returned(self, streams: Collection[str]) -> None:
        """Redis holds these streams under our definitions; if we have left one of them, the process ends.

        A new process takes the stream up in the only way there is, by starting with it.
        """
        if returned := [stream for stream in self.left if stream in streams]:
            self._fail(DefinitionsReturned(returned))


def _left_text(stream: str, changed: str) -> str:
    """The sentence about a stream that this worker leaves alone."""
    return (
        f"{stream} is not processed because Redis holds its figures under a different definition: {changed}; {REMEDIES}"
    )
