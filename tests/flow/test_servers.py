"""The servers that other tests need: they start, keep their content, and go back to older content."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from redis import Redis

from tests import parts
from tests.flow.servers import AlertmanagerServer, KafkaServer, PrometheusServer, RedisServer, Stack
from tests.flow.servers import program as programs
from tests.flow.servers.kafka import end_offsets
from watchroom.demo.server import LocalServer
from watchroom.errors import WorkFailed


async def test_a_record_and_a_key_can_be_written_and_read_back(stack: Stack) -> None:
    """Both stacks work with the clients that our code uses."""
    topic = stack.settings().topic("calls")
    await _topic(stack.kafka, topic)
    await _send(stack.kafka, topic, b"a call")
    assert await _first(stack.kafka, topic) == b"a call"
    with Redis.from_url(stack.redis_url) as redis:
        assert redis.set(f"{{{stack.name}}}:hello", "x")


@pytest.mark.real
async def test_kafka_keeps_its_records_when_it_is_killed(own_kafka: KafkaServer) -> None:
    """A test that loses a broker must not lose its log: same port, same records."""
    await _topic(own_kafka.address, "hello")
    await _send(own_kafka.address, "hello", b"before")
    own_kafka.kill()
    own_kafka.start()
    assert await _first(own_kafka.address, "hello") == b"before"
    assert await end_offsets(own_kafka.address, "hello") == {0: 1}


@pytest.mark.real
def test_redis_goes_back_to_a_snapshot_and_keeps_its_content_when_it_is_killed(redis_server: RedisServer) -> None:
    """Tests of a Redis that lost its last second need one that really did."""
    with redis_server.client() as redis:
        redis.set("offset", 100)
        snapshot = redis_server.snapshot()
        redis.set("offset", 200)
        redis_server.written()
        redis_server.kill()
        redis_server.start()
        assert redis.get("offset") == b"200"
        redis_server.restore(snapshot)
        assert redis.get("offset") == b"100"
        assert redis.config_get("appendonly")["appendonly"] == "yes"


@pytest.mark.real
def test_prometheus_scrapes_and_alertmanager_answers(tmp_path: Path) -> None:
    """Prometheus scrapes itself here, so none of our code is needed."""
    try:
        manager = AlertmanagerServer(tmp_path / "alertmanager")
        prometheus = PrometheusServer(tmp_path / "prometheus", targets=[], alertmanager=manager.address)
    except parts.PartMissing as error:
        parts.missing(str(error))
    try:
        manager.start()
        prometheus.start()
        assert manager.alerts() == []
        assert [one["value"][1] for one in prometheus.query("vector(1)")] == ["1"]
    finally:
        prometheus.stop()
        manager.stop()


def test_a_server_that_cannot_start_shows_the_end_of_its_log(tmp_path: Path) -> None:
    """Otherwise a wrong option would be a time-out without a reason."""
    server = LocalServer("Redis", ["sh", "-c", "echo bad option; exit 3"], tmp_path / "log", lambda: False)
    with pytest.raises(WorkFailed, match=r"Redis exited with code 3 while starting(.|\n)*bad option"):
        server.start(within_s=5)


def test_a_missing_part_skips_on_a_laptop_and_fails_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    """A green CI that skipped the real broker would prove nothing."""
    with pytest.raises(parts.PartMissing, match=r"Redis is missing .*run `make test`"):
        programs.program("Redis", "no-such-program")
    monkeypatch.setenv("CI", "")
    with pytest.raises(pytest.skip.Exception):
        parts.missing("Redis is missing")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception):
        parts.missing("Redis is missing")


async def _topic(address: str, name: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, num_partitions=1, replication_factor=1)])
    finally:
        await admin.close()


async def _send(address: str, topic: str, value: bytes) -> None:
    async with AIOKafkaProducer(bootstrap_servers=address) as producer:
        await producer.send_and_wait(topic, value)


async def _first(address: str, topic: str) -> bytes | None:
    async with AIOKafkaConsumer(topic, bootstrap_servers=address, auto_offset_reset="earliest") as consumer:
        value: bytes | None = (await consumer.getone()).value
        return value
