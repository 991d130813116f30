"""A stream is published only while it is fresh and its sources are alive; each fault is explained."""

from __future__ import annotations

import pytest

from watchroom.exporter.freshness import held_up, partitions_added, reading, silence, staleness
from watchroom.settings import SourceRule, read_settings
from watchroom.store.open_transactions import OpenTransaction
from watchroom.store.partition_counts import Count, PartitionCounts
from watchroom.store.read import SourceState

NOW = 1_637_971_200_000
HEARTBEATS = SourceRule()
SILENCE = SourceRule(heartbeats=False, silence_s=600)
IMPORT = SourceRule(heartbeats=False, history=True)


def stale(fresh_ms: dict[int, int | None], count: int | None = 2) -> list[str]:
    """Faults of a topic at NOW under the usual limit."""
    return list(staleness(fresh_ms, count, NOW, 10_000))


def silent(rules: dict[str, SourceRule], heard: dict[str, SourceState]) -> list[str]:
    """Faults of a stream's sources at NOW under the usual limit."""
    return list(silence(rules, heard, NOW, 90_000))


def test_a_stream_is_fresh_while_all_its_partitions_are_fresh() -> None:
    """Exactly at the limit still counts; one millisecond more does not."""
    assert stale({0: NOW, 1: NOW - 10_000}) == []
    assert stale({0: NOW, 1: NOW - 10_001}) == ["partition 1 is 10.0 s old (limit 10 s)"]


@pytest.mark.parametrize(
    ("fresh_ms", "count"),
    [({0: NOW}, 2), ({0: NOW, 1: None}, 2), ({}, 1), ({0: NOW}, None), ({0: NOW}, 0)],
    ids=["one missing", "one without T", "none", "count unknown", "no partitions"],
)
def test_a_missing_partition_withholds_the_stream(fresh_ms: dict[int, int | None], count: int | None) -> None:
    """A partition that has never been fresh must not count as fresh."""
    assert stale(fresh_ms, count)


def test_a_partition_far_in_the_future_is_stale() -> None:
    """A clock that is ahead would otherwise look fresh for as long as it is ahead."""
    assert stale({0: NOW + 5_000, 1: NOW}) == []
    assert stale({0: NOW + 5_001, 1: NOW})


def test_declared_sources_are_waited_for_and_undeclared_ones_are_not() -> None:
    """A declared source that was never seen withholds the stream; the silence of an undeclared one does not."""
    rules = {"acd": HEARTBEATS}
    assert silent(rules, {}) == ["source acd has never been seen"]
    assert silent(rules, {"acd": SourceState(None, NOW - 90_000), "stranger": SourceState(NOW - 10**9, None)}) == []
    assert silent(rules, {"acd": SourceState(None, NOW - 90_001)})


def test_an_event_shows_that_a_source_is_alive_just_as_a_heartbeat_does() -> None:
    """Silent means: nothing at all was received."""
    assert silent({"acd": HEARTBEATS}, {"acd": SourceState(NOW - 1_000, NOW - 500_000)}) == []


def test_without_heartbeats_the_silence_limit_decides() -> None:
    """The limit applies to events; without heartbeats and without a limit, a one-off import is not waited for."""
    assert silent({"cad": SILENCE}, {"cad": SourceState(NOW - 600_000, None)}) == []
    assert silent({"cad": SILENCE}, {"cad": SourceState(NOW - 600_001, None)})
    assert silent({"import": IMPORT}, {}) == []


def test_if_no_source_is_declared_every_source_ever_seen_is_waited_for() -> None:
    """And a stream that has never seen any source cannot say that nothing happened."""
    assert silent({}, {"a": SourceState(NOW, None), "b": SourceState(None, NOW)}) == []
    assert silent({}, {"a": SourceState(NOW, None), "b": SourceState(None, NOW - 90_001)})
    assert silent({}, {}) == ["no source has ever sent anything"]


def test_a_source_from_the_future_is_not_alive() -> None:
    """One stamp a year ahead would otherwise keep a dead source alive for a year."""
    assert silent({"acd": HEARTBEATS}, {"acd": SourceState(NOW + 5_001, None)})


def test_the_exporter_s_own_reading_must_be_recent() -> None:
    """A stuck background loop must lead to missing numbers, not to frozen ones."""
    assert list(reading(NOW - 10_000, NOW, 10_000)) == []
    assert list(reading(NOW - 10_001, NOW, 10_000))
    assert list(reading(None, NOW, 10_000))
    assert list(reading(NOW + 5_001, NOW, 10_000))


def test_a_stream_is_withheld_if_its_topic_has_more_partitions_than_were_counted() -> None:
    """However fresh the partitions that are read; the same applies while a rebuild merges them."""
    known = PartitionCounts((Count(4, 0), Count(6, NOW)))
    (said,) = partitions_added("north.calls", known, 4)
    assert said.startswith("north.calls has had 6 partitions since 2021-11-27T00:00:00")
    assert said.endswith("computed from 4: stop the workers and run `watchroom rebuild`")
    assert list(partitions_added("north.calls", known, 6)) == []
    assert list(partitions_added("north.calls", None, 6)) == []
    assert list(partitions_added("north.calls", known, None)) == []  # nothing is published then
    merging = PartitionCounts(known.counts, is_rebuilding=True)
    assert [text for text in partitions_added("north.calls", merging, 6) if "interrupted" in text]


def test_an_open_transaction_is_reported_while_a_worker_sees_it() -> None:
    """What a worker reported before it ended says nothing about the present."""
    found = {("north.calls", 3): OpenTransaction(7, NOW - 60_000, NOW - 1_000)}
    tools = read_settings(kafka="a:1, b:2", kafka_security="ssl").kafka_tools
    (said,) = held_up("north.calls", found, NOW, tools)
    assert "partition 3: a transaction has been open since 2021-11-26T23:59:00" in said
    command = "kafka-transactions.sh --bootstrap-server a:1,b:2 --command-config client.properties abort"
    assert f"`{command} --topic north.calls --partition 3 --start-offset 7`" in said
    assert list(held_up("north.crimes", found, NOW, tools)) == []
    assert list(held_up("north.calls", found, NOW + 60_000, tools)) == []
