"""Sending to Kafka: log ends are what the broker reported, and a key gets its partition."""

from __future__ import annotations

import asyncio
import json
from collections import Counter

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from tests.flow.servers import Stack
from watchroom.demo.server import free_port
from watchroom.errors import BrokerUnavailable, WorkFailed
from watchroom.events.partitioner import partition_of
from watchroom.importer.keep_alive import stay_live
from watchroom.importer.summary import Outcome, Sent, lines
from watchroom.importer.tally import Tally
from watchroom.kafka.produce import Outgoing, produce
from watchroom.kafka.topics import ensure_topics
from watchroom.settings import read_settings


def test_the_returned_ends_are_those_of_the_logs_and_keys_get_their_partitions(stack: Stack) -> None:
    """An entity in another partition than murmur2 gives would be a dead letter."""
    settings = stack.settings()
    asyncio.run(ensure_topics(settings))
    topic = settings.topic("calls")
    keys = [b"%d" % number for number in range(1200)]
    seen: list[int] = []
    ends = produce(stack.settings(), [Outgoing(topic, key, b"{}") for key in keys], seen.append)
    count = Counter((topic, partition_of(key, settings.partitions)) for key in keys)
    assert ends == dict(count)
    assert (sorted(seen), seen[-1]) == (seen, 1200)
    more = produce(stack.settings(), [Outgoing(topic, keys[0], b"{}")])
    place = (topic, partition_of(keys[0], settings.partitions))
    assert more == {place: count[place] + 1}


def test_a_broker_that_is_down_is_named_in_the_message(capfd: pytest.CaptureFixture[str]) -> None:
    """One line with the address and what to check; retrying is safe."""
    nowhere = f"127.0.0.1:{free_port()}"
    with pytest.raises(BrokerUnavailable, match=rf"no answer from Kafka at {nowhere} .*check that it is running"):
        produce(read_settings(kafka=nowhere), [])
    assert capfd.readouterr().err == "", "the client library wrote a line of its own before ours"


@pytest.mark.real
def test_a_record_that_the_broker_refuses_is_reported_as_refused(real_stack: Stack) -> None:
    """Not as a broker that is down: retrying would not help."""
    settings = real_stack.settings()
    asyncio.run(ensure_topics(settings))
    with pytest.raises(WorkFailed, match=r"refused the events \(MessageSizeTooLarge"):
        produce(settings, [Outgoing(settings.topic("calls"), b"1", b"x" * 2_000_000)])


async def test_a_source_kept_alive_sends_heartbeats_to_each_of_its_topics(embedded_stack: Stack) -> None:
    """If it were silent for 90 s, its streams would vanish from the board. Key, subject and source are the same."""
    settings = embedded_stack.settings()
    await ensure_topics(settings)
    looks: list[None] = []
    outcome = outcome_on(embedded_stack, streams=("calls", "incidents"), check=lambda: looks.append(None))
    sent = await asyncio.to_thread(stay_live, outcome, 1.2, 0.5)
    assert sent in (4, 6)
    assert looks
    values = [
        value for stream in ("calls", "incidents") for value in await everything(embedded_stack, settings.topic(stream))
    ]
    assert len(values) == sent
    assert {(value["type"], value["source"], value["subject"]) for value in values} == {
        ("feed.heartbeat", "log", "log")
    }


async def test_heartbeats_end_when_the_stack_has_ended(embedded_stack: Stack) -> None:
    """A source must not look alive when nothing processes what it sends."""
    await ensure_topics(embedded_stack.settings())

    def dead() -> None:
        raise WorkFailed("the worker has ended")

    with pytest.raises(WorkFailed, match="the worker has ended"):
        await asyncio.to_thread(stay_live, outcome_on(embedded_stack, streams=("calls",), check=dead), 30)


def test_the_summary_counts_rows_events_and_dead_letters(embedded_stack: Stack) -> None:
    """Used, skipped and refused add up to the rows read; nothing is left out silently."""
    outcome = outcome_on(embedded_stack, streams=("calls",), check=lambda: None)
    outcome.tally.rows, outcome.tally.refused, outcome.tally.repeated = 1010, 4, 3
    outcome.tally.skipped["a test call"], outcome.tally.repeating_rows = 6, 5
    outcome.sent.events, outcome.sent.held_back, outcome.sent.last_arrival_ms = 2000, 7, 0
    outcome.dead_letters["watchroom.calls", "late"] = 2  # type: ignore[index]  # a plain dict here
    assert list(lines(outcome)) == [
        "rows: 1,010 read, 1,000 used, 6 skipped, 4 refused; 0 entities",
        "  skipped 6: a test call",
        "  events that are in more than one row, counted once: 3",
        "  rows that share their key with an earlier row but differ from it: 5",
        "events: 2,000 sent and applied in 2.0 s (1,000 per second)",
        "  7 arrived after --as-of and were not sent",
        "  2 from watchroom.calls went to the dead-letter topic: late",
        "last arrival 1970-01-01T00:00:00Z; open measures as of 1970-01-01T00:00:01Z",
    ]


def test_a_replay_as_of_a_time_before_all_data_reports_that(embedded_stack: Stack) -> None:
    """An empty table looks like a broken mapping; usually the year is wrong."""
    outcome = outcome_on(embedded_stack, streams=("calls",), check=lambda: None)
    outcome.sent.held_back, outcome.sent.first_held_ms = 7, 60_000
    assert "  nothing had arrived by --as-of; the first arrival is 1970-01-01T00:01:00Z" in list(lines(outcome))


def outcome_on(stack: Stack, *, streams: tuple[str, ...], check: object) -> Outcome:
    """A finished replay of source `log`."""
    return Outcome(
        settings=stack.settings(), source="log", tally=Tally(), sent=Sent(), ends={}, dead_letters={},
        now_ms=1000, streams=streams, months=(), took_s=2.0, check=check,  # type: ignore[arg-type]  # any callable
    )  # fmt: skip


async def everything(stack: Stack, topic: str) -> list[dict[str, object]]:
    """All events of a topic."""
    consumer = AIOKafkaConsumer(bootstrap_servers=stack.kafka, auto_offset_reset="earliest", enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, partition) for partition in consumer.partitions_for_topic(topic) or ()])
        found: list[dict[str, object]] = []
        for _ in range(3):
            for records in (await consumer.getmany(timeout_ms=300)).values():
                found += [json.loads(record.value) for record in records]
        return found
    finally:
        await consumer.stop()
