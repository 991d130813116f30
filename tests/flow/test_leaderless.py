"""Partitions without a leader: the others continue, and nothing has to be restarted when the leader comes back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from tests.flow.servers import KafkaServer, kafka_cluster
from tests.intake.recorder import Recorder, consuming
from tests.parts import PartMissing, missing
from watchroom.intake.intake import Intake
from watchroom.kafka.topics import ensure_topics
from watchroom.settings import Settings, read_settings

pytestmark = [pytest.mark.real, pytest.mark.timeout(150)]
PartitionKey = tuple[str, int]


@pytest.fixture
def brokers(tmp_path: Path) -> Iterator[list[KafkaServer]]:
    """Three brokers; topics have one copy, so the partitions of a broker that is down have no leader."""
    try:
        servers = kafka_cluster(tmp_path, 3)
    except PartMissing as error:
        missing(str(error))
    try:
        yield servers
    finally:
        for server in servers:
            server.kill()


async def leaders(settings: Settings) -> dict[PartitionKey, int]:
    """The broker that leads each partition of the streams' topics."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka)
    await admin.start()
    described = await admin.describe_topics(list(settings.topics.values()))
    await admin.close()
    return {(of["topic"], part["partition"]): part["leader"] for of in described for part in of["partitions"]}


async def produce(settings: Settings, places: set[PartitionKey]) -> None:
    """One record to each of these partitions."""
    async with AIOKafkaProducer(bootstrap_servers=settings.kafka) as producer:
        for topic, partition in places:
            await producer.send_and_wait(topic, b"{}", b"17", partition)


def reading(intake: Intake) -> set[PartitionKey]:
    """The partitions that are being read."""
    return {each.topic_partition for each in intake.assignment if each.is_reading}


async def test_partitions_with_a_leader_are_read_while_others_have_none(brokers: list[KafkaServer]) -> None:
    """A worker that starts or rejoins while a broker is down blanks only that broker's partitions."""
    settings = read_settings(kafka=",".join(broker.address for broker in brokers), partitions=3, touch_s=0.2)
    await ensure_topics(settings)
    led = await leaders(settings)
    stopped = brokers[2]
    without = {place for place, leader in led.items() if leader == 3}
    others = led.keys() - without
    assert without
    assert others
    stopped.kill()
    recorder = Recorder()
    async with consuming(settings, recorder) as intake:
        await produce(settings, others)
        await recorder.until(lambda r: all(r.stored.get(place) == 1 for place in others), 60)
        assert reading(intake) == others
        fresh_ms = max(recorder.fresh_ms[place] or 0 for place in others)
        await recorder.until(lambda r: all((r.fresh_ms[place] or 0) > fresh_ms + 3_000 for place in others), 30)
        stopped.start()
        await produce(settings, without)
        await recorder.until(lambda r: all(r.stored.get(place) == 1 for place in without), 60)
        assert reading(intake) == led.keys()
        assert intake.failure is None
