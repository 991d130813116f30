"""The streams that a worker serves, and those that it leaves alone while the others go on."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import structlog

from watchroom.errors import DefinitionsReturned, OtherDefinitions, PartitionsAdded, RebuildNeeded
from watchroom.intake.assigned_partition import Assignment
from watchroom.intake.health import left_text
from watchroom.intake.partition_counts import added_text
from watchroom.kafka.topic_metadata import LogsSeen
from watchroom.store.partition_counts import Count
from watchroom.store.write import OTHERS
from watchroom.timing import now_ms

log = structlog.get_logger("watchroom.intake")


class AtStart(NamedTuple):
    """What a worker has found out before it reads anything."""

    topics: Mapping[str, str] = MappingProxyType({})  # by stream
    log_ids: Mapping[str, str] = MappingProxyType({})  # by topic: of the log that Redis is filled from
    left: Mapping[str, str] = MappingProxyType({})  # by stream: why it is left alone
    partitions: Mapping[str, int] = MappingProxyType({})  # partition count by topic
    added: Mapping[str, str] = MappingProxyType({})  # by stream: the sentence about partitions that were added
    asked_ms: int = 0  # when Kafka was asked for `partitions`, milliseconds since the epoch

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
            if at_start.asked_ms:
                assignment.counted(topic, at_start.asked_ms)

    def leave(self, streams: Mapping[str, str]) -> None:
        """Go on without these streams, whose definition in Redis has changed.

        Args:
            streams: By stream: what changed.
        """
        for stream, changed in streams.items():
            if topic := self._topics.pop(stream, None):
                self.left[stream] = changed
                self._assignment.leave(topic)
                log.error(left_text(stream, changed))
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
                self._assignment.counted(topic, seen.asked_ms)

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
