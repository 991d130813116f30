"""What other producers write: transactions, tombstones, headers without a value, every compression."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.flow.pages import page, until_page_says
from tests.flow.rebuilt_force import RebuiltForce, settings_on
from tests.flow.servers import KafkaServer, RedisServer
from tests.flow.test_crashes import letters_in_kafka
from watchroom.demo.processes import Process
from watchroom.demo.server import free_port
from watchroom.errors import WorkFailed
from watchroom.intake import rebuild_checks
from watchroom.intake.rebuild_checks import look_at_logs, refuse_open_transactions
from watchroom.kafka.topics import ensure_topics

Codec = Literal["gzip", "snappy", "lz4", "zstd"]
CODECS: tuple[Codec | None, ...] = (None, "gzip", "snappy", "lz4", "zstd")

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]


def call(subject: str) -> tuple[bytes, bytes]:
    """Key and value of a call that was presented just now."""
    at = (datetime.now(UTC) - timedelta(seconds=5)).isoformat()
    event = {"specversion": "1.0", "id": subject, "source": "acd", "type": "call.presented", "time": at}
    return subject.encode(), json.dumps({**event, "subject": subject, "data": {"line": "999"}}).encode()


def presented(force: RebuiltForce) -> int:
    """The number of calls in the figures of all months."""
    months = [fields for name, fields in force.dump().items() if name.startswith("month:")]
    return sum(int(n) for fields in months for name, n in fields.items() if name.startswith("call_volume|line=999|"))


async def rebuilt(force: RebuiltForce) -> tuple[dict[str, Any], dict[str, Any]]:
    """What Redis holds before and after a rebuild."""
    await force.until_nobody_is_in_the_group()
    force.half_a_minute_passes()
    before = force.dump()
    done = await asyncio.to_thread(force.run, "rebuild")
    assert done.code == 0, done.said
    return before, force.dump()


def lasting(dump: dict[str, Any]) -> dict[str, Any]:
    """Without the buckets that may expire meanwhile, and what a worker writes about transactions every 2 s."""
    passing = ("changed", "open-transactions")
    return {name: content for name, content in dump.items() if not name.startswith("10s:") and name not in passing}


async def test_an_aborted_transaction_is_ignored_and_an_open_one_is_named(
    kafka: KafkaServer, redis_server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Records behind an open one cannot be read: the stream is withheld, and every page says why."""
    settings = settings_on(
        kafka, redis_server, partitions=1, health_port=free_port(), exporter_port=free_port(), fresh_s=3
    )
    force, topic = RebuiltForce(settings, redis_server.client(), tmp_path), settings.topic("calls")
    exporter = Process("exporter", settings, tmp_path / "exporter.log")
    await ensure_topics(settings)
    said = f"{topic} partition 0: a transaction has been open since"
    with force.worker(health_port=settings.health_port) as worker, exporter:
        async with AIOKafkaProducer(bootstrap_servers=kafka.address, transactional_id=settings.force) as producer:
            for subjects, end in ((("a", "b"), producer.commit_transaction), (("c",), producer.abort_transaction)):
                await producer.begin_transaction()
                for subject in subjects:
                    await producer.send_and_wait(topic, key=call(subject)[0], value=call(subject)[1])
                await end()
            await force.until_applied(worker)
            assert presented(force) == 2
            await producer.begin_transaction()
            opened = await producer.send_and_wait(topic, key=call("d")[0], value=call("d")[1])
            async with AIOKafkaProducer(bootstrap_servers=kafka.address) as other:
                await other.send_and_wait(topic, key=call("e")[0], value=call("e")[1])
            await until_page_says(said, 15, "/readyz", settings.health_port)
            assert f"abort --topic {topic} --partition 0 --start-offset {opened.offset}" in page(
                settings.health_port, "/health"
            )
            assert page(settings.health_port, "/livez") == "ok\n"  # a restart would not end the transaction
            await until_page_says(said, 15, "/healthz", settings.exporter_port)
            await until_page_says('stream_withheld{stream="calls"} 1', 15, "/metrics", settings.exporter_port)
            assert 'stream_withheld{stream="crimes"} 0' in page(settings.exporter_port, "/metrics")
            assert presented(force) == 2
            monkeypatch.setattr(rebuild_checks, "TRANSACTION_WITHIN_S", 0.0)
            with pytest.raises(
                WorkFailed, match=rf"from offset {opened.offset} onwards can be read.*Nothing was changed"
            ):
                await look_for_open_transactions(kafka, topic)
            await producer.abort_transaction()
            await look_for_open_transactions(kafka, topic)
        await force.until_applied(worker)
        await until_page_says("ok", 15, "/readyz", settings.health_port)
        await until_page_says('stream_withheld{stream="calls"} 0', 15, "/metrics", settings.exporter_port)
    assert presented(force) == 3
    before, after = await rebuilt(force)
    assert lasting(before) == lasting(after)


async def look_for_open_transactions(kafka: KafkaServer, topic: str) -> None:
    """What a rebuild checks before it clears anything."""
    place = TopicPartition(topic, 0)
    async with AIOKafkaConsumer(bootstrap_servers=kafka.address, isolation_level="read_committed") as consumer:
        consumer.assign([place])
        consumer.seek(place, 0)
        await refuse_open_transactions(consumer, await look_at_logs(consumer, {place: 0}), "")


async def test_every_compression_and_records_without_a_value_are_read_alike(
    kafka: KafkaServer, redis_server: RedisServer, tmp_path: Path
) -> None:
    """Records stay as their producer compressed them; the worker and a rebuild give the same figures and letters."""
    settings = settings_on(kafka, redis_server, partitions=2)
    force, topic = RebuiltForce(settings, redis_server.client(), tmp_path), settings.topic("calls")
    await make_topic(settings.kafka, topic)
    await ensure_topics(settings)
    for codec in CODECS:
        async with AIOKafkaProducer(bootstrap_servers=kafka.address, compression_type=codec, linger_ms=50) as producer:
            sent = [
                await producer.send(topic, key=key, value=value, headers=[("trace", None), ("x", b"1")])
                for key, value in (call(f"{codec}-{n}") for n in range(20))
            ]
            tombstones = [await producer.send(topic, key=f"{codec}-{n}".encode(), value=None) for n in range(2)]
            await asyncio.gather(*sent, *tombstones)
    with force.worker() as worker:
        await force.until_applied(worker)
    assert presented(force) == 20 * len(CODECS)
    letters = await letters_in_kafka(settings)
    assert force.dump()["dead-letters"] == {f"{topic}|bad_json": str(2 * len(CODECS))}
    assert len(letters) == 2 * len(CODECS)
    before, after = await rebuilt(force)
    assert lasting(before) == lasting(after)
    assert await letters_in_kafka(settings) == letters


async def make_topic(kafka: str, topic: str) -> None:
    """A topic that keeps each batch as its producer compressed it; ours compress everything again."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    configured = {"compression.type": "producer", "message.timestamp.type": "LogAppendTime"}
    try:
        await admin.create_topics([NewTopic(topic, 2, 1, topic_configs=configured)])
    finally:
        await admin.close()
