"""How a worker and a rebuild use the partition counts that a topic has had."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.structs import OffsetAndTimestamp

from watchroom.errors import BrokerUnavailable, ConfigurationInvalid, PartitionsAdded, WorkFailed
from watchroom.intake.assigned_partition import Answer
from watchroom.intake.assignment import AtStart
from watchroom.intake.health import Health, Status
from watchroom.intake.intake import Intake
from watchroom.intake.partition_counts import (
    FOR_EVER_MS,
    Held,
    confirmed,
    counts_before,
    counts_of,
    counts_of_figures,
    dated,
    in_use,
    needs_rebuild,
    refuse_early,
)
from watchroom.kafka.topic_metadata import LogsSeen, TopicSeen
from watchroom.kafka.topics import Topics
from watchroom.store.partition_counts import Count, PartitionCounts
from watchroom.store.read import PartitionState

CALLS, CRIMES = "watchroom.calls", "watchroom.crimes"
QUERIED_MS = 2_000_000
FOUR, SIX = Count(4, 0, 900_000), Count(6, 1_000_000, 1_100_000)
WAS_SIX = PartitionCounts((FOUR, SIX))


def topics(count: int, log_id: str = "a") -> Topics:
    """What the broker says."""
    return Topics({CALLS: count}, {CALLS: log_id}, QUERIED_MS)


def held(**said: Any) -> Held:
    """What Redis says."""
    return Held(**{"states": {}, "log_ids": {}, "partitions": {}, **said})


def test_producers_use_a_count_until_the_last_of_them_knows_the_next_one() -> None:
    """They refresh metadata every five minutes, and a finished batch still goes to its partition."""
    first, second = in_use([FOUR, SIX], 420_000)
    assert (first.partitions, first.from_ms, first.until_ms) == (4, 0, 1_420_000)
    assert (second.partitions, second.from_ms, second.until_ms) == (6, 480_000, FOR_EVER_MS)


def test_if_nobody_saw_when_partitions_were_added_both_counts_are_valid_for_that_whole_time() -> None:
    """The first record in a new partition may come long after the new count first put one into an old partition."""
    first, second, third = in_use([Count(2, 0), Count(4, 5_000_000, 6_000_000), Count(6, 9_000_000)], 1_000)
    assert (first.from_ms, first.until_ms) == (0, 5_001_000)
    assert (second.from_ms, second.until_ms) == (0, 9_001_000)  # it is unknown when there were two
    assert (third.from_ms, third.until_ms) == (5_999_000, FOR_EVER_MS)


def test_a_count_was_last_seen_when_redis_last_applied_under_it() -> None:
    """Applied-until is never later than the last answer with that count; a rebuild that clears it stores its own."""
    states = {(CALLS, 0): PartitionState(9, 1_500_000, 0), (CALLS, 1): PartitionState(9, None, 0)}
    known = {CALLS: PartitionCounts((FOUR,))}
    found = counts_of(topics(6), held(counts=known, partitions={CALLS: 4}, states=states), {})[CALLS]
    assert found.counts == (Count(4, 0, 1_500_000), Count(6, QUERIED_MS, QUERIED_MS))
    found = counts_of(topics(4), held(counts=known, partitions={CALLS: 4}, states=states), {})[CALLS]
    assert found.counts == (Count(4, 0, QUERIED_MS),)


class FirstRecords:
    """A consumer that knows the first record of partition 4."""

    def __init__(self, first_ms: int | None) -> None:
        self._first_ms = first_ms

    async def offsets_for_times(self, wanted: dict[TopicPartition, int]) -> dict[TopicPartition, Any]:
        """As aiokafka: None for a partition that holds nothing."""
        found = dict.fromkeys(wanted)
        return found if self._first_ms is None else found | {NEW: OffsetAndTimestamp(0, self._first_ms)}


NEW = TopicPartition(CALLS, 4)


@pytest.mark.parametrize(
    ("first_ms", "by_broker", "from_ms"),
    [
        (None, {CALLS}, 1_000_000),
        (950_000, {CALLS}, 950_000),
        (950_000, set(), 1_000_000),  # a producer's timestamp may be older than the partition
        (800_000, {CALLS}, 900_000),  # Kafka's clock is behind ours
        (1_050_000, {CALLS}, 1_000_000),
    ],
)
def test_a_record_in_a_new_partition_dates_the_count_if_kafka_stamped_it(
    first_ms: int | None, by_broker: set[str], from_ms: int
) -> None:
    """A time that is too early would refuse what producers wrote under the earlier count after it."""
    consumer: Any = FirstRecords(first_ms)
    found = asyncio.run(dated(consumer, {CALLS: WAS_SIX}, by_broker))[CALLS]
    assert found.counts == (FOUR, SIX._replace(from_ms=from_ms))


@pytest.mark.parametrize(
    ("has", "known", "filled", "said"),
    [
        (4, PartitionCounts((FOUR,)), 4, None),
        (4, PartitionCounts((FOUR,)), None, None),
        (6, PartitionCounts((FOUR,)), 4, "has 6 partitions, but this force's figures were computed from 4"),
        (6, PartitionCounts((FOUR,)), None, "computed from 4"),  # a new Redis keeps the counts
        (6, WAS_SIX, 4, "computed from 4"),  # stored already, by another worker
        (6, WAS_SIX, 6, "computed from 4"),  # started by a worker of the previous version, partition by partition
        (6, replace(WAS_SIX, merged={0: 9}), 6, None),
        (6, replace(WAS_SIX, merged={0: 9}), None, "computed from 4"),  # the figures are gone, so nothing is merged
        (6, replace(WAS_SIX, is_rebuilding=True), 6, "is running or was interrupted"),
    ],
)
def test_a_worker_processes_a_topic_of_several_counts_only_after_a_rebuild(
    has: int, known: PartitionCounts, filled: int | None, said: str | None
) -> None:
    """It reads partition by partition, which is right only if each key is in one partition."""
    sentence = needs_rebuild(CALLS, has, known, filled)
    assert (sentence is None) == (said is None)
    if sentence and said:
        assert said in sentence
        assert "run `watchroom rebuild`" in sentence


def test_counts_come_from_the_stored_ones_then_from_redis_then_from_the_option() -> None:
    """Without any of them the topic has always had its present count."""
    six = topics(6)
    now_six, one_count = Count(6, QUERIED_MS, QUERIED_MS), Count(4, 0)
    was_six = SIX._replace(last_ms=QUERIED_MS)
    assert counts_of(six, held(counts={CALLS: WAS_SIX}), {})[CALLS].counts == (FOUR, was_six)
    assert counts_of(six, held(counts={CALLS: PartitionCounts((FOUR,))}), {})[CALLS].counts == (FOUR, now_six)
    assert counts_of(six, held(partitions={CALLS: 4}), {})[CALLS].counts == (one_count, now_six)
    assert counts_of(six, held(), {CALLS: 4})[CALLS].counts == (one_count, now_six)
    assert counts_of(six, held(), {})[CALLS].counts == (Count(6, 0, QUERIED_MS),)
    assert counts_of(six, held(counts={CALLS: WAS_SIX}), {CALLS: 4})[CALLS].counts == (FOUR, was_six)
    twice = (Count(2, 0), FOUR._replace(from_ms=SIX.from_ms), was_six)
    assert counts_of(six, held(counts={CALLS: WAS_SIX}), {CALLS: 2})[CALLS].counts == twice


def test_the_counts_of_a_recreated_topic_start_again() -> None:
    """The stored counts belong to another log."""
    known = replace(WAS_SIX, log_id="a", merged={0: 9})
    found = counts_of(topics(3, "b"), held(counts={CALLS: known}, partitions={CALLS: 6}, log_ids={CALLS: "a"}), {})
    assert found[CALLS] == PartitionCounts((Count(3, 0, QUERIED_MS),), "b")
    assert counts_of_figures(topics(3, "b"), held(partitions={CALLS: 6}, log_ids={CALLS: "a"})) == {}
    assert counts_of_figures(topics(6, "a"), held(partitions={CALLS: 4})) == {CALLS: 4}


def test_the_counts_of_a_topic_with_fewer_partitions_than_stored_start_again() -> None:
    """Kafka removes none: where brokers have no log ids, the count alone shows that the topic is another one."""
    without_ids = Topics({CALLS: 3}, {}, QUERIED_MS)
    found = counts_of(without_ids, held(counts={CALLS: WAS_SIX}, partitions={CALLS: 6}), {})
    assert found[CALLS] == PartitionCounts((Count(3, 0, QUERIED_MS),))
    with pytest.raises(
        BrokerUnavailable, match=r"reports 4 partitions for topic watchroom\.calls, but reported 6 before"
    ):
        counts_of(topics(4, "a"), held(counts={CALLS: replace(WAS_SIX, log_id="a")}), {})  # from older metadata


def test_more_partitions_than_were_merged_are_merged_again() -> None:
    """A merge under six partitions says nothing about eight."""
    known = replace(WAS_SIX, log_id="a", merged={0: 9})
    assert counts_of(topics(6), held(counts={CALLS: known}), {})[CALLS].merged == {0: 9}
    assert counts_of(topics(8), held(counts={CALLS: known}), {})[CALLS].merged == {}


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ([], {}),
        (["calls=4"], {CALLS: 4}),
        ([f"{CALLS}=4", "crimes=2"], {CALLS: 4, CRIMES: 2}),
        (["4"], {CALLS: 4}),  # crimes have no more than that
    ],
)
def test_the_option_gives_the_earlier_number_of_partitions_of_a_topic(given: list[str], found: dict[str, int]) -> None:
    """A number alone is enough if only one topic can be meant."""
    assert counts_before(given, {"calls": CALLS, "crimes": CRIMES}, {CALLS: 6, CRIMES: 4}) == found


@pytest.mark.parametrize("given", ["6", "3", "0", "calls=6", "calls=", "contacts=4", "calls=four", "=4=4"])
def test_an_option_that_fits_no_topic_or_several_is_refused(given: str) -> None:
    """It would seem to have worked, or be stored for a topic whose count has not changed."""
    said = f"--partitions-before: found {given}, but {CALLS} has 6, {CRIMES} has 4; write .* for example calls=4"
    with pytest.raises(ConfigurationInvalid, match=said):
        counts_before([given], {"calls": CALLS, "crimes": CRIMES}, {CALLS: 6, CRIMES: 4})


def test_the_option_changes_no_topic_that_it_does_not_name() -> None:
    """A topic that has always had six would lose the records that were placed by six."""
    both = Topics({CALLS: 6, CRIMES: 6}, {}, QUERIED_MS)
    found = counts_of(both, held(), {CALLS: 4})
    assert found[CALLS].counts == (Count(4, 0), Count(6, QUERIED_MS, QUERIED_MS))
    assert found[CRIMES].counts == (Count(6, 0, QUERIED_MS),)


def test_a_rebuild_waits_until_no_producer_uses_the_earlier_count() -> None:
    """It merges up to the logs' ends; what a producer puts into an old partition later would be refused."""
    with pytest.raises(WorkFailed, match=r"has had 6 partitions since .*No figure was changed; run .* in 20 s"):
        refuse_early({CALLS: WAS_SIX}, 420_000, 1_400_000)
    refuse_early({CALLS: WAS_SIX}, 420_000, 1_420_000)
    refuse_early({CALLS: replace(WAS_SIX, merged={0: 9})}, 420_000, 1_000_001)
    refuse_early({CALLS: PartitionCounts((SIX,))}, 420_000, 1_000_001)


def intake(*, crimes: bool = True) -> Intake:
    """A worker that read four partitions of each topic when it started."""
    served = {"calls": CALLS, **({"crimes": CRIMES} if crimes else {})}
    made: Any = lambda topic, partition: (topic, partition)  # noqa: E731 - no applier is called here
    worker = Intake(made, Status(), AtStart(served, partitions=dict.fromkeys(served.values(), 4), queried_ms=9_000))
    worker.assign([(topic, 0) for topic in served.values()])
    return worker


def test_freshness_is_never_later_than_the_last_answer_that_showed_the_known_count() -> None:
    """After that, records may be in a partition that nobody reads."""
    worker = intake()
    partition = worker.assignment.get((CALLS, 0))
    assert partition is not None
    partition.start_at(5)
    partition.note(Answer(10_500, 5, 5))
    assert partition.fresh_ms(5) == 9_000  # at the worker's start
    worker.streams.logs_seen(LogsSeen({}, (), {CALLS: 4}, 10_000))
    assert partition.fresh_ms(5) == 10_000
    worker.streams.logs_seen(LogsSeen({}, (), {CALLS: 4}, 11_000))
    assert partition.fresh_ms(5) == 10_500


def test_a_stream_with_more_partitions_is_dropped_and_the_others_continue() -> None:
    """Its health page says what to do; the process exits only if no stream is left."""
    worker = intake()
    worker.streams.logs_seen(LogsSeen({}, (), {CALLS: 6, CRIMES: 4}, 10_000))
    assert [each.topic_partition.topic for each in worker.assignment] == [CRIMES]
    assert worker.assignment.left == {CALLS}
    assert not worker.failed.is_set()
    health = Health(worker.status)
    health.intake = worker
    assert health.left() == worker.streams.added
    assert health.report()["left"] == worker.streams.added
    assert "run `watchroom rebuild`" in worker.streams.added["calls"]
    worker.streams.logs_seen(LogsSeen({}, (), {CRIMES: 5}, 11_000))
    assert isinstance(worker.failure, PartitionsAdded)
    assert worker.failure.exit_code == 2
    assert worker.streams.to_note.keys() == {CALLS, CRIMES}


def test_an_assigned_partition_above_the_known_count_shows_the_same() -> None:
    """Kafka's client may have noticed it before we did."""
    worker = intake()
    worker.assign([(CALLS, 4), (CALLS, 5), (CALLS, 0), (CRIMES, 0)])
    assert [each.topic_partition.topic for each in worker.assignment] == [CRIMES]
    assert (
        "has at least 6 partitions" in worker.streams.added["calls"]
    )  # another worker may have been given those above


def test_a_count_is_stored_only_if_kafka_shows_at_least_as_many_partitions_as_before() -> None:
    """A broker may answer from older metadata, or with an error: the check is then repeated."""
    for seen in (None, TopicSeen("a", 4), TopicSeen("a", 5)):
        with pytest.raises(BrokerUnavailable, match=r"partitions for topic watchroom\.calls, but reported 6 before"):
            confirmed(CALLS, Count(6, 1_000), seen)
    assert confirmed(CALLS, Count(6, 1_000), TopicSeen("a", 8)) == Count(8, 1_000)


def test_matching_definitions_do_not_restart_a_stream_dropped_for_added_partitions() -> None:
    """They still match: it is the partitions that have changed."""
    worker = intake()
    worker.streams.logs_seen(LogsSeen({}, (), {CALLS: 6}, 10_000))
    worker.streams.returned({"calls", "crimes"})
    assert worker.failure is None
