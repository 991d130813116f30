"""The topics as a worker creates them, on both brokers."""

from __future__ import annotations

import asyncio
import subprocess

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from tests.flow.deleting import delete_calls
from tests.flow.servers import Stack
from tests.flow.servers.program import kafka_jars, program
from watchroom.demo.server import free_port
from watchroom.errors import BrokerUnavailable, ConfigurationInvalid, WorkFailed
from watchroom.kafka.topics import ensure_topics, owned_topics
from watchroom.settings import Settings, read_settings


async def test_every_topic_is_created_with_our_number_of_partitions(stack: Stack) -> None:
    """Nothing else may create them: a broker's defaults would decide the number of partitions."""
    settings = stack.settings(partitions=3)
    topics = await ensure_topics(settings)
    assert topics.partitions == dict.fromkeys(owned_topics(settings), 3)


async def test_a_stream_that_is_not_fed_gets_no_topic(stack: Stack) -> None:
    """Somebody would have to monitor, size and pay for a topic that nothing feeds."""
    settings = stack.settings(streams="calls")
    topics = await ensure_topics(settings)
    assert settings.topic("calls") in topics.partitions
    assert not {settings.topic("incidents"), settings.topic("crimes")} & topics.partitions.keys()


async def test_an_existing_topic_is_left_alone_and_its_partition_count_returned(stack: Stack) -> None:
    """The count belongs to the figures: the store compares it, and nothing changes it."""
    await ensure_topics(stack.settings(partitions=3))
    again = await ensure_topics(stack.settings(partitions=5))
    assert set(again.partitions.values()) == {3}


async def test_workers_that_start_together_create_the_topics_once(stack: Stack) -> None:
    """The second one finds them, and neither fails."""
    settings = stack.settings(partitions=2)
    found = await asyncio.gather(*(ensure_topics(settings) for _ in range(3)))
    assert all(topics.partitions == dict.fromkeys(owned_topics(settings), 2) for topics in found)


async def test_arrival_is_the_clock_of_the_broker_and_records_are_kept_for_a_rebuild(real_stack: Stack) -> None:
    """Lateness relies on LogAppendTime, a rebuild of 12 months on 400 days."""
    settings = real_stack.settings()
    await ensure_topics(settings)
    topics = settings.topic("calls"), settings.dead_letter_topic, settings.topic("crimes")
    calls, letters, crimes = [await settings_of(settings, topic) for topic in topics]
    assert calls["message.timestamp.type"] == letters["message.timestamp.type"] == "LogAppendTime"
    assert calls["retention.ms"] == letters["retention.ms"] == str(400 * 86_400_000)
    assert crimes["retention.ms"] == str(761 * 86_400_000)
    assert calls["compression.type"] == letters["compression.type"] == "zstd"
    assert (calls["max.message.bytes"], letters["max.message.bytes"]) == ("1048576", "2097152")


async def settings_of(settings: Settings, topic: str) -> dict[str, str]:
    """A topic's settings, as the broker holds them."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka)
    await admin.start()
    answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
    await admin.close()
    return {entry[0]: entry[1] for entry in answers[0].resources[0][4]}


async def test_a_recreated_topic_has_another_log_id(real_stack: Stack) -> None:
    """Its offsets begin at 0 again and soon pass the stored ones: only the id shows that it is another log."""
    settings = real_stack.settings()
    first = await ensure_topics(settings)
    assert first.log_ids.keys() == set(owned_topics(settings))
    assert (await ensure_topics(settings)).log_ids == first.log_ids
    await delete_calls(settings)
    again = await ensure_topics(settings)
    changed = {topic for topic, log_id in again.log_ids.items() if log_id != first.log_ids[topic]}
    assert changed == {settings.topic("calls")}


async def test_a_missing_broker_is_reported_with_its_address() -> None:
    """A reader of the message must know where to look."""
    address = f"127.0.0.1:{free_port()}"
    with pytest.raises(BrokerUnavailable, match=address):
        await ensure_topics(read_settings(kafka=address))


async def test_more_copies_than_brokers_is_refused_and_the_message_says_what_to_check(real_stack: Stack) -> None:
    """A setting that cannot work ends the command; waiting would not help."""
    with pytest.raises(WorkFailed, match="WATCHROOM_REPLICATION"):
        await ensure_topics(real_stack.settings(replication=3))


async def made_by_others(settings: Settings, topic: str, **changed: str) -> None:
    """Create a topic as somebody else would, with their settings; `_` in a name stands for `.`."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka)
    await admin.start()
    configs = {name.replace("_", "."): value for name, value in changed.items()}
    await admin.create_topics([NewTopic(topic, 4, 1, topic_configs=configs)])
    await admin.close()


async def test_a_topic_created_by_somebody_else_is_named_with_the_command_that_fixes_it(real_stack: Stack) -> None:
    """A producer's clock as arrival, or 7 days of retention, must not be discovered later."""
    settings = real_stack.settings()
    await made_by_others(settings, settings.topic("calls"), retention_ms="604800000")
    differing = (await ensure_topics(settings)).differing
    timestamps, retention = sorted(differing)
    command = f"kafka-configs.sh --bootstrap-server {settings.kafka} --alter --entity-type topics --entity-name"
    assert timestamps.startswith(f"topic {settings.topic('calls')}: message.timestamp.type is CreateTime. ")
    assert timestamps.endswith(f"{command} {settings.topic('calls')} --add-config message.timestamp.type=LogAppendTime")
    assert retention.endswith(f"{command} {settings.topic('calls')} --add-config retention.ms={400 * 86_400_000}")
    assert (await ensure_topics(settings)).differing == differing


async def test_the_command_for_a_topic_fixes_it(real_stack: Stack) -> None:
    """Somebody in a hurry pastes it into a shell."""
    settings = real_stack.settings()
    own = {"message_timestamp_type": "LogAppendTime", "retention_ms": "604800000"}
    await made_by_others(settings, settings.topic("calls"), **own)
    (sentence,) = (await ensure_topics(settings)).differing
    tool, *arguments = sentence.partition("To change it: ")[2].split()
    assert tool == "kafka-configs.sh"
    command = [program("Java 17", "java"), "-cp", f"{kafka_jars()}/*", "kafka.admin.ConfigCommand", *arguments]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (await ensure_topics(settings)).differing == []


@pytest.mark.parametrize("policy", ["compact", "compact,delete"])
async def test_no_worker_starts_on_a_compacted_topic(real_stack: Stack, policy: str) -> None:
    """Compaction keeps only the last event of each key, and every later rebuild would count wrongly."""
    settings = real_stack.settings()
    await made_by_others(settings, settings.topic("calls"), cleanup_policy=policy)
    with pytest.raises(ConfigurationInvalid) as refused:
        await ensure_topics(settings)
    said = str(refused.value)
    assert refused.value.exit_code == 2
    assert f"{settings.topic('calls')}: cleanup.policy: found " in said
    assert said.endswith(f"--entity-name {settings.topic('calls')} --add-config cleanup.policy=delete")


async def test_topics_that_we_create_give_no_message_at_the_next_start(stack: Stack) -> None:
    """What we create must be what we want, whatever the broker's defaults are."""
    await ensure_topics(stack.settings())
    assert (await ensure_topics(stack.settings())).differing == []
